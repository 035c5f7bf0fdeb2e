import Torch
public import VisionModels

/// What was not simply taken over from a checkpoint.
public struct LoadReport: Sendable, Equatable {
    /// A position embedding that was resampled to another grid of patches.
    public struct Resampling: Sendable, Equatable {
        /// The grid in the file.
        public let from: PatchGrid

        /// The grid of the model.
        public let to: PatchGrid

        /// The way of it.
        public let variant: PositionEmbeddingResampling
    }

    /// The model's tensors that keep their fresh values, by the names in the file.
    public internal(set) var replaced: [String] = []

    /// The file's classifier, where the model was to have none.
    public internal(set) var dropped: [String] = []

    /// The file's tensors that the network has no use for, such as the pooler.
    public internal(set) var ignored: [String] = []

    /// What happened to the position embedding, where anything did.
    public internal(set) var resampling: Resampling?

    /// What the file did not say and was assumed, one sentence each.
    public internal(set) var assumptions: [String] = []

    /// How the file was read, where there was a choice: a nested dictionary that was taken, a prefix that was left out.
    public internal(set) var notes: [String] = []

    /// How many linear layers have weights in 8 bits.
    public internal(set) var int8Layers = 0

    /// Creates an empty report.
    public init() {}

    mutating func tellInt8(_ count: Int) {
        int8Layers = count
        if count > 0 { notes.append(Self.int8Note(count)) }
    }

    static func int8Note(_ count: Int) -> String {
        "\(count) linear layer\(count == 1 ? "" : "s") in 8 bits (int8)"
            + (PackedEncoder.kernels(.int8) == nil
                ? ", computed in floating point on this processor" : "")
    }

    /// Every relaxation that happened, one sentence each.
    public var relaxations: [String] {
        var sentences: [String] = []
        if !replaced.isEmpty {
            sentences.append("initialized instead of loaded: \(Self.list(replaced))")
        }
        if !dropped.isEmpty {
            sentences.append("not loaded, the classifier: \(Self.list(dropped))")
        }
        if let resampling {
            sentences.append(
                "position embeddings resampled from \(resampling.from) to \(resampling.to) patches "
                    + "(\(resampling.variant.rawValue))"
            )
        }
        return sentences
    }

    /// All messages, one sentence each, the most important first.
    public var sentences: [String] {
        let rest = ignored.isEmpty ? [] : ["not used: \(Self.list(ignored))"]
        return relaxations + rest + notes + assumptions.map { "assumed: \($0)" }
    }

    /// The first names of a list, and how many more there are.
    static func list(_ names: [String], limit: Int = 6) -> String {
        let shown = names.prefix(limit).joined(separator: ", ")
        return names.count > limit ? "\(shown) and \(names.count - limit) more" : shown
    }
}
