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
    public typealias Place = TensorPlace

    /// Whose names are written; any are read.
    public let architecture: HuggingFaceArchitecture

    /// Whether the feed-forward layers are gated, which DINOv2's and DINOv3's names tell.
    public let isGated: Bool

    /// Whether keys have a bias, which a DINOv3 usually has not.
    public let hasKeyBias: Bool

    /// Creates a map.
    ///
    /// - Parameters:
    ///   - architecture: Whose names are written.
    ///   - isGated: Whether the feed-forward layers are gated.
    ///   - hasKeyBias: Whether keys have a bias where queries and values have one.
    public init(
        _ architecture: HuggingFaceArchitecture,
        isGated: Bool = false,
        hasKeyBias: Bool = true
    ) {
        (self.architecture, self.isGated, self.hasKeyBias) = (architecture, isGated, hasKeyBias)
    }

    /// Creates a map for a network.
    init(_ architecture: HuggingFaceArchitecture, of configuration: ViTConfiguration?) {
        self.init(
            architecture,
            isGated: configuration?.mlpLayer == .swiglu,
            hasKeyBias: configuration?.keyBias ?? true
        )
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
    public func huggingFaceKeys(of timm: String) -> [String] { names(of: timm).compactMap { $0 } }

    /// The same, with nil for a part that the architecture does not have, which is all zeros.
    func names(of timm: String) -> [String?] {
        let (head, headDist) = architecture.classifiers
        if let suffix = Self.suffix(of: timm, after: "head_dist") {
            return headDist.map { [$0 + suffix] } ?? []
        }
        if let suffix = Self.suffix(of: timm, after: "head") {
            return head.map { [$0 + suffix] } ?? []
        }
        if Self.suffix(of: timm, after: "decoder.0") != nil { return [timm] }
        guard timm != "dist_token" || architecture.isDistilled,
            timm != "reg_token" || architecture.hasRegisters || architecture.isDINOv3
        else { return [] }
        return Self.names(
            of: timm,
            architecture.names(isGated: isGated),
            prefix: architecture.prefix,
            hasKeyBias: hasKeyBias
        )
    }

    /// The names of one of timm's tensors in an image tower of CLIP or SigLIP.
    static func towerNames(of timm: String) -> [String?] {
        names(of: timm, .tower, prefix: "", hasKeyBias: true)
    }

    private static func names(
        of timm: String,
        _ names: HuggingFaceNames,
        prefix: String,
        hasKeyBias: Bool
    ) -> [String?] {
        for (ours, theirs) in names.whole {
            if let suffix = suffix(of: timm, after: ours) { return [prefix + theirs + suffix] }
        }
        guard let (index, rest) = layer(of: timm, after: "blocks.") else { return [] }
        let layer = "\(prefix)\(names.layers)\(index)."
        for (ours, theirs) in names.parts {
            if let suffix = suffix(of: rest, after: ours) {
                return theirs.enumerated().map { part, name in
                    let isKeyBias = ours == "attn.qkv" && part == 1 && suffix == ".bias"
                    return isKeyBias && !hasKeyBias ? nil : layer + name + suffix
                }
            }
        }
        for (ours, theirs) in names.inBlock {
            if let suffix = suffix(of: rest, after: ours) { return [layer + theirs + suffix] }
        }
        return []
    }

    /// The place in timm's tensors of a tensor of a Hugging Face file.
    ///
    /// Prefixes such as `vit.` and `dinov2.` may be absent, as in the file of a base model.
    ///
    /// - Parameters:
    ///   - key: The name in the file.
    ///   - isGated: Whether the feed-forward layers are gated, without which `mlp.up_proj` is the whole of the first one.
    /// - Returns: The place, or nil for a name that no vision transformer has.
    public static func place(of key: String, isGated: Bool = true) -> Place? {
        for (theirs, ours) in classifiers {
            if let suffix = suffix(of: key, after: theirs) { return Place(key: ours + suffix) }
        }
        if suffix(of: key, after: "decoder.0") != nil { return Place(key: key) }
        let key = baseKey(of: key)
        let readable = isGated ? HuggingFaceNames.readable : HuggingFaceNames.readableWithoutGate
        for names in readable {
            for (ours, theirs) in names.whole {
                if let suffix = suffix(of: key, after: theirs) { return Place(key: ours + suffix) }
            }
        }
        for names in readable {
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
        // Older files of CLIP have the numbers of positions, which count from 0.
        return key.hasPrefix("pooler.") || key == "embeddings.mask_token"
            || key == "embeddings.position_ids"
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
        var renamed = try TensorParts.renamed(tensors) { (key) throws(CheckpointError) in
            let names = names(of: key)
            guard !names.isEmpty else {
                throw CheckpointError.tensor(
                    name: key,
                    reason: "has no name in Hugging Face's \(architecture.rawValue)"
                )
            }
            return names
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
