internal import CTorch

/// A transformer block as one function with its gradient, for training on the CPU.
///
/// A thread takes an image through the whole block, forward and backward. Weights are converted and packed once a call,
/// gradients of weights are sums in `float32`, and neither the weights of attention nor the hidden activations are kept.
/// The result and all gradients are the same, to the bit, on any number of threads.
public enum FusedBlock {
    /// The name of the kernels that this processor has for a type: `nil` for none, or for any other than `float32` and
    /// `bfloat16`.
    ///
    /// - Parameter dtype: The type of the operands of matrix products.
    /// - Returns: A name such as `AVX-512`. The first call compares a block with plain loops; a wrong one is none.
    public static func kernels(_ dtype: DType) -> String? {
        ct_block_kernels(dtype.code).map { String(cString: $0) }
    }

    /// Whether the function serves tokens: of `float32` on the CPU, a width that is a multiple of 32, and at least as
    /// many images as threads.
    ///
    /// - Parameter tokens: The tokens that enter a block.
    /// - Returns: Whether ``apply(_:_:heads:eps:attentionFactors:feedForwardFactors:)`` takes them.
    public static func serves(_ tokens: Tensor) -> Bool {
        let shape = tokens.shape
        return shape.count == 3 && shape[0] >= Libtorch.threadCount && shape[1] > 0
            && PackedEncoder.serves(width: shape[2]) && tokens.dtype == .float32
            && tokens.device == .cpu
    }

    /// Returns the tokens after a pre-norm block with a GELU.
    ///
    /// That is `x + attention(norm1(x))`, then the feed-forward layers in the same way. Matrix products have the type of
    /// autocast.
    ///
    /// - Parameters:
    ///   - x: The tokens that enter the block, `[batch, tokens, width]`; see ``serves(_:)``.
    ///   - block: The block's tensors, all `float32` on the CPU.
    ///   - heads: The number of heads, a divisor of the width.
    ///   - eps: What is added to the variances.
    ///   - attentionFactors: What every image's attention branch is multiplied by, `batch` numbers; `nil` for 1. A branch
    ///     with the factor 0 is not computed.
    ///   - feedForwardFactors: The same of the feed-forward branch.
    /// - Returns: The same shape.
    /// - Throws: ``TorchError`` for shapes and types that are not served.
    public static func apply(
        _ x: Tensor,
        _ block: PackedEncoder.Block,
        heads: Int,
        eps: Double,
        attentionFactors: Tensor? = nil,
        feedForwardFactors: Tensor? = nil
    ) throws(TorchError) -> Tensor {
        let tensors = block.tensors
        return try withExtendedLifetime(tensors) { () throws(TorchError) in
            try tensor("block") {
                ct_block(
                    x.handle,
                    tensors.map { $0?.handle },
                    Int64(heads),
                    eps,
                    attentionFactors?.handle,
                    feedForwardFactors?.handle,
                    $0
                )
            }
        }
    }

    /// The largest error of a block's output and gradients on random numbers of a random shape, against plain loops in
    /// double precision.
    ///
    /// - Parameters:
    ///   - dtype: The type of the operands.
    ///   - seed: What the shape and the numbers are drawn from.
    /// - Returns: The error relative to the largest number of each tensor, and what is allowed.
    /// - Throws: ``TorchError`` where there are no kernels.
    package static func error(
        dtype: DType,
        seed: UInt64
    ) throws(TorchError) -> (found: Double, allowed: Double) {
        var (found, allowed) = (0.0, 0.0)
        try guarded("block") { ct_block_error(dtype.code, seed, &found, &allowed) }
        return (found, allowed)
    }
}
