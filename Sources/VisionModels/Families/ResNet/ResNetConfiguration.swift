public import TorchNN

/// Everything that a residual network is made from.
public struct ResNetConfiguration: ConvNetConfiguration {
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
        /// A 7×7 convolution and max-pooling: a quarter of the image's size.
        case imagenet

        /// A 3×3 convolution at the image's size, for images of 28 to 64 pixels.
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

    /// The channels of an image.
    public var inChannels: Int

    /// The number of classes; 0 for a backbone without a classifier.
    public var numClasses: Int

    /// The height and width that images usually have, in pixels; the network takes others as well.
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
        try validate(
            layers.map { ("a stage's number of blocks", $0) }
                + widths.map { ("a stage's width", $0) }
        )
    }

    /// The channels of the last maps.
    public var numFeatures: Int { (widths.last ?? 0) * block.expansion }

    /// Creates the network with freshly initialised weights.
    public func makeModel() throws -> any ImageClassifier { try ResNet(self) }

    /// "a residual network".
    public var kind: String { "a residual network" }

    /// The blocks, widths and images.
    public func summary(images: String) -> String {
        "residual network, blocks \(layers), widths \(widths), images of \(images)"
    }

    /// How large the network is, without making it.
    public var networkSize: NetworkSize {
        guard (try? validate()) != nil else { return .unbounded }
        var count = NetworkSizeCount(side: imageSize)
        var channels = widths.first ?? 0
        let isLarge = stem == .imagenet
        count.convolution(inChannels, channels, kernel: isLarge ? 7 : 3, stride: isLarge ? 2 : 1)
        if isLarge { count.shrink(by: 2) }
        for stage in layers.indices where stage < widths.count {
            let width = widths[stage]
            let output = width * block.expansion
            for place in 0..<max(0, layers[stage]) {
                let stride = place == 0 && stage > 0 ? 2 : 1
                switch block {
                case .basic:
                    count.convolution(channels, width, kernel: 3, stride: stride)
                    count.convolution(width, width, kernel: 3)
                case .bottleneck:
                    count.convolution(channels, width, kernel: 1)
                    count.convolution(width, width, kernel: 3, stride: stride)
                    count.convolution(width, output, kernel: 1)
                }
                if channels != output || stride > 1 { count.shortcut(channels, output) }
                channels = output
            }
        }
        if numClasses > 0 { count.linear(channels, numClasses) }
        return count.size
    }
}

extension ModelConfiguration {
    /// The configuration of a residual network.
    public static func resNet(_ configuration: ResNetConfiguration) -> ModelConfiguration {
        ModelConfiguration(configuration)
    }
}
