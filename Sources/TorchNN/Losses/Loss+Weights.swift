public import Torch

/// Losses in which images count differently.
///
/// Both are divided by the number of images, not by the sum of their weights as PyTorch's `weight` has it: the gradients of
/// the parts of a batch then add up to those of the batch, and a batch of images of one class keeps their weight.
extension Loss {
    /// The mean of each image's cross-entropy times its weight.
    ///
    /// - Parameters:
    ///   - logits: `[batch, classes]`.
    ///   - targets: `[batch, classes]`, probabilities.
    ///   - weights: `[batch]`, at least 0.
    /// - Returns: One number.
    /// - Throws: `TorchError` when the shapes do not fit.
    public static func crossEntropy(
        _ logits: Tensor,
        targets: Tensor,
        weights: Tensor
    ) throws(TorchError) -> Tensor {
        try requireWeights(logits, targets, weights)
        let logs = try Functional.logSoftmax(logits.to(.float32))
        return try -((logs * targets.to(.float32)).sum([1]) * weights).mean()
    }

    /// The mean of each image's binary cross-entropy, itself a mean over the classes, times its weight.
    ///
    /// - Parameters:
    ///   - logits: `[batch, classes]`, before the logistic function.
    ///   - targets: `[batch, classes]`, 0 to 1 for every class independently.
    ///   - threshold: Targets above it count as 1, all others as 0; nil takes them as they are.
    ///   - weights: `[batch]`, at least 0.
    /// - Returns: One number.
    /// - Throws: `TorchError` when the shapes do not fit.
    public static func binaryCrossEntropy(
        _ logits: Tensor,
        targets: Tensor,
        threshold: Double? = nil,
        weights: Tensor
    ) throws(TorchError) -> Tensor {
        try requireWeights(logits, targets, weights)
        let targets = try binary(targets, above: threshold)
        let (on, off) = try logSigmoids(logits)
        let losses = try off + targets * (on - off)
        return try -(losses.mean([1]) * weights).mean()
    }

    /// Targets as numbers, those above a threshold as 1 and all others as 0 where there is one.
    static func binary(_ targets: Tensor, above threshold: Double?) throws(TorchError) -> Tensor {
        let targets = try targets.to(.float32)
        guard let threshold else { return targets }
        let limit = try Tensor.full(threshold, [], device: targets.device)
        return try targets.greater(limit).to(.float32)
    }

    private static func requireWeights(
        _ logits: Tensor,
        _ targets: Tensor,
        _ weights: Tensor
    ) throws(TorchError) {
        guard logits.shape == targets.shape, logits.rank == 2, logits.elementCount > 0,
            weights.shape == [logits.shape[0]]
        else {
            throw TorchError(
                operation: "weighted loss",
                message:
                    "logits of shape \(logits.shape), targets of shape \(targets.shape) and weights of shape "
                    + "\(weights.shape) do not match"
            )
        }
    }
}
