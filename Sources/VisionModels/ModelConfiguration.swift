public import TorchNN

/// What a network of some family is made from.
public protocol NetworkConfiguration: Codable, Sendable, Equatable {
    /// The channels of an image.
    var inChannels: Int { get set }

    /// The number of classes; 0 for a backbone without a classifier.
    var numClasses: Int { get set }

    /// The height and width of images, in pixels; for a convolutional network those that they usually have.
    var inputSize: (height: Int, width: Int) { get set }

    /// Whether the network has a distillation token.
    var isDistilled: Bool { get }

    /// The transformer that the network is or is built on; nil for another network, where setting it changes nothing.
    var transformer: ViTConfiguration? { get set }

    /// The numbers and the multiplications of the network, without making it.
    var networkSize: NetworkSize { get }

    /// What a sentence calls the network, such as "a residual network".
    var kind: String { get }

    /// The network in the words of `deit doctor`, its numbers with their names.
    ///
    /// - Parameter images: The images that it takes, in words.
    /// - Returns: The words, separated by commas.
    func summary(images: String) -> String

    /// Checks that a network can be made from this.
    ///
    /// - Throws: `ConfigurationError` that names the number that does not fit.
    func validate() throws(ConfigurationError)

    /// Creates the network with freshly initialised weights.
    ///
    /// - Returns: The network.
    /// - Throws: `ConfigurationError` when the numbers do not fit together, `TorchError` for a lack
    ///   of memory.
    func makeModel() throws -> any ImageClassifier
}

extension NetworkConfiguration {
    /// False; only transformers have such a token.
    public var isDistilled: Bool { false }

    /// None: the network is not a transformer.
    public var transformer: ViTConfiguration? {
        get { nil }
        set {}
    }

    fileprivate func equals(_ other: any NetworkConfiguration) -> Bool { (other as? Self) == self }
}

/// What a model is made from, of whichever family.
public struct ModelConfiguration: Sendable, Equatable {
    /// The family's own configuration.
    public var network: any NetworkConfiguration

    /// Creates a configuration.
    ///
    /// - Parameter network: The family's own configuration.
    public init(_ network: any NetworkConfiguration) { self.network = network }

    /// Whether two configurations are of one family and equal in every number.
    public static func == (a: ModelConfiguration, b: ModelConfiguration) -> Bool {
        a.network.equals(b.network)
    }

    /// Creates the network with freshly initialised weights.
    ///
    /// - Returns: The network.
    /// - Throws: `ConfigurationError` when the numbers do not fit together, `TorchError` for a lack
    ///   of memory.
    public func makeModel() throws -> any ImageClassifier { try network.makeModel() }

    /// Creates the network with zeros in place of its first values, for weights that all come from a file.
    ///
    /// - Returns: The network.
    /// - Throws: `ConfigurationError` when the numbers do not fit together, `TorchError` for a lack of memory.
    package func makeUnfilledModel() throws -> any ImageClassifier {
        try Initializer.$filling.withValue(.zeros) { try makeModel() }
    }

    /// Creates the network without memory for its weights: to compare names and shapes, not to compute or to load.
    ///
    /// - Returns: The network.
    /// - Throws: `ConfigurationError` when the numbers do not fit together.
    package func makeOutline() throws -> any ImageClassifier {
        try Initializer.$filling.withValue(.shapesOnly) { try makeModel() }
    }

    /// Checks that a network can be made from this.
    ///
    /// - Throws: `ConfigurationError` that names the number that does not fit.
    public func validate() throws(ConfigurationError) { try network.validate() }

    /// The same, of a convolutional network of whichever family; nil for a transformer.
    public var convNet: (any ConvNetConfiguration)? { network as? any ConvNetConfiguration }

    /// The transformer that the network is or is built on; nil for another network, where setting it changes nothing.
    public var transformer: ViTConfiguration? {
        get { network.transformer }
        set { network.transformer = newValue }
    }

    /// The number of classes; 0 for a backbone without a classifier.
    public var numClasses: Int {
        get { network.numClasses }
        set { network.numClasses = newValue }
    }

    /// The channels of an image.
    public var inChannels: Int {
        get { network.inChannels }
        set { network.inChannels = newValue }
    }

    /// The images' height and width, in pixels.
    public var imageSize: (height: Int, width: Int) {
        get { network.inputSize }
        set { network.inputSize = newValue }
    }

    /// Whether the model has a distillation token.
    public var isDistilled: Bool { network.isDistilled }

    /// The number of numbers that training changes, without making the network; `Int.max` for a network too large for
    /// any machine.
    public var parameterCount: Int { Int(exactly: network.networkSize.parameters) ?? Int.max }

    /// The multiplications with an addition that one image takes: those of matrix products and convolutions.
    ///
    /// Attention's two products count, biases, normalisations, activations and softmax do not. The numbers that timm
    /// publishes in billions ("GMACs") count normalisations as well and are up to 0.5 % larger, 4 % for EfficientNet-Lite.
    ///
    /// - Returns: The count, or `Int.max` for a network too large for any machine.
    public var macs: Int { Int(exactly: network.networkSize.macs.rounded()) ?? Int.max }

    /// Whether two networks of one family differ in nothing but classes, channels and the size of images.
    package func isSameNetwork(as other: ModelConfiguration) -> Bool {
        var other = other
        other.numClasses = numClasses
        other.inChannels = inChannels
        other.imageSize = imageSize
        return other == self
    }
}
