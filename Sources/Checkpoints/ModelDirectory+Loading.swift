import Foundation
import ImagePipeline
import TorchNN
import VisionModels

extension ModelDirectory {
    /// Loads a model.
    ///
    /// Loading is strict: the weights fit the model in every name and shape, or all the differences are
    /// told at once; what `options` allows to differ is told in the result's report.
    ///
    /// - Parameters:
    ///   - path: A model directory of ours or of Hugging Face (ViT, DeiT) or timm (ViT, DeiT, ResNet), a
    ///     training run, or a bare `.safetensors` file with timm's or Hugging Face's names.
    ///   - options: What may differ, and what the file cannot say.
    /// - Returns: The model in evaluation mode, on the CPU in `float32`.
    /// - Throws: ``CheckpointError``, or `ConfigurationError` for an unknown preset.
    public static func load(
        _ path: String,
        options: LoadOptions = LoadOptions()
    ) throws -> LoadedModel {
        try load(try describe(path, options: options), options)
    }

    /// Reads all of a model but its weights, without libtorch.
    ///
    /// - Parameters:
    ///   - path: As in ``load(_:options:)``.
    ///   - options: As in ``load(_:options:)``.
    /// - Returns: The description.
    /// - Throws: As ``load(_:options:)``.
    public static func description(
        of path: String,
        options: LoadOptions = LoadOptions()
    ) throws -> ModelDescription {
        try describe(path, options: options).description
    }

    private typealias Described = (
        description: ModelDescription, weights: WeightsFile, assumptions: [String], freshHead: Bool
    )

    private static func describe(_ path: String, options: LoadOptions) throws -> Described {
        var described: Described
        switch try CheckpointLocation(resolving: path) {
        case .weights(let file): described = try describeWeights(file, options)
        case .directory(let folder):
            guard options.preset == nil else {
                throw CheckpointError.unsupported(
                    file: "\(folder)/\(configurationName)",
                    reason: "it tells itself what model it is; leave out the preset"
                )
            }
            described = try describeDirectory(folder)
        }
        try apply(options, to: &described)
        return described
    }

    private static func apply(
        _ options: LoadOptions,
        to found: inout Described
    ) throws(CheckpointError) {
        guard let labels = options.labels else { return }
        let old = found.description.labels
        let replaces = options.relaxations.contains(.replaceHead)
        guard labels.names.count == old.names.count || replaces else {
            throw CheckpointError.unsupported(
                file: found.weights.file.path,
                reason: "the model has \(old.names.count) classes, "
                    + "but \(labels.names.count) names were given"
            )
        }
        // As many classes as before may still be other ones.
        found.freshHead = replaces && !old.arePlaceholders && labels.names != old.names
        found.description.labels = labels
        found.description.configuration.numClasses = labels.names.count
    }

    // MARK: - Directories

    private static func describeDirectory(_ folder: String) throws(CheckpointError) -> Described {
        let weights = try WeightsFile(path: try weightsFile(in: folder))
        let path = "\(folder)/\(configurationName)"
        let object = try SmallFile.readObject(path)
        let fields = JSONFields(object: object, file: path)
        let type = try fields.string("model_type")
        let isTimm = fields.value("architecture") != nil && (type == nil || type == "timm_wrapper")
        var assumptions: [String] = []
        let configuration: ModelConfiguration
        let labels: ClassLabels
        let name: String?
        var timmProcessor: ImageProcessor?
        if isTimm {
            (configuration, labels, name, timmProcessor) = try TimmConfiguration.decode(fields)
        } else {
            let (vit, found, preset) = try HuggingFaceConfiguration.decode(fields)
            (configuration, labels, name) = (.visionTransformer(vit), found, preset)
        }
        try validate(configuration, weights, file: path)
        var processor = try usualProcessor(configuration, file: path)
        if let timmProcessor { processor = timmProcessor }
        var description = ModelDescription(
            configuration: configuration,
            processor: processor,
            labels: labels,
            name: name,
            originalConfiguration: object
        )
        let processorPath = "\(folder)/\(processorName)"
        if FileManager.default.fileExists(atPath: processorPath) {
            let object = try SmallFile.readObject(processorPath)
            description.originalProcessor = object
            description.processor = try HuggingFaceProcessor.decode(
                JSONFields(object: object, file: processorPath),
                channels: configuration.inChannels
            )
        } else if timmProcessor == nil {
            assumptions.append(processorAssumption(description.processor))
        }
        return (description, weights, assumptions, false)
    }

    private static func weightsFile(in folder: String) throws(CheckpointError) -> String {
        let path = "\(folder)/\(weightsName)"
        if FileManager.default.fileExists(atPath: path) { return path }
        for (other, what) in [
            ("model.safetensors.index.json", "weights in several files are not read yet"),
            ("pytorch_model.bin", "convert pytorch_model.bin to model.safetensors"),
        ] where FileManager.default.fileExists(atPath: "\(folder)/\(other)") {
            throw CheckpointError.unsupported(file: "\(folder)/\(other)", reason: what)
        }
        throw CheckpointError.unreadable(path: path, reason: "there is no such file")
    }

    // MARK: - Bare weights

    private static func describeWeights(_ path: String, _ options: LoadOptions) throws -> Described
    {
        let weights = try WeightsFile(path: path)
        var assumptions: [String] = []
        var configuration: ModelConfiguration
        if let preset = options.preset {
            configuration = try ModelRegistry.configuration(named: preset)
            if let classes = weights.shape("head.weight")?.first
                ?? weights.shape("fc.weight")?.first
            {
                configuration.numClasses = classes
            }
        } else {
            (configuration, assumptions) = try DeducedConfiguration.deduce(weights)
        }
        try validate(configuration, weights, file: path)
        let processor = try usualProcessor(configuration, file: path)
        assumptions.append(processorAssumption(processor))
        let description = ModelDescription(
            configuration: configuration,
            processor: processor,
            labels: ClassLabels(placeholders: configuration.numClasses),
            name: options.preset
        )
        return (description, weights, assumptions, false)
    }

    private static func usualProcessor(
        _ configuration: ModelConfiguration,
        file: String
    ) throws(CheckpointError) -> ImageProcessor {
        let (height, width) = configuration.imageSize
        let channels = configuration.inChannels
        return try makeProcessor(file: file) { () throws(ImageError) in
            if channels == 3, height == width, height > 64 {
                return try ImageProcessor.deit(size: height)
            }
            let isColour = channels == 3
            return try ImageProcessor.whole(
                height: height,
                width: width,
                channels: channels,
                mean: isColour
                    ? Normalization.imageNet.mean : Array(repeating: 0.5, count: channels),
                std: isColour ? Normalization.imageNet.std : Array(repeating: 0.5, count: channels)
            )
        }
    }

    private static func processorAssumption(_ processor: ImageProcessor) -> String {
        var steps: [String] = []
        switch processor.resize {
        case .none: break
        case .shortestSide(let side): steps.append("the shorter side resized to \(side) pixels")
        case .exact(let height, let width): steps.append("resized to \(height) × \(width) pixels")
        }
        if let height = processor.cropHeight, let width = processor.cropWidth {
            steps.append("the middle \(height) × \(width) cropped")
        }
        steps.append("mean \(processor.mean) and std \(processor.std)")
        return "pictures as the checkpoint does not say: \(steps.joined(separator: ", "))"
    }

    private static func validate(
        _ configuration: ModelConfiguration,
        _ weights: WeightsFile,
        file: String
    ) throws(CheckpointError) {
        do throws(ConfigurationError) {
            try configuration.validate()
        } catch {
            throw CheckpointError.malformed(file: file, reason: "\(error)")
        }
        // A network is made before its keys can be compared; one that the file cannot fill by far might not
        // fit the memory.
        let needed = configuration.estimatedParameterCount
        guard needed <= 2 * weights.elementCount + 1e7 else {
            throw CheckpointError.malformed(
                file: file,
                reason: "it describes a network of \(configuration.parameterCount) numbers, "
                    + "\(weights.file.path) holds \(Int(weights.elementCount))"
            )
        }
    }

    // MARK: - Weights

    private static func load(_ found: Described, _ options: LoadOptions) throws -> LoadedModel {
        let (description, weights, assumptions, freshHead) = found
        let model = try description.configuration.makeModel()
        let loader = WeightLoader(
            weights: weights,
            isDistilled: description.configuration.isDistilled
        )
        var report = try loader.load(
            into: model,
            relaxations: options.relaxations,
            freshHead: freshHead
        )
        report.assumptions = assumptions
        model.eval()
        return LoadedModel(
            model: model,
            description: description,
            report: report,
            weightsPath: weights.file.path,
            metadata: weights.file.header.metadata
        )
    }
}
