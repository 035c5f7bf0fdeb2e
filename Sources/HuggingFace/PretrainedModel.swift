public import Checkpoints
import Hub
public import Torch
public import TorchNN
public import VisionModels

/// One of Hugging Face's classes: a network of this library under its known name.
///
/// Models hold tensors and are not `Sendable`. ``fromPretrained(_:config:options:)`` hands a fresh one over to whoever
/// asks, best to `ModelActor`, on which it then stays. A loaded model is in evaluation mode; wrap calls in
/// `withoutGradient` where no gradients are wanted. `model.to(.cuda(0))` moves a model to another device, as in
/// transformers; images may come from any, labels must be on the model's.
public protocol PretrainedModel: Module {
    /// The family, which tells the configuration and the names in files.
    associatedtype Family: PretrainedFamily

    /// The kind of transformer.
    associatedtype Network: VisionTransformer

    /// The class's name in `config.json` and the names of its tensors.
    static var architecture: HuggingFaceArchitecture { get }

    /// What the model was made from.
    var config: PretrainedConfig<Family> { get }

    /// The transformer.
    var network: Network { get }

    /// Creates a model with fresh weights, drawn as transformers draws them.
    ///
    /// - Parameter config: What to make it from.
    /// - Throws: `ConfigurationError` when the numbers do not fit together, `TorchError` for a lack of memory.
    init(_ config: PretrainedConfig<Family>) throws

    /// The tensors beside the transformer's own, under Hugging Face's names without `deit.` or `vit.`.
    func extraTensors() -> [(name: String, tensor: Tensor)]
}

extension PretrainedModel {
    /// Loads a model.
    ///
    /// - Parameters:
    ///   - nameOrPath: A folder with `config.json` and weights, or a name on the hub such as `ORG/NAME`.
    ///   - config: What to make the model from instead of the folder's `config.json`, for other classes for example.
    ///   - options: What may differ between the checkpoint and the model.
    /// - Returns: The model, in evaluation mode.
    /// - Throws: ``PretrainedError``, `HubError`, `CheckpointError` when files are damaged or do not fit, `ConfigurationError` when
    ///   the configuration makes no network.
    nonisolated(nonsending) public static func fromPretrained(
        _ nameOrPath: String,
        config: PretrainedConfig<Family>? = nil,
        options: PretrainedOptions = PretrainedOptions()
    ) async throws -> sending Self {
        let folder = try await PretrainedLocation.resolve(nameOrPath)
        return try load(folder, config: config, options: options) { try Self($0) }.model
    }

    /// Loads a model and tells what was not simply taken over: transformers' `output_loading_info=True`.
    ///
    /// - Parameters:
    ///   - nameOrPath: A folder with `config.json` and weights, or a name on the hub such as `ORG/NAME`.
    ///   - config: What to make the model from instead of the folder's `config.json`.
    ///   - options: What may differ between the checkpoint and the model.
    /// - Returns: The model, in evaluation mode, and what differed.
    /// - Throws: As ``fromPretrained(_:config:options:)``.
    nonisolated(nonsending) public static func fromPretrainedWithLoadingInfo(
        _ nameOrPath: String,
        config: PretrainedConfig<Family>? = nil,
        options: PretrainedOptions = PretrainedOptions()
    ) async throws -> sending (model: Self, info: LoadingInfo) {
        let folder = try await PretrainedLocation.resolve(nameOrPath)
        return try load(folder, config: config, options: options) { try Self($0) }
    }

    static func load(
        _ folder: String,
        config: PretrainedConfig<Family>?,
        options: PretrainedOptions,
        make: (PretrainedConfig<Family>) throws -> Self
    ) throws -> (model: Self, info: LoadingInfo) {
        let found = try config ?? PretrainedConfig<Family>.read(folder: folder)
        let loader = try PretrainedLoader(folder: folder, architecture: architecture)
        try loader.requireSize(for: found)
        let model = try make(found)
        let tensors = try model.stateDict()
        let info = try loader.load(into: tensors, options: options)
        try withoutGradient { try model.takeClassPosition(from: tensors) }
        model.eval()
        return (model, info)
    }

    /// Writes `config.json` and `model.safetensors`, which transformers' `from_pretrained` loads as they are.
    ///
    /// Other files in the folder stay; save the image processor beside them.
    ///
    /// - Parameter folder: The folder, which is made where it does not exist.
    /// - Throws: `CheckpointError` when it cannot be written.
    public func savePretrained(to folder: String) throws {
        try PretrainedFolder.make(folder)
        try Safetensors.write(stateDict(), to: "\(folder)/model.safetensors")
        var written = config
        written.architectures = [Self.architecture.rawValue]
        written.dtype = "float32"
        try written.savePretrained(to: folder)
    }

    /// All tensors under Hugging Face's names, as a file has them; they share their numbers with the model's.
    ///
    /// With registers, class token and positions are copies: the model has the class token's position in the token.
    ///
    /// - Returns: The names and tensors; of a fused `qkv` its three parts.
    /// - Throws: `CheckpointError` for a tensor that has no name in the architecture.
    public func stateDict() throws(CheckpointError) -> [(name: String, tensor: Tensor)] {
        let map = HuggingFaceKeyMap(
            Self.architecture,
            isGated: network.configuration.mlpLayer == .swiglu,
            hasKeyBias: network.configuration.keyBias
        )
        return try map.tensors(
            of: network,
            extras: extraTensors(),
            classPosition: (self as? any SplitClassToken)?.classPosition
        )
    }
}

/// What the transformer makes of images.
struct Encoded {
    let lastHiddenState: Tensor
    let hiddenStates: [Tensor]?
    let attentions: [Tensor]?
}

/// What a call wants beside the tokens.
struct CallOptions {
    /// Whether states are wanted; nil asks the configuration.
    let outputHiddenStates: Bool?

    /// Whether attention probabilities are wanted; nil asks the configuration.
    let outputAttentions: Bool?

    /// Whether images may have another size than the configuration's.
    let interpolatePosEncoding: Bool

    func request<Family>(_ config: PretrainedConfig<Family>) -> OutputRequest {
        OutputRequest(
            hiddenStates: outputHiddenStates ?? config.outputHiddenStates,
            attentions: outputAttentions ?? config.outputAttentions
        )
    }
}

extension PretrainedModel {
    /// Runs the transformer on images that it takes.
    func encode(
        _ pixelValues: Tensor,
        _ options: CallOptions,
        mask: PatchMask? = nil
    ) throws -> Encoded {
        let images = try accepted(pixelValues, options)
        let request = options.request(config)
        return Encoded(try network.outputs(images, request, mask: mask, resampling: .hf), request)
    }

    /// The images in the model's type, or the reason why it does not take them.
    func accepted(_ pixelValues: Tensor, _ options: CallOptions) throws -> Tensor {
        let shape = pixelValues.shape
        let wanted = config.imageSize
        guard shape.count == 4, shape[0] > 0, shape[1] == config.numChannels else {
            throw PretrainedError.invalidInput(
                "images have the shape \(shape); the model takes [batch, \(config.numChannels), height, width]"
            )
        }
        let size = PixelSize(height: shape[2], width: shape[3])
        // transformers' DINOv2 and DINOv3 take images of any size.
        guard options.interpolatePosEncoding || Family.kind != .vit || size == wanted else {
            throw PretrainedError.invalidInput(
                "images of \(size.height) × \(size.width) do not fit the model's \(wanted.height) × \(wanted.width);"
                    + " resize them, or pass interpolatePosEncoding: true"
            )
        }
        let patch = network.configuration.patchSize
        guard size.height >= patch, size.width >= patch else {
            throw PretrainedError.invalidInput(
                "images of \(size.height) × \(size.width) hold no patch of \(patch) × \(patch)"
            )
        }
        return try pixelValues.to(network.device).to(.float32)
    }
}

extension Encoded {
    init(_ outputs: TransformerOutputs, _ request: OutputRequest) {
        lastHiddenState = outputs.tokens
        hiddenStates = request.hiddenStates ? outputs.hiddenStates : nil
        attentions = request.attentions ? outputs.attentions : nil
    }
}
