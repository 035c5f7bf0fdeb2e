public import Torch

/// The Gaussian error linear unit in its exact form, `x · Φ(x)`.
///
/// ## Source
/// Hendrycks & Gimpel, "Gaussian Error Linear Units" (arXiv:1606.08415); not the tanh approximation, which differs by
/// up to 5e-4.
public final class GELU: Module {
    /// Returns the activated elements, by the kernel of ``ComputePolicy/pointwise``.
    ///
    /// - Parameters:
    ///   - x: The elements.
    ///   - mayOverwrite: Whether `x` is not read afterwards: where no gradient is recorded the result then may be
    ///     written over it.
    /// - Returns: The same shape.
    /// - Throws: `TorchError` for a lack of memory.
    public func callAsFunction(
        _ x: Tensor,
        mayOverwrite: Bool = false
    ) throws(TorchError) -> Tensor {
        try Self.activated(x, mayOverwrite: mayOverwrite)
    }

    /// Returns the activated elements without a layer; see ``callAsFunction(_:mayOverwrite:)``.
    public static func activated(
        _ x: Tensor,
        mayOverwrite: Bool = false
    ) throws(TorchError) -> Tensor {
        switch ComputePolicy.current.pointwise {
        case .vectors: try Functional.geluVectors(x, mayOverwrite: mayOverwrite)
        case .libtorch: try Functional.gelu(x)
        }
    }
}
