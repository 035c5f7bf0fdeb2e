import ImagePipeline
import Storage
import VisionModels

// Weights without a folder of configuration around them.
extension ModelDirectory {
    static func planWeights(_ path: String, _ options: LoadOptions) throws -> LoadPlan {
        let weights = try WeightsFile(path: path, stateDict: options.stateDict)
        if options.preset == nil, let plan = try planEmbedded(weights) { return plan }
        let clues = CheckpointClues(
            weights,
            arguments: weights.arguments,
            preset: options.preset
        )
        var assumptions: [String] = []
        var configuration: ModelConfiguration
        if let preset = options.preset {
            configuration = try ModelRegistry.configuration(named: preset)
            configuration.numClasses = weights.classCount ?? 0
        } else {
            (configuration, assumptions) = try DeducedConfiguration.deduce(
                weights,
                imageSize: options.imageSize,
                clues: clues
            )
        }
        try validate(configuration, weights, file: path)
        let processor = try processor(configuration, clues, file: path)
        assumptions.append(processorAssumption(processor, clues))
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
        let (configuration, labels, name, processor) = try TimmConfiguration.decode(
            JSONFields(object: object, file: weights.path)
        )
        try validate(configuration, weights, file: weights.path)
        let usual = try usualProcessor(configuration, file: weights.path)
            .seeing(
                upright: try HuggingFaceConfiguration.seesUpright(
                    JSONFields(object: object, file: weights.path)
                )
            )
        return LoadPlan(
            ModelDescription(
                configuration: configuration,
                processor: processor ?? usual,
                labels: labels,
                problemType: ProblemType(object),
                name: name
            ),
            weights
        )
    }

    private static func processor(
        _ configuration: ModelConfiguration,
        _ clues: CheckpointClues,
        file: String
    ) throws(CheckpointError) -> ImageProcessor {
        let (height, width) = configuration.imageSize
        if configuration.inChannels == 3 {
            do throws(ImageError) {
                if let named = clues.architecture?.value,
                    let processor = try named.processor(height: height, width: width)
                {
                    return processor
                }
                if let (preset, tag) = convNet(configuration, clues),
                    let processor = try ConvNetImages.processor(
                        preset: preset,
                        tag: tag,
                        height: height,
                        width: width
                    )
                {
                    return processor
                }
            } catch {
                throw CheckpointError.malformed(file: file, reason: "\(error)")
            }
        }
        return try usualProcessor(configuration, file: file)
    }

    /// The preset of a convolutional network, and its training where a name tells it.
    private static func convNet(
        _ configuration: ModelConfiguration,
        _ clues: CheckpointClues
    ) -> (preset: String, tag: String?)? {
        if let clue = clues.convNet, clue.fits(configuration) {
            return (clue.preset.name, clue.tag)
        }
        let preset = ModelRegistry.presets.first {
            configuration.isSameNetwork(as: $0.configuration)
        }
        return preset.map { ($0.name, nil) }
    }
}
