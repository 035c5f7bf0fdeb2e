public import Torch

/// What a task makes of a batch.
public struct TaskResult {
    /// The mean loss of the batch, one number, from which gradients flow back.
    public let loss: Tensor
    /// The prediction's logits, `[batch, classes]`, from which no gradient is taken; nil where there are no classes.
    public let prediction: Tensor?

    /// Creates a result.
    public init(loss: Tensor, prediction: Tensor? = nil) {
        self.loss = loss
        self.prediction = prediction
    }
}

/// What a run teaches: the meaning of the loss.
///
/// The learner owns everything else.
public protocol TrainingTask {
    /// The loss of a batch in training.
    ///
    /// - Parameters:
    ///   - pixels: `[batch, channels, height, width]`, normalised.
    ///   - targets: What they should be recognised as.
    /// - Returns: The mean loss, and what was predicted on the way.
    /// - Throws: What computing throws: `TorchError` when the shapes do not fit.
    func callAsFunction(pixels: Tensor, targets: TrainingTargets) throws -> TaskResult
}

extension TrainingTask {
    /// The loss of a batch whose images have one class each.
    ///
    /// - Parameters:
    ///   - pixels: `[batch, channels, height, width]`, normalised.
    ///   - labels: `[batch]`, int64.
    /// - Returns: The mean loss, and what was predicted on the way.
    /// - Throws: `TorchError` when the shapes do not fit.
    public func callAsFunction(pixels: Tensor, labels: Tensor) throws -> TaskResult {
        try self(pixels: pixels, targets: TrainingTargets(labels: labels))
    }
}
