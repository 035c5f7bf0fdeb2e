public import Checkpoints
public import Torch
public import TorchNN
public import VisionModels

/// DeiT with a classifier on either token: Hugging Face's class of that name, and the form of DeiT⚗'s checkpoints.
///
/// The transformer is a whole model of this library with both heads, which the rooms `Training` and `Evaluation` take
/// as it is.
///
/// ## Source
/// `transformers/models/deit/modeling_deit.py`, `DeiTForImageClassificationWithTeacher`.
public final class DeiTForImageClassificationWithTeacher: Module, PretrainedModel {
    /// What the model was made from.
    public let config: DeiTConfig

    /// The transformer with its heads, `head` on the class token and `headDist` on the distillation token.
    public let network: DistilledVisionTransformer

    /// `DeiTForImageClassificationWithTeacher`.
    public static var architecture: HuggingFaceArchitecture {
        .deitForImageClassificationWithTeacher
    }

    /// Creates a model with fresh weights.
    ///
    /// - Parameter config: What to make it from.
    /// - Throws: `ConfigurationError` when the numbers do not fit together, `TorchError` for a lack of memory.
    public init(_ config: DeiTConfig) throws {
        self.config = config
        network = try DistilledVisionTransformer(config.network(numClasses: config.numLabels))
        super.init()
        try FreshWeights.fill(self)
    }

    /// None: both heads are the transformer's.
    public func extraTensors() -> [(name: String, tensor: Tensor)] { [] }

    /// Returns the scores of both heads and their mean; there is no loss.
    ///
    /// - Parameters:
    ///   - pixelValues: `[batch, numChannels, height, width]`, normalised.
    ///   - outputHiddenStates: Whether the states of all layers are wanted; nil asks the configuration.
    ///   - outputAttentions: Whether attention probabilities are wanted; nil asks the configuration.
    ///   - interpolatePosEncoding: Whether images may have another size than the configuration's.
    /// - Returns: The scores, and what was requested.
    /// - Throws: ``PretrainedError/invalidInput(_:)`` for images of another shape, `TorchError` for a lack of memory.
    public func callAsFunction(
        pixelValues: Tensor,
        outputHiddenStates: Bool? = nil,
        outputAttentions: Bool? = nil,
        interpolatePosEncoding: Bool = false
    ) throws -> DeiTForImageClassificationWithTeacherOutput {
        let options = CallOptions(
            outputHiddenStates: outputHiddenStates,
            outputAttentions: outputAttentions,
            interpolatePosEncoding: interpolatePosEncoding
        )
        let encoded = try encode(pixelValues, options)
        let (cls, distillation) = try (
            encoded.lastHiddenState.selected(1, 0), encoded.lastHiddenState.selected(1, 1)
        )
        let clsLogits = try network.head?(cls) ?? cls
        let distillationLogits = try network.headDist?(distillation) ?? distillation
        return DeiTForImageClassificationWithTeacherOutput(
            logits: try (clsLogits + distillationLogits) / 2,
            clsLogits: clsLogits,
            distillationLogits: distillationLogits,
            hiddenStates: encoded.hiddenStates,
            attentions: encoded.attentions
        )
    }
}
