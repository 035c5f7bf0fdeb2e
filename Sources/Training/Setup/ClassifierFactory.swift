import Checkpoints
import ImagePipeline
import Torch
import TorchNN
import VisionModels

/// Makes classifiers ready for the loop out of registry names, checkpoints and options.
@ModelActor
enum ClassifierFactory {
    /// The configuration of the model that the options name, for the data's classes.
    nonisolated static func configuration(
        _ options: TrainingOptions,
        classes: Int
    ) throws -> ModelConfiguration {
        let known = ModelRegistry.presets.map(\.name)
        guard known.contains(options.model) else {
            throw OptionError.conflict(
                "there is no model \"\(options.model)\""
                    + Suggestion.phrase(for: options.model, among: known)
                    + " (`deit models` lists them)"
            )
        }
        var configuration = try ModelRegistry.configuration(named: options.model)
        configuration.numClasses = classes
        if let size = options.size { configuration.imageSize = (size, size) }
        if case .visionTransformer(var transformer) = configuration {
            transformer.dropPathRate = options.dropPath
            configuration = .visionTransformer(transformer)
        }
        try configuration.validate()
        return configuration
    }

    /// How pictures become the model's input in evaluation: whole where they are small, DeiT's way else.
    nonisolated static func processor(_ configuration: ModelConfiguration) throws -> ImageProcessor
    {
        let (height, width) = configuration.imageSize
        guard max(height, width) <= 64 else { return try .deit(size: height) }
        return try .whole(
            height: height,
            width: width,
            channels: 3,
            mean: Normalization.imageNet.mean,
            std: Normalization.imageNet.std
        )
    }

    /// A network with fresh weights drawn from libtorch's generator.
    static func make(_ description: ModelDescription, dtype: DType?) throws -> TrainableClassifier {
        try trainable(description.configuration.makeModel(), description, dtype: dtype)
    }

    static func trainable(
        _ model: any ImageClassifier,
        _ description: ModelDescription,
        dtype: DType?
    ) -> TrainableClassifier {
        TrainableClassifier(
            module: model,
            forward: forward(model, dtype: dtype),
            save: { folder in try ModelDirectory.write(model, description, into: folder) },
            load: { folder in try ModelFolder.load(folder, into: model) },
            firstNonFiniteLayer: { pixels in
                let layer = try? withAutocast(dtype) { () throws(TorchError) in
                    try LayerProbe.firstNonFinite(model, pixels)
                }
                return layer ?? nil
            }
        )
    }

    /// Pixels to logits of one head or two, with matrix products in a number format.
    nonisolated static func forward(
        _ model: any ImageClassifier,
        dtype: DType?
    ) -> ClassifierForward {
        if let distilled = model as? DistilledVisionTransformer {
            return { pixels throws(TorchError) in
                let logits = try withAutocast(dtype) { () throws(TorchError) in
                    try distilled.logits(pixels)
                }
                return ClassifierLogits(cls: logits.cls, dist: logits.dist)
            }
        }
        return { pixels throws(TorchError) in
            ClassifierLogits(
                cls: try withAutocast(dtype) { () throws(TorchError) in try model(pixels) }
            )
        }
    }
}
