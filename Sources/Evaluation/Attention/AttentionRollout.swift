public import Torch

/// Attention of several blocks made one: how much of each patch reaches a token through all blocks.
///
/// Of every block the heads are made one matrix `A`; the way past attention is added, `(1 - residual) A + residual I`, and
/// rows are scaled to sum 1. The product of these matrices, the first block's at the right, is the rollout.
///
/// ## Source
/// Abnar and Zuidema, "Quantifying Attention Flow in Transformers" (arXiv:2005.00928), section 3; the fusion of heads and
/// the share that is discarded as in `jacobgil/vit-explain, vit_rollout.py`.
public struct AttentionRollout: Sendable, Equatable {
    /// How a block's heads become one matrix.
    public enum Fusion: String, Sendable, CaseIterable {
        /// Their mean, as in the paper.
        case mean
        /// The largest of each element.
        case max
        /// The smallest of each element.
        case min
    }

    /// How a block's heads become one matrix.
    public var fusion: Fusion

    /// The share of the way past attention, 0 up to, but not including, 1; the paper's is 0.5.
    public var residual: Double

    /// The share of a block's smallest weights that count as nothing, 0 up to, but not including, 1.
    public var discardRatio: Double

    /// Creates a rollout.
    ///
    /// - Parameters:
    ///   - fusion: How a block's heads become one matrix.
    ///   - residual: The share of the way past attention, 0 up to, but not including, 1.
    ///   - discardRatio: The share of a block's smallest weights that count as nothing, 0 up to, but not including, 1.
    /// - Throws: ``EvaluationError/invalid(_:)`` for a share out of range.
    public init(
        fusion: Fusion = .mean,
        residual: Double = 0.5,
        discardRatio: Double = 0
    ) throws(EvaluationError) {
        for (name, share) in [("residual", residual), ("discard ratio", discardRatio)] {
            guard share >= 0, share < 1 else {
                throw .invalid("the \(name) of a rollout must be from 0 up to 1, not \(share)")
            }
        }
        self.fusion = fusion
        self.residual = residual
        self.discardRatio = discardRatio
    }

    /// The rollout of the paper.
    public static let paper = AttentionRollout()

    private init() {
        (fusion, residual, discardRatio) = (.mean, 0.5, 0)
    }

    /// Returns one block's matrix.
    ///
    /// - Parameter weights: The weights of attention, `[heads, tokens, tokens]`.
    /// - Returns: `[tokens, tokens]`, each row of which sums to 1.
    /// - Throws: `TorchError` when the shape does not fit.
    public func matrix(_ weights: Tensor) throws(TorchError) -> Tensor {
        let (_, tokens, columns) = try weights.shape3()
        guard tokens == columns, tokens > 0 else {
            throw TorchError(
                operation: "rollout",
                message:
                    "weights of shape \(weights.shape) are not attention weights, [images, heads, tokens, tokens]"
            )
        }
        let fused = try discarded(fused(weights.to(.float32)))
        let identity = try Tensor.arange(tokens).to(fused.device).oneHot(classes: tokens)
        let mixed = try fused * (1 - residual) + identity * residual
        // A row whose weights were all discarded has nothing to share out.
        let sums = try mixed.sum([1], keepDims: true).clamped(
            1e-30...1e30
        )
        return try mixed / sums
    }

    /// Returns the rollout of some tokens.
    ///
    /// - Parameters:
    ///   - matrices: What ``matrix(_:)`` returned for every block, the first block's first.
    ///   - tokens: The places of the tokens that were requested.
    /// - Returns: `[tokens requested, tokens]`, each row of which sums to 1.
    /// - Throws: `TorchError` when there are no blocks, or shapes do not fit.
    public func callAsFunction(
        _ matrices: [Tensor],
        tokens: Range<Int>
    ) throws(TorchError) -> Tensor {
        guard let last = matrices.last else {
            throw TorchError(operation: "rollout", message: "there are no blocks")
        }
        // From the last block on, rows times matrix: no product of two whole matrices is needed.
        var rows = try last.narrowed(0, tokens)
        for matrix in matrices.dropLast().reversed() { rows = try rows.matmul(matrix) }
        return rows
    }

    private func fused(_ weights: Tensor) throws(TorchError) -> Tensor {
        switch fusion {
        case .mean: try weights.mean([0])
        case .max: try weights.topK(1, dim: 0).values.selected(0, 0)
        case .min: try -((-weights).topK(1, dim: 0).values.selected(0, 0))
        }
    }

    /// The matrix without its smallest elements; the first token's weight for itself always stays.
    private func discarded(_ matrix: Tensor) throws(TorchError) -> Tensor {
        let count = matrix.elementCount
        let dropped = Int(Double(count) * discardRatio)
        guard dropped > 0, dropped < count else { return matrix }
        let flat = try matrix.reshaped([count])
        let least = try flat.topK(count - dropped).values.min()
        let kept = try Tensor.where(flat.less(least), flat * 0, flat)
        let first = try flat.narrowed(0, 0..<1)
        return try Tensor.cat([first, kept.narrowed(0, 1..<count)], dim: 0).reshaped(matrix.shape)
    }
}
