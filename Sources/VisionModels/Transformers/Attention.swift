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
        let attended =
            switch ComputePolicy.current.attention {
            case .oneDNN where x.device == .cpu:
                try Functional.fusedAttentionOneDNN(qkv: fused, heads: numHeads)
            default: try attend(fused)
            }
        return try projDrop(proj(attended))
    }

    private func attend(_ fused: Tensor) throws(TorchError) -> Tensor {
        let (batch, tokens, width) = try fused.shape3()
        let heads = try fused.reshaped([batch, tokens, 3, numHeads, width / 3 / numHeads])
            .permuted([2, 0, 3, 1, 4])  // [3, batch, heads, tokens, headDim]
        let (q, k, v) = try (heads.selected(0, 0), heads.selected(0, 1), heads.selected(0, 2))
        return try Functional.scaledDotProductAttention(query: q, key: k, value: v)
            .transposed(1, 2)  // [batch, tokens, heads, headDim]
            .reshaped([batch, tokens, width / 3])
    }
}
