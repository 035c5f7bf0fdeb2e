public import Torch
public import TorchNN

/// Multi-head self-attention with a fused query, key and value projection.
///
/// Computes `softmax(q kᵀ / √headDim) v` for every head and projects the result back to `embedDim`.
///
/// ## Shapes
/// - Input: `[batch, tokens, embedDim]`
/// - Output: `[batch, tokens, embedDim]`
///
/// ## Parameters in a checkpoint
/// - `qkv.weight`: `[3 * embedDim, embedDim]`, rows ordered query, key, value
/// - `proj.weight`: `[embedDim, embedDim]`
///
/// ## Source
/// Dosovitskiy et al., "An Image Is Worth 16x16 Words" (arXiv:2010.11929), appendix A, eq. 5–8.
public final class Attention: Module {
    /// The fused projection that produces queries, keys and values.
    public let qkv: Linear

    /// The projection applied to the concatenated heads.
    public let proj: Linear

    /// The dropout of the weights that tokens give to each other.
    public let attnDrop: Dropout

    /// The dropout after the projection.
    public let projDrop: Dropout

    private let numHeads: Int

    /// Creates an attention layer with freshly initialised weights.
    ///
    /// - Parameter configuration: A checked configuration.
    /// - Throws: `ConfigurationError` for a dropout rate out of range, `TorchError` for a lack of
    ///   memory.
    public init(_ configuration: ViTConfiguration) throws {
        let embedDim = configuration.embedDim
        self.qkv = try Linear(embedDim, 3 * embedDim, bias: configuration.qkvBias)
        self.proj = try Linear(embedDim, embedDim)
        self.attnDrop = try Dropout(configuration.attnDropRate)
        self.projDrop = try Dropout(configuration.dropRate)
        self.numHeads = configuration.numHeads
    }

    /// Returns the attended tokens.
    ///
    /// - Parameter x: The tokens, `[batch, tokens, embedDim]`.
    /// - Returns: The attended tokens, of the same shape as `x`.
    /// - Throws: `TorchError` when the shape of `x` does not match.
    public func callAsFunction(_ x: Tensor) throws(TorchError) -> Tensor {
        let fused = try qkv(x)  // [batch, tokens, 3 * embedDim]
        let dropout = attnDrop.isTraining ? attnDrop.probability : 0
        let attended =
            switch ComputePolicy.current.attention {
            // oneDNN's path has no dropout; libtorch's function has.
            case .oneDNN where x.device == .cpu && dropout == 0:
                try Functional.fusedAttentionOneDNN(qkv: fused, heads: numHeads)
            default: try attend(fused, dropout: dropout)
            }
        return try projDrop(proj(attended))
    }

    /// Returns the attended tokens and the weights that were used, whichever kernel the policy names.
    ///
    /// The weights are computed one by one here, which is slower than calling the layer. In training with dropout they
    /// are those after the dropout, as Hugging Face's eager attention returns them.
    ///
    /// - Parameter x: The tokens, `[batch, tokens, embedDim]`.
    /// - Returns: The attended tokens, of the same shape as `x`, and the softmax of every head,
    ///   `[batch, heads, tokens, tokens]`, each row of which sums to 1.
    /// - Throws: `TorchError` when the shape of `x` does not match.
    public func withWeights(_ x: Tensor) throws(TorchError) -> (tokens: Tensor, weights: Tensor) {
        let (q, k, v) = try split(qkv(x))
        let scale = 1 / Double(max(q.shape.last ?? 1, 1)).squareRoot()
        let scores = try q.matmul(k.transposed(2, 3)) * scale
        let weights = try attnDrop(Functional.softmax(scores.to(.float32)).to(v.dtype))
        return (try projDrop(proj(merged(weights.matmul(v)))), weights)
    }

    private func attend(_ fused: Tensor, dropout: Double) throws(TorchError) -> Tensor {
        let (q, k, v) = try split(fused)
        return try merged(
            Functional.scaledDotProductAttention(query: q, key: k, value: v, dropout: dropout)
        )
    }

    // [batch, tokens, 3 * embedDim] to three of [batch, heads, tokens, headDim]
    private func split(_ fused: Tensor) throws(TorchError) -> (Tensor, Tensor, Tensor) {
        let (batch, tokens, width) = try fused.shape3()
        let heads = try fused.reshaped([batch, tokens, 3, numHeads, width / 3 / numHeads])
            .permuted([2, 0, 3, 1, 4])  // [3, batch, heads, tokens, headDim]
        return try (heads.selected(0, 0), heads.selected(0, 1), heads.selected(0, 2))
    }

    // [batch, heads, tokens, headDim] to [batch, tokens, embedDim]
    private func merged(_ heads: Tensor) throws(TorchError) -> Tensor {
        try heads.transposed(1, 2).flattened(from: 2)
    }
}
