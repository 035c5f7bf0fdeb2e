import Storage
import Torch
import TorchNN
import VisionModels

/// A vision transformer's `config.json` in Hugging Face's form.
///
/// What the form has no word for stands under the one key `swift_deit`.
///
/// ## Source
/// The configurations of ``PretrainedConfig``.
enum HuggingFaceConfiguration {
    /// The key of what only this library writes.
    static let ownKey = "swift_deit"

    /// The key, below ``ownKey``, of the probabilities from which classes count as recognised.
    static let thresholdsKey = "class_thresholds"

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
        thresholds: [Double]?,
        architecture: HuggingFaceArchitecture,
        dtype: DType
    ) throws(CheckpointError) -> JSONObject {
        var object: JSONObject
        do throws(ConfigurationError) {
            guard let form = forms.first(where: { $0.modelType == architecture.modelType }) else {
                throw .unknownValue(
                    name: "model_type",
                    value: architecture.modelType,
                    known: forms.map(\.modelType)
                )
            }
            object = try form.encode(vit, labels, problemType, architecture, dtype)
        } catch {
            throw CheckpointError.unwritable(path: "config.json", reason: "\(error)")
        }
        var own = ownFields(
            labels: labels,
            name: name,
            upright: upright,
            thresholds: thresholds
        )
        if !architecture.isDINOv2, !architecture.isDINOv3 {
            own["drop_path_rate"] = .number(vit.dropPathRate)
        }
        // transformers' feature is the class token, timm's the mean of the patches.
        if architecture.isDINOv3 { own["global_pool"] = .string(vit.globalPool.rawValue) }
        own["mlp_ratio"] = .number(vit.mlpRatio)
        object[ownKey] = .object(own)
        return object
    }

    private static func encode<Family: PretrainedFamily>(
        _ family: Family.Type,
        _ vit: ViTConfiguration,
        _ labels: ClassLabels,
        _ problemType: ProblemType?,
        _ architecture: HuggingFaceArchitecture,
        _ dtype: DType
    ) throws(ConfigurationError) -> JSONObject {
        var config = try PretrainedConfig<Family>(vit, labels: labels)
        config.architectures = [architecture.rawValue]
        config.dtype = "\(dtype)"
        config.problemType = problemType
        var object = config.canonical
        // A file without names means two classes, and gets those of its weights here.
        let (names, indices) = labels.names.isEmpty ? (nil, nil) : config.labelObjects
        object["id2label"] = names.map { .object($0) }
        object["label2id"] = indices.map { .object($0) }
        // The network has no pooler, so the file that it came from knows better.
        object["pooler_act"] = nil
        object["pooler_output_size"] = nil
        return object
    }

    /// The fields under ``ownKey`` that every kind of model has.
    static func ownFields(
        labels: ClassLabels,
        name: String?,
        upright: Bool,
        thresholds: [Double]?
    ) -> JSONObject {
        var own: JSONObject = ["format": 1, orientationKey: .bool(upright)]
        if let name { own["preset"] = .string(name) }
        if let identifiers = labels.identifiers {
            own["class_identifiers"] = .array(identifiers.map(JSONValue.string))
        }
        if labels.arePlaceholders { own["has_class_names"] = false }
        if let thresholds { own[thresholdsKey] = .array(thresholds.map(JSONValue.number)) }
        return own
    }

    /// Reads from which probability each class counts as recognised.
    ///
    /// - Parameters:
    ///   - fields: The configuration.
    ///   - count: The number of classes.
    /// - Returns: A probability for each class; nil where the file does not say.
    /// - Throws: ``CheckpointError`` for another number of them, or one that is no probability above 0.
    static func thresholds(
        _ fields: JSONFields,
        count: Int
    ) throws(CheckpointError) -> [Double]? {
        guard let own = try fields.object(ownKey),
            let stored = own.object[thresholdsKey], stored != .null
        else { return nil }
        let values = stored.arrayValue?.compactMap(\.doubleValue) ?? []
        guard values.count == count, values.allSatisfy({ $0 > 0 && $0 <= 1 }) else {
            throw own.unsupported(
                thresholdsKey,
                "is not a probability above 0 for each of \(count) classes"
            )
        }
        return values
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
        let stated = try fields.string("model_type") ?? ""
        let (fields, type) = try ofImages(fields, stated)
        guard let form = forms.first(where: { $0.modelType == type }) else {
            let known = (forms.map(\.modelType) + towers.keys.sorted()).joined(separator: ", ")
            throw fields.unsupported("model_type", "is \"\(type)\"; \(known) are understood")
        }
        return try form.decode(fields, ignoresLabels)
    }

    /// The reading and writing of one family's files.
    private struct Form: Sendable {
        let modelType: String
        let encode:
            @Sendable (
                ViTConfiguration, ClassLabels, ProblemType?, HuggingFaceArchitecture, DType
            ) throws(ConfigurationError) -> JSONObject
        let decode: @Sendable (JSONFields, Bool) throws(CheckpointError) -> Decoded

        // Closures: an opened `any PretrainedFamily.Type` in a function with typed errors stops the compiler (6.3).
        init<Family: PretrainedFamily>(_ family: Family.Type) {
            modelType = family.modelType
            encode = { (vit, labels, type, architecture, dtype) throws(ConfigurationError) in
                try HuggingFaceConfiguration.encode(
                    Family.self,
                    vit,
                    labels,
                    type,
                    architecture,
                    dtype
                )
            }
            decode = { (fields, ignoresLabels) throws(CheckpointError) in
                try HuggingFaceConfiguration.decode(Family.self, fields, ignoresLabels)
            }
        }
    }

    /// The families whose folders are read.
    private static let forms = [
        Form(ViTFamily.self), Form(DeiTFamily.self), Form(Dinov2Family.self),
        Form(Dinov2WithRegistersFamily.self), Form(ViTMAEFamily.self), Form(DINOv3ViTFamily.self),
        Form(CLIPVisionFamily.self), Form(SiglipVisionFamily.self),
    ]

    /// The families whose configurations are a part of another's, by the `model_type` of that one.
    private static let towers = [
        CLIPVisionFamily.wholeModelType: CLIPVisionFamily.modelType,
        SiglipVisionFamily.wholeModelType: SiglipVisionFamily.modelType,
    ]

    /// The configuration of the network that looks at images: all of a file, or its `vision_config`.
    private static func ofImages(
        _ fields: JSONFields,
        _ type: String
    ) throws(CheckpointError) -> (fields: JSONFields, type: String) {
        guard let tower = towers[type] else { return (fields, type) }
        guard let inner = try fields.object("vision_config") else {
            throw fields.malformed("vision_config", "is missing, though model_type is \"\(type)\"")
        }
        var object = inner.object
        object["architectures"] = fields.object["architectures"]
        // Files of old versions call the parts alike.
        object["model_type"] = .string(tower)
        return (JSONFields(object: object, file: inner.file), tower)
    }

    private static func decode<Family: PretrainedFamily>(
        _ family: Family.Type,
        _ fields: JSONFields,
        _ ignoresLabels: Bool
    ) throws(CheckpointError) -> Decoded {
        let config = try PretrainedConfig<Family>(fields, readsLabels: false)
        try refuseClassifier(of: config, fields)
        let own = try fields.object(ownKey)
        let found = ignoresLabels ? nil : try HuggingFaceLabels(fields)
        let (labels, assumptions) =
            try found.map { (found) throws(CheckpointError) in try Self.labels(found, own) }
            ?? (ClassLabels(placeholders: 2), [])
        var configuration = try network(config, numClasses: labels.names.count, fields)
        if !Family.isDINOv2, Family.kind != .dinov3 {
            configuration.dropPathRate = try own?.double("drop_path_rate", default: 0) ?? 0
        }
        let ratio = try own?.double("mlp_ratio", default: 0) ?? 0
        // The hidden width is what the file states; the ratio that it was made by is kept where it gives that width.
        if (0.0...64).contains(ratio),
            Int(Double(configuration.embedDim) * ratio) == configuration.mlpDim
        {
            configuration.mlpRatio = ratio
        }
        if Family.kind == .dinov3, let name = try own?.string("global_pool"),
            let pool = TokenPooling(rawValue: name)
        {
            configuration.globalPool = pool
        }
        configuration.singleHead =
            config.architectures?.first
            == HuggingFaceArchitecture.deitForImageClassification.rawValue
        return Decoded(
            configuration: configuration,
            labels: labels,
            name: try own?.string("preset"),
            isClassCountStated: found?.isCountStated ?? false,
            assumptions: assumptions
        )
    }

    /// Refuses the classes of CLIP and SigLIP with a classifier, which reads neither what these networks pool.
    private static func refuseClassifier<Family: PretrainedFamily>(
        of config: PretrainedConfig<Family>,
        _ fields: JSONFields
    ) throws(CheckpointError) {
        guard Family.kind.isTower,
            let name = config.architectures?.first(where: { $0.hasSuffix("ForImageClassification") }
            )
        else { return }
        throw fields.unsupported(
            "architectures",
            "is \(name), whose classifier on the mean of the patches is not supported; load the model without it, as "
                + "CLIPVisionModel or SiglipVisionModel, and train a new one"
        )
    }

    /// The network of a configuration, for images of whole patches.
    ///
    /// transformers drops rows and columns beyond the last patch. The classes of `HuggingFace` do so too; a model
    /// directory, whose processor makes images of exactly the network's size, is refused.
    private static func network<Family: PretrainedFamily>(
        _ config: PretrainedConfig<Family>,
        numClasses: Int,
        _ fields: JSONFields
    ) throws(CheckpointError) -> ViTConfiguration {
        do throws(ConfigurationError) {
            let network = try config.network(numClasses: numClasses)
            let patch = network.patchSize
            for (name, side) in [
                ("image height", config.imageSize.height), ("image width", config.imageSize.width),
            ] where side % patch != 0 {
                throw .notDivisible(
                    name: name,
                    value: side,
                    by: patch,
                    divisorName: "patch size"
                )
            }
            return network
        } catch {
            throw CheckpointError.malformed(file: fields.file, reason: "\(error)")
        }
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
