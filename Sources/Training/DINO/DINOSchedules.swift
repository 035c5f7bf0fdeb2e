public import TorchNN

/// Everything of DINO that changes as a run goes: by the step, and the teacher's temperature by the epoch.
///
/// ## Source
/// dino `main_dino.py`, `train_dino` (`lr_schedule`, `wd_schedule`, `momentum_schedule`) and `DINOLoss`
/// (`teacher_temp_schedule`).
public struct DINOSchedules: Sendable, Equatable {
    /// The learning rate of a step.
    public let learningRate: StepCosine
    /// The weight decay of a step.
    public let weightDecay: StepCosine
    /// The share of the teacher that a step keeps.
    public let momentum: StepCosine
    /// The teacher's temperatures: at the start, after the warm-up, and its epochs.
    private let temperatures: (first: Double, last: Double, warmup: Int)

    /// Derives the schedules from a plan.
    public init(_ plan: RunPlan) {
        self.init(plan.options, stepsPerEpoch: plan.stepsPerEpoch)
    }

    /// Derives the schedules.
    ///
    /// - Parameters:
    ///   - options: The run's options.
    ///   - stepsPerEpoch: The steps of an epoch.
    public init(_ options: TrainingOptions, stepsPerEpoch: Int) {
        let total = options.epochs * stepsPerEpoch
        learningRate = options.stepCosine(stepsPerEpoch: stepsPerEpoch)
        weightDecay = StepCosine(
            base: options.weightDecay,
            final: options.weightDecayEnd ?? options.weightDecay,
            totalSteps: total
        )
        momentum = StepCosine(base: options.momentumTeacher, final: 1, totalSteps: total)
        temperatures = (
            options.warmupTeacherTemp, options.teacherTemp, options.warmupTeacherTempEpochs
        )
    }

    /// The teacher's temperature in an epoch, from 0.
    public func teacherTemp(epoch: Int) -> Double {
        guard epoch < temperatures.warmup else { return temperatures.last }
        return StepCosine.linear(
            from: temperatures.first,
            to: temperatures.last,
            count: temperatures.warmup,
            at: epoch
        )
    }

    /// Whether two derivations are the same.
    public static func == (first: DINOSchedules, second: DINOSchedules) -> Bool {
        first.learningRate == second.learningRate && first.weightDecay == second.weightDecay
            && first.momentum == second.momentum && first.temperatures == second.temperatures
    }
}
