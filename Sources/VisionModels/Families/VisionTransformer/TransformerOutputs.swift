public import Torch

/// What a caller wants of a transformer besides its last tokens.
public struct OutputRequest: Sendable, Equatable {
    /// Whether to keep the embedding's output and that of every block.
    public var hiddenStates: Bool

    /// Whether to keep the weights of every block's attention, which makes the run slower.
    public var attentions: Bool

    /// How many of the last blocks to keep the normalised tokens of, 0 up to the number of blocks.
    public var lastBlocks: Int

    /// Creates a request; without arguments it is for the last tokens alone.
    ///
    /// - Parameters:
    ///   - hiddenStates: Whether to keep the output of the embedding and of every block.
    ///   - attentions: Whether to keep the weights of attention.
    ///   - lastBlocks: How many of the last blocks to keep the normalised tokens of.
    public init(hiddenStates: Bool = false, attentions: Bool = false, lastBlocks: Int = 0) {
        self.hiddenStates = hiddenStates
        self.attentions = attentions
        self.lastBlocks = lastBlocks
    }
}

/// What a transformer made of images on the way to its last tokens.
public struct TransformerOutputs {
    /// The normalised tokens after the last block: class token, distillation token if any, patches row by row;
    /// `[batch, tokens, embedDim]`.
    public let tokens: Tensor

    /// The embedding's output and that of every block, before the last normalisation, `depth + 1` of
    /// `[batch, tokens, embedDim]`; empty unless requested.
    public let hiddenStates: [Tensor]

    /// The weights that every token gives to every other, block by block, `depth` of `[batch, heads, tokens, tokens]`;
    /// each row sums to 1; empty unless requested.
    public let attentions: [Tensor]

    /// The tokens of the last blocks, each normalised by the last normalisation, the last block's at the end; empty
    /// unless requested (DINO's `get_intermediate_layers`).
    public let blockTokens: [Tensor]

    /// The patches that the tokens represent, down and across.
    public let grid: PatchGrid
}
