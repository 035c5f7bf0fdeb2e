public import Torch

/// Normalises the last dimension, then scales and shifts it.
///
/// Computes `(x - mean) / √(variance + eps) · weight + bias` for every row. The kernel is the one of
/// ``ComputePolicy/pointwise``.
///
/// ## Parameters in a checkpoint
/// - `weight`, `bias`: `[width]`
///
/// ## Source
/// Ba et al., "Layer Normalization" (arXiv:1607.06450).
public final class LayerNorm: Module {
    /// The scale, 1 at first.
    public let weight: Parameter

    /// The shift, 0 at first.
    public let bias: Parameter

    private let width: Int
    /// What is added to the variance.
    package let eps: Double

    /// Creates a layer.
    ///
    /// - Parameters:
    ///   - width: The size of the last dimension.
    ///   - eps: What is added to the variance. It has no default: timm and DeiT use 1e-6, Hugging Face's configurations
    ///     1e-12.
    /// - Throws: `TorchError` for a lack of memory.
    public init(_ width: Int, eps: Double) throws(TorchError) {
        self.weight = try Parameter(Tensor.ones([width]))
        self.bias = try Parameter(Tensor.zeros([width]))
        self.width = width
        self.eps = eps
    }

    /// Returns the normalised rows.
    ///
    /// - Parameters:
    ///   - x: `[…, width]`.
    ///   - isForProduct: Whether only matrix products read the result: under autocast it then may have autocast's type,
    ///     which those would give it anyway.
    /// - Returns: The same shape.
    /// - Throws: `TorchError` when the last dimension is not `width`.
    public func callAsFunction(
        _ x: Tensor,
        isForProduct: Bool = false
    ) throws(TorchError) -> Tensor {
        switch ComputePolicy.current.pointwise {
        case .vectors:
            try Functional.layerNormVectors(
                x,
                width: width,
                weight: weight.tensor,
                bias: bias.tensor,
                eps: eps,
                isForProduct: isForProduct
            )
        case .libtorch:
            try Functional.layerNorm(
                x,
                width: width,
                weight: weight.tensor,
                bias: bias.tensor,
                eps: eps
            )
        }
    }
}
