import Checkpoints
import ImagePipeline
public import Torch
import TorchNN
public import VisionModels

/// Makes classifiers ready for the loop out of registry names, checkpoints and options.
@ModelActor
public enum ClassifierFactory {
    /// The preset of a name.
    nonisolated static func preset(_ name: String) throws -> ModelConfiguration {
        do throws(ConfigurationError) {
            return try ModelRegistry.configuration(named: name)
        } catch {
            throw OptionError.conflict(error.description)
        }
    }

    /// What the model will be that the options name, with fresh weights for the data's classes.
    nonisolated static func description(
        _ options: TrainingOptions,
        classNames: [String],
        isMultiLabel: Bool = false
    ) throws -> ModelDescription {
        var configuration = try preset(options.model)
        configuration.numClasses = classNames.count
        if let size = options.size { configuration.imageSize = (size, size) }
        if let channels = options.inChans { configuration.inChannels = channels }
        try configuration.setHeads(options, of: options.model)
        configuration.setRates(options)
        if let value = options.initValues { configuration.transformer?.initValues = value }
        try configuration.validate()
        return ModelDescription(
            configuration: configuration,
            processor: try processor(
                configuration,
                cropShare: options.evalCropRatio,
                upright: options.exifOrientation
            ),
            labels: ClassLabels(names: classNames),
            problemType: isMultiLabel ? .multiLabelClassification : nil,
            name: options.model
        )
    }

    /// How images become the model's input in evaluation: whole where they are small, DeiT's way else.
    ///
    /// - Parameters:
    ///   - configuration: The model's.
    ///   - cropShare: The share of the shorter side that the crop keeps, or nil for the usual.
    ///   - upright: Whether files are turned upright as their EXIF data say.
    /// - Returns: The processor.
    /// - Throws: `ImageError` for a size beyond any image's, ``OptionError`` for channels that no file has.
    nonisolated static func processor(
        _ configuration: ModelConfiguration,
        cropShare: Double?,
        upright: Bool
    ) throws -> ImageProcessor {
        let channels = configuration.inChannels
        guard channels == 1 || channels == 3 else {
            throw OptionError.conflict(
                "the model takes images of \(channels) channels, but files have 1 (grey) or 3 (colour): "
                    + "choose --in-chans 1 or 3"
            )
        }
        return try configuration.usualProcessor(cropShare: cropShare).seeing(upright: upright)
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
            save: { folder, thresholds in
                var description = description
                description.thresholds = thresholds
                try ModelDirectory.write(model, description, into: folder)
            },
            load: { folder in
                try StoredTensors.copy(
                    ModelDirectory.load(folder).model,
                    into: model,
                    file: folder,
                    hint: "the run was started with another model"
                )
            },
            firstNonFiniteLayer: { pixels in
                let layer = try? ComputePolicy.autocast(dtype) { () throws(TorchError) in
                    try LayerProbe.firstNonFinite(model, pixels)
                }
                return layer ?? nil
            }
        )
    }

    /// Pixels to logits of one head or two, with matrix products in a number format.
    ///
    /// - Parameters:
    ///   - model: The network, in the mode that it is in.
    ///   - dtype: The number format of matrix products, or nil for that of the weights.
    /// - Returns: The function.
    public nonisolated static func forward(
        _ model: any ImageClassifier,
        dtype: DType?
    ) -> ClassifierForward {
        guard let transformer = model as? VisionTransformer else {
            return { pixels throws(TorchError) in
                try ComputePolicy.autocast(dtype) { () throws(TorchError) in
                    try model.logits(pixels)
                }
            }
        }
        return { pixels throws(TorchError) in
            try ComputePolicy.autocast(dtype) { () throws(TorchError) in
                guard isGradientEnabled, FrozenWeights.isBackboneFrozen(transformer) else {
                    return try transformer.logits(pixels)
                }
                // Only the head is trained: the way to it is faster without gradients.
                let blocks = try withoutGradient { () throws(TorchError) in
                    try transformer.lastBlocks(pixels)
                }
                return try transformer.headLogits(of: blocks)
            }
        }
    }
}
