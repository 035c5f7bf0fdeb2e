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
