public import Torch
public import TorchNN

/// How far a head's logits are from the targets: cross-entropy, or a binary cross-entropy for every class.
///
/// | | targets are classes | targets are shares (Mixup, CutMix) |
/// |---|---|---|
/// | cross-entropy | with label smoothing | against the shares, which are smoothed already |
/// | binary | against 1 for the class, 0 for the others | against 1 for every class with a share above 0 |
///
/// The logits may have any type; the loss computes in `float32`.
///
/// Where images may have several labels or none, every class is decided by itself: a binary cross-entropy against the
/// targets as they are, mixed or not, or the asymmetric loss. Class weights then multiply the loss of a class in all images,
/// and `posWeights` that in the images that have it.
///
/// With class weights the loss of each image is multiplied by the weight of its class; of a mixed image, by the mean of the
/// weights, each with the share of its class before smoothing (unless images may have several labels). The batch's loss is the mean over its images.
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
    /// Of images that may have several labels: how much a class counts where an image has it; nil where all count 1.
    public var posWeights: [Double]?
    /// Of images that may have several labels: how easy decisions are discounted; nil for the plain cross-entropy.
    public var asymmetric: Loss.AsymmetricFocus?

    /// Creates a loss.
    ///
    /// - Parameters:
    ///   - smoothing: The label smoothing of targets that are classes, 0 up to 1; targets that are shares have it already.
    ///   - isBinary: Whether every class is decided independently.
    ///   - classWeights: How much the images of each class count, at least 0; nil where all count alike.
    ///   - posWeights: Of images that may have several labels: how much a class counts where an image has it.
    ///   - asymmetric: Of images that may have several labels: how easy decisions are discounted.
    public init(
        smoothing: Double = 0,
        isBinary: Bool = false,
        classWeights: [Double]? = nil,
        posWeights: [Double]? = nil,
        asymmetric: Loss.AsymmetricFocus? = nil
    ) {
        self.smoothing = smoothing
        self.isBinary = isBinary
        self.classWeights = classWeights
        self.posWeights = posWeights
        self.asymmetric = asymmetric
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
        if targets.isMultiLabel { return try multiLabel(logits, targets) }
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

    private func multiLabel(
        _ logits: Tensor,
        _ targets: TrainingTargets
    ) throws(TorchError) -> Tensor {
        func tensor(_ weights: [Double]?) throws(TorchError) -> Tensor? {
            guard let weights else { return nil }
            return try Tensor(weights.map(Float.init), shape: [weights.count]).to(logits.device)
        }
        let shares = try shares(targets, classes: logits.shape.last ?? 0)
        let (classWeights, posWeights) = (try tensor(classWeights), try tensor(posWeights))
        guard let asymmetric else {
            return try Loss.multiLabel(
                logits,
                targets: shares,
                posWeights: posWeights,
                classWeights: classWeights
            )
        }
        return try Loss.asymmetric(
            logits,
            targets: shares,
            focus: asymmetric,
            posWeights: posWeights,
            classWeights: classWeights
        )
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
