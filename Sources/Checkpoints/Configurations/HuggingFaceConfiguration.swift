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

    static func encode(
        _ vit: ViTConfiguration,
        labels: ClassLabels,
        name: String?,
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
        var own = ownFields(labels: labels, name: name)
        own["drop_path_rate"] = .number(vit.dropPathRate)
        own["mlp_ratio"] = .number(vit.mlpRatio)
        object[ownKey] = .object(own)
        return object
    }

    /// The fields under ``ownKey`` that every kind of model has.
    static func ownFields(labels: ClassLabels, name: String?) -> JSONObject {
        var own: JSONObject = ["format": 1]
        if let name { own["preset"] = .string(name) }
        if let identifiers = labels.identifiers {
            own["class_identifiers"] = .array(identifiers.map(JSONValue.string))
        }
        if labels.arePlaceholders { own["has_class_names"] = false }
        return own
    }

    static func decode(
        _ fields: JSONFields
    ) throws(CheckpointError) -> (
        configuration: ViTConfiguration, labels: ClassLabels, name: String?
    ) {
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
        let labels = try labels(fields, own: own)
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
        return (configuration, labels, try own?.string("preset"))
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

    static func labels(
        _ fields: JSONFields,
        own: JSONFields?
    ) throws(CheckpointError) -> ClassLabels {
        guard let names = try fields.object("id2label")?.object else {
            // Without names there is a count at best; transformers takes 2 for granted.
            let count = try fields.int("num_labels", default: 2)
            guard (1...1_000_000).contains(count) else {
                throw fields.malformed("num_labels", "is out of range")
            }
            return ClassLabels(placeholders: count)
        }
        var list: [String] = []
        for index in 0..<names.keys.count {
            guard let name = names[String(index)]?.stringValue else {
                throw fields.malformed(
                    "id2label",
                    "does not name the classes 0 to \(names.keys.count - 1)"
                )
            }
            list.append(name)
        }
        if try own?.bool("has_class_names", default: true) == false {
            return ClassLabels(placeholders: list.count)
        }
        return ClassLabels(names: list, identifiers: try own?.strings("class_identifiers"))
    }
}
