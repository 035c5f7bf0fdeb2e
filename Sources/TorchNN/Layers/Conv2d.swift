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

    /// How the filters lie.
    let geometry: ConvolutionGeometry
    private let kernel: Int
    private let isSame: Bool

    /// Creates a layer.
    ///
    /// - Parameters:
    ///   - inChannels: The channels of the input.
    ///   - outChannels: The channels of the output.
    ///   - kernel: The height and width of a filter, in pixels.
    ///   - stride: The distance between two places of a filter, in pixels.
    ///   - padding: The zeros added on each side, in pixels.
    ///   - isSame: Whether the zeros are TensorFlow's instead (`SAME`): as few as leave `ceil(height / stride)` rows, the
    ///     odd one at the bottom and on the right, whatever `padding` says.
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
        isSame: Bool = false,
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
        // An odd filter without a stride has as many zeros on either side.
        let isStatic = isSame && stride == 1 && kernel % 2 == 1
        self.isSame = isSame && !isStatic
        self.kernel = kernel
        self.geometry = ConvolutionGeometry(
            stride: stride,
            padding: isStatic ? kernel / 2 : isSame ? 0 : padding,
            groups: groups
        )
    }

    /// Returns the filtered images.
    ///
    /// - Parameter x: `[batch, inChannels, height, width]`.
    /// - Returns: `[batch, outChannels, …]`.
    /// - Throws: `TorchError` when the shape of `x` does not match.
    public func callAsFunction(_ x: Tensor) throws(TorchError) -> Tensor {
        try Functional.conv2d(
            padded(x),
            weight.tensor,
            bias?.tensor,
            stride: (geometry.stride, geometry.stride),
            padding: (geometry.padding, geometry.padding),
            groups: geometry.groups
        )
    }

    /// The zeros that depend on the size of images, above and below together, and left and right; nil where none do.
    func sizedPadding(of x: Tensor) -> (rows: Int, columns: Int)? {
        guard isSame, x.rank == 4 else { return nil }
        func zeros(_ size: Int) -> Int {
            let places = (size + geometry.stride - 1) / geometry.stride
            return max((places - 1) * geometry.stride + kernel - size, 0)
        }
        let (rows, columns) = (zeros(x.shape[2]), zeros(x.shape[3]))
        return rows > 0 || columns > 0 ? (rows, columns) : nil
    }

    /// The images with the zeros that depend on their size.
    func padded(_ x: Tensor) throws(TorchError) -> Tensor {
        guard let (rows, columns) = sizedPadding(of: x) else { return x }
        return try Functional.pad2d(
            x,
            left: columns / 2,
            right: columns - columns / 2,
            top: rows / 2,
            bottom: rows - rows / 2
        )
    }
}
