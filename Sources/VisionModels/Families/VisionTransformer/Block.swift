public import Torch
public import TorchNN

/// One layer of a transformer, of whichever kind (``BlockType``).
public protocol TransformerBlock: Module {
    /// Returns the tokens after the block.
    ///
    /// - Parameters:
    ///   - x: The tokens, `[batch, tokens, embedDim]`.
    ///   - rotary: The rotary positions of the patches; nil for a network with learnt positions.
    /// - Returns: The tokens, of the same shape as `x`.
    /// - Throws: `TorchError` when the shape of `x` does not match.
    func callAsFunction(_ x: Tensor, rotary: RotaryPositions?) throws(TorchError) -> Tensor

    /// Returns the tokens after the block and the weights of its attention; slower than calling the block.
    ///
    /// - Parameters:
    ///   - x: The tokens, `[batch, tokens, embedDim]`.
    ///   - rotary: The rotary positions of the patches; nil for a network with learnt positions.
    /// - Returns: The tokens, of the same shape as `x`, and the weights, `[batch, heads, tokens, tokens]`.
    /// - Throws: `TorchError` when the shape of `x` does not match.
    func withWeights(
        _ x: Tensor,
        rotary: RotaryPositions?
    ) throws(TorchError) -> (tokens: Tensor, weights: Tensor)

    /// Returns the keys of the block's attention.
    ///
    /// - Parameter x: The tokens that enter the block, `[batch, tokens, embedDim]`.
    /// - Returns: The keys of all heads, of the same shape as `x`.
    /// - Throws: `TorchError` when the shape of `x` does not match.
    func keys(_ x: Tensor) throws(TorchError) -> Tensor
}

extension ViTConfiguration {
    /// Creates a block of the kind that the configuration says.
    ///
    /// - Parameter dropPathRate: The rate of stochastic depth of this block.
    /// - Returns: The block.
    /// - Throws: `ConfigurationError` for a rate out of range, `TorchError` for a lack of memory.
    func makeBlock(dropPathRate: Double) throws -> any TransformerBlock {
        switch blockType {
        case .preNorm: try Block(self, dropPathRate: dropPathRate)
        case .resPost: try ResPostBlock(self, dropPathRate: dropPathRate)
        case .parallelScaling: try ParallelScalingBlock(self, dropPathRate: dropPathRate)
        }
    }
}

/// One layer of the transformer: attention and feed-forward, each normalised first and added to its input.
///
/// ## Shapes
/// - Input and output: `[batch, tokens, embedDim]`
///
/// ## Parameters in a checkpoint
/// - Those of `norm1`, `attn`, `norm2` and `mlp`; `ls1.gamma` and `ls2.gamma`: `[embedDim]` where
///   ``ViTConfiguration/initValues`` is given (DeiT-III)
///
/// ## Source
/// `timm/models/vision_transformer.py`, `Block`.
public final class Block: Module, TransformerBlock {
    /// The normalisation before attention.
    public let norm1: LayerNorm

    /// The attention.
    public let attn: Attention

    /// The scale of attention's branch, where the configuration wants one.
    public let ls1: LayerScale?

    /// The normalisation before the feed-forward layers.
    public let norm2: LayerNorm

    /// The feed-forward layers.
    public let mlp: Mlp

    /// The scale of the feed-forward branch, where the configuration wants one.
    public let ls2: LayerScale?

    /// The stochastic depth of both branches.
    public let dropPath: DropPath

    /// Creates a block.
    ///
    /// - Parameters:
    ///   - configuration: A checked configuration.
    ///   - dropPathRate: The rate of stochastic depth of this block.
    /// - Throws: `ConfigurationError` for a rate out of range, `TorchError` for a lack of memory.
    public init(_ configuration: ViTConfiguration, dropPathRate: Double) throws {
        self.norm1 = try LayerNorm(configuration.embedDim, eps: configuration.layerNormEps)
        self.attn = try Attention(configuration)
        self.ls1 = try Self.scale(configuration)
        self.norm2 = try LayerNorm(configuration.embedDim, eps: configuration.layerNormEps)
        self.mlp = try Mlp(configuration)
        self.ls2 = try Self.scale(configuration)
        self.dropPath = try DropPath(dropPathRate)
    }

    private static func scale(
        _ configuration: ViTConfiguration
    ) throws(TorchError) -> LayerScale? {
        guard let value = configuration.initValues else { return nil }
        return try LayerScale(configuration.embedDim, initValue: value)
    }

    /// Returns the tokens after the block; see ``TransformerBlock``.
    public func callAsFunction(
        _ x: Tensor,
        rotary: RotaryPositions?
    ) throws(TorchError) -> Tensor {
        if rotary == nil, let tokens = try fused(x) { return tokens }
        return try feedForward(attended(x, by: attn(norm1(x, isForProduct: true), rotary: rotary)))
    }

    /// Returns the tokens after the block and the weights of its attention; see ``TransformerBlock``.
    public func withWeights(
        _ x: Tensor,
        rotary: RotaryPositions?
    ) throws(TorchError) -> (tokens: Tensor, weights: Tensor) {
        let (branch, weights) = try attn.withWeights(norm1(x, isForProduct: true), rotary: rotary)
        return (try feedForward(attended(x, by: branch)), weights)
    }

    /// Returns the keys of the block's attention; see ``TransformerBlock``.
    public func keys(_ x: Tensor) throws(TorchError) -> Tensor {
        try attn.keys(norm1(x, isForProduct: true))
    }

    private func attended(_ x: Tensor, by branch: Tensor) throws(TorchError) -> Tensor {
        let scaled = try ls1.map { (scale) throws(TorchError) in try scale(branch) } ?? branch
        return try Residual.add(x, dropPath(scaled))
    }

    private func feedForward(_ x: Tensor) throws(TorchError) -> Tensor {
        let branch = try mlp(norm2(x, isForProduct: true))
        let scaled = try ls2.map { (scale) throws(TorchError) in try scale(branch) } ?? branch
        return try Residual.add(x, dropPath(scaled))
    }
}

/// The feed-forward part of a block: two linear layers with an activation or a gate between them.
///
/// ## Shapes
/// - Input and output: `[batch, tokens, embedDim]`
///
/// ## Parameters in a checkpoint
/// - `fc1.weight`: `[mlpDim, embedDim]`; with a gate its rows are the gate's, then the value's
/// - `fc2.weight`: `[embedDim, mlpDim]`, with a gate `[embedDim, mlpDim / 2]`
///
/// ## Source
/// `timm/layers/mlp.py`, `Mlp` and `SwiGLUPacked`.
public final class Mlp: Module {
    /// The map to the hidden width.
    public let fc1: Linear

    /// The map back to the token's width.
    public let fc2: Linear

    /// The dropout after each of the two.
    public let drop: Dropout

    private let kind: FeedForward
    private let activation: Activation

    /// Creates the layers.
    ///
    /// - Parameters:
    ///   - configuration: A checked configuration.
    ///   - kind: Whether there is a gate; the configuration's choice by default.
    /// - Throws: `ConfigurationError` for a dropout rate out of range, `TorchError` for a lack of
    ///   memory.
    public init(_ configuration: ViTConfiguration, kind: FeedForward? = nil) throws {
        let (width, hidden) = (configuration.embedDim, configuration.mlpDim)
        self.kind = kind ?? configuration.mlpLayer
        self.activation = configuration.activation
        self.fc1 = try Linear(width, hidden)
        self.fc2 = try Linear(self.kind == .swiglu ? hidden / 2 : hidden, width)
        self.drop = try Dropout(configuration.dropRate)
    }

    /// Returns the mapped tokens.
    public func callAsFunction(_ x: Tensor) throws(TorchError) -> Tensor {
        try drop(fc2(drop(activated(fc1(x)))))
    }

    /// Whether there is a GELU between the layers, exact and without a gate.
    var isPlainGELU: Bool { kind != .swiglu && activation == .gelu }

    private func activated(_ hidden: Tensor) throws(TorchError) -> Tensor {
        guard kind == .swiglu else { return try activation(hidden, mayOverwrite: true) }
        let (_, _, width) = try hidden.shape3()
        let gate = try hidden.narrowed(2, 0..<(width / 2))
        return try gate * gate.sigmoid() * hidden.narrowed(2, (width / 2)..<width)
    }
}

/// Scales every channel of a branch before it is added to its input.
///
/// ## Shapes
/// - Input and output: `[…, width]`
///
/// ## Parameters in a checkpoint
/// - `gamma`: `[width]`
///
/// ## Source
/// Touvron et al., "Going deeper with Image Transformers" (arXiv:2103.17239), section 2; `timm/layers/layer_scale.py`.
public final class LayerScale: Module {
    /// The scales.
    public let gamma: Parameter

    /// Creates a layer.
    ///
    /// - Parameters:
    ///   - width: The size of the last dimension.
    ///   - initValue: The first value of every scale; DeiT-III takes 1e-6.
    /// - Throws: `TorchError` for a lack of memory.
    public init(_ width: Int, initValue: Double) throws(TorchError) {
        self.gamma = try Parameter(Tensor.full(initValue, [width]))
    }

    /// Returns the scaled rows.
    ///
    /// - Parameter x: `[…, width]`.
    /// - Returns: The same shape.
    /// - Throws: `TorchError` when the last dimension is not `width`.
    public func callAsFunction(_ x: Tensor) throws(TorchError) -> Tensor { try x * gamma.tensor }
}
