public import TorchNN

/// Everything that an EfficientNet-Lite is made from: EfficientNet without squeeze-and-excitation and with ReLU6.
public struct EfficientNetConfiguration: ConvNetConfiguration {
    /// Blocks of one width.
    public struct Stage: Codable, Sendable, Equatable {
        /// The number of blocks.
        public var depth: Int

        /// The height and width of the depthwise filters, odd, in pixels.
        public var kernel: Int

        /// The stride of the first block.
        public var stride: Int

        /// How many times wider a block is inside; 1 leaves the first convolution out.
        public var expansion: Int

        /// The channels of the output.
        public var width: Int

        /// Creates a stage.
        public init(depth: Int, kernel: Int, stride: Int, expansion: Int, width: Int) {
            self.depth = depth
            self.kernel = kernel
            self.stride = stride
            self.expansion = expansion
            self.width = width
        }
    }

    /// How images are padded before a convolution with a stride.
    public enum Padding: String, Codable, Sendable {
        /// TensorFlow's `SAME`: the odd zero at the bottom and on the right.
        case same

        /// PyTorch's: as many zeros on either side.
        case symmetric
    }

    /// The stages.
    public var stages: [Stage]

    /// The channels after the first convolution.
    public var stemWidth: Int

    /// The channels after the last convolution.
    public var numFeatures: Int

    /// How images are padded: `same` for weights that come from TensorFlow.
    public var padding: Padding

    /// What batch normalisation adds to the variance: 1e-3 in TensorFlow, 1e-5 in PyTorch.
    public var normEps: Double

    /// The channels of an image.
    public var inChannels: Int

    /// The number of classes; 0 for a backbone without a classifier.
    public var numClasses: Int

    /// The height and width that images usually have, in pixels; the network takes others as well.
    public var imageSize: Int

    /// Creates a configuration.
    public init(
        stages: [Stage],
        stemWidth: Int = 32,
        numFeatures: Int = 1280,
        padding: Padding,
        normEps: Double,
        inChannels: Int = 3,
        numClasses: Int = 1000,
        imageSize: Int = 224
    ) {
        self.stages = stages
        self.stemWidth = stemWidth
        self.numFeatures = numFeatures
        self.padding = padding
        self.normEps = normEps
        self.inChannels = inChannels
        self.numClasses = numClasses
        self.imageSize = imageSize
    }

    /// Checks that a network can be made from this.
    ///
    /// - Throws: `ConfigurationError` that names the number that does not fit.
    public func validate() throws(ConfigurationError) {
        guard (1...100).contains(stages.count) else {
            throw .outOfRange(
                name: "the number of stages",
                value: "\(stages.count)",
                expected: "1 to 100"
            )
        }
        try validate(
            stages.map { ("a stage's number of blocks", $0.depth) }
                + stages.map { ("a stage's width", $0.width) }
                + stages.map { ("a stage's expansion", $0.expansion) }
                + [("the stem's width", stemWidth), ("the number of features", numFeatures)]
        )
        for stage in stages {
            guard (1...99).contains(stage.kernel), stage.kernel % 2 == 1 else {
                throw .outOfRange(
                    name: "a stage's kernel",
                    value: "\(stage.kernel)",
                    expected: "an odd number from 1 to 99"
                )
            }
            guard (1...8).contains(stage.stride) else {
                throw .outOfRange(
                    name: "a stage's stride",
                    value: "\(stage.stride)",
                    expected: "1 to 8"
                )
            }
        }
        guard normEps >= 0, normEps < 1 else {
            throw .outOfRange(
                name: "the batch norm's eps",
                value: "\(normEps)",
                expected: "0 to 1"
            )
        }
    }

    /// Creates the network with freshly initialised weights.
    public func makeModel() throws -> any ImageClassifier { try EfficientNet(self) }

    /// "an EfficientNet-Lite".
    public var kind: String { "an EfficientNet-Lite" }

    /// The blocks, widths and images.
    public func summary(images: String) -> String {
        "EfficientNet-Lite, blocks \(stages.map(\.depth)), widths \(stages.map(\.width)), "
            + "padding \(padding.rawValue), batch norm eps \(normEps), images of \(images)"
    }

    /// How large the network is, without making it.
    public var networkSize: NetworkSize {
        guard (try? validate()) != nil else { return .unbounded }
        var count = NetworkSizeCount(side: imageSize)
        count.convolution(inChannels, stemWidth, kernel: 3, stride: 2)
        var channels = stemWidth
        for stage in stages {
            for place in 0..<max(0, stage.depth) {
                let inside = channels * stage.expansion
                if stage.expansion != 1 { count.convolution(channels, inside, kernel: 1) }
                count.convolution(
                    inside,
                    inside,
                    kernel: stage.kernel,
                    stride: place == 0 ? stage.stride : 1,
                    groups: inside
                )
                count.convolution(inside, stage.width, kernel: 1)
                channels = stage.width
            }
        }
        count.convolution(channels, numFeatures, kernel: 1)
        if numClasses > 0 { count.linear(numFeatures, numClasses) }
        return count.size
    }
}

extension ModelConfiguration {
    /// The configuration of an EfficientNet-Lite.
    public static func efficientNet(
        _ configuration: EfficientNetConfiguration
    ) -> ModelConfiguration {
        ModelConfiguration(configuration)
    }
}
