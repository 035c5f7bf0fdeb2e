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
/// ## Source
/// facebookresearch/deit `main.py` (choice of the criterion) and `engine.py` (`targets.gt(0.0)` with `--bce-loss`);
/// Touvron et al., "DeiT III" (arXiv:2204.07118), section 3.
public struct ClassificationLoss: Sendable, Equatable {
    /// The label smoothing of targets that are classes, 0 to 1; unused by the binary loss.
    public var smoothing: Double
    /// Whether every class is decided by itself.
    public var isBinary: Bool

    /// Creates a loss.
    ///
    /// - Parameters:
    ///   - smoothing: The label smoothing of targets that are classes, 0 to 1.
    ///   - isBinary: Whether every class is decided by itself.
    public init(smoothing: Double = 0, isBinary: Bool = false) {
        self.smoothing = smoothing
        self.isBinary = isBinary
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

    private func shares(
        _ targets: TrainingTargets,
        classes: Int
    ) throws(TorchError) -> Tensor {
        if let soft = targets.soft { return soft }
        return try targets.labels.oneHot(classes: classes)
    }
}
