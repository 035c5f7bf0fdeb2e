public import Torch

/// Losses for classification and distillation: pure functions of tensors.
///
/// All of them compute in `float32`, whatever the type of the logits.
public enum Loss {
    /// The mean cross-entropy against class indices.
    ///
    /// - Parameters:
    ///   - logits: `[batch, classes]`.
    ///   - labels: `[batch]`, `int64`.
    ///   - smoothing: The share ε of each target that is spread over all classes, the true one too: the true class
    ///     gets `1 - ε + ε/K`, every other `ε/K` (timm, `LabelSmoothingCrossEntropy`).
    /// - Returns: One number.
    /// - Throws: `TorchError` when the shapes do not fit.
    public static func crossEntropy(
        _ logits: Tensor,
        labels: Tensor,
        smoothing: Double = 0
    ) throws(TorchError) -> Tensor {
        try Functional.crossEntropy(logits.to(.float32), labels, smoothing: smoothing)
    }

    /// The mean cross-entropy against probabilities, as Mixup gives them (timm, `SoftTargetCrossEntropy`).
    ///
    /// - Parameters:
    ///   - logits: `[batch, classes]`.
    ///   - targets: `[batch, classes]`, each row summing to 1.
    /// - Returns: One number.
    /// - Throws: `TorchError` when the shapes do not fit.
    public static func crossEntropy(_ logits: Tensor, targets: Tensor) throws(TorchError) -> Tensor
    {
        guard logits.shape == targets.shape else {
            throw TorchError(
                operation: "cross-entropy",
                message:
                    "logits of shape \(logits.shape) do not match soft targets of shape \(targets.shape)"
            )
        }
        return try Functional.crossEntropy(logits.to(.float32), targets)
    }

    /// What a distillation divergence is divided by.
    public enum KLReduction: String, Sendable, Codable, CaseIterable {
        /// The number of logits, batch times classes, as DeiT's code has it: 1/K of the textbook's value.
        case numel

        /// The size of the batch, as the textbook has it.
        case batchmean
    }

    /// The soft distillation loss `τ² KL(softmax(teacher/τ) ‖ softmax(student/τ))`.
    ///
    /// - Parameters:
    ///   - student: `[batch, classes]`.
    ///   - teacher: `[batch, classes]`; no gradient flows into it.
    ///   - tau: The temperature τ, above 0.
    ///   - reduction: What the sum is divided by.
    /// - Returns: One number.
    /// - Throws: `TorchError` when the shapes do not fit or the temperature is not above 0.
    ///
    /// ## Source
    /// Touvron et al. (arXiv:2012.12877), eq. 2; deit `losses.py`, `DistillationLoss.forward`.
    public static func softDistillation(
        student: Tensor,
        teacher: Tensor,
        tau: Double,
        reduction: KLReduction
    ) throws(TorchError) -> Tensor {
        try requireTemperature(tau)
        try requireSameShape(student, teacher)
        let studentLog = try Functional.logSoftmax(student.to(.float32) / tau)
        let teacherLog = try Functional.logSoftmax(teacher.detached().to(.float32) / tau)
        let divergence = try (teacherLog.exp() * (teacherLog - studentLog)).sum()
        let divisor = reduction == .numel ? student.elementCount : student.shape[0]
        return try divergence * (tau * tau / Double(divisor))
    }

    /// The hard distillation loss: cross-entropy against the teacher's most likely class, never smoothed.
    ///
    /// - Parameters:
    ///   - student: `[batch, classes]`.
    ///   - teacher: `[batch, classes]`.
    /// - Returns: One number.
    /// - Throws: `TorchError` when the shapes do not fit.
    ///
    /// ## Source
    /// Touvron et al. (arXiv:2012.12877), eq. 3; deit `losses.py`, `DistillationLoss.forward`.
    public static func hardDistillation(
        student: Tensor,
        teacher: Tensor
    ) throws(TorchError) -> Tensor {
        try requireSameShape(student, teacher)
        return try Functional.crossEntropy(student.to(.float32), teacher.detached().argmax(1))
    }

    /// Checks that a temperature is a number above 0.
    ///
    /// - Parameter tau: The temperature τ.
    /// - Throws: `TorchError` where it is not.
    public static func requireTemperature(_ tau: Double) throws(TorchError) {
        guard tau > 0, tau.isFinite else {
            throw TorchError(
                operation: "distillation",
                message: "the temperature must be above 0, not \(tau)"
            )
        }
    }

    private static func requireSameShape(_ student: Tensor, _ teacher: Tensor) throws(TorchError) {
        guard student.shape == teacher.shape, student.rank == 2, student.elementCount > 0 else {
            throw TorchError(
                operation: "distillation",
                message:
                    "the student's logits have shape \(student.shape), the teacher's \(teacher.shape)"
            )
        }
    }
}
