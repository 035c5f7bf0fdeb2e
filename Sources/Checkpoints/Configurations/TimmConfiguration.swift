import ImagePipeline
import Storage
import VisionModels

/// A model's `config.json` in timm's form, which is how convolutional networks are kept, and transformers on request.
///
/// `timm.create_model("local-dir:DIR")` and transformers' `TimmWrapper` load it where the name under
/// `architecture` is one of timm's. The small networks for CIFAR have names of our own, which those
/// libraries do not know.
///
/// ## Source
/// timm/models/_hub.py, `save_config_for_hf` and `_parse_model_cfg`.
enum TimmConfiguration {
    static func encode(_ description: ModelDescription) -> JSONObject {
        let configuration = description.configuration
        let labels = description.labels
        let keys = labels.identifiers ?? labels.names
        var object: JSONObject
        var pretrained = TimmProcessor.encode(
            description.processor,
            height: configuration.imageSize.height,
            width: configuration.imageSize.width
        )
        pretrained["num_classes"] = .integer(configuration.numClasses)
        var own = HuggingFaceConfiguration.ownFields(
            labels: labels,
            name: description.name,
            upright: description.processor.appliesOrientation
        )
        if let vit = configuration.transformer {
            object = encode(vit, preset: description.name, &pretrained, &own)
        } else {
            object = TimmConvNet.encode(configuration, &pretrained, &own)
        }
        if !keys.isEmpty {
            var texts = JSONObject()
            for (index, key) in keys.enumerated() { texts[key] = .string(labels.names[index]) }
            object["label_names"] = .array(keys.map(JSONValue.string))
            object["label_descriptions"] = .object(texts)
        }
        // timm has no such key; transformers' TimmWrapper reads it.
        if let problemType = description.problemType {
            object[ProblemType.key] = .string(problemType.rawValue)
        }
        object["pretrained_cfg"] = .object(pretrained)
        object[HuggingFaceConfiguration.ownKey] = .object(own)
        return object
    }

    private static func encode(
        _ vit: ViTConfiguration,
        preset: String?,
        _ pretrained: inout JSONObject,
        _ own: inout JSONObject
    ) -> JSONObject {
        let (architecture, arguments) = TimmTransformer.encode(vit, preset: preset)
        var object: JSONObject = [
            "architecture": .string(architecture),
            "num_classes": .integer(vit.numClasses),
            "num_features": .integer(vit.embedDim),
            "global_pool": "token",
        ]
        if !arguments.keys.isEmpty { object["model_args"] = .object(arguments) }
        pretrained["fixed_input_size"] = true
        pretrained["first_conv"] = "patch_embed.proj"
        pretrained["classifier"] = vit.headCount == 2 ? ["head", "head_dist"] : "head"
        // timm has no such network; what reads this here does.
        if vit.singleHead { own["single_head"] = true }
        own["layer_norm_eps"] = .number(vit.layerNormEps)
        own["drop_path_rate"] = .number(vit.dropPathRate)
        if let initValues = vit.initValues { own["init_values"] = .number(initValues) }
        return object
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
    ) throws(CheckpointError) -> (
        configuration: ModelConfiguration, labels: ClassLabels, name: String?,
        processor: ImageProcessor?
    ) {
        let name = try fields.string("architecture") ?? ""
        let own = try fields.object(HuggingFaceConfiguration.ownKey)
        let pretrained = try fields.object("pretrained_cfg") ?? fields
        var configuration = try configuration(named: name, own: own, fields)
        if let vit = configuration.transformer {
            configuration = .visionTransformer(
                try TimmTransformer.decode(vit, fields, pretrained, own: own)
            )
        }
        let count = try fields.int(
            "num_classes",
            default: try pretrained.int("num_classes", default: configuration.numClasses)
        )
        configuration.numClasses = count
        if configuration.transformer != nil {
            // Its channels are known by now.
        } else if let channels = try fields.object("model_args")?.value("in_chans")?.intValue {
            configuration.inChannels = channels
        } else if let size = pretrained.value("input_size")?.arrayValue, size.count == 3,
            let channels = size[0].intValue
        {
            configuration.inChannels = channels
        }
        if configuration.convNet != nil, own?.value("image_size") == nil,
            let size = pretrained.value("input_size")?.arrayValue, size.count == 3,
            let height = size[1].intValue, let width = size[2].intValue
        {
            configuration.imageSize = (height, width)
        }
        let labels =
            ignoresLabels
            ? ClassLabels(placeholders: min(max(count, 0), 1_000_000))
            : try labels(fields, pretrained, own: own, count: count)
        let processor = try TimmProcessor.decode(pretrained, channels: configuration.inChannels)
        return (
            configuration, labels, try own?.string("preset") ?? name,
            processor?.seeing(upright: try HuggingFaceConfiguration.seesUpright(fields))
        )
    }

    private static func configuration(
        named name: String,
        own: JSONFields?,
        _ fields: JSONFields
    ) throws(CheckpointError) -> ModelConfiguration {
        if let own, let network = try TimmConvNet.decode(own) { return network }
        if let named = TimmArchitecture(name) { return .visionTransformer(named.configuration) }
        guard let preset = ModelRegistry.presets.first(where: { $0.name == name }) else {
            throw fields.unsupported(
                "architecture",
                "is \"\(name)\", which is not built here; `deit models` lists what is"
            )
        }
        return preset.configuration
    }

    private static func labels(
        _ fields: JSONFields,
        _ pretrained: JSONFields,
        own: JSONFields?,
        count: Int
    ) throws(CheckpointError) -> ClassLabels {
        guard (0...1_000_000).contains(count) else {
            throw fields.malformed("num_classes", "is out of range")
        }
        let inner = try pretrained.strings("label_names")
        let keys = try fields.strings("label_names") ?? inner
        guard let keys, try own?.bool("has_class_names", default: true) != false else {
            return ClassLabels(placeholders: count)
        }
        guard keys.count == count else {
            throw fields.malformed("label_names", "names \(keys.count) of \(count) classes")
        }
        let innerTexts = try pretrained.object("label_descriptions")
        guard let texts = try fields.object("label_descriptions") ?? innerTexts
        else { return ClassLabels(names: keys) }
        let names = keys.map { texts.object[$0]?.stringValue ?? $0 }
        return ClassLabels(names: names, identifiers: names == keys ? nil : keys)
    }
}
