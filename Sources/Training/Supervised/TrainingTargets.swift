public import Torch

/// What a batch should be recognised as.
public struct TrainingTargets {
    /// The classes, `[batch]`, int64; of mixed images, those of the images before.
    public let labels: Tensor
    /// How much of each class is in each image, `[batch, classes]`, smoothed already; nil where no images are mixed and each
    /// has one label.
    public let soft: Tensor?
    /// Whether an image may have several labels or none: ``soft`` then has 0 to 1 for every class independently.
    public let isMultiLabel: Bool
    /// What the teacher said of these images, `[batch, classes]`, where it is known already; nil where it is to be asked.
    public let teacher: Tensor?

    /// Creates the targets of a batch.
    ///
    /// - Parameters:
    ///   - labels: The classes, `[batch]`, int64.
    ///   - soft: How much of each class is in each image, `[batch, classes]`.
    ///   - isMultiLabel: Whether an image may have several labels or none.
    ///   - teacher: The teacher's logits, `[batch, classes]`, where they are known already.
    public init(
        labels: Tensor,
        soft: Tensor? = nil,
        isMultiLabel: Bool = false,
        teacher: Tensor? = nil
    ) {
        self.labels = labels
        self.soft = soft
        self.isMultiLabel = isMultiLabel
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
            isMultiLabel: isMultiLabel,
            teacher: try teacher?.narrowed(0, range)
        )
    }
}
