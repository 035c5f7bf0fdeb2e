public import Torch
public import TorchNN

/// A RegNetY, the paper's own convolutional teacher: residual blocks of grouped convolutions with
/// squeeze-and-excitation, at widths that one line gives.
///
/// ## Shapes
/// - Input: `[batch, inChannels, height, width]`, any size that the strides leave a pixel of
/// - Output: `[batch, numClasses]`
///
/// ## Parameters in a checkpoint
/// - timm's keys: `stem.conv`, `stem.bn`, `s1.b1.conv1.conv`, …, `s1.b1.se.fc1`, …, `head.fc`.
///
/// ## Source
/// Radosavovic et al., "Designing Network Design Spaces" (arXiv:2003.13678), section 4.4; `timm/models/regnet.py`,
/// `RegNet`.
public final class RegNet: Module, ConvNet {
    /// What the network was made from.
    public let configuration: RegNetConfiguration

    /// The first convolution, which halves the size.
    public let stem: ConvNormLayer

    /// The first stage.
    public let s1: ModuleList<RegNetBlock>

    /// The second stage.
    public let s2: ModuleList<RegNetBlock>

    /// The third stage.
    public let s3: ModuleList<RegNetBlock>

    /// The fourth stage.
    public let s4: ModuleList<RegNetBlock>

    /// What holds the classifier.
    public let head: ConvNetHead

    /// Creates a network with freshly initialised weights.
    ///
    /// - Parameter configuration: What to make it from.
    /// - Throws: `ConfigurationError` when the numbers do not fit together, `TorchError` for a lack
    ///   of memory.
    public init(_ configuration: RegNetConfiguration) throws {
        try configuration.validate()
        self.configuration = configuration
        self.stem = try ConvNormLayer(
            configuration.inChannels,
            configuration.stemWidth,
            kernel: 3,
            stride: 2,
            activation: .relu
        )
        var inChannels = configuration.stemWidth
        let stages = try zip(configuration.depths, configuration.widths).map { depth, width in
            let blocks = try (0..<depth).map { place in
                try RegNetBlock(
                    inChannels: place == 0 ? inChannels : width,
                    width: width,
                    stride: place == 0 ? 2 : 1,
                    configuration
                )
            }
            inChannels = width
            return ModuleList(blocks, prefix: "b", first: 1)
        }
        // `validate` made sure of four stages.
        self.s1 = stages[0]
        self.s2 = stages[1]
        self.s3 = stages[2]
        self.s4 = stages[3]
        self.head = try ConvNetHead(inChannels, configuration.numClasses)
    }

    /// Returns the maps after the last stage, and shows each layer's on the way.
    public func forwardFeatures(
        _ images: Tensor,
        visiting visit: (_ key: String, _ maps: Tensor) throws(TorchError) -> Void
    ) throws(TorchError) -> Tensor {
        var x = try stem(images.channelsLast())
        try visit("stem", x)
        for (stage, blocks) in [s1, s2, s3, s4].enumerated() {
            for (index, block) in blocks.elements.enumerated() {
                x = try block(x)
                try visit("s\(stage + 1).b\(index + 1)", x)
            }
        }
        return x
    }

    /// The channels of the last maps.
    public var numFeatures: Int { configuration.numFeatures }

    /// The classifier.
    public var linearClassifier: Linear? { head.fc }

    /// How many classes the network tells apart.
    public var numClasses: Int { configuration.numClasses }

    /// The images that the network is meant for, `[channels, height, width]`.
    public var inputShape: [Int] {
        [configuration.inChannels, configuration.imageSize, configuration.imageSize]
    }
}

/// The classifier of a convolutional network under the name `fc`.
public final class ConvNetHead: Module {
    /// The classifier; nil for a backbone without classes.
    public let fc: Linear?

    init(_ inFeatures: Int, _ numClasses: Int) throws(TorchError) {
        self.fc =
            numClasses == 0
            ? nil : try Linear(inFeatures, numClasses, initializer: .normal(std: 0.01))
    }
}
