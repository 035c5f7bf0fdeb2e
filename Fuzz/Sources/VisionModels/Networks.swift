// The networks that configurations make, without libtorch: nothing here is ever made.

/// Stands for the models of the root package.
public protocol ImageClassifier {}

struct VisionTransformer: ImageClassifier {
    static func make(_ configuration: ViTConfiguration) throws -> any ImageClassifier { Self() }
}

struct ResNet: ImageClassifier {
    init(_ configuration: ResNetConfiguration) throws {}
}
