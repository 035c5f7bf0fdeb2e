public import Torch
public import TorchNN

/// Pooling by attention: a learnt query attends to the tokens, and feed-forward layers follow (SigLIP's MAP head).
///
/// ## Shapes
/// - Input: `[batch, tokens, embedDim]`
/// - Output: `[batch, embedDim]`
///
/// ## Parameters in a checkpoint
/// - `latent`: `[1, 1, embedDim]`; `q`, `kv` (rows ordered key, value), `proj`, `norm`, `mlp.fc1`, `mlp.fc2`
///
/// ## Source
/// `timm/layers/attention_pool.py`, `AttentionPoolLatent`; Zhai et al., "Scaling Vision Transformers"
/// (arXiv:2106.04560), section 3.2.
public final class AttentionPool: Module {
    /// The learnt query, `[1, 1, embedDim]`.
    public let latent: Parameter

    /// The projection of the query.
    public let q: Linear

    /// The projection to keys and values.
    public let kv: Linear

    /// The projection of the attended value.
    public let proj: Linear

    /// The normalisation before the feed-forward layers.
    public let norm: LayerNorm

    /// The feed-forward layers, without a gate whatever the blocks have.
    public let mlp: Mlp

    private let numHeads: Int

    /// Creates the layer.
    ///
    /// - Parameter configuration: A checked configuration.
    /// - Throws: `TorchError` for a lack of memory.
    public init(_ configuration: ViTConfiguration) throws {
        let width = configuration.embedDim
        latent = try Parameter(
            Initializer.normal(std: 1 / Double(width).squareRoot())([1, 1, width])
        )
        q = try Linear(width, width)
        kv = try Linear(width, 2 * width)
        proj = try Linear(width, width)
        norm = try LayerNorm(width, eps: configuration.layerNormEps)
        mlp = try Mlp(configuration, kind: .mlp)
        numHeads = configuration.numHeads
    }

    /// Returns the pooled tokens.
    ///
    /// - Parameter x: `[batch, tokens, embedDim]`.
    /// - Returns: `[batch, embedDim]`.
    /// - Throws: `TorchError` when the shape of `x` does not match.
    public func callAsFunction(_ x: Tensor) throws(TorchError) -> Tensor {
        let (batch, tokens, width) = try x.shape3()
        let query = try q(latent.tensor.expanded([batch, 1, width]))
            .reshaped([batch, 1, numHeads, width / numHeads]).transposed(1, 2)
        let pair = try kv(x).reshaped([batch, tokens, 2, numHeads, width / numHeads])
            .permuted([2, 0, 3, 1, 4])  // [2, batch, heads, tokens, headDim]
        let attended = try Functional.scaledDotProductAttention(
            query: query,
            key: pair.selected(0, 0),
            value: pair.selected(0, 1)
        )
        let y = try proj(attended.transposed(1, 2).reshaped([batch, 1, width]))
        return try (y + mlp(norm(y, isForProduct: true))).selected(1, 0)
    }
}
