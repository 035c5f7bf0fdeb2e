public import Torch

/// Where a layer's first values come from; all draw from libtorch's default generator (`manualSeed(_:)`).
public enum Initializer: Sendable {
    case zeros
    case ones

    /// A normal distribution around 0.
    ///
    /// timm truncates it at ±2, which for the usual 0.02 is a hundred standard deviations and changes nothing.
    case normal(std: Double)

    /// A uniform distribution in ±`bound`.
    case uniform(bound: Double)

    /// PyTorch's default for linear and convolution layers: uniform in ±1/√fanIn.
    case torchDefault(fanIn: Int)

    /// He et al. (arXiv:1502.01852): normal with variance 2/fanOut, for layers before a ReLU.
    case kaimingNormal(fanOut: Int)

    /// What a new parameter gets.
    package enum Filling: Sendable {
        /// The initializer's values.
        case values

        /// Zeros, for a network whose weights all come from a file: no numbers are drawn, and the pages of a new tensor
        /// take memory only when the weights are copied in.
        case zeros

        /// One zero for all elements: the network takes no memory, and only its names and shapes are of use.
        case shapesOnly
    }

    /// What new parameters get in this task.
    @TaskLocal package static var filling = Filling.values

    /// Creates a tensor of `float32` with such values.
    ///
    /// - Parameter shape: The size of every dimension.
    /// - Returns: The new tensor.
    /// - Throws: `TorchError` for a lack of memory.
    public func callAsFunction(_ shape: [Int]) throws(TorchError) -> Tensor {
        let filling = Self.filling
        if filling == .shapesOnly, !shape.isEmpty { return try Tensor.zeros([1]).expanded(shape) }
        let tensor = try Tensor.zeros(shape)
        guard filling == .values else { return tensor }
        switch self {
        case .zeros: break
        case .ones: try tensor.fill(1)
        case .normal(let std): try tensor.fillNormal(mean: 0, std: std)
        case .uniform(let bound): try tensor.fillUniform(low: -bound, high: bound)
        case .torchDefault(let fanIn):
            let bound = 1 / Double(max(fanIn, 1)).squareRoot()
            try tensor.fillUniform(low: -bound, high: bound)
        case .kaimingNormal(let fanOut):
            try tensor.fillNormal(mean: 0, std: (2 / Double(max(fanOut, 1))).squareRoot())
        }
        return tensor
    }
}
