public import Checkpoints
import Hub
public import Torch
public import TorchNN
public import VisionModels

/// DeiT without head: Hugging Face's `DeiTModel`.
public typealias DeiTModel = EncoderModel<DeiTFamily>

/// ViT without head: Hugging Face's `ViTModel`.
public typealias ViTModel = EncoderModel<ViTFamily>

/// The transformer without head; DeiT's and ViT's have a pooler.
///
/// ```swift
/// import ImagePipeline
///
/// let inputs = try DeiTImageProcessor().preprocess([Image(contentsOf: "daisy.jpg")])
/// let model = try await DeiTModel.fromPretrained("deit-tiny-distilled", addPoolingLayer: false)
/// let tokens = try model(pixelValues: inputs.pixelValues()).lastHiddenState
/// ```
///
/// ## Source
/// `transformers/models/deit/modeling_deit.py`, `DeiTModel`; `transformers/models/vit/modeling_vit.py`, `ViTModel`;
/// `transformers/models/dinov2/modeling_dinov2.py`, `Dinov2Model`.
public final class EncoderModel<Family: PretrainedFamily>: Module, PretrainedModel {
    /// What the model was made from.
    public let config: PretrainedConfig<Family>

    /// The transformer, without classifier.
    public let network: VisionTransformer

    /// The pooler, if there is one; DINOv2 and DINOv3 have none.
    public let pooler: Pooler?

    /// What takes the place of masked patches in a DINOv2, `[1, hiddenSize]`, and in a DINOv3, `[1, 1, hiddenSize]`.
    public let maskToken: Parameter?

    var classPosition: ClassPosition?

    /// `DeiTModel`, `ViTModel`, `Dinov2Model`, `Dinov2WithRegistersModel` or `DINOv3ViTModel`.
    public static var architecture: HuggingFaceArchitecture { Family.baseArchitecture }

    /// Creates a model with fresh weights, and a pooler where the family has one.
    ///
    /// - Parameter config: What to make it from.
    /// - Throws: `ConfigurationError` when the numbers do not fit together, `TorchError` for a lack of memory.
    public convenience init(_ config: PretrainedConfig<Family>) throws {
        try self.init(config, addPoolingLayer: true)
    }

    /// Creates a model with fresh weights.
    ///
    /// - Parameters:
    ///   - config: What to make it from.
    ///   - addPoolingLayer: Whether it has a pooler; a DINOv2 never has.
    /// - Throws: `ConfigurationError` when the numbers do not fit together, `TorchError` for a lack of memory.
    public init(_ config: PretrainedConfig<Family>, addPoolingLayer: Bool) throws {
        self.config = config
        network = try VisionTransformer.make(config.network(numClasses: 0))
        pooler = addPoolingLayer && Family.kind == .vit ? try Pooler(config) : nil
        maskToken = try config.makeMaskToken()
        super.init()
        try FreshWeights.fill(self)
    }

    /// Loads a model with or without pooler.
    ///
    /// - Parameters:
    ///   - nameOrPath: A folder with `config.json` and weights, or a name on the hub; a classifier's too, whose head is
    ///     left out.
    ///   - config: What to make the model from instead of the folder's `config.json`.
    ///   - addPoolingLayer: Whether it has a pooler; without one, a checkpoint's pooler is left out.
    /// - Returns: The model, in evaluation mode.
    /// - Throws: As ``PretrainedModel/fromPretrained(_:config:options:)``.
    nonisolated(nonsending) public static func fromPretrained(
        _ nameOrPath: String,
        config: PretrainedConfig<Family>? = nil,
        addPoolingLayer: Bool
    ) async throws -> sending EncoderModel {
        let folder = try await PretrainedLocation.resolve(nameOrPath)
        return try load(folder, config: config, options: PretrainedOptions()) {
            try EncoderModel($0, addPoolingLayer: addPoolingLayer)
        }.model
    }

    /// The tensors beside the transformer's own, under Hugging Face's names without `deit.` or `vit.`.
    public func extraTensors() -> [(name: String, tensor: Tensor)] {
        (pooler?.dense.named("pooler.dense") ?? []) + maskToken.namedMaskToken
    }

    /// Returns the tokens and the pooled class token.
    ///
    /// - Parameters:
    ///   - pixelValues: `[batch, numChannels, height, width]`, normalised.
    ///   - boolMaskedPos: `[batch, patches]`, of which those that are not 0 are masked; nil masks none. Only a DINOv2 has
    ///     the token for it.
    ///   - outputHiddenStates: Whether the states of all layers are wanted; nil asks the configuration.
    ///   - outputAttentions: Whether attention probabilities are wanted; nil asks the configuration.
    ///   - interpolatePosEncoding: Whether images may have another size than the configuration's.
    /// - Returns: The tokens, and what was requested.
    /// - Throws: ``PretrainedError/invalidInput(_:)`` for images of another shape, `TorchError` for a lack of memory.
    public func callAsFunction(
        pixelValues: Tensor,
        boolMaskedPos: Tensor? = nil,
        outputHiddenStates: Bool? = nil,
        outputAttentions: Bool? = nil,
        interpolatePosEncoding: Bool = false
    ) throws -> BaseModelOutputWithPooling {
        let options = CallOptions(
            outputHiddenStates: outputHiddenStates,
            outputAttentions: outputAttentions,
            interpolatePosEncoding: interpolatePosEncoding
        )
        let encoded = try encode(pixelValues, options, mask: mask(boolMaskedPos))
        let tokens = encoded.lastHiddenState
        return BaseModelOutputWithPooling(
            lastHiddenState: tokens,
            poolerOutput: try Family.kind == .vit ? pooler?(tokens) : tokens.selected(1, 0),
            hiddenStates: encoded.hiddenStates,
            attentions: encoded.attentions
        )
    }
    private func mask(_ positions: Tensor?) throws -> PatchMask? {
        guard let positions else { return nil }
        guard let maskToken else {
            throw PretrainedError.invalidInput(
                "boolMaskedPos is given, but the model has no mask token; only a DINOv2 has one"
            )
        }
        return PatchMask(
            positions: positions,
            token: try maskToken.tensor.reshaped([1, 1, config.hiddenSize])
        )
    }
}
