public import Torch
public import TorchNN
public import VisionModels

/// Learning from the labels and from a teacher's answers to the same, augmented images.
///
/// `loss = (1 - α) · CE(class head, targets) + α · distillation(distillation head, teacher)`, where the
/// distillation is the divergence of softened distributions, or the cross-entropy against the teacher's
/// decision on the same images, mixed where they are. Label smoothing belongs to the first part only. A student
/// without the token learns both with its class head, as in the first rows of the paper's table of methods.
///
/// Where images may have several labels, both are class by class: the divergence of the teacher's probability of a class and
/// the student's, or the binary cross-entropy against the teacher's decision by its threshold.
///
/// Where the targets hold the teacher's logits already, the teacher is not asked.
///
/// ## Source
/// Touvron et al. (arXiv:2012.12877), equations 2 and 3; facebookresearch/deit `losses.py`, `DistillationLoss`.
public struct DistillationTask: TrainingTask {
    private let student: ClassifierForward
    private let teacher: ClassifierForward
    private let kind: Kind
    private let alpha: Double
    private let loss: ClassificationLoss
    private let teacherThresholds: () -> [Double]?

    /// How the teacher's answers are used.
    public enum Kind: Sendable, Equatable {
        /// As distributions, softened by a temperature above 0.
        case soft(tau: Double, reduction: Loss.KLReduction)
        /// As labels.
        case hard
    }

    /// Creates the task.
    ///
    /// - Parameters:
    ///   - student: The model that learns.
    ///   - teacher: The model that is imitated; it must be in evaluation mode. No gradient reaches it.
    ///   - kind: How the teacher's answers are used.
    ///   - alpha: The weight of the teacher's part, 0 to 1.
    ///   - loss: How far the class head's logits are from the targets.
    ///   - teacherThresholds: Of images that may have several labels: the probability from which the teacher says yes, for
    ///     each class; nil for one half.
    /// - Throws: `TorchError` for a weight outside of 0 to 1 or a temperature that is not above 0.
    public init(
        student: @escaping ClassifierForward,
        teacher: @escaping ClassifierForward,
        kind: Kind,
        alpha: Double,
        loss: ClassificationLoss,
        teacherThresholds: @escaping () -> [Double]? = { nil }
    ) throws(TorchError) {
        guard (0...1).contains(alpha) else {
            throw TorchError(
                operation: "distillation",
                message: "the weight of the teacher's loss must be from 0 to 1, not \(alpha)"
            )
        }
        if case .soft(let tau, _) = kind { try Loss.requireTemperature(tau) }
        self.student = student
        self.teacher = teacher
        self.kind = kind
        self.alpha = alpha
        self.loss = loss
        self.teacherThresholds = teacherThresholds
    }

    /// The weighted sum of both losses, each a mean over the batch.
    public func callAsFunction(
        pixels: Tensor,
        targets: TrainingTargets
    ) throws(TorchError) -> TaskResult {
        let answer: Tensor
        if let known = targets.teacher {
            answer = known
        } else {
            answer = try Self.answer(of: teacher, to: pixels)
        }
        let logits = try student(pixels).single()
        let base = try loss(logits.cls, targets)
        let head = logits.dist ?? logits.cls
        let imitation =
            try targets.isMultiLabel
            ? multiLabelDistillation(head, answer) : distillation(head, answer)
        return TaskResult(
            loss: try base * (1 - alpha) + imitation * alpha,
            prediction: try logits.averaged().detached()
        )
    }

    /// The teacher's logits of the classes, in 32-bit floating point and without gradient, `[batch, classes]`.
    static func answer(
        of teacher: ClassifierForward,
        to pixels: Tensor
    ) throws(TorchError) -> Tensor {
        try withoutGradient { () throws(TorchError) in
            try teacher(pixels).averaged()
        }
    }

    private func multiLabelDistillation(
        _ student: Tensor,
        _ teacher: Tensor
    ) throws(TorchError) -> Tensor {
        switch kind {
        case .soft(let tau, let reduction):
            return try Loss.softMultiLabelDistillation(
                student: student,
                teacher: teacher,
                tau: tau,
                reduction: reduction
            )
        case .hard:
            var thresholds: Tensor?
            if let limits = teacherThresholds() {
                thresholds = try Tensor(limits.map(Float.init), shape: [limits.count])
                    .to(teacher.device)
            }
            return try Loss.hardMultiLabelDistillation(
                student: student,
                teacher: teacher,
                thresholds: thresholds
            )
        }
    }

    private func distillation(_ student: Tensor, _ teacher: Tensor) throws(TorchError) -> Tensor {
        switch kind {
        case .soft(let tau, let reduction):
            try Loss.softDistillation(
                student: student,
                teacher: teacher,
                tau: tau,
                reduction: reduction
            )
        case .hard:
            try Loss.hardDistillation(student: student, teacher: teacher)
        }
    }
}
