public import Torch
public import TorchNN

/// A block that normalises what attention and feed-forward layers return, before it is added to their input.
///
/// ## Shapes
/// - Input and output: `[batch, tokens, embedDim]`
///
/// ## Parameters in a checkpoint
/// - Those of `attn`, `norm1`, `mlp` and `norm2`; there is no layer scale: ``ViTConfiguration/initValues`` is the first
///   value of the norms' weights
///
/// ## Source
/// `timm/models/vision_transformer.py`, `ResPostBlock`; Liu et al., "Swin Transformer V2" (arXiv:2111.09883), section 3.
public final class ResPostBlock: Module, TransformerBlock {
    /// The attention.
    public let attn: Attention

    /// The normalisation after attention.
    public let norm1: LayerNorm

    /// The feed-forward layers.
    public let mlp: Mlp

    /// The normalisation after the feed-forward layers.
    public let norm2: LayerNorm

    /// The stochastic depth of both branches.
    public let dropPath: DropPath

    /// Creates a block.
    ///
    /// - Parameters:
    ///   - configuration: A checked configuration.
    ///   - dropPathRate: The rate of stochastic depth of this block.
    /// - Throws: `ConfigurationError` for a rate out of range, `TorchError` for a lack of memory.
    public init(_ configuration: ViTConfiguration, dropPathRate: Double) throws {
        self.attn = try Attention(configuration)
        self.norm1 = try LayerNorm(configuration.embedDim, eps: configuration.layerNormEps)
        self.mlp = try Mlp(configuration)
        self.norm2 = try LayerNorm(configuration.embedDim, eps: configuration.layerNormEps)
        self.dropPath = try DropPath(dropPathRate)
        super.init()
        if let value = configuration.initValues {
            for norm in [norm1, norm2] { try norm.weight.tensor.fill(value) }
        }
    }

    /// Returns the tokens after the block; see ``TransformerBlock``.
    public func callAsFunction(
        _ x: Tensor,
        rotary: RotaryPositions?
    ) throws(TorchError) -> Tensor {
        try feedForward(Residual.add(x, dropPath(norm1(attn(x, rotary: rotary)))))
    }

    /// Returns the tokens after the block and the weights of its attention; see ``TransformerBlock``.
    public func withWeights(
        _ x: Tensor,
        rotary: RotaryPositions?
    ) throws(TorchError) -> (tokens: Tensor, weights: Tensor) {
        let (branch, weights) = try attn.withWeights(x, rotary: rotary)
        return (try feedForward(Residual.add(x, dropPath(norm1(branch)))), weights)
    }

    /// Returns the keys of the block's attention; see ``TransformerBlock``.
    public func keys(_ x: Tensor) throws(TorchError) -> Tensor { try attn.keys(x) }

    private func feedForward(_ x: Tensor) throws(TorchError) -> Tensor {
        try Residual.add(x, dropPath(norm2(mlp(x))))
    }
}

/// A block whose attention and feed-forward layers read the same normalised tokens, from one projection.
///
/// ## Shapes
/// - Input and output: `[batch, tokens, embedDim]`
///
/// ## Parameters in a checkpoint
/// - `in_norm`; `in_proj.weight`: `[mlpDim + 3 * embedDim, embedDim]`, rows ordered feed-forward, query, key, value
/// - `mlp_bias`: `[mlpDim]`, where `in_proj` has no bias
/// - `q_norm` and `k_norm`, with ``ViTConfiguration/qkNorm``; `attn_out_proj`; `mlp_out_proj`; `ls.gamma`
///
/// ## Source
/// `timm/models/vision_transformer.py`, `ParallelScalingBlock`; Dehghani et al., "Scaling Vision Transformers to 22
/// Billion Parameters" (arXiv:2302.05442), section 2.
public final class ParallelScalingBlock: Module, TransformerBlock {
    /// The normalisation before the projection.
    public let inNorm: LayerNorm

    /// The projection to the hidden width of the feed-forward layers, queries, keys and values.
    public let inProj: Linear

    /// The bias of the feed-forward part, where ``inProj`` has none.
    public let mlpBias: Parameter?

    /// The normalisation of the queries of every head, if any.
    public let qNorm: LayerNorm?

    /// The normalisation of the keys of every head, if any.
    public let kNorm: LayerNorm?

    /// The dropout of attention's weights.
    public let attnDrop: Dropout

    /// The dropout of the hidden values.
    public let mlpDrop: Dropout

    /// The projection after attention.
    public let attnOutProj: Linear

    /// The projection after the activation.
    public let mlpOutProj: Linear

    /// The scale of the sum of both, if any.
    public let ls: LayerScale?

    /// The stochastic depth.
    public let dropPath: DropPath

    private let heads: AttentionHeads
    private let activation: Activation
    private let hidden: Int

    /// Creates a block.
    ///
    /// - Parameters:
    ///   - configuration: A checked configuration.
    ///   - dropPathRate: The rate of stochastic depth of this block.
    /// - Throws: `ConfigurationError` for a rate out of range, `TorchError` for a lack of memory.
    public init(_ configuration: ViTConfiguration, dropPathRate: Double) throws {
        let width = configuration.embedDim
        hidden = configuration.mlpDim
        heads = AttentionHeads(configuration)
        activation = configuration.activation
        inNorm = try LayerNorm(width, eps: configuration.layerNormEps)
        inProj = try Linear(width, hidden + 3 * width, bias: configuration.qkvBias)
        mlpBias = configuration.qkvBias ? nil : try Parameter(Tensor.zeros([hidden]))
        qNorm = try AttentionHeads.norm(configuration)
        kNorm = try AttentionHeads.norm(configuration)
        attnDrop = try Dropout(configuration.attnDropRate)
        mlpDrop = try Dropout(configuration.dropRate)
        attnOutProj = try Linear(width, width)
        mlpOutProj = try Linear(hidden, width)
        ls = try configuration.initValues.map { try LayerScale(width, initValue: $0) }
        dropPath = try DropPath(dropPathRate)
    }

    /// Returns the tokens after the block; see ``TransformerBlock``.
    public func callAsFunction(
        _ x: Tensor,
        rotary: RotaryPositions?
    ) throws(TorchError) -> Tensor {
        let (mlp, qkv) = try projected(x)
        let dropout = attnDrop.isTraining ? attnDrop.probability : 0
        return try combined(
            x,
            mlp,
            heads.attended(qkv.contiguous(), preparation(rotary), dropout: dropout)
        )
    }

    /// Returns the tokens after the block and the weights of its attention; see ``TransformerBlock``.
    public func withWeights(
        _ x: Tensor,
        rotary: RotaryPositions?
    ) throws(TorchError) -> (tokens: Tensor, weights: Tensor) {
        let (mlp, qkv) = try projected(x)
        let (attended, weights) = try heads.withWeights(qkv, preparation(rotary), attnDrop)
        return (try combined(x, mlp, attended), weights)
    }

    /// Returns the keys of the block's attention; see ``TransformerBlock``.
    public func keys(_ x: Tensor) throws(TorchError) -> Tensor { try heads.keys(projected(x).qkv) }

    private func preparation(_ rotary: RotaryPositions?) -> AttentionHeads.Preparation {
        AttentionHeads.Preparation(qNorm: qNorm, kNorm: kNorm, rotary: rotary)
    }

    private func projected(_ x: Tensor) throws(TorchError) -> (mlp: Tensor, qkv: Tensor) {
        let y = try inProj(inNorm(x, isForProduct: true))
        let (_, _, width) = try y.shape3()
        return (try y.narrowed(2, 0..<hidden), try y.narrowed(2, hidden..<width))
    }

    private func combined(
        _ x: Tensor,
        _ mlp: Tensor,
        _ attended: Tensor
    ) throws(TorchError) -> Tensor {
        let biased = try mlpBias.map { (bias) throws(TorchError) in try mlp + bias.tensor } ?? mlp
        let branch =
            try attnOutProj(attended)
            + mlpOutProj(mlpDrop(activation(biased.contiguous(), mayOverwrite: true)))
        let scaled = try ls.map { (scale) throws(TorchError) in try scale(branch) } ?? branch
        return try Residual.add(x, dropPath(scaled))
    }
}
