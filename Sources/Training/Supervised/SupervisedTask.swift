public import Torch
import TorchNN
public import VisionModels

/// Learning from the labels alone.
///
/// A model with a distillation token has two heads and no teacher here; both learn from the labels, with half
/// the weight each. DeiT's own code would leave the distillation head untrained and then average it in.
public struct SupervisedTask: TrainingTask {
    private let student: ClassifierForward
    private let loss: ClassificationLoss

    /// Creates the task.
    ///
    /// - Parameters:
    ///   - student: The model that learns.
    ///   - loss: How far its logits are from the targets.
    public init(student: @escaping ClassifierForward, loss: ClassificationLoss) {
        self.student = student
        self.loss = loss
    }

    /// The mean loss of a batch.
    public func callAsFunction(
        pixels: Tensor,
        targets: TrainingTargets
    ) throws(TorchError) -> TaskResult {
        let logits = try student(pixels).single()
        var value = try loss(logits.cls, targets)
        if let dist = logits.dist { value = try (value + loss(dist, targets)) / 2 }
        return TaskResult(loss: value, prediction: try logits.averaged().detached())
    }
}
