import Checkpoints
import Torch
import TorchNN

/// The loss of a classifier against labels.
///
/// ## Source
/// `transformers/loss/loss_utils.py`, `ForSequenceClassificationLoss`, which image classifiers use too.
enum LabelLoss {
    /// The loss; where the configuration does not say of what kind, the labels decide.
    ///
    /// transformers writes the labels' decision into the configuration, where it binds later calls; here every call
    /// decides for itself.
    ///
    /// - Parameters:
    ///   - logits: `[batch, classes]`.
    ///   - labels: `[batch]` integers; or numbers, `[batch]` for one class, else `[batch, classes]`.
    ///   - problemType: What the configuration says.
    /// - Returns: One number.
    /// - Throws: ``PretrainedError/invalidInput(_:)`` for labels that do not fit, `TorchError` for an index out of range.
    static func of(
        _ logits: Tensor,
        labels: Tensor,
        problemType: ProblemType?
    ) throws -> Tensor {
        let (batch, classes) = try logits.shape2()
        switch problemType ?? kind(labels, classes: classes) {
        case .regression:
            let isFlat = classes == 1 && labels.elementCount == batch
            try require(isFlat || labels.shape == logits.shape, labels, logits)
            return try Loss.meanSquaredError(logits, targets: labels.reshaped(logits.shape))
        case .singleLabelClassification:
            try require(
                !labels.dtype.isFloatingPoint && labels.elementCount == batch,
                labels,
                logits
            )
            return try Loss.crossEntropy(logits, labels: labels.to(.int64).reshaped([batch]))
        case .multiLabelClassification:
            try require(labels.shape == logits.shape, labels, logits)
            return try Loss.binaryCrossEntropy(logits, targets: labels)
        }
    }

    private static func kind(_ labels: Tensor, classes: Int) -> ProblemType {
        if classes == 1 { return .regression }
        return labels.dtype.isFloatingPoint
            ? .multiLabelClassification : .singleLabelClassification
    }

    private static func require(
        _ condition: Bool,
        _ labels: Tensor,
        _ logits: Tensor
    ) throws(PretrainedError) {
        guard condition else {
            throw .invalidInput(
                "labels of type \(labels.dtype.rawValue) and shape \(labels.shape) do not fit "
                    + "scores of shape \(logits.shape): give an index for each image, or a number for each score"
            )
        }
    }
}
