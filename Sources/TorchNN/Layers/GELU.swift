public import Torch

/// The Gaussian error linear unit in its exact form, `x · Φ(x)`.
///
/// ## Source
/// Hendrycks & Gimpel, "Gaussian Error Linear Units" (arXiv:1606.08415); not the tanh approximation, which differs by
/// up to 5e-4.
public final class GELU: Module {
    /// Returns the activated elements.
    public func callAsFunction(_ x: Tensor) throws(TorchError) -> Tensor { try Functional.gelu(x) }
}
