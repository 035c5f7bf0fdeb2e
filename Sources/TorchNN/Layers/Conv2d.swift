public import Torch

/// A 2-D convolution.
///
/// ## Shapes
/// - Input: `[batch, inChannels, height, width]`
/// - Output: `[batch, outChannels, (height + 2 · padding - kernel) / stride + 1, …]`
///
/// ## Parameters in a checkpoint
/// - `weight`: `[outChannels, inChannels / groups, kernel, kernel]`
/// - `bias`: `[outChannels]`
public final class Conv2d: Module {
    /// The filters.
    public let weight: Parameter

    /// What is added to every output channel, if anything.
    public let bias: Parameter?

    private let stride: Int
    private let padding: Int
    private let groups: Int

    /// Creates a layer.
    ///
    /// - Parameters:
    ///   - inChannels: The channels of the input.
    ///   - outChannels: The channels of the output.
    ///   - kernel: The height and width of a filter, in pixels.
    ///   - stride: The distance between two places of a filter, in pixels.
    ///   - padding: The zeros added on each side, in pixels.
    ///   - groups: The number of groups that do not see each other; it must divide both numbers of channels.
    ///   - bias: Whether there is a bias.
    ///   - initializer: The first values of the filters; PyTorch's default where `nil`.
    /// - Throws: `TorchError` for a lack of memory.
    public init(
        _ inChannels: Int,
        _ outChannels: Int,
        kernel: Int,
        stride: Int = 1,
        padding: Int = 0,
        groups: Int = 1,
        bias: Bool = true,
        initializer: Initializer? = nil
    ) throws(TorchError) {
        let fanIn = inChannels / max(groups, 1) * kernel * kernel
        let first = initializer ?? .torchDefault(fanIn: fanIn)
        self.weight = try Parameter(
            first([outChannels, inChannels / max(groups, 1), kernel, kernel])
        )
        self.bias =
            bias ? try Parameter(Initializer.torchDefault(fanIn: fanIn)([outChannels])) : nil
        self.stride = stride
        self.padding = padding
        self.groups = groups
    }

    /// Returns the filtered pictures.
    ///
    /// - Parameter x: `[batch, inChannels, height, width]`.
    /// - Returns: `[batch, outChannels, …]`.
    /// - Throws: `TorchError` when the shape of `x` does not match.
    public func callAsFunction(_ x: Tensor) throws(TorchError) -> Tensor {
        try Functional.conv2d(
            x,
            weight.tensor,
            bias?.tensor,
            stride: (stride, stride),
            padding: (padding, padding),
            groups: groups
        )
    }
}
