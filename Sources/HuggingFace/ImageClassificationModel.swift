public import Checkpoints
public import Torch
public import TorchNN
public import VisionModels

/// DeiT with one classifier: Hugging Face's `DeiTForImageClassification`.
///
/// It has a distillation token, which nothing classifies; published DeiT⚗ checkpoints are of
/// ``DeiTForImageClassificationWithTeacher`` and leave this class's classifier fresh.
public typealias DeiTForImageClassification = ImageClassificationModel<DeiTFamily>

/// ViT with a classifier: Hugging Face's `ViTForImageClassification`, and DeiT without distillation.
public typealias ViTForImageClassification = ImageClassificationModel<ViTFamily>

/// The transformer with a classifier on the class token.
///
/// ```swift
/// var config = try await ViTConfig.fromPretrained("vit-tiny")
/// config.setLabels(["daisy", "rose"])
/// let model = try await ViTForImageClassification.fromPretrained(
///     "vit-tiny", config: config, options: .init(ignoreMismatchedSizes: true))
/// ```
///
/// ## Source
/// `transformers/models/deit/modeling_deit.py`, `DeiTForImageClassification`;
/// `transformers/models/vit/modeling_vit.py`, `ViTForImageClassification`.
public final class ImageClassificationModel<Family: PretrainedFamily>: Module, PretrainedModel {
    /// What the model was made from.
    public let config: PretrainedConfig<Family>

    /// The transformer, without classifier.
    public let network: VisionTransformer

    /// The classifier on the class token; nil where there are no classes.
    public let classifier: Linear?

    /// `DeiTForImageClassification` or `ViTForImageClassification`.
    public static var architecture: HuggingFaceArchitecture {
        Family.isDistilled ? .deitForImageClassification : .vitForImageClassification
    }

    /// Creates a model with fresh weights.
    ///
    /// - Parameter config: What to make it from.
    /// - Throws: `ConfigurationError` when the numbers do not fit together, `TorchError` for a lack of memory.
    public init(_ config: PretrainedConfig<Family>) throws {
        self.config = config
        network = try VisionTransformer.make(config.network(numClasses: 0))
        classifier = config.numLabels > 0 ? try Linear(config.hiddenSize, config.numLabels) : nil
        super.init()
        try FreshWeights.fill(self)
    }

    /// The tensors beside the transformer's own, under Hugging Face's names without `deit.` or `vit.`.
    public func extraTensors() -> [(name: String, tensor: Tensor)] {
        classifier?.named("classifier") ?? []
    }

    /// Returns the scores of the classes, and the loss where there are labels.
    ///
    /// The loss is of the kind that the configuration's `problemType` says; where it says nothing, it is the mean squared
    /// error for one class, the cross-entropy for labels that are integers, and the binary cross-entropy of every score
    /// for labels that are numbers.
    ///
    /// - Parameters:
    ///   - pixelValues: `[batch, numChannels, height, width]`, normalised.
    ///   - labels: `[batch]` integers, of which -100 is left out; or numbers, `[batch, numLabels]`, for one class
    ///     `[batch]` too.
    ///   - outputHiddenStates: Whether the states of all layers are wanted; nil asks the configuration.
    ///   - outputAttentions: Whether attention probabilities are wanted; nil asks the configuration.
    ///   - interpolatePosEncoding: Whether images may have another size than the configuration's.
    /// - Returns: The scores, and what was asked for.
    /// - Throws: ``PretrainedError/invalidInput(_:)`` for images or labels of another shape, `TorchError` for labels out
    ///   of range or a lack of memory.
    public func callAsFunction(
        pixelValues: Tensor,
        labels: Tensor? = nil,
        outputHiddenStates: Bool? = nil,
        outputAttentions: Bool? = nil,
        interpolatePosEncoding: Bool = false
    ) throws -> ImageClassifierOutput {
        let options = CallOptions(
            outputHiddenStates: outputHiddenStates,
            outputAttentions: outputAttentions,
            interpolatePosEncoding: interpolatePosEncoding
        )
        let encoded = try encode(pixelValues, options)
        let token = try encoded.lastHiddenState.selected(1, 0)
        let logits = try classifier?(token) ?? token
        return ImageClassifierOutput(
            loss: try labels.map {
                try LabelLoss.of(
                    logits,
                    labels: $0,
                    problemType: config.problemType
                )
            },
            logits: logits,
            hiddenStates: encoded.hiddenStates,
            attentions: encoded.attentions
        )
    }
}
