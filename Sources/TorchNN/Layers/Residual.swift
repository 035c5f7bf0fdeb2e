public import Torch

/// The sum of a residual connection, by the kernel of ``ComputePolicy/pointwise``.
public enum Residual {
    /// Returns `x + branch`.
    ///
    /// - Parameters:
    ///   - x: The tokens.
    ///   - branch: What a layer made of them, of the same shape; under autocast in its type.
    /// - Returns: The sum, in the type of `x`.
    /// - Throws: `TorchError` when the shapes do not fit.
    public static func add(_ x: Tensor, _ branch: Tensor) throws(TorchError) -> Tensor {
        switch ComputePolicy.current.pointwise {
        case .vectors: try Functional.addBranch(x, branch)
        case .libtorch: try x + branch
        }
    }
}
