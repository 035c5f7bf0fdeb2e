public import Torch
import TorchNN

/// Learning from the labels alone: cross-entropy with label smoothing.
///
/// A model with a distillation token has two heads and no teacher here; both learn from the labels, with half
/// the weight each. DeiT's own code would leave the distillation head untrained and then average it in.
public struct SupervisedTask: TrainingTask {
    private let student: ClassifierForward
    private let smoothing: Double

    /// Creates the task.
    ///
    /// - Parameters:
    ///   - student: The model that learns.
    ///   - smoothing: The label smoothing, 0 to 1.
    public init(student: @escaping ClassifierForward, smoothing: Double) {
        self.student = student
        self.smoothing = smoothing
    }

    /// The mean cross-entropy of a batch.
    public func callAsFunction(pixels: Tensor, labels: Tensor) throws(TorchError) -> TaskResult {
        let logits = try student(pixels).single()
        var loss = try Loss.crossEntropy(logits.cls, labels: labels, smoothing: smoothing)
        if let dist = logits.dist {
            loss = try (loss + Loss.crossEntropy(dist, labels: labels, smoothing: smoothing)) / 2
        }
        return TaskResult(loss: loss, prediction: try logits.averaged().detached())
    }
}
