public import Torch
public import TorchNN

/// A residual network, the classical convolutional teacher.
///
/// ## Shapes
/// - Input: `[batch, inChannels, height, width]`, any size that the strides leave a pixel of
/// - Output: `[batch, numClasses]`
///
/// ## Parameters in a checkpoint
/// - timm's and torchvision's keys: `conv1`, `bn1`, `layer1.0.conv1`, …, `fc`. A CIFAR network has no `layer4`.
///
/// ## Source
/// He et al., "Deep Residual Learning for Image Recognition" (arXiv:1512.03385), table 1 and section 4.2;
/// `timm/models/resnet.py`, `ResNet`. The CIFAR kind has 1×1 convolutions as shortcuts where the paper pads with zeros.
public final class ResNet: Module, ConvNet {
    /// What the network was made from.
    public let configuration: ResNetConfiguration

    /// The first convolution.
    public let conv1: Conv2d

    /// Its normalisation.
    public let bn1: BatchNorm2d

    /// The first stage, at the size that the stem leaves.
    public let layer1: [ResidualBlock]

    /// The second stage, at half that size.
    public let layer2: [ResidualBlock]

    /// The third stage, at a quarter.
    public let layer3: [ResidualBlock]

    /// The fourth stage, at an eighth.
    public let layer4: [ResidualBlock]

    /// The classifier on the mean of all places; nil for a backbone without classes.
    public let fc: Linear?

    private let stem: ConvNorm

    /// Creates a network with freshly initialised weights.
    ///
    /// - Parameter configuration: What to make it from.
    /// - Throws: `ConfigurationError` when the numbers do not fit together, `TorchError` for a lack
    ///   of memory.
    public init(_ configuration: ResNetConfiguration) throws {
        try configuration.validate()
        self.configuration = configuration
        let stemWidth = configuration.widths[0]
        self.conv1 =
            configuration.stem == .imagenet
            ? try convolution(configuration.inChannels, stemWidth, kernel: 7, stride: 2)
            : try convolution(configuration.inChannels, stemWidth, kernel: 3)
        self.bn1 = try BatchNorm2d(stemWidth)
        self.stem = ConvNorm(conv1, bn1, .relu)
        var inChannels = stemWidth
        let stages = try configuration.layers.indices.map { stage in
            let blocks = try ResNet.stage(stage, configuration, inChannels: inChannels)
            inChannels = configuration.widths[stage] * configuration.block.expansion
            return blocks
        }
        func stage(_ index: Int) -> [ResidualBlock] { index < stages.count ? stages[index] : [] }
        self.layer1 = stage(0)
        self.layer2 = stage(1)
        self.layer3 = stage(2)
        self.layer4 = stage(3)
        self.fc =
            configuration.numClasses == 0
            ? nil
            : try Linear(
                inChannels,
                configuration.numClasses,
                initializer: .torchDefault(fanIn: inChannels)
            )
    }

    private static func stage(
        _ index: Int,
        _ configuration: ResNetConfiguration,
        inChannels: Int
    ) throws -> [ResidualBlock] {
        let width = configuration.widths[index]
        return try (0..<configuration.layers[index]).map { place in
            let channels = place == 0 ? inChannels : width * configuration.block.expansion
            let stride = place == 0 && index > 0 ? 2 : 1
            switch configuration.block {
            case .basic: return try BasicBlock(inChannels: channels, width: width, stride: stride)
            case .bottleneck:
                return try Bottleneck(inChannels: channels, width: width, stride: stride)
            }
        }
    }

    /// Returns the maps after the last stage, and shows each layer's on the way.
    public func forwardFeatures(
        _ images: Tensor,
        visiting visit: (_ key: String, _ maps: Tensor) throws(TorchError) -> Void
    ) throws(TorchError) -> Tensor {
        // oneDNN's convolutions are fastest with the channels innermost; the layout carries on from here.
        var x = try stem(images.channelsLast())
        try visit("conv1", x)
        if configuration.stem == .imagenet {
            x = try Functional.maxPool2d(x, kernel: 3, stride: 2, padding: 1)
        }
        for (stage, blocks) in [layer1, layer2, layer3, layer4].enumerated() {
            for (index, block) in blocks.enumerated() {
                x = try block(x)
                try visit("layer\(stage + 1).\(index)", x)
            }
        }
        return x
    }

    /// The channels of the last maps.
    public var numFeatures: Int { configuration.numFeatures }

    /// The classifier.
    public var linearClassifier: Linear? { fc }

    /// How many classes the network tells apart.
    public var numClasses: Int { configuration.numClasses }

    /// The images that the network is meant for, `[channels, height, width]`.
    public var inputShape: [Int] {
        [configuration.inChannels, configuration.imageSize, configuration.imageSize]
    }
}
