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

    /// Whether the model has a distillation token and two heads: model type `deit`, otherwise `vit`.
    public let isDistilled: Bool

    /// Creates the map of a kind of model.
    ///
    /// - Parameter isDistilled: Whether the model has a distillation token and two heads.
    public init(isDistilled: Bool) {
        self.isDistilled = isDistilled
    }

    private static let whole = [
        ("cls_token", "embeddings.cls_token"),
        ("dist_token", "embeddings.distillation_token"),
        ("pos_embed", "embeddings.position_embeddings"),
        ("patch_embed.proj", "embeddings.patch_embeddings.projection"),
        ("norm", "layernorm"),
    ]

    private static let inBlock = [
        ("norm1", "layernorm_before"),
        ("attn.proj", "attention.output.dense"),
        ("norm2", "layernorm_after"),
        ("mlp.fc1", "intermediate.dense"),
        ("mlp.fc2", "output.dense"),
    ]

    private static let qkv = ["query", "key", "value"]

    /// The names in a Hugging Face file of one of timm's tensors.
    ///
    /// - Parameter timm: timm's key.
    /// - Returns: One name; three for a `qkv`, whose rows are split in that order; none for a key that
    ///   no vision transformer has.
    public func huggingFaceKeys(of timm: String) -> [String] {
        let prefix = isDistilled ? "deit." : "vit."
        if let suffix = Self.suffix(of: timm, after: "head_dist") {
            return isDistilled ? ["distillation_classifier\(suffix)"] : []
        }
        if let suffix = Self.suffix(of: timm, after: "head") {
            return [(isDistilled ? "cls_classifier" : "classifier") + suffix]
        }
        for (ours, theirs) in Self.whole {
            if let suffix = Self.suffix(of: timm, after: ours) { return [prefix + theirs + suffix] }
        }
        guard let (index, rest) = Self.layer(of: timm, after: "blocks.") else { return [] }
        let layer = "\(prefix)encoder.layer.\(index)."
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
    /// The prefixes `vit.` and `deit.` may be absent, as in the file of a model without head.
    ///
    /// - Parameter key: The name in the file.
    /// - Returns: The place, or nil for a name that no vision transformer has.
    public static func place(of key: String) -> Place? {
        var key = key
        for (theirs, ours) in [
            ("classifier", "head"), ("cls_classifier", "head"),
            ("distillation_classifier", "head_dist"),
        ] {
            if let suffix = suffix(of: key, after: theirs) { return Place(key: ours + suffix) }
        }
        for prefix in ["vit.", "deit."] where key.hasPrefix(prefix) {
            key.removeFirst(prefix.count)
        }
        for (ours, theirs) in whole {
            if let suffix = suffix(of: key, after: theirs) { return Place(key: ours + suffix) }
        }
        guard let (index, rest) = layer(of: key, after: "encoder.layer.") else { return nil }
        for (third, name) in qkv.enumerated() {
            if let suffix = suffix(of: rest, after: "attention.attention.\(name)") {
                return Place(key: "blocks.\(index).attn.qkv\(suffix)", third: third)
            }
        }
        for (ours, theirs) in inBlock {
            if let suffix = suffix(of: rest, after: theirs) {
                return Place(key: "blocks.\(index).\(ours)\(suffix)")
            }
        }
        return nil
    }

    /// Whether a tensor belongs to a part that classification does not use: the pooler and what masked
    /// modelling adds.
    ///
    /// - Parameter key: The name in a Hugging Face file.
    /// - Returns: Whether it can be left out without loss.
    public static func isUnused(_ key: String) -> Bool {
        var key = Substring(key)
        for prefix in ["vit.", "deit."] where key.hasPrefix(prefix) {
            key = key.dropFirst(prefix.count)
        }
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
