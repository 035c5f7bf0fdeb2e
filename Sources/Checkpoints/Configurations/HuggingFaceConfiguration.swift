import Storage
import Torch
import VisionModels

/// A vision transformer's `config.json` in Hugging Face's form.
///
/// What the form has no word for stands under the one key `swift_deit`.
///
/// ## Source
/// transformers/models/vit/configuration_vit.py, transformers/models/deit/configuration_deit.py.
enum HuggingFaceConfiguration {
    /// The key of what only this library writes.
    static let ownKey = "swift_deit"

    /// The key, below ``ownKey``, of whether files are turned upright as their EXIF orientation says.
    static let orientationKey = "exif_orientation"

    /// Whether a model sees files upright.
    ///
    /// What others publish does not say, and is shown to images as they are meant to be seen. What this library wrote
    /// before it kept a record was trained and measured with files as they are stored.
    ///
    /// - Parameter fields: The configuration.
    /// - Returns: Whether files are turned upright.
    /// - Throws: ``CheckpointError`` for a value that is neither true nor false.
    static func seesUpright(_ fields: JSONFields) throws(CheckpointError) -> Bool {
        guard let own = try fields.object(ownKey) else { return true }
        return try own.bool(orientationKey, default: false)
    }

    static func encode(
        _ vit: ViTConfiguration,
        labels: ClassLabels,
        problemType: ProblemType?,
        name: String?,
        upright: Bool,
        architecture: HuggingFaceArchitecture,
        dtype: DType
    ) -> JSONObject {
        let isSquare = vit.imageHeight == vit.imageWidth
        var object: JSONObject = [
            "architectures": [.string(architecture.rawValue)],
            "model_type": .string(architecture.modelType),
            "hidden_size": .integer(vit.embedDim),
            "num_hidden_layers": .integer(vit.depth),
            "num_attention_heads": .integer(vit.numHeads),
            "intermediate_size": .integer(vit.mlpDim),
            "hidden_act": "gelu",
            "hidden_dropout_prob": .number(vit.dropRate),
            "attention_probs_dropout_prob": .number(vit.attnDropRate),
            "initializer_range": 0.02,
            "layer_norm_eps": .number(vit.layerNormEps),
            "image_size": isSquare
                ? .integer(vit.imageHeight)
                : [.integer(vit.imageHeight), .integer(vit.imageWidth)],
            "patch_size": .integer(vit.patchSize),
            "num_channels": .integer(vit.inChannels),
            "qkv_bias": .bool(vit.qkvBias),
            "encoder_stride": .integer(vit.patchSize),
            "dtype": .string("\(dtype)"),
        ]
        if !labels.names.isEmpty {
            var names = JSONObject()
            var indices = JSONObject()
            for (index, label) in labels.names.enumerated() {
                names[String(index)] = .string(label)
                if indices[label] == nil { indices[label] = .integer(index) }
            }
            object["id2label"] = .object(names)
            object["label2id"] = .object(indices)
        }
        if let problemType { object[ProblemType.key] = .string(problemType.rawValue) }
        var own = ownFields(labels: labels, name: name, upright: upright)
        own["drop_path_rate"] = .number(vit.dropPathRate)
        own["mlp_ratio"] = .number(vit.mlpRatio)
        object[ownKey] = .object(own)
        return object
    }

    /// The fields under ``ownKey`` that every kind of model has.
    static func ownFields(labels: ClassLabels, name: String?, upright: Bool) -> JSONObject {
        var own: JSONObject = ["format": 1, orientationKey: .bool(upright)]
        if let name { own["preset"] = .string(name) }
        if let identifiers = labels.identifiers {
            own["class_identifiers"] = .array(identifiers.map(JSONValue.string))
        }
        if labels.arePlaceholders { own["has_class_names"] = false }
        return own
    }

    /// What a file says of a vision transformer.
    struct Decoded {
        let configuration: ViTConfiguration
        let labels: ClassLabels
        let name: String?
        /// Whether the file says how many classes there are.
        let isClassCountStated: Bool
        let assumptions: [String]
    }

    /// Reads a file.
    ///
    /// - Parameters:
    ///   - fields: The file.
    ///   - ignoresLabels: Whether the classes are named elsewhere, so that what the file says of them does not matter.
    /// - Returns: What it says.
    /// - Throws: ``CheckpointError`` for a network that is not built here, or fields of another type.
    static func decode(
        _ fields: JSONFields,
        ignoresLabels: Bool = false
    ) throws(CheckpointError) -> Decoded {
        let type = try fields.string("model_type") ?? ""
        guard type == "vit" || type == "deit" else {
            throw fields.unsupported("model_type", "is \"\(type)\"; vit and deit are understood")
        }
        let activation = try fields.string("hidden_act") ?? "gelu"
        guard activation == "gelu" else {
            throw fields.unsupported(
                "hidden_act",
                "is \"\(activation)\"; only gelu (exact) is understood"
            )
        }
        let own = try fields.object(ownKey)
        let found = ignoresLabels ? nil : try HuggingFaceLabels(fields)
        let (labels, assumptions) =
            try found.map { (found) throws(CheckpointError) in try Self.labels(found, own) }
            ?? (ClassLabels(placeholders: 2), [])
        let image = try fields.size("image_size") ?? (224, 224)
        let patch = try fields.size("patch_size") ?? (16, 16)
        guard patch.height == patch.width else {
            throw fields.unsupported("patch_size", "is not square")
        }
        let width = try fields.int("hidden_size", default: 768)
        let hidden = try fields.int("intermediate_size", default: 3072)
        var configuration = ViTConfiguration(
            imageHeight: image.height,
            imageWidth: image.width,
            patchSize: patch.height,
            inChannels: try fields.int("num_channels", default: 3),
            numClasses: labels.names.count,
            embedDim: width,
            depth: try fields.int("num_hidden_layers", default: 12),
            numHeads: try fields.int("num_attention_heads", default: 12),
            mlpRatio: try own?.double("mlp_ratio", default: 0) ?? 0,
            qkvBias: try fields.bool("qkv_bias", default: true),
            isDistilled: type == "deit",
            layerNormEps: try fields.double("layer_norm_eps", default: 1e-12),
            dropRate: try fields.double("hidden_dropout_prob", default: 0),
            dropPathRate: try own?.double("drop_path_rate", default: 0) ?? 0
        )
        let architecture = fields.value("architectures")?.arrayValue?.first?.stringValue
        configuration.singleHead =
            architecture == HuggingFaceArchitecture.deitForImageClassification.rawValue
        configuration.attnDropRate = try fields.double("attention_probs_dropout_prob", default: 0)
        try settleRatio(&configuration, hidden: hidden, fields)
        return Decoded(
            configuration: configuration,
            labels: labels,
            name: try own?.string("preset"),
            isClassCountStated: found?.isCountStated ?? false,
            assumptions: assumptions
        )
    }

    /// Sets the ratio that gives the hidden width, which is what the file states.
    private static func settleRatio(
        _ configuration: inout ViTConfiguration,
        hidden: Int,
        _ fields: JSONFields
    ) throws(CheckpointError) {
        let width = configuration.embedDim
        guard (1...1_000_000).contains(width), (1...1_000_000).contains(hidden) else {
            throw fields.malformed("hidden_size or intermediate_size", "is out of range")
        }
        let isKept =
            (0.0...64).contains(configuration.mlpRatio) && configuration.mlpDim == hidden
        if !isKept { configuration.mlpRatio = Double(hidden) / Double(width) }
        // The quotient may be a hair below what gives the width back after truncation.
        if configuration.mlpDim < hidden { configuration.mlpRatio = configuration.mlpRatio.nextUp }
    }

    /// The names of the classes, and what has to be assumed of them.
    private static func labels(
        _ found: HuggingFaceLabels,
        _ own: JSONFields?
    ) throws(CheckpointError) -> (labels: ClassLabels, assumptions: [String]) {
        let hasNames = try own?.bool("has_class_names", default: true) ?? true
        guard hasNames, !found.names.isEmpty else {
            return (ClassLabels(placeholders: found.count), [])
        }
        let labels = ClassLabels(
            names: found.ordered,
            identifiers: try own?.strings("class_identifiers")
        )
        guard let first = found.unnamed.first else { return (labels, []) }
        let others = found.unnamed.count > 1 ? " and \(found.unnamed.count - 1) more" : ""
        return (
            labels,
            [
                "class \(first)\(others) called \(HuggingFaceLabels.placeholder(first)), as id2label does not "
                    + "name it; --labels FILE names the classes"
            ]
        )
    }
}
