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

/// The transformer with a classifier on the class token; a DINOv2's also reads the mean of the patches.
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
/// `transformers/models/vit/modeling_vit.py`, `ViTForImageClassification`;
/// `transformers/models/dinov2/modeling_dinov2.py`, `Dinov2ForImageClassification`.
public final class ImageClassificationModel<Family: PretrainedFamily>: Module, PretrainedModel {
    /// What the model was made from.
    public let config: PretrainedConfig<Family>

    /// The transformer, without classifier.
    public let network: VisionTransformer

    /// The classifier on the class token, for a DINOv2 on it and the mean of the patches; nil where there are no classes.
    public let classifier: Linear?

    /// What takes the place of masked patches in a DINOv2, `[1, hiddenSize]`; classification has no use for it.
    public let maskToken: Parameter?

    var classPosition: ClassPosition?

    /// `DeiTForImageClassification`, `ViTForImageClassification`, `Dinov2ForImageClassification` or
    /// `Dinov2WithRegistersForImageClassification`.
    public static var architecture: HuggingFaceArchitecture { Family.classifierArchitecture }

    /// Creates a model with fresh weights.
    ///
    /// - Parameter config: What to make it from.
    /// - Throws: `ConfigurationError` when the numbers do not fit together, `TorchError` for a lack of memory.
    public init(_ config: PretrainedConfig<Family>) throws {
        self.config = config
        network = try VisionTransformer.make(config.network(numClasses: 0))
        let width = Family.isDINOv2 ? 2 * config.hiddenSize : config.hiddenSize
        classifier = config.numLabels > 0 ? try Linear(width, config.numLabels) : nil
        maskToken = try config.makeMaskToken()
        super.init()
        try FreshWeights.fill(self)
    }

    /// The tensors beside the transformer's own, under Hugging Face's names without `deit.` or `vit.`.
    public func extraTensors() -> [(name: String, tensor: Tensor)] {
        (classifier?.named("classifier") ?? []) + maskToken.namedMaskToken
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
    /// - Returns: The scores, and what was requested.
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
        let pooled = try pooled(encoded.lastHiddenState)
        let logits = try classifier?(pooled) ?? pooled
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
    private func pooled(_ tokens: Tensor) throws(TorchError) -> Tensor {
        let token = try tokens.selected(1, 0)
        guard Family.isDINOv2 else { return token }
        let (_, count, _) = try tokens.shape3()
        let patches = try tokens.narrowed(1, network.prefixTokenCount..<count)
        return try Tensor.cat([token, patches.mean([1])], dim: 1)
    }
}
