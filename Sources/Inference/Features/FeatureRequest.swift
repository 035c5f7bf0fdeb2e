/// Which of a model's inner states are wanted as features.
public struct FeatureRequest: Sendable, Equatable {
    /// A part of a block's output.
    public enum Token: String, Sendable, CaseIterable {
        /// The class token.
        case cls
        /// The distillation token of a distilled model.
        case dist
        /// Every patch's token.
        case patch
        /// The mean of the patches' tokens; of a residual network the mean of its last maps.
        case mean
    }

    /// The parts, each at most once; empty means the class token, or a residual network's mean.
    public var tokens: [Token]

    /// How many blocks, counted from the last, each after the model's last normalisation.
    public var blocks: Int

    /// Whether each vector is scaled to length 1.
    public var isNormalized: Bool

    /// Creates a request.
    ///
    /// - Parameters:
    ///   - tokens: The parts; empty for the usual one.
    ///   - blocks: How many blocks, counted from the last; their vectors are put one behind the other, the last
    ///     block's at the end.
    ///   - isNormalized: Whether each vector is scaled to length 1.
    public init(tokens: [Token] = [], blocks: Int = 1, isNormalized: Bool = false) {
        self.tokens = tokens
        self.blocks = blocks
        self.isNormalized = isNormalized
    }
}

/// One array of features: what it holds and its shape for one image.
public struct FeatureColumn: Sendable, Equatable {
    /// The part of the model's state.
    public let token: FeatureRequest.Token

    /// The vectors of an image: the number of patches, or 1.
    public let vectors: Int

    /// The length of a vector, the blocks' together.
    public let length: Int

    /// The array's name in files.
    public var name: String { token.rawValue }

    /// The numbers of an image.
    public var count: Int { vectors * length }

    /// The array's shape for a number of images: `[images, length]`, of patches `[images, patches, length]`.
    ///
    /// - Parameter images: The number of images.
    /// - Returns: The shape.
    public func shape(images: Int) -> [Int] {
        token == .patch ? [images, vectors, length] : [images, length]
    }
}
