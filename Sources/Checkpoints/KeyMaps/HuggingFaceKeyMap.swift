public import Torch
import TorchNN
public import VisionModels

/// The names of a vision transformer's tensors in Hugging Face's files and in timm's.
///
/// timm's names are ours. The one difference beyond names is the attention: timm keeps queries, keys
/// and values as the rows of one matrix `qkv`, in that order; Hugging Face has three.
///
/// ## Source
/// timm/models/vision_transformer.py, deit.py; transformers/models/deit/modeling_deit.py.
public struct HuggingFaceKeyMap: Sendable, Equatable {
    /// A place in one of timm's tensors.
    public struct Place: Sendable, Hashable {
        /// timm's key.
        public let key: String

        /// Which third of the rows it is (0 query, 1 key, 2 value), or nil for the whole tensor.
        public let third: Int?

        /// Creates a place.
        ///
        /// - Parameters:
        ///   - key: timm's key.
        ///   - third: Which third of the rows, or nil for the whole tensor.
        public init(key: String, third: Int? = nil) {
            self.key = key
            self.third = third
        }
    }

    /// Whose names are written; any are read.
    public let architecture: HuggingFaceArchitecture

    /// Creates a map.
    ///
    /// - Parameter architecture: Whose names are written.
    public init(_ architecture: HuggingFaceArchitecture) { self.architecture = architecture }

    /// Creates a map for a classifier.
    ///
    /// - Parameter isDistilled: Whether the model has a distillation token and two heads.
    public init(isDistilled: Bool) {
        self.init(
            isDistilled ? .deitForImageClassificationWithTeacher : .vitForImageClassification
        )
    }

    private static let whole = [
        ("cls_token", "embeddings.cls_token"),
        ("dist_token", "embeddings.distillation_token"),
        ("mask_token", "embeddings.mask_token"),
        ("pos_embed", "embeddings.position_embeddings"),
        ("patch_embed.proj", "embeddings.patch_embeddings.projection"),
        ("norm", "layernorm"),
        // Older versions of timm had the pooler by this name.
        ("pre_logits.fc", "pooler.dense"),
    ]

    private static let inBlock = [
        ("norm1", "layernorm_before"),
        ("attn.proj", "attention.output.dense"),
        ("norm2", "layernorm_after"),
        ("mlp.fc1", "intermediate.dense"),
        ("mlp.fc2", "output.dense"),
    ]

    // transformers 5 has these names in memory, and so in a state dict that somebody saves himself; `save_pretrained`
    // writes the older ones.
    private static let inLayerOfVersion5 = [
        ("norm1", "layernorm_before"),
        ("attn.proj", "attention.o_proj"),
        ("norm2", "layernorm_after"),
        ("mlp.fc1", "mlp.fc1"),
        ("mlp.fc2", "mlp.fc2"),
    ]

    private static let qkv = ["query", "key", "value"]

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
        guard timm != "dist_token" || architecture.isDistilled else { return [] }
        for (ours, theirs) in Self.whole {
            if let suffix = Self.suffix(of: timm, after: ours) {
                return [architecture.prefix + theirs + suffix]
            }
        }
        guard let (index, rest) = Self.layer(of: timm, after: "blocks.") else { return [] }
        let layer = "\(architecture.prefix)encoder.layer.\(index)."
        if let suffix = Self.suffix(of: rest, after: "attn.qkv") {
            return Self.qkv.map { "\(layer)attention.attention.\($0)\(suffix)" }
        }
        for (ours, theirs) in Self.inBlock {
            if let suffix = Self.suffix(of: rest, after: ours) { return [layer + theirs + suffix] }
        }
        return []
    }

    /// The place in timm's tensors of a tensor of a Hugging Face file.
    ///
    /// The prefixes `vit.` and `deit.` may be absent, as in the file of a base model.
    ///
    /// - Parameter key: The name in the file.
    /// - Returns: The place, or nil for a name that no vision transformer has.
    public static func place(of key: String) -> Place? {
        for (theirs, ours) in classifiers {
            if let suffix = suffix(of: key, after: theirs) { return Place(key: ours + suffix) }
        }
        if suffix(of: key, after: "decoder.0") != nil { return Place(key: key) }
        let key = baseKey(of: key)
        for (ours, theirs) in whole {
            if let suffix = suffix(of: key, after: theirs) { return Place(key: ours + suffix) }
        }
        if let (index, rest) = layer(of: key, after: "encoder.layer.") {
            let thirds = qkv.map { "attention.attention.\($0)" }
            return place(of: rest, in: index, thirds: thirds, others: inBlock)
        }
        if let (index, rest) = layer(of: key, after: "layers.") {
            let thirds = ["q", "k", "v"].map { "attention.\($0)_proj" }
            return place(of: rest, in: index, thirds: thirds, others: inLayerOfVersion5)
        }
        return nil
    }

    private static func place(
        of rest: String,
        in index: Int,
        thirds: [String],
        others: [(String, String)]
    ) -> Place? {
        for (third, name) in thirds.enumerated() {
            if let suffix = suffix(of: rest, after: name) {
                return Place(key: "blocks.\(index).attn.qkv\(suffix)", third: third)
            }
        }
        for (ours, theirs) in others {
            if let suffix = suffix(of: rest, after: theirs) {
                return Place(key: "blocks.\(index).\(ours)\(suffix)")
            }
        }
        return nil
    }

    /// A name without `vit.` or `deit.`.
    static func baseKey(of key: String) -> String {
        for prefix in ["vit.", "deit."] where key.hasPrefix(prefix) {
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
    ///   - model: The network, whose memory the tensors share.
    ///   - extras: More tensors, by Hugging Face's names without `vit.` or `deit.`; those of the transformer itself
    ///     (`pooler.…`, `embeddings.…`) get the architecture's prefix.
    /// - Returns: All tensors with their names.
    /// - Throws: ``CheckpointError`` for a tensor that the architecture has no name for.
    public func tensors(
        of model: any ImageClassifier,
        extras: [(name: String, tensor: Tensor)] = []
    ) throws(CheckpointError) -> [(name: String, tensor: Tensor)] {
        var renamed: [(name: String, tensor: Tensor)] = []
        for (key, tensor) in model.namedTensors() {
            let names = huggingFaceKeys(of: key)
            guard names.count == 1 || names.count == 3 else {
                throw CheckpointError.tensor(
                    name: key,
                    reason: "has no name in Hugging Face's \(architecture.rawValue)"
                )
            }
            guard names.count == 3 else {
                renamed.append((names[0], tensor))
                continue
            }
            let rows = (tensor.shape.first ?? 0) / 3
            for (third, name) in names.enumerated() {
                let range = (third * rows)..<((third + 1) * rows)
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
