public import Torch

/// Losses of images that have any number of labels: every class is a decision of its own.
extension Loss {
    /// The mean binary cross-entropy, with weights of the classes.
    ///
    /// - Parameters:
    ///   - logits: `[batch, classes]`, before the logistic function.
    ///   - targets: `[batch, classes]`, 0 to 1 for every class independently.
    ///   - posWeights: How much a class counts where an image has it, `[classes]`, at least 0; nil for 1.
    ///   - classWeights: How much a class counts in all images, `[classes]`, at least 0; nil for 1.
    /// - Returns: One number, the mean over the batch and the classes.
    /// - Throws: `TorchError` when the shapes do not fit.
    ///
    /// ## Source
    /// PyTorch's `BCEWithLogitsLoss` with `pos_weight` and `weight`; timm's `BinaryCrossEntropy`.
    public static func multiLabel(
        _ logits: Tensor,
        targets: Tensor,
        posWeights: Tensor? = nil,
        classWeights: Tensor? = nil
    ) throws(TorchError) -> Tensor {
        try requireTargets(logits, targets, [posWeights, classWeights])
        let targets = try targets.to(.float32)
        guard posWeights != nil || classWeights != nil else {
            return try Functional.binaryCrossEntropy(logits.to(.float32), targets)
        }
        let (on, off) = try logSigmoids(logits)
        var present = try targets * on
        if let posWeights { present = try present * posWeights }
        var losses = try present + complement(targets) * off
        if let classWeights { losses = try losses * classWeights }
        return try -losses.mean()
    }

    /// How easy decisions are discounted by ``asymmetric(_:targets:focus:posWeights:classWeights:)``.
    public struct AsymmetricFocus: Sendable, Equatable {
        /// The exponent of classes that an image has not, at least 0.
        public var gammaNeg: Double
        /// The exponent of classes that an image has, at least 0.
        public var gammaPos: Double
        /// The probability that is taken off classes that an image has not, from 0 for nothing to below 1.
        public var clip: Double

        /// Creates a focus.
        ///
        /// - Parameters:
        ///   - gammaNeg: The exponent of classes that an image has not, at least 0.
        ///   - gammaPos: The exponent of classes that an image has, at least 0.
        ///   - clip: The probability that is taken off classes that an image has not, from 0 to below 1.
        public init(gammaNeg: Double = 4, gammaPos: Double = 1, clip: Double = 0.05) {
            self.gammaNeg = gammaNeg
            self.gammaPos = gammaPos
            self.clip = clip
        }
    }

    /// The asymmetric loss: a binary cross-entropy that discounts easy decisions, those of absent classes most.
    ///
    /// - Parameters:
    ///   - logits: `[batch, classes]`, before the logistic function.
    ///   - targets: `[batch, classes]`, 0 to 1 for every class independently.
    ///   - focus: How easy decisions are discounted.
    ///   - posWeights: How much a class counts where an image has it, `[classes]`, at least 0; nil for 1.
    ///   - classWeights: How much a class counts in all images, `[classes]`, at least 0; nil for 1.
    /// - Returns: One number, the mean over the batch of sums over the classes.
    /// - Throws: `TorchError` when the shapes do not fit.
    ///
    /// ## Source
    /// Ridnik, Ben-Baruch, Zamir, Noy et al., "Asymmetric Loss for Multi-Label Classification" (arXiv:2009.14119),
    /// equations 4 to 7; timm 1.0.31, `AsymmetricLossMultiLabel` with its reduction `batchmean`.
    public static func asymmetric(
        _ logits: Tensor,
        targets: Tensor,
        focus: AsymmetricFocus = AsymmetricFocus(),
        posWeights: Tensor? = nil,
        classWeights: Tensor? = nil
    ) throws(TorchError) -> Tensor {
        try requireTargets(logits, targets, [posWeights, classWeights])
        let least = 1e-8
        let targets = try targets.to(.float32)
        let absent = try complement(targets)
        let on = try logits.to(.float32).sigmoid()
        var off = try complement(on)
        if focus.clip > 0 { off = try (off + focus.clip).clamped(0...1) }
        var present = try targets * on.clamped(least...1).log()
        if let posWeights { present = try present * posWeights }
        var losses = try present + absent * off.clamped(least...1).log()
        if focus.gammaNeg > 0 || focus.gammaPos > 0 {
            let distance = try complement(on * targets + off * absent)
            let gammas = try targets * focus.gammaPos + absent * focus.gammaNeg
            // A power whose exponent is a tensor; clamped, as the gradient of the logarithm at 0 is not a number.
            losses = try losses * (gammas * distance.clamped(1e-12...1).log()).exp()
        }
        if let classWeights { losses = try losses * classWeights }
        return try -losses.sum() / Double(logits.shape[0])
    }

    /// The soft distillation loss class by class, `τ² KL(σ(teacher/τ) ‖ σ(student/τ))`.
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
    /// ``softDistillation(student:teacher:tau:reduction:)`` with a distribution over two outcomes for each class; Yang et
    /// al., "Multi-Label Knowledge Distillation" (arXiv:2308.06453), equation 3.
    public static func softMultiLabelDistillation(
        student: Tensor,
        teacher: Tensor,
        tau: Double,
        reduction: KLReduction
    ) throws(TorchError) -> Tensor {
        try requireTemperature(tau)
        try requireTargets(student, teacher, [])
        let own = try logSigmoids(student.to(.float32) / tau)
        let wanted = try logSigmoids(teacher.detached().to(.float32) / tau)
        let present = try wanted.on.exp() * (wanted.on - own.on)
        let divergence = try (present + wanted.off.exp() * (wanted.off - own.off)).sum()
        let divisor = reduction == .numel ? student.elementCount : student.shape[0]
        return try divergence * (tau * tau / Double(divisor))
    }

    /// The hard distillation loss class by class: the binary cross-entropy against the teacher's decisions.
    ///
    /// - Parameters:
    ///   - student: `[batch, classes]`.
    ///   - teacher: `[batch, classes]`.
    ///   - thresholds: The probability from which the teacher says yes, for each class, above 0 and below 1; nil for one
    ///     half.
    /// - Returns: One number, the mean over the batch and the classes.
    /// - Throws: `TorchError` when the shapes do not fit.
    public static func hardMultiLabelDistillation(
        student: Tensor,
        teacher: Tensor,
        thresholds: Tensor? = nil
    ) throws(TorchError) -> Tensor {
        try requireTargets(student, teacher, [thresholds])
        var limits = try Tensor.full(0.5, [], device: teacher.device)
        if let thresholds { limits = thresholds }
        let decisions = try teacher.detached().to(.float32).sigmoid().greater(limits)
        return try Functional.binaryCrossEntropy(student.to(.float32), decisions.to(.float32))
    }

    /// 1 minus a tensor.
    private static func complement(_ tensor: Tensor) throws(TorchError) -> Tensor {
        try -tensor + 1.0
    }

    /// The logarithms of the logistic function of logits, and of 1 minus it.
    package static func logSigmoids(
        _ logits: Tensor
    ) throws(TorchError) -> (on: Tensor, off: Tensor) {
        let logits = try logits.to(.float32)
        // The softmax of a logit and 0 is the logistic function, without overflow and with the right gradient at 0.
        let zeros = try Tensor.zeros(logits.shape, device: logits.device)
        let logs = try Functional.logSoftmax(Tensor.stack([logits, zeros], dim: 2))
        return (try logs.selected(2, 0), try logs.selected(2, 1))
    }

    private static func requireTargets(
        _ logits: Tensor,
        _ targets: Tensor,
        _ weights: [Tensor?]
    ) throws(TorchError) {
        guard logits.shape == targets.shape, logits.rank == 2, logits.elementCount > 0,
            weights.allSatisfy({ $0 == nil || $0?.shape == [logits.shape[1]] })
        else {
            throw TorchError(
                operation: "multi-label loss",
                message:
                    "logits of shape \(logits.shape) do not match targets of shape \(targets.shape) and weights of shapes "
                    + "\(weights.compactMap { $0?.shape })"
            )
        }
    }
}
