public import Checkpoints
import Hub
public import Torch
public import TorchNN
public import VisionModels

/// DeiT with a decoder to pixels: Hugging Face's class of that name.
///
/// Some patches are replaced by a learnt mask token, and from the tokens a decoder makes the whole image again.
///
/// ## Source
/// Xie et al., "SimMIM" (arXiv:2111.09886); `transformers/models/deit/modeling_deit.py`, `DeiTForMaskedImageModeling`.
public final class DeiTForMaskedImageModeling: Module, PretrainedModel {
    /// What the model was made from.
    public let config: DeiTConfig

    /// The transformer with its mask token and decoder.
    public let maskedModel: MaskedImageModel

    /// The transformer, without classifier.
    public var network: VisionTransformer { maskedModel.network }

    /// `DeiTForMaskedImageModeling`.
    public static var architecture: HuggingFaceArchitecture { .deitForMaskedImageModeling }

    /// Creates a model with fresh weights whose decoder gets the patches' tokens.
    ///
    /// - Parameter config: What to make it from.
    /// - Throws: `ConfigurationError` when the numbers do not fit together, `TorchError` for a lack of memory.
    public convenience init(_ config: DeiTConfig) throws {
        try self.init(config, tokenSlice: .corrected)
    }

    /// Creates a model with fresh weights.
    ///
    /// - Parameters:
    ///   - config: What to make it from.
    ///   - tokenSlice: Which tokens the decoder gets: the patches', as in transformers 5, or with `.legacy` all but the
    ///     first and the last, as in transformers until 2025.
    /// - Throws: `ConfigurationError` when the numbers do not fit together, `TorchError` for a lack of memory.
    public init(_ config: DeiTConfig, tokenSlice: MaskedTokenSlice) throws {
        self.config = config
        maskedModel = try MaskedImageModel(
            config.network(numClasses: 0),
            encoderStride: config.encoderStride,
            slice: tokenSlice
        )
        super.init()
        try FreshWeights.fill(self)
    }

    /// Loads a model whose weights were trained with either slice.
    ///
    /// - Parameters:
    ///   - nameOrPath: A folder with `config.json` and weights, or a name on the hub such as `ORG/NAME`.
    ///   - config: What to make the model from instead of the folder's `config.json`.
    ///   - options: What may differ between the checkpoint and the model.
    ///   - tokenSlice: Which tokens the decoder gets; files do not say.
    /// - Returns: The model, in evaluation mode.
    /// - Throws: As ``PretrainedModel/fromPretrained(_:config:options:)``.
    nonisolated(nonsending) public static func fromPretrained(
        _ nameOrPath: String,
        config: DeiTConfig? = nil,
        options: PretrainedOptions = PretrainedOptions(),
        tokenSlice: MaskedTokenSlice
    ) async throws -> sending DeiTForMaskedImageModeling {
        let folder = try await PretrainedLocation.resolve(nameOrPath)
        return try load(folder, config: config, options: options) {
            try DeiTForMaskedImageModeling($0, tokenSlice: tokenSlice)
        }.model
    }

    /// The mask token and the decoder, under Hugging Face's names without `deit.`.
    public func extraTensors() -> [(name: String, tensor: Tensor)] {
        [("embeddings.mask_token", maskedModel.maskToken.tensor)]
            + maskedModel.decoder.enumerated().flatMap { $1.named("decoder.\($0)") }
    }

    /// Returns the image that the model makes of the tokens, and the loss where patches are masked.
    ///
    /// transformers takes a square grid for granted; here rows and columns go their own ways.
    ///
    /// - Parameters:
    ///   - pixelValues: `[batch, numChannels, height, width]`, normalised.
    ///   - boolMaskedPos: `[batch, patches]`, of which those that are not 0 are masked; nil masks none.
    ///   - outputHiddenStates: Whether the states of all layers are wanted; nil asks the configuration.
    ///   - outputAttentions: Whether attention probabilities are wanted; nil asks the configuration.
    ///   - interpolatePosEncoding: Whether images may have another size than the configuration's.
    /// - Returns: The image, `encoderStride` pixels a patch, and the loss: the mean absolute difference over the masked
    ///   pixels of all channels; none where the reconstruction has another size than the image.
    /// - Throws: ``PretrainedError/invalidInput(_:)`` for images of another shape, `TorchError` for a mask of another
    ///   shape or a lack of memory.
    public func callAsFunction(
        pixelValues: Tensor,
        boolMaskedPos: Tensor? = nil,
        outputHiddenStates: Bool? = nil,
        outputAttentions: Bool? = nil,
        interpolatePosEncoding: Bool = false
    ) throws -> MaskedImageModelingOutput {
        let options = CallOptions(
            outputHiddenStates: outputHiddenStates,
            outputAttentions: outputAttentions,
            interpolatePosEncoding: interpolatePosEncoding
        )
        let images = try accepted(pixelValues, options)
        let request = options.request(config)
        let output = try maskedModel(images, mask: boolMaskedPos, request, resampling: .hf)
        let encoded = Encoded(output.outputs, request)
        let hasLoss = output.reconstruction.shape == images.shape
        return MaskedImageModelingOutput(
            loss: hasLoss
                ? try boolMaskedPos.map {
                    try maskedModel.loss(images, reconstruction: output.reconstruction, mask: $0)
                } : nil,
            reconstruction: output.reconstruction,
            hiddenStates: encoded.hiddenStates,
            attentions: encoded.attentions
        )
    }
}
