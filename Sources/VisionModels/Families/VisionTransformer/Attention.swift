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
/// - `q_norm` and `k_norm`: `[embedDim / numHeads]` each, with ``ViTConfiguration/qkNorm``
///
/// ## Source
/// Dosovitskiy et al., "An Image Is Worth 16x16 Words" (arXiv:2010.11929), appendix A, eq. 5–8.
public final class Attention: Module {
    /// The fused projection that produces queries, keys and values.
    ///
    /// Without ``ViTConfiguration/keyBias`` the keys' rows of its bias are zeros.
    public let qkv: Linear

    /// The normalisation of the queries of every head, with ``ViTConfiguration/qkNorm``.
    public let qNorm: LayerNorm?

    /// The normalisation of the keys of every head, with ``ViTConfiguration/qkNorm``.
    public let kNorm: LayerNorm?

    /// The projection applied to the concatenated heads.
    public let proj: Linear

    /// The dropout of the weights that tokens give to each other.
    public let attnDrop: Dropout

    /// The dropout after the projection.
    public let projDrop: Dropout

    private let heads: AttentionHeads

    /// Whether training may change the keys' rows of the bias.
    let trainsKeyBias: Bool

    /// The number of heads.
    var numHeads: Int { heads.numHeads }

    /// Creates an attention layer with freshly initialised weights.
    ///
    /// - Parameter configuration: A checked configuration.
    /// - Throws: `ConfigurationError` for a dropout rate out of range, `TorchError` for a lack of
    ///   memory.
    public init(_ configuration: ViTConfiguration) throws {
        let embedDim = configuration.embedDim
        self.qkv = try Linear(embedDim, 3 * embedDim, bias: configuration.qkvBias)
        self.qNorm = try AttentionHeads.norm(configuration)
        self.kNorm = try AttentionHeads.norm(configuration)
        self.proj = try Linear(embedDim, embedDim)
        self.attnDrop = try Dropout(configuration.attnDropRate)
        self.projDrop = try Dropout(configuration.dropRate)
        self.heads = AttentionHeads(configuration)
        self.trainsKeyBias = configuration.keyBias
    }

    /// Returns the attended tokens.
    ///
    /// - Parameters:
    ///   - x: The tokens, `[batch, tokens, embedDim]`.
    ///   - rotary: The rotary positions of the patches, if the network has such.
    /// - Returns: The attended tokens, of the same shape as `x`.
    /// - Throws: `TorchError` when the shape of `x` does not match.
    public func callAsFunction(
        _ x: Tensor,
        rotary: RotaryPositions? = nil
    ) throws(TorchError) -> Tensor {
        let dropout = attnDrop.isTraining ? attnDrop.probability : 0
        return try projDrop(
            proj(heads.attended(projected(x), preparation(rotary), dropout: dropout))
        )
    }

    /// Queries, keys and values; no gradient reaches the keys' rows of the bias where the network has none.
    private func projected(_ x: Tensor) throws(TorchError) -> Tensor {
        guard !trainsKeyBias, isGradientEnabled, let bias = qkv.bias?.tensor else {
            return try qkv(x)
        }
        let width = bias.elementCount / 3
        let zeros = try bias.narrowed(0, width..<(2 * width)).detached()
        let parts = try [
            bias.narrowed(0, 0..<width), zeros, bias.narrowed(0, (2 * width)..<(3 * width)),
        ]
        return try Functional.linear(x, qkv.weight.tensor, Tensor.cat(parts, dim: 0))
    }

    private func preparation(_ rotary: RotaryPositions?) -> AttentionHeads.Preparation {
        AttentionHeads.Preparation(qNorm: qNorm, kNorm: kNorm, rotary: rotary)
    }

    /// Returns the attended tokens and the weights that were used, whichever kernel the policy names.
    ///
    /// The weights are computed one by one here, which is slower than calling the layer. In training with dropout they
    /// are those after the dropout, as Hugging Face's eager attention returns them.
    ///
    /// - Parameters:
    ///   - x: The tokens, `[batch, tokens, embedDim]`.
    ///   - rotary: The rotary positions of the patches, if the network has such.
    /// - Returns: The attended tokens, of the same shape as `x`, and the softmax of every head,
    ///   `[batch, heads, tokens, tokens]`, each row of which sums to 1.
    /// - Throws: `TorchError` when the shape of `x` does not match.
    public func withWeights(
        _ x: Tensor,
        rotary: RotaryPositions? = nil
    ) throws(TorchError) -> (tokens: Tensor, weights: Tensor) {
        let (tokens, weights) = try heads.withWeights(projected(x), preparation(rotary), attnDrop)
        return (try projDrop(proj(tokens)), weights)
    }

    /// Returns the keys of all heads, before ``kNorm`` and rotary positions.
    ///
    /// - Parameter x: The tokens, `[batch, tokens, embedDim]`.
    /// - Returns: The same shape.
    /// - Throws: `TorchError` when the shape of `x` does not match.
    public func keys(_ x: Tensor) throws(TorchError) -> Tensor {
        try heads.keys(qkv(x))
    }
}

/// Attention of every head from fused queries, keys and values: the arithmetic between a block's projections.
struct AttentionHeads {
    /// What happens to queries and keys before their product.
    struct Preparation {
        /// The normalisation of the queries of every head, if any.
        let qNorm: LayerNorm?

        /// The normalisation of the keys, if any.
        let kNorm: LayerNorm?

        /// The rotary positions, if any.
        let rotary: RotaryPositions?

        var isNeeded: Bool { qNorm != nil || kNorm != nil || rotary != nil }
    }

    let numHeads: Int

    init(_ configuration: ViTConfiguration) {
        numHeads = configuration.numHeads
    }

    /// The normalisation of the queries or keys of a head; nil where the configuration has none.
    static func norm(_ configuration: ViTConfiguration) throws(TorchError) -> LayerNorm? {
        guard configuration.qkNorm else { return nil }
        return try LayerNorm(
            configuration.embedDim / configuration.numHeads,
            eps: configuration.layerNormEps
        )
    }

    /// Returns the attended values, by the kernel of ``ComputePolicy/attention``.
    ///
    /// - Parameters:
    ///   - fused: `[batch, tokens, 3 * embedDim]`, ordered query, key, value.
    ///   - preparation: What happens to queries and keys first.
    ///   - dropout: The dropout rate of the weights, 0 outside training.
    /// - Returns: `[batch, tokens, embedDim]`.
    /// - Throws: `TorchError` when the shape does not fit.
    func attended(
        _ fused: Tensor,
        _ preparation: Preparation,
        dropout: Double
    ) throws(TorchError) -> Tensor {
        // oneDNN's path reads queries and keys as they are and has no dropout; libtorch's function has.
        if ComputePolicy.current.attention == .oneDNN, fused.device == .cpu, dropout == 0,
            !preparation.isNeeded
        {
            return try Functional.fusedAttentionOneDNN(qkv: fused, heads: numHeads)
        }
        let (q, k, v) = try split(fused, preparation)
        return try merged(
            Functional.scaledDotProductAttention(query: q, key: k, value: v, dropout: dropout)
        )
    }

    /// Returns the attended values and the weights, `[batch, heads, tokens, tokens]`, after their dropout.
    func withWeights(
        _ fused: Tensor,
        _ preparation: Preparation,
        _ dropout: Dropout
    ) throws(TorchError) -> (tokens: Tensor, weights: Tensor) {
        let (q, k, v) = try split(fused, preparation)
        let scale = 1 / Double(max(q.shape.last ?? 1, 1)).squareRoot()
        let scores = try q.matmul(k.transposed(2, 3)) * scale
        let weights = try dropout(Functional.softmax(scores.to(.float32)).to(v.dtype))
        return (try merged(weights.matmul(v)), weights)
    }

    /// Returns the keys of all heads, `[batch, tokens, embedDim]`.
    func keys(_ fused: Tensor) throws(TorchError) -> Tensor {
        let width = try fused.shape3().2 / 3
        return try fused.narrowed(2, width..<(2 * width))
    }

    // [batch, tokens, 3 * embedDim] to three of [batch, heads, tokens, headDim]
    private func split(
        _ fused: Tensor,
        _ preparation: Preparation
    ) throws(TorchError) -> (Tensor, Tensor, Tensor) {
        let (batch, tokens, width) = try fused.shape3()
        let heads = try fused.reshaped([batch, tokens, 3, numHeads, width / 3 / numHeads])
            .permuted([2, 0, 3, 1, 4])  // [3, batch, heads, tokens, headDim]
        let v = try heads.selected(0, 2)
        func prepared(_ x: Tensor, _ norm: LayerNorm?) throws(TorchError) -> Tensor {
            var x = x
            // A layer norm under autocast gives float32; attention needs one type for all three.
            if let norm { x = try norm(x.contiguous()).to(v.dtype) }
            guard let rotary = preparation.rotary else { return x }
            return try rotary(x)
        }
        return try (
            prepared(heads.selected(0, 0), preparation.qNorm),
            prepared(heads.selected(0, 1), preparation.kNorm), v
        )
    }

    // [batch, heads, tokens, headDim] to [batch, tokens, embedDim]
    private func merged(_ heads: Tensor) throws(TorchError) -> Tensor {
        try heads.transposed(1, 2).flattened(from: 2)
    }
}
