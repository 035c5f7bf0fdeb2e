public import TorchNN

/// What a model is made from, of whichever family.
public enum ModelConfiguration: Sendable, Equatable {
    case visionTransformer(ViTConfiguration)
    case resNet(ResNetConfiguration)
    case regNet(RegNetConfiguration)
    case efficientNet(EfficientNetConfiguration)

    /// Creates the network with freshly initialised weights.
    ///
    /// - Returns: The network.
    /// - Throws: `ConfigurationError` when the numbers do not fit together, `TorchError` for a lack
    ///   of memory.
    public func makeModel() throws -> any ImageClassifier {
        switch self {
        case .visionTransformer(let configuration): try VisionTransformer.make(configuration)
        case .resNet(let configuration): try configuration.makeModel()
        case .regNet(let configuration): try configuration.makeModel()
        case .efficientNet(let configuration): try configuration.makeModel()
        }
    }

    /// Checks that a network can be made from this.
    public func validate() throws(ConfigurationError) {
        switch self {
        case .visionTransformer(let configuration): try configuration.validate()
        case .resNet(let configuration): try configuration.validate()
        case .regNet(let configuration): try configuration.validate()
        case .efficientNet(let configuration): try configuration.validate()
        }
    }

    /// The same, of a convolutional network of whichever family; nil for a transformer.
    public var convNet: (any ConvNetConfiguration)? {
        switch self {
        case .visionTransformer: nil
        case .resNet(let configuration): configuration
        case .regNet(let configuration): configuration
        case .efficientNet(let configuration): configuration
        }
    }

    private mutating func change(
        transformer: (inout ViTConfiguration) -> Void,
        convNet: (inout any ConvNetConfiguration) -> Void
    ) {
        if case .visionTransformer(var configuration) = self {
            transformer(&configuration)
            self = .visionTransformer(configuration)
        }
        guard var network = self.convNet else { return }
        convNet(&network)
        switch network {
        case let configuration as ResNetConfiguration: self = .resNet(configuration)
        case let configuration as RegNetConfiguration: self = .regNet(configuration)
        case let configuration as EfficientNetConfiguration: self = .efficientNet(configuration)
        default: break
        }
    }

    /// The number of classes; 0 for a backbone without a classifier.
    public var numClasses: Int {
        get {
            switch self {
            case .visionTransformer(let configuration): configuration.numClasses
            case .resNet, .regNet, .efficientNet: convNet?.numClasses ?? 0
            }
        }
        set {
            change(
                transformer: { $0.numClasses = newValue },
                convNet: { $0.numClasses = newValue }
            )
        }
    }

    /// The channels of an image.
    public var inChannels: Int {
        get {
            switch self {
            case .visionTransformer(let configuration): configuration.inChannels
            case .resNet, .regNet, .efficientNet: convNet?.inChannels ?? 0
            }
        }
        set {
            change(
                transformer: { $0.inChannels = newValue },
                convNet: { $0.inChannels = newValue }
            )
        }
    }

    /// The images' height and width, in pixels.
    public var imageSize: (height: Int, width: Int) {
        get {
            switch self {
            case .visionTransformer(let configuration):
                (configuration.imageHeight, configuration.imageWidth)
            case .resNet, .regNet, .efficientNet:
                (convNet?.imageSize ?? 0, convNet?.imageSize ?? 0)
            }
        }
        set {
            change(
                transformer: {
                    $0.imageHeight = newValue.height
                    $0.imageWidth = newValue.width
                },
                convNet: { $0.imageSize = max(newValue.height, newValue.width) }
            )
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
