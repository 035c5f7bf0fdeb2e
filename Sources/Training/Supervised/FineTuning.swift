import Checkpoints
import Torch
import TorchNN
import VisionModels

/// A run that starts from a checkpoint's weights.
@ModelActor
enum FineTuning {
    private static let distillationHead = ["head_dist.weight", "head_dist.bias"]

    /// What the network will be: the checkpoint's, with the data's classes and the size that was requested.
    ///
    /// - Parameters:
    ///   - options: The options; `model` may name the network that the checkpoint must be.
    ///   - classNames: The data's classes.
    ///   - isMultiLabel: Whether the images may have several labels or none.
    /// - Returns: The description.
    /// - Throws: The errors of reading a checkpoint, and ``OptionError`` where it is of another network.
    nonisolated static func description(
        _ options: TrainingOptions,
        classNames: [String],
        isMultiLabel: Bool = false
    ) throws -> ModelDescription {
        var description = try ModelDirectory.description(
            of: options.finetune,
            options: try loadOptions(options, classNames: classNames)
        )
        if try FreshToken.isAdded(options, to: description.configuration) {
            try FreshToken.add(to: &description, options)
        }
        if options.model != TrainingOptions.modelOfCheckpoint {
            let named = try ClassifierFactory.preset(options.model)
            guard isSameNetwork(named, description.configuration) else {
                throw OptionError.conflict(
                    "\(options.finetune) does not contain the network \(options.model): use --model checkpoint for "
                        + "the one that it contains"
                )
            }
            description.name = options.model
        }
        if let channels = options.inChans, channels != description.configuration.inChannels {
            throw OptionError.conflict(
                "\(options.finetune) takes images of \(description.configuration.inChannels) channels, not "
                    + "\(channels): leave out --in-chans"
            )
        }
        try description.configuration.setHeads(options, of: options.finetune)
        description.configuration.setRates(options)
        try description.configuration.validate()
        // The data decides what a run learns, whatever the checkpoint was trained on before.
        description.problemType = isMultiLabel ? .multiLabelClassification : nil
        description.thresholds = nil
        return description
    }

    /// Loads the checkpoint's weights into a network.
    ///
    /// - Parameters:
    ///   - options: The options.
    ///   - student: The network, made from ``description(_:classNames:)``.
    ///   - classNames: The data's classes.
    /// - Returns: What was not simply taken over, one sentence each, the keys of weights that kept fresh values, and whether
    ///   a distillation token was added.
    /// - Throws: The errors of loading a checkpoint.
    static func load(
        _ options: TrainingOptions,
        into student: TrainableClassifier,
        classNames: [String]
    ) throws -> (sentences: [String], fresh: Set<String>, isTokenAdded: Bool) {
        let loaded = try ModelDirectory.load(
            options.finetune,
            options: try loadOptions(options, classNames: classNames)
        )
        var stored = Dictionary(
            loaded.model.namedTensors().map { ($0.name, $0.tensor) },
            uniquingKeysWith: { first, _ in first }
        )
        let targets = student.module.namedTensors()
        var sentences = loaded.report.sentences
        let isTokenAdded = try FreshToken.isAdded(options, to: loaded.description.configuration)
        if isTokenAdded {
            let start = options.tokenInit
            sentences.append(try FreshToken.complete(&stored, from: targets, start: start))
        }
        // Whoever wants one head leaves the other where it is.
        for name in distillationHead
        where options.singleHead && stored.removeValue(forKey: name) != nil {
            sentences.append("\(name) removed: one head, on the class token")
        }
        // A checkpoint with the token and one head has none for the teacher's part.
        var added: [String] = []
        for (name, tensor) in targets
        where distillationHead.contains(name) && stored[name] == nil {
            stored[name] = tensor
            added.append(name)
        }
        if !added.isEmpty {
            sentences.append("a new head_dist on the distillation token, which had none")
        }
        try StoredTensors.check(stored, fit: targets, file: options.finetune, hint: "")
        try StoredTensors.copy(stored, into: targets)
        // The file's names of what was replaced may be Hugging Face's; it is the head as a whole.
        var fresh =
            loaded.report.replaced.isEmpty ? [] : targets.map(\.name).filter(LayerOrder.isHead)
        fresh += isTokenAdded ? distillationHead : added
        return (sentences, Set(fresh), isTokenAdded)
    }

    private nonisolated static func loadOptions(
        _ options: TrainingOptions,
        classNames: [String]
    ) throws -> LoadOptions {
        var found = try plainLoadOptions(options, classNames: classNames)
        // A bare file does not tell its heads; the name of a model does, where it is not what would be assumed.
        guard options.model != TrainingOptions.modelOfCheckpoint,
            case .weights = try CheckpointLocation(resolving: options.finetune),
            var assumed = try? ModelDirectory.description(of: options.finetune, options: found)
        else { return found }
        var preset = options.model
        if try FreshToken.isAdded(options, to: assumed.configuration) {
            try FreshToken.add(to: &assumed, options)
            preset = preset.replacing("_distilled", with: "")
        }
        if !isSameNetwork(try ClassifierFactory.preset(options.model), assumed.configuration) {
            found.preset = preset
        }
        return found
    }

    private nonisolated static func plainLoadOptions(
        _ options: TrainingOptions,
        classNames: [String]
    ) throws -> LoadOptions {
        var side = options.size.map { LoadOptions.ImageSize(height: $0, width: $0) }
        if side == nil, options.model != TrainingOptions.modelOfCheckpoint {
            let (height, width) = try ClassifierFactory.preset(options.model).imageSize
            side = LoadOptions.ImageSize(height: height, width: width)
        }
        return LoadOptions(
            relaxations: .replaceHead,
            labels: ClassLabels(names: classNames),
            imageSize: side,
            // As facebookresearch/deit main.py does for --finetune.
            positionResampling: .deit,
            stateDict: options.stateDict,
            images: ImageOverrides(
                cropShare: options.evalCropRatio,
                appliesOrientation: options.exifOrientation
            )
        )
    }

    /// Whether two configurations differ in nothing but classes, size and rates.
    private nonisolated static func isSameNetwork(
        _ first: ModelConfiguration,
        _ second: ModelConfiguration
    ) -> Bool {
        bare(first) == bare(second)
    }

    private nonisolated static func bare(_ configuration: ModelConfiguration) -> ModelConfiguration
    {
        var bare = configuration
        bare.numClasses = 2
        if var transformer = bare.transformer {
            transformer.imageHeight = transformer.patchSize
            transformer.imageWidth = transformer.patchSize
            transformer.singleHead = false
            transformer.dropRate = 0
            transformer.dropPathRate = 0
            transformer.attnDropRate = 0
            transformer.initValues = transformer.initValues.map { _ in 1 }
            bare = .visionTransformer(transformer)
        } else {
            bare.imageSize = (224, 224)
        }
        return bare
    }
}

extension ModelConfiguration {
    /// Leaves a distilled transformer the head on its class token alone, where that was requested, and gives it the other
    /// one where there is a teacher to learn from.
    mutating func setHeads(_ options: TrainingOptions, of name: String) throws(OptionError) {
        if options.distillation != .none { transformer?.singleHead = false }
        guard options.singleHead else { return }
        guard isDistilled else {
            throw .conflict(
                "single_head needs a model with a distillation token, which \(name) lacks: leave out --single-head"
            )
        }
        transformer?.singleHead = true
    }

    /// Sets what is dropped in training.
    mutating func setRates(_ options: TrainingOptions) {
        transformer?.dropPathRate = options.dropPath
        transformer?.dropRate = options.drop
    }
}
