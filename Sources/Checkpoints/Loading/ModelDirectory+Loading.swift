import Foundation
import ImagePipeline
import Storage
import TorchNN
import VisionModels

extension ModelDirectory {
    /// Loads a model.
    ///
    /// Loading is strict: the weights fit the model in every name and shape, or all the differences are
    /// reported at once; what `options` allows to differ is listed in the result's report.
    ///
    /// - Parameters:
    ///   - path: A model directory of ours or of Hugging Face (ViT, DeiT) or timm (ViT, DeiT, ResNet), a
    ///     training run, or bare weights with the names of timm, DeiT, DINO or Hugging Face: safetensors or
    ///     PyTorch's files, also in several parts with their index.
    ///   - options: What may differ, and what the file cannot say.
    /// - Returns: The model in evaluation mode, on the CPU in `float32`.
    /// - Throws: ``CheckpointError``, or `ConfigurationError` for an unknown preset.
    public static func load(
        _ path: String,
        options: LoadOptions = LoadOptions()
    ) throws -> LoadedModel {
        let plan = try plan(path, options: options)
        // Only a fresh classifier keeps values that the file does not have.
        let keepsValues = plan.head == .fresh || options.relaxations.contains(.replaceHead)
        let model =
            try keepsValues
            ? plan.description.configuration.makeModel()
            : plan.description.configuration.makeUnfilledModel()
        let loader = WeightLoader(plan: plan)
        let report = try loader.load(into: model, relaxations: options.relaxations)
        model.eval()
        return LoadedModel(
            model: model,
            description: plan.description,
            report: report,
            weightsPath: plan.weights.path,
            metadata: plan.weights.archive.metadata,
            weights: plan.weights,
            otherImages: plan.otherImages
        )
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
        try plan(path, options: options).description
    }

    static func plan(_ path: String, options: LoadOptions) throws -> LoadPlan {
        let location = try CheckpointLocation(resolving: path)
        var plan: LoadPlan
        switch location {
        case .weights(let file): plan = try planWeights(file, options)
        case .directory(let folder):
            guard options.preset == nil else {
                throw CheckpointError.unsupported(
                    file: "\(folder)/\(configurationName)",
                    reason: "its config.json specifies the model; leave out the preset"
                )
            }
            plan = try planDirectory(folder, options)
        }
        try plan.settleHead(options)
        try plan.settleSize(options, isGridKnown: location != .weights(plan.weights.path))
        try plan.settleImages(options.images)
        return plan
    }

    // MARK: - Directories

    private static func planDirectory(
        _ folder: String,
        _ options: LoadOptions
    ) throws(CheckpointError) -> LoadPlan {
        let (file, fileNotes) = try weightsFile(in: folder)
        let weights = try WeightsFile(
            path: file,
            stateDict: options.stateDict,
            head: options.linearHead
        )
        let path = "\(folder)/\(configurationName)"
        let object = try CheckpointError.of(try SmallFile.readObject(path))
        let fields = JSONFields(object: object, file: path)
        let type = try fields.string("model_type")
        let isTimm = TimmFolder.isTimms(object)
        var assumptions: [String] = []
        var configuration: ModelConfiguration
        var labels: ClassLabels
        let name: String?
        var timmProcessor: ImageProcessor?
        // A fresh classifier has other classes; else those that the user names are the stored classifier's.
        let ignoresLabels =
            options.labels != nil && !options.relaxations.contains(.replaceHead)
        var isCountStated = !ignoresLabels
        if isTimm {
            (configuration, labels, name, timmProcessor) = try TimmConfiguration.decode(
                fields,
                ignoresLabels: ignoresLabels
            )
        } else {
            let decoded = try HuggingFaceConfiguration.decode(
                fields,
                ignoresLabels: ignoresLabels
            )
            configuration = .visionTransformer(decoded.configuration)
            (labels, name) = (decoded.labels, decoded.name)
            isCountStated = decoded.isClassCountStated
            assumptions += decoded.assumptions
        }
        if !isCountStated, let count = weights.classCount {
            if !ignoresLabels, count != 2 {
                assumptions.append(
                    "\(count) classes, one per output of the classifier; config.json does not name them"
                )
            }
            configuration.numClasses = count
            labels = ClassLabels(placeholders: count)
        }
        if options.linearHead != nil { readBlocks(of: weights, &configuration) }
        try validate(configuration, weights, file: path)
        let (height, width) = configuration.imageSize
        let usual = try makeProcessor(file: path) { () throws(ImageError) in
            let size = ImageSize(height: height, width: width)
            if configuration.inChannels == 3,
                let processor = try HuggingFaceProcessor.usual(type, size: size)
            {
                return processor
            }
            return try configuration.usualProcessor()
        }
        var description = ModelDescription(
            configuration: configuration,
            processor: timmProcessor ?? usual,
            labels: labels,
            problemType: ProblemType(object),
            thresholds: try HuggingFaceConfiguration.thresholds(
                fields,
                count: configuration.numClasses
            ),
            name: name,
            originalConfiguration: object
        )
        let processorPath = "\(folder)/\(processorName)"
        if FileManager.default.fileExists(atPath: processorPath) {
            let object = try CheckpointError.of(try SmallFile.readObject(processorPath))
            description.originalProcessor = object
            description.processor = try HuggingFaceProcessor.decode(
                JSONFields(object: object, file: processorPath),
                channels: configuration.inChannels,
                modelType: type
            )
        } else if timmProcessor == nil {
            assumptions.append(processorAssumption(description.processor))
        }
        description.processor = description.processor.seeing(
            upright: try HuggingFaceConfiguration.seesUpright(fields)
        )
        var plan = LoadPlan(description, weights)
        plan.assumptions += assumptions
        plan.notes += fileNotes
        if !isTimm { plan.otherImages = otherImages(description) }
        return plan
    }

    /// The images that the processor of a DINOv2 or DINOv3 makes, where its positions are for others.
    ///
    /// transformers resamples the positions of a DINOv2 on the way, whatever the size of the images; the published
    /// ones have positions for 518 pixels and a processor that crops to 224. Those of a DINOv3 are for any size.
    private static func otherImages(_ description: ModelDescription) -> LoadPlan.OtherImages? {
        guard let vit = description.configuration.transformer,
            TransformerInHuggingFace.isDINOv2(vit) || TransformerInHuggingFace.isDINOv3(vit)
        else { return nil }
        let size: LoadOptions.ImageSize
        if let height = description.processor.cropHeight,
            let width = description.processor.cropWidth
        {
            size = .init(height: height, width: width)
        } else if case .exact(let height, let width) = description.processor.resize,
            TransformerInHuggingFace.isDINOv3(vit)
        {
            size = .init(height: height, width: width)
        } else {
            return nil
        }
        guard (size.height, size.width) != (vit.imageHeight, vit.imageWidth) else { return nil }
        return .init(size: size, resampling: .hf)
    }

    /// Takes the blocks that a classifier reads from its width.
    static func readBlocks(of weights: WeightsFile, _ configuration: inout ModelConfiguration) {
        guard var vit = configuration.transformer, let width = weights.headWidth,
            width > vit.embedDim, width % vit.embedDim == 0
        else { return }
        (vit.globalPool, vit.headBlocks) = (.tokenAvg, width / vit.embedDim - 1)
        configuration.transformer = vit
    }

    private static func weightsFile(
        in folder: String
    ) throws(CheckpointError) -> (path: String, notes: [String]) {
        let found = CheckpointLocation.weights(in: folder)
        guard let first = found.first else {
            throw CheckpointError.unreadable(
                path: "\(folder)/\(weightsName)",
                reason: "neither it nor \(pytorchName) nor an index of shards exists"
            )
        }
        let others = found.dropFirst().map { lastComponent(of: $0) }
        guard !others.isEmpty else { return (first, []) }
        return (
            first,
            ["using \(lastComponent(of: first)), not \(others.joined(separator: ", "))"]
        )
    }

    // MARK: - Shared by both

    static func processorAssumption(
        _ processor: ImageProcessor,
        _ named: NamedModel? = nil
    ) -> String {
        let reason =
            named.map {
                "the preprocessing of \($0.isAuthors ? "the authors of " : "")\($0.fullName)"
            }
            ?? "the preprocessing, which the checkpoint does not specify"
        return "\(reason): \(steps(processor))"
    }

    /// What is done to images, in words.
    static func steps(_ processor: ImageProcessor) -> String {
        var steps: [String] = []
        steps.append(
            processor.appliesOrientation ? "EXIF orientation applied" : "EXIF orientation ignored"
        )
        if processor.resize != .none { steps.append("\(processor.resize)") }
        if let height = processor.cropHeight, let width = processor.cropWidth {
            steps.append("center crop \(ImageSize(height: height, width: width))")
        }
        steps.append("mean \(processor.mean) and std \(processor.std)")
        return steps.joined(separator: ", ")
    }

    static func validate(
        _ configuration: ModelConfiguration,
        _ weights: WeightsFile,
        file: String
    ) throws(CheckpointError) {
        do throws(ConfigurationError) {
            try configuration.validate()
        } catch {
            throw CheckpointError.malformed(file: file, reason: "\(error)")
        }
        try WeightMatch.requireSize(
            configuration.network.networkSize.parameters,
            held: weights.elementCount,
            configuration: file,
            weights: weights.path
        )
    }
}
