public import Torch

/// The scores that a network with one head or two gives to the classes, before any softmax.
public struct ClassifierLogits {
    /// The class head's logits, `[batch, classes]`.
    public let cls: Tensor
    /// The distillation head's logits, `[batch, classes]`; nil of a network with one head.
    public let dist: Tensor?

    /// Creates the logits of a batch.
    public init(cls: Tensor, dist: Tensor? = nil) {
        self.cls = cls
        self.dist = dist
    }

    /// The prediction: the mean of the heads where there are two (DeiT, section 5.2), `[batch, classes]` of `float32`.
    ///
    /// Heads in `bfloat16` are converted first: rounding their mean to 8 bits can make the two best classes equal.
    public func averaged() throws(TorchError) -> Tensor {
        let heads = try single()
        guard let dist = heads.dist else { return heads.cls }
        return try (heads.cls + dist) / 2
    }

    /// The same in 32-bit floating point, for losses and scores.
    public func single() throws(TorchError) -> ClassifierLogits {
        ClassifierLogits(cls: try cls.to(.float32), dist: try dist?.to(.float32))
    }
}

/// A function from pixels `[batch, channels, height, width]` to logits.
public typealias ClassifierForward = (Tensor) throws(TorchError) -> ClassifierLogits
