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
        var object: JSONObject = [:]
        var pretrained = TimmProcessor.encode(
            description.processor,
            height: configuration.imageSize.height,
            width: configuration.imageSize.width
        )
        pretrained["num_classes"] = .integer(configuration.numClasses)
        var own = HuggingFaceConfiguration.ownFields(
            labels: labels,
            name: description.name,
            upright: description.processor.appliesOrientation,
            thresholds: description.thresholds
        )
        if let family = ModelFamilies.family(of: configuration),
            let network = family.timmFields(of: configuration, preset: description.name)
        {
            object = network.object
            for key in network.pretrained.keys { pretrained[key] = network.pretrained[key] }
            for key in network.own.keys { own[key] = network.own[key] }
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
        let file = TimmFile(
            fields: ConfigurationFields(fields),
            pretrained: ConfigurationFields(pretrained),
            own: own.map { ConfigurationFields($0) }
        )
        if let family = ModelFamilies.family(of: configuration) {
            configuration = try CheckpointError.of(try family.model(configuration, in: file))
        }
        let count = try fields.int(
            "num_classes",
            default: try pretrained.int("num_classes", default: configuration.numClasses)
        )
        configuration.numClasses = count
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
        if let own = own.map({ ConfigurationFields($0) }) {
            for family in ModelFamilies.all {
                if let found = try CheckpointError.of(try family.model(own: own)) { return found }
            }
        }
        guard let named = ModelFamilies.model(named: name) else {
            throw fields.unsupported(
                "architecture",
                "is \"\(name)\", which is not supported; `deit models` lists the supported models"
            )
        }
        return named.configuration
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
