import ImagePipeline
import Storage
public import Torch
import TorchNN
public import VisionModels

/// A model on the disk: a folder that Python's libraries load as it is.
///
/// ```
/// config.json                what the network is made from, the names of its classes
/// preprocessor_config.json   the way from an image to the model's input
/// model.safetensors          the weights
/// ```
///
/// Vision transformers have Hugging Face's form and key names (`ViTForImageClassification`, distilled
/// `DeiTForImageClassificationWithTeacher`), convolutional networks timm's hub form
/// (`timm.create_model("local-dir:DIR")`, transformers' `TimmWrapper`). The small residual networks for
/// CIFAR exist in neither library; their folders have timm's form and are read here only.
public enum ModelDirectory {
    static let weightsName = "model.safetensors"
    static let pytorchName = "pytorch_model.bin"
    static let configurationName = "config.json"
    static let processorName = "preprocessor_config.json"

    /// Writes a model, aside and then under its name.
    ///
    /// - Parameters:
    ///   - model: The network.
    ///   - description: All that belongs to it.
    ///   - path: The folder or, in the forms ``SaveOptions/Form/deit``, ``SaveOptions/Form/dinov2``,
    ///     ``SaveOptions/Form/dinov3`` and ``SaveOptions/Form/bare``, the file; an older one of that name is replaced, and stays when anything fails.
    ///   - options: How it is written.
    ///   - extras: More tensors for the same file, in the form of Hugging Face: by its names without `vit.` or
    ///     `deit.` (`pooler.dense.weight`, `embeddings.mask_token`, `decoder.0.weight`, `classifier.weight`).
    /// - Throws: ``CheckpointError``.
    public static func save(
        _ model: any ImageClassifier,
        _ description: ModelDescription,
        to path: String,
        options: SaveOptions = SaveOptions(),
        extras: [(name: String, tensor: Tensor)] = []
    ) throws {
        guard !options.writesFolder else {
            return try CheckpointError.translating {
                try AtomicFolder.write(to: path) { folder in
                    try write(model, description, into: folder, options: options, extras: extras)
                }
            }
        }
        try save(
            model,
            description,
            to: path,
            options: options,
            extras: extras,
            classPosition: nil
        )
    }

    /// Writes one file, with what was known of the class token's position in the file that the network is from.
    static func save(
        _ model: any ImageClassifier,
        _ description: ModelDescription,
        to path: String,
        options: SaveOptions,
        extras: [(name: String, tensor: Tensor)],
        classPosition: ClassPosition?
    ) throws {
        try checkClasses(model, description, path)
        if options.form == .bare, options.container == .safetensors {
            try checkTimmImages(description, path)
        }
        var options = options
        if options.form == .deit || options.form.isBackbone { options.container = .pytorch }
        let isInt8 = try isInt8(model, options, path)
        let writer = WeightsWriter(options: options)
        if options.form.isBackbone {
            let tensors = try BackboneFile(description.configuration, options.form, path).tensors(
                of: model,
                maskToken: extras.first { $0.name == maskTokenName }?.tensor,
                classPosition
            )
            return try writer.write(writer.converted(tensors), to: path)
        }
        var configuration = TimmConfiguration.encode(description)
        if isInt8 { configuration[Int8Format.configurationKey] = Int8Format.configuration }
        let text = JSONValue.object(configuration).text(isIndented: false)
        try writer.write(
            writer.converted(timmTensors(of: model, description.configuration)),
            metadata: [HuggingFaceConfiguration.ownKey: text],
            under: options.form == .deit ? "model" : nil,
            to: path
        )
    }

    /// Writes the files of a model into a folder that exists, next to others that may be there.
    ///
    /// - Parameters:
    ///   - model: The network.
    ///   - description: All that belongs to it.
    ///   - folder: The folder.
    ///   - options: How it is written; a form that is one file is written as Hugging Face's.
    ///   - extras: As in ``save(_:_:to:options:extras:)``.
    /// - Throws: ``CheckpointError``.
    public static func write(
        _ model: any ImageClassifier,
        _ description: ModelDescription,
        into folder: String,
        options: SaveOptions = SaveOptions(),
        extras: [(name: String, tensor: Tensor)] = []
    ) throws(CheckpointError) {
        try write(
            model,
            description,
            into: folder,
            options: options,
            extras: extras,
            classPosition: nil
        )
    }

    /// The same, with what was known of the class token's position in the file that the network is from.
    static func write(
        _ model: any ImageClassifier,
        _ description: ModelDescription,
        into folder: String,
        options: SaveOptions,
        extras: [(name: String, tensor: Tensor)],
        classPosition: ClassPosition?
    ) throws(CheckpointError) {
        try checkClasses(model, description, folder)
        let isInt8 = try isInt8(model, options, folder)
        let architecture = try architecture(of: description, options, folder)
        guard architecture != nil || options.maxShardSize == nil else {
            throw CheckpointError.unwritable(
                path: folder,
                reason:
                    "the timm format has a single weights file; leave out the maximum shard size"
            )
        }
        let writer = WeightsWriter(options: options)
        let tensors: [WeightsWriter.Named]
        var extras = extras
        let vit = description.configuration.transformer
        if let architecture {
            try settleMaskToken(
                in: &extras,
                vit.flatMap { architecture.maskTokenShape(width: $0.embedDim) }
            )
            let map = HuggingFaceKeyMap(architecture, of: vit)
            tensors = try Int8Format.packed(
                map.tensors(of: model, extras: extras, classPosition: classPosition),
                of: model
            ) {
                HuggingFaceKeyMap.place(of: $0, isGated: map.isGated) ?? Int8Format.Place(key: $0)
            }
        } else {
            tensors = try timmTensors(of: model, description.configuration)
        }
        try writer.write(writer.converted(tensors), into: folder)
        // timm's form says it all in config.json; where transformers has no word for what is done to images, a
        // file of its form would say something else.
        if HuggingFaceProcessor.canHold(description.processor) {
            let processor = description.originalProcessor.overlaid(
                with: HuggingFaceProcessor.encode(description.processor, architecture),
                replacing: ["size", "crop_size"]
            )
            try write(processor, to: "\(folder)/\(processorName)")
        }
        let dtype = options.dtype ?? model.namedTensors().first?.tensor.dtype ?? .float32
        var object = try configuration(
            description,
            architecture,
            dtype: dtype,
            isInt8: isInt8
        )
        if architecture?.isDINOv2 == true, architecture?.hasRegisters == false {
            object["use_mask_token"] = .bool(extras.contains { $0.name == maskTokenName })
        }
        try write(object, to: "\(folder)/\(configurationName)")
    }

    private static let maskTokenName = "embeddings.mask_token"

    /// Gives a mask token the shape that a class has it in, and zeros, with which transformers begins, where none is known:
    /// the classes with registers have one always.
    private static func settleMaskToken(
        in extras: inout [(name: String, tensor: Tensor)],
        _ shape: [Int]?
    ) throws(CheckpointError) {
        guard let shape else { return }
        do throws(TorchError) {
            if let index = extras.firstIndex(where: { $0.name == maskTokenName }) {
                extras[index].tensor = try extras[index].tensor.reshaped(shape)
            } else {
                extras.append((maskTokenName, try Tensor.zeros(shape)))
            }
        } catch {
            throw CheckpointError.tensor(name: maskTokenName, reason: "\(error)")
        }
    }

    /// A network's tensors by timm's names, or by ours where some are in 8 bits, which only this library reads.
    private static func timmTensors(
        of model: any ImageClassifier,
        _ configuration: ModelConfiguration
    ) throws(CheckpointError) -> [WeightsWriter.Named] {
        let tensors = try Int8Format.packed(model.namedTensors(), of: model)
        guard Int8Format.quantizations(of: model).isEmpty,
            let names = ModelFamilies.family(of: configuration)?.timmNames(of: configuration)
        else { return tensors }
        return try TensorParts.renamed(tensors) { names.names(of: $0) }
    }

    private static func checkClasses(
        _ model: any ImageClassifier,
        _ description: ModelDescription,
        _ path: String
    ) throws(CheckpointError) {
        let classes = description.configuration.numClasses
        let names = description.labels.names.count
        // Without a classifier of its own, the names may be those of a classifier among the extras.
        guard model.numClasses == classes, names == classes || classes == 0 else {
            throw CheckpointError.unwritable(
                path: path,
                reason: "the model has \(model.numClasses) classes, its description \(classes) "
                    + "and \(names) names"
            )
        }
    }

    private static func checkTimmImages(
        _ description: ModelDescription,
        _ path: String
    ) throws(CheckpointError) {
        let processor = description.processor
        let (height, width) = description.configuration.imageSize
        guard !TimmProcessor.canHold(processor, height: height, width: width) else { return }
        throw CheckpointError.unwritable(
            path: path,
            reason: "the timm format cannot describe this way to an input of "
                + "\(ImageSize(height: height, width: width)): preprocessing (\(steps(processor))); choose one "
                + "that it can, with --crop-mode center, squash or border"
        )
    }

    /// Whether some of a model's weights are written in 8 bits.
    ///
    /// - Throws: ``CheckpointError/unwritable(path:reason:)`` for a form that has none of them.
    private static func isInt8(
        _ model: any ImageClassifier,
        _ options: SaveOptions,
        _ path: String
    ) throws(CheckpointError) -> Bool {
        guard !Int8Format.quantizations(of: model).isEmpty else { return false }
        let holdsInt8 =
            switch options.form {
            case .automatic, .huggingFace, .timm, .bare: options.container == .safetensors
            case .deit, .dinov2, .dinov3: false
            }
        guard holdsInt8 else {
            throw CheckpointError.unwritable(
                path: path,
                reason:
                    "the model is quantized to 8 bits (int8), which only the formats hf, timm and safetensors support; "
                    + "another number format, such as fp32, writes the numbers that it stands for"
            )
        }
        return true
    }

    private static func write(_ object: JSONObject, to path: String) throws(CheckpointError) {
        try CheckpointError.of(
            try AtomicFile.write((JSONValue.object(object).text() + "\n").utf8, to: path)
        )
    }

    /// The architecture of Hugging Face's form; nil for timm's.
    private static func architecture(
        of description: ModelDescription,
        _ options: SaveOptions,
        _ path: String
    ) throws(CheckpointError) -> HuggingFaceArchitecture? {
        let configuration = description.configuration
        let family = ModelFamilies.family(of: configuration)
        let wanted: HuggingFaceArchitecture?
        switch options.form {
        case .timm:
            try checkTimmImages(description, path)
            if let reason = family?.timmRefusal(of: configuration) {
                throw CheckpointError.unwritable(path: path, reason: reason)
            }
            return nil
        case .huggingFace(let architecture): wanted = architecture
        case .automatic, .deit, .dinov2, .dinov3, .bare: wanted = nil
        }
        var reason = family?.huggingFaceRefusal(of: configuration)
        if reason == nil, let vit = configuration.transformer {
            if !HuggingFaceProcessor.canHold(description.processor) {
                reason =
                    "its image processors cannot describe images \(description.processor.resize)"
                    + " (--crop-mode squash can be described)"
            } else if let refusal = wanted?.refusal(of: vit) {
                reason = refusal
            } else {
                return wanted ?? HuggingFaceArchitecture(of: vit)
            }
        }
        if options.form == .automatic { return nil }
        throw CheckpointError.unwritable(
            path: path,
            reason:
                "the Hugging Face format does not support this model: \(reason ?? ""); use \(other(configuration))"
        )
    }

    /// A form that can hold what Hugging Face's cannot.
    private static func other(_ configuration: ModelConfiguration) -> String {
        let isTimms = ModelFamilies.family(of: configuration)?.timmRefusal(of: configuration) == nil
        return isTimms ? "the timm format" : "a safetensors file"
    }

    private static func configuration(
        _ description: ModelDescription,
        _ architecture: HuggingFaceArchitecture?,
        dtype: DType,
        isInt8: Bool
    ) throws(CheckpointError) -> JSONObject {
        let original = description.originalConfiguration
        var ours: JSONObject
        let isSameForm: Bool
        if let architecture, let vit = description.configuration.transformer {
            ours = try HuggingFaceConfiguration.encode(
                vit,
                labels: description.labels,
                problemType: description.problemType,
                name: description.name,
                upright: description.processor.appliesOrientation,
                thresholds: description.thresholds,
                architecture: architecture,
                dtype: dtype
            )
            isSameForm = original["model_type"]?.stringValue == architecture.modelType
            // The network has no use for these, so the file they came from knows better.
            for key in ["encoder_stride", "initializer_range"]
            where isSameForm && original[key] != nil {
                ours[key] = nil
            }
        } else {
            ours = TimmConfiguration.encode(description)
            isSameForm = original["architecture"] != nil
        }
        if isInt8 { ours[Int8Format.configurationKey] = Int8Format.configuration }
        guard isSameForm else { return ours }
        var result = original.overlaid(
            with: ours,
            replacing: ["id2label", "label2id", "label_names", "label_descriptions", "model_args"]
        )
        // A fresh classifier is not trained on what the file's was; a value that nobody knows stays.
        if description.problemType == nil, ProblemType(original) != nil {
            result[ProblemType.key] = nil
        }
        // Those of the file's classifier are not those of another.
        if description.thresholds == nil,
            var own = result[HuggingFaceConfiguration.ownKey]?.objectValue
        {
            own[HuggingFaceConfiguration.thresholdsKey] = nil
            result[HuggingFaceConfiguration.ownKey] = .object(own)
        }
        // An older name of `dtype`, which would contradict it.
        if ours["dtype"] != nil { result["torch_dtype"] = nil }
        if architecture == nil, ours["model_args"] == nil { result["model_args"] = nil }
        if !isInt8 { result[Int8Format.configurationKey] = nil }
        return result
    }
}
