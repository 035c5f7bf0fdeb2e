public import Checkpoints

/// A part of a model beside the transformer that a checkpoint of another class does not have.
public struct PretrainedParts: OptionSet, Sendable, Hashable {
    /// The bits.
    public let rawValue: Int

    /// Creates a set.
    ///
    /// - Parameter rawValue: The bits.
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// The pooler of `DeiTModel` and `ViTModel`, which classification checkpoints lack.
    public static let pooler = PretrainedParts(rawValue: 1)

    /// The classifiers.
    public static let classifier = PretrainedParts(rawValue: 2)

    /// The mask token and the decoder of masked image modelling; the mask token of a DINOv2.
    public static let maskedImageModeling = PretrainedParts(rawValue: 4)

    /// The part that a name in a file belongs to; empty for the transformer itself.
    init(of name: String) {
        let parts = HuggingFaceKeyMap.baseKey(of: name).split(separator: ".")
        switch parts.first {
        case "pooler": self = .pooler
        case "classifier", "cls_classifier", "distillation_classifier": self = .classifier
        case "decoder": self = .maskedImageModeling
        case "embeddings" where parts.dropFirst().first == "mask_token": self = .maskedImageModeling
        default: self = []
        }
    }
}

/// What may differ between a checkpoint and the class that is made from it; by default nothing.
public struct PretrainedOptions: Sendable, Equatable {
    /// The parts that may be absent from the checkpoint and then keep their fresh weights.
    ///
    /// transformers initialises missing weights and warns; here it must be requested.
    public var newlyInitialized: PretrainedParts

    /// Whether classifier, pooler or decoder may have other shapes in the checkpoint and then keep their fresh weights.
    ///
    /// Other than in transformers, the transformer itself must fit all the same.
    public var ignoreMismatchedSizes: Bool

    /// Creates options.
    ///
    /// - Parameters:
    ///   - newlyInitialized: The parts that may be absent from the checkpoint.
    ///   - ignoreMismatchedSizes: Whether classifier, pooler or decoder may have other shapes.
    public init(newlyInitialized: PretrainedParts = [], ignoreMismatchedSizes: Bool = false) {
        self.newlyInitialized = newlyInitialized
        self.ignoreMismatchedSizes = ignoreMismatchedSizes
    }
}

/// What was not simply taken over from a checkpoint: transformers' `output_loading_info`.
public struct LoadingInfo: Sendable, Equatable {
    /// The model's tensors that the file lacks and that have fresh weights.
    public internal(set) var missingKeys: [String] = []

    /// The file's tensors of parts that the class does not have, such as another class's head.
    public internal(set) var unexpectedKeys: [String] = []

    /// The model's tensors that have another shape in the file and that have fresh weights.
    public internal(set) var mismatchedKeys: [CheckpointError.ShapeMismatch] = []

    /// Whether every tensor of the file and of the model found its counterpart.
    public var isComplete: Bool { self == LoadingInfo() }
}
