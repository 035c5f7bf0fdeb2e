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
