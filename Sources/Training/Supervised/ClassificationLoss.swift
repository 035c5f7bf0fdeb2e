public import Torch
import TorchNN

/// How far a head's logits are from the targets: cross-entropy, or a binary cross-entropy for every class.
///
/// | | targets are classes | targets are shares (Mixup, CutMix) |
/// |---|---|---|
/// | cross-entropy | with label smoothing | against the shares, which are smoothed already |
/// | binary | against 1 for the class, 0 for the others | against 1 for every class with a share above 0 |
///
/// The logits may have any type; the loss computes in `float32`.
///
/// With class weights the loss of each image is multiplied by the weight of its class; of a mixed image, by the mean of the
/// weights, each with the share of its class before smoothing. The batch's loss is the mean over its images.
///
/// ## Source
/// facebookresearch/deit `main.py` (choice of the criterion) and `engine.py` (`targets.gt(0.0)` with `--bce-loss`);
/// Touvron et al., "DeiT III" (arXiv:2204.07118), section 3.
public struct ClassificationLoss: Sendable, Equatable {
    /// The label smoothing of targets that are classes, 0 to 1; unused by the binary loss.
    public var smoothing: Double
    /// Whether every class is decided independently.
    public var isBinary: Bool
    /// How much the images of each class count, at least 0; nil where all count alike.
    public var classWeights: [Double]?

    /// Creates a loss.
    ///
    /// - Parameters:
    ///   - smoothing: The label smoothing of targets that are classes, 0 up to 1; targets that are shares have it already.
    ///   - isBinary: Whether every class is decided independently.
    ///   - classWeights: How much the images of each class count, at least 0; nil where all count alike.
    public init(smoothing: Double = 0, isBinary: Bool = false, classWeights: [Double]? = nil) {
        self.smoothing = smoothing
        self.isBinary = isBinary
        self.classWeights = classWeights
    }

    /// The mean loss of a batch.
    ///
    /// - Parameters:
    ///   - logits: `[batch, classes]`.
    ///   - targets: What the batch should be recognised as.
    /// - Returns: One number.
    /// - Throws: `TorchError` when the shapes do not fit.
    public func callAsFunction(
        _ logits: Tensor,
        _ targets: TrainingTargets
    ) throws(TorchError) -> Tensor {
        if let classWeights { return try weighted(logits, targets, classWeights) }
        guard !isBinary else {
            return try Loss.binaryCrossEntropy(
                logits,
                targets: try shares(targets, classes: logits.shape.last ?? 0),
                threshold: 0
            )
        }
        if let soft = targets.soft { return try Loss.crossEntropy(logits, targets: soft) }
        return try Loss.crossEntropy(logits, labels: targets.labels, smoothing: smoothing)
    }

    private func weighted(
        _ logits: Tensor,
        _ targets: TrainingTargets,
        _ classWeights: [Double]
    ) throws(TorchError) -> Tensor {
        let shares = try shares(targets, classes: logits.shape.last ?? 0).to(.float32)
        let weights = try imageWeights(targets, shares, classWeights)
        guard !isBinary else {
            return try Loss.binaryCrossEntropy(
                logits,
                targets: shares,
                threshold: 0,
                weights: weights
            )
        }
        let isSmoothed = targets.soft != nil || smoothing == 0
        return try Loss.crossEntropy(
            logits,
            targets: isSmoothed
                ? shares : shares * (1 - smoothing) + smoothing / Double(classWeights.count),
            weights: weights
        )
    }

    /// The weight of each image, `[batch]`.
    private func imageWeights(
        _ targets: TrainingTargets,
        _ shares: Tensor,
        _ classWeights: [Double]
    ) throws(TorchError) -> Tensor {
        let byClass = try Tensor(classWeights.map(Float.init), shape: [classWeights.count])
            .to(shares.device)
        let sums = try (shares * byClass).sum([1])
        guard targets.soft != nil, smoothing > 0, smoothing < 1 else { return sums }
        // Smoothing gave every class a part, which is no reason to weigh the image by the others' weights.
        let mean = classWeights.reduce(0, +) / Double(classWeights.count)
        return try (sums - smoothing * mean) / (1 - smoothing)
    }

    private func shares(
        _ targets: TrainingTargets,
        classes: Int
    ) throws(TorchError) -> Tensor {
        if let soft = targets.soft { return soft }
        return try targets.labels.oneHot(classes: classes)
    }
}
