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

    /// Whether tensors have their shapes alone, with one zero for all elements: what is made of them takes no memory, and
    /// must not be written to.
    @TaskLocal package static var isShapeOnly = false

    /// Creates a tensor of `float32` with such values.
    ///
    /// - Parameter shape: The size of every dimension.
    /// - Returns: The new tensor.
    /// - Throws: `TorchError` for a lack of memory.
    public func callAsFunction(_ shape: [Int]) throws(TorchError) -> Tensor {
        if Self.isShapeOnly, !shape.isEmpty { return try Tensor.zeros([1]).expanded(shape) }
        let tensor = try Tensor.zeros(shape)
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
