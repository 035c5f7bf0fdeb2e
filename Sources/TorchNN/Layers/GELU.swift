public import Torch

/// The Gaussian error linear unit in its exact form, `x · Φ(x)`.
///
/// ## Source
/// Hendrycks & Gimpel, "Gaussian Error Linear Units" (arXiv:1606.08415); not the tanh approximation, which differs by
/// up to 5e-4.
public final class GELU: Module {
    /// Returns the activated elements, by the kernel of ``ComputePolicy/pointwise``.
    public func callAsFunction(_ x: Tensor) throws(TorchError) -> Tensor {
        switch ComputePolicy.current.pointwise {
        case .vectors: try Functional.geluVectors(x)
        case .libtorch: try Functional.gelu(x)
        }
    }
}
