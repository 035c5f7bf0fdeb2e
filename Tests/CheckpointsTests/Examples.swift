import Checkpoints
import ImagePipeline
import Torch
import TorchNN
import VisionModels

/// Small models of every kind that is written, with weights and statistics that are all different.
enum Example: String, CaseIterable {
    case plain
    case distilled
    case grayOblong
    case layerScale
    case dinov2
    case dinov2Gated
    case resNet
    case bottleneck
    case cifar
    case regNet
    case efficientNet

    var configuration: ModelConfiguration {
        var vit = ViTConfiguration(
            imageHeight: 32,
            imageWidth: 32,
            patchSize: 8,
            numClasses: 5,
            embedDim: 64,
            depth: 2,
            numHeads: 2,
            layerNormEps: 1e-6,
            dropPathRate: 0.1
        )
        switch self {
        case .plain: return .visionTransformer(vit)
        case .distilled:
            vit.isDistilled = true
            return .visionTransformer(vit)
        case .layerScale:
            vit.initValues = 1e-6
            vit.noEmbedClass = true
            return .visionTransformer(vit)
        case .dinov2, .dinov2Gated:
            vit.initValues = 1
            vit.globalPool = .tokenAvg
            if self == .dinov2Gated {
                // Two thirds of 256, rounded up to a multiple of 8, for gate and value; and registers.
                (vit.mlpLayer, vit.mlpRatio) = (.swiglu, 5.5)
                (vit.regTokens, vit.noEmbedClass) = (4, true)
            }
            return .visionTransformer(vit)
        case .grayOblong:
            vit.imageWidth = 48
            vit.inChannels = 1
            vit.qkvBias = false
            vit.mlpRatio = 3.33
            vit.isDistilled = true
            return .visionTransformer(vit)
        case .resNet, .bottleneck, .efficientNet:
            let names: [Example: String] = [
                .resNet: "resnet18", .bottleneck: "resnet50",
                .efficientNet: "tf_efficientnet_lite0",
            ]
            guard let name = names[self],
                var configuration = try? ModelRegistry.configuration(named: name)
            else { return .visionTransformer(vit) }
            configuration.numClasses = 5
            if self == .resNet { configuration.inChannels = 1 }
            return configuration
        case .cifar:
            return .resNet(
                ResNetConfiguration(
                    block: .basic,
                    stem: .cifar,
                    layers: [1, 2],
                    widths: [8, 16],
                    inChannels: 1,
                    numClasses: 5,
                    imageSize: 28
                )
            )
        case .regNet:
            return .regNet(
                RegNetConfiguration(
                    depths: [1, 1, 2, 1],
                    widths: [8, 16, 24, 32],
                    groupSize: 8,
                    stemWidth: 8,
                    numClasses: 5
                )
            )
        }
    }

    var processor: ImageProcessor {
        get throws {
            let (height, width) = configuration.imageSize
            let channels = configuration.inChannels
            if self == .bottleneck || self == .plain { return try .deit(size: height) }
            return try .whole(
                height: height,
                width: width,
                channels: channels,
                mean: Array(repeating: 0.2860, count: channels),
                std: Array(repeating: 0.3530, count: channels)
            )
        }
    }

    var description: ModelDescription {
        get throws {
            ModelDescription(
                configuration: configuration,
                processor: try processor,
                labels: ClassLabels(names: ["T-shirt", "Trouser \"2\"", "Päärchen", "d", "e"])
            )
        }
    }

    func makeModel(seed: UInt64 = 1) throws -> any ImageClassifier {
        try manualSeed(seed)
        let model = try configuration.makeModel()
        for (_, buffer) in model.namedBuffers() {
            if buffer.tensor.dtype == .int64 {
                try buffer.tensor.fill(7)
            } else {
                try buffer.tensor.fillUniform(low: 0.5, high: 1.5)
            }
        }
        for (_, parameter) in model.namedParameters() {
            try parameter.tensor.fillNormal(mean: 0.02, std: 0.05)
        }
        model.eval()
        return model
    }
}

/// The bytes of all of a model's tensors by their keys.
func contents(of model: any ImageClassifier) throws -> [String: [UInt8]] {
    var contents: [String: [UInt8]] = [:]
    for (name, tensor) in model.namedTensors() {
        contents[name] = try tensor.withBytes { [UInt8]($0) }
    }
    return contents
}
