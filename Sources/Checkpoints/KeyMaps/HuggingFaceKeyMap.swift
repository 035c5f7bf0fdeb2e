public import Torch
import TorchNN
public import VisionModels

/// The names of a vision transformer's tensors in Hugging Face's files and in timm's.
///
/// timm's names are ours. Two things differ beyond names. timm keeps queries, keys and values as the rows of one matrix
/// `qkv`, in that order; Hugging Face has three. And where registers follow the class token, Hugging Face's positions begin
/// with the class token's, which timm's class token contains (`ClassPosition`).
///
/// ## Source
/// timm/models/vision_transformer.py, deit.py; transformers' models as `HuggingFaceNames` tells.
public struct HuggingFaceKeyMap: Sendable, Equatable {
    /// A place in one of timm's tensors.
    public struct Place: Sendable, Hashable {
        /// timm's key.
        public let key: String

        /// Which of several equal parts of the rows it is, or nil for the whole tensor: of a `qkv` 0 query, 1 key, 2
        /// value, of a gated `mlp.fc1` 0 gate, 1 value.
        public let part: Int?

        /// Creates a place.
        ///
        /// - Parameters:
        ///   - key: timm's key.
        ///   - part: Which part of the rows, or nil for the whole tensor.
        public init(key: String, part: Int? = nil) {
            self.key = key
            self.part = part
        }
    }

    /// Whose names are written; any are read.
    public let architecture: HuggingFaceArchitecture

    /// Whether the feed-forward layers are gated, which DINOv2's names tell.
    public let isGated: Bool

    /// Creates a map.
    ///
    /// - Parameters:
    ///   - architecture: Whose names are written.
    ///   - isGated: Whether the feed-forward layers are gated.
    public init(_ architecture: HuggingFaceArchitecture, isGated: Bool = false) {
        (self.architecture, self.isGated) = (architecture, isGated)
    }

    /// Creates a map for a classifier.
    ///
    /// - Parameter isDistilled: Whether the model has a distillation token and two heads.
    public init(isDistilled: Bool) {
        self.init(
            isDistilled ? .deitForImageClassificationWithTeacher : .vitForImageClassification
        )
    }

    private static let classifiers = [
        ("classifier", "head"), ("cls_classifier", "head"),
        ("distillation_classifier", "head_dist"),
    ]

    /// The names in a Hugging Face file of one of timm's tensors.
    ///
    /// - Parameter timm: timm's key.
    /// - Returns: One name; three for a `qkv`, whose rows are split in that order; none for a key that
    ///   the architecture does not have.
    public func huggingFaceKeys(of timm: String) -> [String] {
        let (head, headDist) = architecture.classifiers
        if let suffix = Self.suffix(of: timm, after: "head_dist") {
            return headDist.map { [$0 + suffix] } ?? []
        }
        if let suffix = Self.suffix(of: timm, after: "head") {
            return head.map { [$0 + suffix] } ?? []
        }
        if Self.suffix(of: timm, after: "decoder.0") != nil { return [timm] }
        guard timm != "dist_token" || architecture.isDistilled,
            timm != "reg_token" || architecture.hasRegisters
        else { return [] }
        for (ours, theirs) in HuggingFaceNames.whole {
            if let suffix = Self.suffix(of: timm, after: ours) {
                return [architecture.prefix + theirs + suffix]
            }
        }
        let names = architecture.names(isGated: isGated)
        guard let (index, rest) = Self.layer(of: timm, after: "blocks.") else { return [] }
        let layer = "\(architecture.prefix)\(names.layers)\(index)."
        for (ours, theirs) in names.parts {
            if let suffix = Self.suffix(of: rest, after: ours) {
                return theirs.map { layer + $0 + suffix }
            }
        }
        for (ours, theirs) in names.inBlock {
            if let suffix = Self.suffix(of: rest, after: ours) { return [layer + theirs + suffix] }
        }
        return []
    }

    /// The place in timm's tensors of a tensor of a Hugging Face file.
    ///
    /// Prefixes such as `vit.` and `dinov2.` may be absent, as in the file of a base model.
    ///
    /// - Parameter key: The name in the file.
    /// - Returns: The place, or nil for a name that no vision transformer has.
    public static func place(of key: String) -> Place? {
        for (theirs, ours) in classifiers {
            if let suffix = suffix(of: key, after: theirs) { return Place(key: ours + suffix) }
        }
        if suffix(of: key, after: "decoder.0") != nil { return Place(key: key) }
        let key = baseKey(of: key)
        for (ours, theirs) in HuggingFaceNames.whole {
            if let suffix = suffix(of: key, after: theirs) { return Place(key: ours + suffix) }
        }
        for names in HuggingFaceNames.readable {
            guard let (index, rest) = layer(of: key, after: names.layers) else { continue }
            if let place = place(of: rest, in: index, names) { return place }
        }
        return nil
    }

    private static func place(of rest: String, in index: Int, _ names: HuggingFaceNames) -> Place? {
        for (ours, theirs) in names.parts {
            for (part, name) in theirs.enumerated() {
                if let suffix = suffix(of: rest, after: name) {
                    return Place(key: "blocks.\(index).\(ours)\(suffix)", part: part)
                }
            }
        }
        for (ours, theirs) in names.inBlock {
            if let suffix = suffix(of: rest, after: theirs) {
                return Place(key: "blocks.\(index).\(ours)\(suffix)")
            }
        }
        return nil
    }

    /// A name without what stands before the transformer's names, such as `vit.`.
    package static func baseKey(of key: String) -> String {
        for prefix in HuggingFaceArchitecture.prefixes where key.hasPrefix(prefix) {
            return String(key.dropFirst(prefix.count))
        }
        return key
    }

    /// Whether a tensor belongs to a part that classification does not use: the pooler and what masked
    /// modelling adds.
    ///
    /// - Parameter key: The name in a Hugging Face file.
    /// - Returns: Whether it can be left out without loss.
    public static func isUnused(_ key: String) -> Bool {
        let key = baseKey(of: key)
        return key.hasPrefix("pooler.") || key == "embeddings.mask_token"
            || key.hasPrefix("decoder.")
    }

    /// What follows a name: nothing, `.weight` or `.bias`; nil where the key is another one.
    private static func suffix(of key: String, after name: String) -> String? {
        guard key.hasPrefix(name) else { return nil }
        let suffix = String(key.dropFirst(name.count))
        return ["", ".weight", ".bias"].contains(suffix) ? suffix : nil
    }

    private static func layer(of key: String, after prefix: String) -> (index: Int, rest: String)? {
        guard key.hasPrefix(prefix) else { return nil }
        let rest = key.dropFirst(prefix.count)
        guard let dot = rest.firstIndex(of: "."), let index = Int(rest[..<dot]),
            index >= 0, String(index) == rest[..<dot]
        else { return nil }
        return (index, String(rest[rest.index(after: dot)...]))
    }
}

extension HuggingFaceKeyMap {
    /// A network's tensors under the names that they have in a Hugging Face file; queries, keys and values apart.
    ///
    /// - Parameters:
    ///   - model: The network, whose memory the tensors share, but for a class token and positions whose split differs
    ///     (`ClassPosition`).
    ///   - extras: More tensors, by Hugging Face's names without `vit.` or `deit.`; those of the transformer itself
    ///     (`pooler.…`, `embeddings.…`) get the architecture's prefix.
    /// - Returns: All tensors with their names.
    /// - Throws: ``CheckpointError`` for a tensor that the architecture has no name for.
    public func tensors(
        of model: any ImageClassifier,
        extras: [(name: String, tensor: Tensor)] = []
    ) throws(CheckpointError) -> [(name: String, tensor: Tensor)] {
        try tensors(of: model, extras: extras, classPosition: nil)
    }

    /// The same, with what was known of the class token's position in the file that the network is from.
    package func tensors(
        of model: any ImageClassifier,
        extras: [(name: String, tensor: Tensor)],
        classPosition: ClassPosition?
    ) throws(CheckpointError) -> [(name: String, tensor: Tensor)] {
        var tensors = model.namedTensors()
        if architecture.hasRegisters {
            tensors = try ClassPosition.separate(in: tensors, known: classPosition)
        }
        var renamed: [(name: String, tensor: Tensor)] = []
        for (key, tensor) in tensors {
            let names = huggingFaceKeys(of: key)
            guard let first = names.first else {
                throw CheckpointError.tensor(
                    name: key,
                    reason: "has no name in Hugging Face's \(architecture.rawValue)"
                )
            }
            guard names.count > 1 else {
                renamed.append((first, tensor))
                continue
            }
            let rows = (tensor.shape.first ?? 0) / names.count
            for (part, name) in names.enumerated() {
                let range = (part * rows)..<((part + 1) * rows)
                renamed.append((name, try tensor.part(rows: range, of: key)))
            }
        }
        var known = Set(renamed.map(\.name))
        for (name, tensor) in extras {
            let isBase = name.hasPrefix("pooler.") || name.hasPrefix("embeddings.")
            let full = isBase ? architecture.prefix + name : name
            guard known.insert(full).inserted else {
                throw CheckpointError.tensor(name: full, reason: "is there twice")
            }
            renamed.append((full, tensor))
        }
        return renamed
    }
}
