// The networks that configurations make, without libtorch: nothing here is ever made.

/// Stands for the models of the root package.
public protocol ImageClassifier {}

/// Stands for its convolutional networks.
public protocol ConvNet: ImageClassifier {}

struct VisionTransformer: ImageClassifier {
    static func make(_ configuration: ViTConfiguration) throws -> any ImageClassifier { Self() }
}

struct ResNet: ConvNet {
    init(_ configuration: ResNetConfiguration) throws {}
}

struct RegNet: ConvNet {
    init(_ configuration: RegNetConfiguration) throws {}
}

struct EfficientNet: ConvNet {
    init(_ configuration: EfficientNetConfiguration) throws {}
}
