public import Torch
public import TorchNN

/// One layer of the transformer: attention and feed-forward, each normalised first and added to its input.
///
/// ## Shapes
/// - Input and output: `[batch, tokens, embedDim]`
///
/// ## Source
/// `timm/models/vision_transformer.py`, `Block`.
public final class Block: Module {
    /// The normalisation before attention.
    public let norm1: LayerNorm

    /// The attention.
    public let attn: Attention

    /// The normalisation before the feed-forward layers.
    public let norm2: LayerNorm

    /// The feed-forward layers.
    public let mlp: Mlp

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
        self.norm2 = try LayerNorm(configuration.embedDim, eps: configuration.layerNormEps)
        self.mlp = try Mlp(configuration)
        self.dropPath = try DropPath(dropPathRate)
    }

    /// Returns the tokens after the block.
    public func callAsFunction(_ x: Tensor) throws(TorchError) -> Tensor {
        let attended = try x + dropPath(attn(norm1(x)))
        return try attended + dropPath(mlp(norm2(attended)))
    }
}
