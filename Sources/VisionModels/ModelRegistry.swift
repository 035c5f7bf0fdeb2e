public import TorchNN

/// What a model is made from, of whichever family.
public enum ModelConfiguration: Sendable, Equatable {
    case visionTransformer(ViTConfiguration)
    case resNet(ResNetConfiguration)

    /// Creates the network with freshly initialised weights.
    ///
    /// - Returns: The network.
    /// - Throws: `ConfigurationError` when the numbers do not fit together, `TorchError` for a lack
    ///   of memory.
    public func makeModel() throws -> any ImageClassifier {
        switch self {
        case .visionTransformer(let configuration): try VisionTransformer.make(configuration)
        case .resNet(let configuration): try ResNet(configuration)
        }
    }

    /// Checks that a network can be made from this.
    public func validate() throws(ConfigurationError) {
        switch self {
        case .visionTransformer(let configuration): try configuration.validate()
        case .resNet(let configuration): try configuration.validate()
        }
    }

    /// The number of classes.
    public var numClasses: Int {
        get {
            switch self {
            case .visionTransformer(let configuration): configuration.numClasses
            case .resNet(let configuration): configuration.numClasses
            }
        }
        set {
            switch self {
            case .visionTransformer(var configuration):
                configuration.numClasses = newValue
                self = .visionTransformer(configuration)
            case .resNet(var configuration):
                configuration.numClasses = newValue
                self = .resNet(configuration)
            }
        }
    }

    /// The channels of a picture.
    public var inChannels: Int {
        get {
            switch self {
            case .visionTransformer(let configuration): configuration.inChannels
            case .resNet(let configuration): configuration.inChannels
            }
        }
        set {
            switch self {
            case .visionTransformer(var configuration):
                configuration.inChannels = newValue
                self = .visionTransformer(configuration)
            case .resNet(var configuration):
                configuration.inChannels = newValue
                self = .resNet(configuration)
            }
        }
    }

    /// The pictures' height and width, in pixels.
    public var imageSize: (height: Int, width: Int) {
        get {
            switch self {
            case .visionTransformer(let configuration):
                (configuration.imageHeight, configuration.imageWidth)
            case .resNet(let configuration): (configuration.imageSize, configuration.imageSize)
            }
        }
        set {
            switch self {
            case .visionTransformer(var configuration):
                configuration.imageHeight = newValue.height
                configuration.imageWidth = newValue.width
                self = .visionTransformer(configuration)
            case .resNet(var configuration):
                configuration.imageSize = max(newValue.height, newValue.width)
                self = .resNet(configuration)
            }
        }
    }

    /// Whether the model has a distillation token.
    public var isDistilled: Bool {
        if case .visionTransformer(let configuration) = self {
            configuration.isDistilled
        } else {
            false
        }
    }
}

/// The models that can be made by name, in timm's grammar.
public enum ModelRegistry {
    /// A name and what it stands for.
    public struct Preset: Sendable {
        /// The name, such as `deit_tiny_distilled_patch16_224`.
        public let name: String

        /// What the model is made from.
        public let configuration: ModelConfiguration
    }

    /// All presets: DeiT's sizes, small transformers for pictures of 28 to 64 pixels, residual networks.
    public static let presets: [Preset] = transformers + residualNetworks

    /// The configuration of a preset.
    ///
    /// - Parameter name: The preset's name.
    /// - Returns: Its configuration.
    /// - Throws: `ConfigurationError` for a name that is not on the list.
    public static func configuration(
        named name: String
    ) throws(ConfigurationError) -> ModelConfiguration {
        guard let preset = presets.first(where: { $0.name == name }) else {
            throw .unknownValue(name: "the model", value: name, known: presets.map(\.name))
        }
        return preset.configuration
    }

    // DeiT's paper, table 1: the sizes differ in width and heads only. The small ones are ours.
    private static let transformers: [Preset] =
        deit("tiny", width: 192, heads: 3, patch: 16, sizes: [224, 384])
        + deit("small", width: 384, heads: 6, patch: 16, sizes: [224, 384])
        + deit("base", width: 768, heads: 12, patch: 16, sizes: [224, 384])
        + deit("nano", width: 64, depth: 4, heads: 2, patch: 4, sizes: [28, 32])
        + deit("nano", width: 64, depth: 4, heads: 2, patch: 7, sizes: [28])
        + deit("micro", width: 128, depth: 4, heads: 4, patch: 4, sizes: [28, 32])
        + deit("micro", width: 128, depth: 4, heads: 4, patch: 7, sizes: [28])
        + deit("micro", width: 128, depth: 4, heads: 4, patch: 8, sizes: [64])
        + deit("mini", width: 192, depth: 9, heads: 6, patch: 4, sizes: [28, 32])
        + deit("mini", width: 192, depth: 9, heads: 6, patch: 8, sizes: [64])

    private static func deit(
        _ size: String,
        width: Int,
        depth: Int = 12,
        heads: Int,
        patch: Int,
        sizes: [Int]
    ) -> [Preset] {
        sizes.flatMap { pixels in
            [false, true].map { isDistilled in
                Preset(
                    name: "deit_\(size)\(isDistilled ? "_distilled" : "")_patch\(patch)_\(pixels)",
                    configuration: .visionTransformer(
                        ViTConfiguration(
                            imageHeight: pixels,
                            imageWidth: pixels,
                            patchSize: patch,
                            embedDim: width,
                            depth: depth,
                            numHeads: heads,
                            isDistilled: isDistilled,
                            layerNormEps: 1e-6
                        )
                    )
                )
            }
        }
    }

    private static let residualNetworks: [Preset] =
        [
            imageNet("resnet18", .basic, [2, 2, 2, 2]),
            imageNet("resnet34", .basic, [3, 4, 6, 3]),
            imageNet("resnet50", .bottleneck, [3, 4, 6, 3]),
        ] + [8, 14, 20, 32, 56].map(cifar)

    private static func imageNet(
        _ name: String,
        _ block: ResNetConfiguration.BlockKind,
        _ layers: [Int]
    ) -> Preset {
        Preset(
            name: name,
            configuration: .resNet(
                ResNetConfiguration(
                    block: block,
                    stem: .imagenet,
                    layers: layers,
                    widths: [64, 128, 256, 512]
                )
            )
        )
    }

    // He et al., section 4.2: 6n + 2 layers of widths 16, 32 and 64.
    private static func cifar(_ depth: Int) -> Preset {
        Preset(
            name: "resnet\(depth)_cifar",
            configuration: .resNet(
                ResNetConfiguration(
                    block: .basic,
                    stem: .cifar,
                    layers: Array(repeating: (depth - 2) / 6, count: 3),
                    widths: [16, 32, 64],
                    numClasses: 10,
                    imageSize: 32
                )
            )
        )
    }
}
