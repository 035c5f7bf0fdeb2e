public import Torch
public import TorchNN

/// The feed-forward part of a block: two linear layers with a GELU between them.
///
/// ## Shapes
/// - Input and output: `[batch, tokens, embedDim]`
///
/// ## Source
/// `timm/layers/mlp.py`, `Mlp`.
public final class Mlp: Module {
    /// The map to the hidden width.
    public let fc1: Linear

    /// The activation.
    public let act = GELU()

    /// The map back to the token's width.
    public let fc2: Linear

    /// The dropout after each of the two.
    public let drop: Dropout

    /// Creates the layers.
    ///
    /// - Parameter configuration: A checked configuration.
    /// - Throws: `ConfigurationError` for a dropout rate out of range, `TorchError` for a lack of
    ///   memory.
    public init(_ configuration: ViTConfiguration) throws {
        self.fc1 = try Linear(configuration.embedDim, configuration.mlpDim)
        self.fc2 = try Linear(configuration.mlpDim, configuration.embedDim)
        self.drop = try Dropout(configuration.dropRate)
    }

    /// Returns the mapped tokens.
    public func callAsFunction(_ x: Tensor) throws(TorchError) -> Tensor {
        try drop(fc2(drop(act(fc1(x), mayOverwrite: true))))
    }
}
