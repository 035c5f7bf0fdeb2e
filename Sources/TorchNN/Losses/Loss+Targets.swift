public import Torch

extension Loss {
    /// The mean squared error, for a model that predicts numbers rather than classes.
    ///
    /// - Parameters:
    ///   - predictions: `[batch, values]`; of one value also `[batch, 1]`.
    ///   - targets: The same shape but for dimensions of size 1.
    /// - Returns: One number.
    /// - Throws: `TorchError` when the shapes do not fit.
    public static func meanSquaredError(
        _ predictions: Tensor,
        targets: Tensor
    ) throws(TorchError) -> Tensor {
        let shapes = [predictions, targets].map { $0.shape.filter { $0 != 1 } }
        guard shapes[0] == shapes[1], predictions.elementCount > 0 else {
            throw TorchError(
                operation: "mean squared error",
                message:
                    "predictions of shape \(predictions.shape) do not match targets of shape \(targets.shape)"
            )
        }
        let difference = try predictions.to(.float32).flattened() - targets.to(.float32).flattened()
        return try difference.pow(2).mean()
    }

    /// The mean binary cross-entropy, for images that have several labels or none.
    ///
    /// - Parameters:
    ///   - logits: `[batch, classes]`, before the logistic function.
    ///   - targets: `[batch, classes]`, 0 to 1 for every class independently.
    ///   - threshold: Targets above it count as 1, all others as 0; nil takes them as they are. DeiT-III's loss after
    ///     Mixup has 0, so that both classes of a mixed image are wanted in full (deit `engine.py`).
    /// - Returns: One number, the mean over the batch and the classes.
    /// - Throws: `TorchError` when the shapes do not fit.
    public static func binaryCrossEntropy(
        _ logits: Tensor,
        targets: Tensor,
        threshold: Double? = nil
    ) throws(TorchError) -> Tensor {
        guard logits.shape == targets.shape, logits.elementCount > 0 else {
            throw TorchError(
                operation: "binary cross-entropy",
                message:
                    "logits of shape \(logits.shape) do not match targets of shape \(targets.shape)"
            )
        }
        return try Functional.binaryCrossEntropy(
            logits.to(.float32),
            binary(targets, above: threshold)
        )
    }
}
