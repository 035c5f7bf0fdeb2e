import ImagePipeline
import Storage
import VisionModels

// Weights without a folder of configuration around them.
extension ModelDirectory {
    static func planWeights(_ path: String, _ options: LoadOptions) throws -> LoadPlan {
        let weights = try WeightsFile(
            path: path,
            stateDict: options.stateDict,
            head: options.linearHead
        )
        if options.preset == nil, let plan = try planEmbedded(weights) { return plan }
        let clues = CheckpointClues(weights, preset: options.preset)
        var assumptions: [String] = []
        var configuration: ModelConfiguration
        if let preset = options.preset {
            configuration = try ModelRegistry.configuration(named: preset)
            configuration.numClasses = weights.classCount ?? 0
            readBlocks(of: weights, &configuration)
        } else {
            let found = try recognize(weights, clues, imageSize: options.imageSize)
            (configuration, assumptions) = (found.configuration, found.assumptions)
        }
        try validate(configuration, weights, file: path)
        let named = ModelFamilies.family(of: configuration)?.model(
            in: clues,
            weights.namesAndShapes
        )
        var processor = try processor(configuration, named, file: path)
        var otherImages: LoadPlan.OtherImages?
        if options.linearHead != nil, configuration.inChannels == 3 {
            // facebookresearch/dinov2, `make_classification_eval_transform`: 256, then the middle 224.
            processor = try makeProcessor(file: path) { () throws(ImageError) in
                try .deit(size: 224)
            }
            otherImages = .init(size: .init(height: 224, width: 224), resampling: .dinov2)
            assumptions.append("the preprocessing of DINOv2's classifiers: \(steps(processor))")
        } else {
            assumptions.append(processorAssumption(processor, named))
        }
        var plan = LoadPlan(
            ModelDescription(
                configuration: configuration,
                processor: processor,
                labels: ClassLabels(placeholders: configuration.numClasses),
                name: options.preset
            ),
            weights
        )
        plan.assumptions += assumptions
        plan.otherImages = otherImages
        return plan
    }

    /// A file that carries its own configuration, as ours do.
    private static func planEmbedded(
        _ weights: WeightsFile
    ) throws(CheckpointError) -> LoadPlan? {
        guard let text = weights.archive.metadata[HuggingFaceConfiguration.ownKey] else {
            return nil
        }
        let object: JSONObject
        do throws(JSONError) {
            object = try JSONValue.parse(Array(text.utf8)).objectValue ?? [:]
        } catch {
            throw CheckpointError.malformed(
                file: weights.path,
                reason: "its metadata \(HuggingFaceConfiguration.ownKey): \(error)"
            )
        }
        let fields = JSONFields(object: object, file: weights.path)
        let (configuration, labels, name, processor) = try TimmConfiguration.decode(fields)
        try validate(configuration, weights, file: weights.path)
        let usual = try makeProcessor(file: weights.path) { () throws(ImageError) in
            try configuration.usualProcessor()
        }
        .seeing(
            upright: try HuggingFaceConfiguration.seesUpright(fields)
        )
        return LoadPlan(
            ModelDescription(
                configuration: configuration,
                processor: processor ?? usual,
                labels: labels,
                problemType: ProblemType(object),
                thresholds: try HuggingFaceConfiguration.thresholds(
                    fields,
                    count: configuration.numClasses
                ),
                name: name
            ),
            weights
        )
    }

    /// The configuration by the first family that takes the weights for its own.
    private static func recognize(
        _ weights: WeightsFile,
        _ clues: CheckpointClues,
        imageSize: LoadOptions.ImageSize?
    ) throws(CheckpointError) -> RecognizedModel {
        let stored = weights.namesAndShapes
        let size = imageSize.map { ImageSize(height: $0.height, width: $0.width) }
        for family in ModelFamilies.all {
            let found = try CheckpointError.of(
                try family.recognize(
                    stored,
                    named: family.model(in: clues, stored),
                    clues,
                    imageSize: size
                )
            )
            if let found { return found }
        }
        if let (weight, _) = HeadedArchive.linear(weights.archive.tensors) {
            throw CheckpointError.unsupported(
                file: weights.path,
                reason:
                    "it is a linear classifier of shape \(weight.shape) without its backbone; join them: "
                    + "deit convert BACKBONE --head \(weights.path) --to hf --output DIR"
            )
        }
        let names = weights.archive.tensors.prefix(3).map(\.name).joined(separator: ", ")
        throw CheckpointError.unsupported(
            file: weights.path,
            reason:
                "the weights match no supported vision transformer or convolutional network "
                + "(its tensors begin with \(names.isEmpty ? "nothing" : names))"
        )
    }

    /// The processor of the weights that a name tells, else of the preset of the same network, else the usual one.
    private static func processor(
        _ configuration: ModelConfiguration,
        _ named: NamedModel?,
        file: String
    ) throws(CheckpointError) -> ImageProcessor {
        let usual = try makeProcessor(file: file) { () throws(ImageError) in
            try configuration.usualProcessor()
        }
        guard configuration.inChannels == 3,
            let family = ModelFamilies.family(of: configuration),
            let model = model(configuration, named, family)
        else { return usual }
        let (height, width) = configuration.imageSize
        do throws(ImageError) {
            return try family.processor(
                for: model,
                size: ImageSize(height: height, width: width)
            ) ?? usual
        } catch {
            throw CheckpointError.malformed(file: file, reason: "\(error)")
        }
    }

    private static func model(
        _ configuration: ModelConfiguration,
        _ named: NamedModel?,
        _ family: any ModelFamily
    ) -> NamedModel? {
        // A transformer's name has agreed with its weights; its size of images may be another one.
        guard configuration.convNet != nil else { return named }
        if let named, configuration.isSameNetwork(as: named.configuration) { return named }
        return family.presets.first { configuration.isSameNetwork(as: $0.configuration) }
            .map { NamedModel(name: $0.name, tag: nil, configuration: $0.configuration) }
    }
}
