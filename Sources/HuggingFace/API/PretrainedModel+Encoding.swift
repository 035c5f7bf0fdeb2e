import Torch
import VisionModels

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
    func encode(_ pixelValues: Tensor, _ options: CallOptions) throws -> Encoded {
        let images = try accepted(pixelValues, options)
        let request = options.request(config)
        return Encoded(try network.outputs(images, request, resampling: .hf), request)
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
        guard options.interpolatePosEncoding || size == wanted else {
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
        return try pixelValues.to(.float32)
    }
}

extension Encoded {
    init(_ outputs: TransformerOutputs, _ request: OutputRequest) {
        lastHiddenState = outputs.tokens
        hiddenStates = request.hiddenStates ? outputs.hiddenStates : nil
        attentions = request.attentions ? outputs.attentions : nil
    }
}
