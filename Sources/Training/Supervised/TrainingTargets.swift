public import Torch

/// What a batch should be recognised as.
public struct TrainingTargets {
    /// The classes, `[batch]`, int64; of mixed images, those of the images before.
    public let labels: Tensor
    /// How much of each class is in each image, `[batch, classes]`, smoothed already; nil where no images are mixed.
    public let soft: Tensor?
    /// What the teacher said of these images, `[batch, classes]`, where it is known already; nil where it is to be asked.
    public let teacher: Tensor?

    /// Creates the targets of a batch.
    ///
    /// - Parameters:
    ///   - labels: The classes, `[batch]`, int64.
    ///   - soft: How much of each class is in each image, `[batch, classes]`.
    ///   - teacher: The teacher's logits, `[batch, classes]`, where they are known already.
    public init(labels: Tensor, soft: Tensor? = nil, teacher: Tensor? = nil) {
        self.labels = labels
        self.soft = soft
        self.teacher = teacher
    }

    /// The class that has the largest part in each image, `[batch]`.
    public func classes() throws(TorchError) -> Tensor {
        try soft?.argmax(1) ?? labels
    }

    /// The targets of some of the images.
    func narrowed(_ range: Range<Int>) throws(TorchError) -> TrainingTargets {
        TrainingTargets(
            labels: try labels.narrowed(0, range),
            soft: try soft?.narrowed(0, range),
            teacher: try teacher?.narrowed(0, range)
        )
    }
}
