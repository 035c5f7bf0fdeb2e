public import Torch
public import TorchNN

/// Scales every channel of a branch before it is added to its input.
///
/// ## Shapes
/// - Input and output: `[…, width]`
///
/// ## Parameters in a checkpoint
/// - `gamma`: `[width]`
///
/// ## Source
/// Touvron et al., "Going deeper with Image Transformers" (arXiv:2103.17239), section 2; `timm/layers/layer_scale.py`.
public final class LayerScale: Module {
    /// The scales.
    public let gamma: Parameter

    /// Creates a layer.
    ///
    /// - Parameters:
    ///   - width: The size of the last dimension.
    ///   - initValue: The first value of every scale; DeiT-III takes 1e-6.
    /// - Throws: `TorchError` for a lack of memory.
    public init(_ width: Int, initValue: Double) throws(TorchError) {
        self.gamma = try Parameter(Tensor.full(initValue, [width]))
    }

    /// Returns the scaled rows.
    ///
    /// - Parameter x: `[…, width]`.
    /// - Returns: The same shape.
    /// - Throws: `TorchError` when the last dimension is not `width`.
    public func callAsFunction(_ x: Tensor) throws(TorchError) -> Tensor { try x * gamma.tensor }
}
