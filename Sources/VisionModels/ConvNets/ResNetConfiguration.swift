public import TorchNN

/// Everything that a residual network is made from.
public struct ResNetConfiguration: Codable, Sendable, Equatable {
    /// The kinds of residual block.
    public enum BlockKind: String, Codable, Sendable {
        /// Two 3×3 convolutions.
        case basic

        /// 1×1, 3×3 and 1×1 convolutions; the output has four times the block's width.
        case bottleneck

        /// The output's width as a multiple of the block's.
        public var expansion: Int { self == .basic ? 1 : 4 }
    }

    /// The kinds of first layer.
    public enum Stem: String, Codable, Sendable {
        /// A 7×7 convolution and max-pooling: a quarter of the picture's size.
        case imagenet

        /// A 3×3 convolution at the picture's size, for pictures of 28 to 64 pixels.
        case cifar
    }

    /// The kind of block.
    public var block: BlockKind

    /// The kind of first layer.
    public var stem: Stem

    /// The number of blocks of every stage.
    public var layers: [Int]

    /// The width of every stage's blocks.
    public var widths: [Int]

    /// The channels of a picture.
    public var inChannels: Int

    /// The number of classes.
    public var numClasses: Int

    /// The height and width that pictures usually have, in pixels; the network takes others as well.
    public var imageSize: Int

    /// Creates a configuration.
    public init(
        block: BlockKind,
        stem: Stem,
        layers: [Int],
        widths: [Int],
        inChannels: Int = 3,
        numClasses: Int = 1000,
        imageSize: Int = 224
    ) {
        self.block = block
        self.stem = stem
        self.layers = layers
        self.widths = widths
        self.inChannels = inChannels
        self.numClasses = numClasses
        self.imageSize = imageSize
    }

    /// Checks that a network can be made from this.
    ///
    /// - Throws: `ConfigurationError` that names the number that does not fit.
    public func validate() throws(ConfigurationError) {
        guard layers.count == widths.count, (1...4).contains(layers.count) else {
            throw .outOfRange(
                name: "the number of stages",
                value: "\(layers.count) and \(widths.count)",
                expected: "the same, 1 to 4"
            )
        }
        let sizes =
            layers.map { ("a stage's number of blocks", $0) }
            + widths.map { ("a stage's width", $0) }
            + [
                ("the number of channels", inChannels), ("the number of classes", numClasses),
                ("the image size", imageSize),
            ]
        for (name, value) in sizes where !(1...1_000_000).contains(value) {
            throw .outOfRange(
                name: name,
                value: "\(value)",
                expected: "at least 1 and at most 1000000"
            )
        }
    }
}
