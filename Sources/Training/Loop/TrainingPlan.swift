public import Torch
public import TorchNN

/// How a ``Trainer`` trains: how long, how fast, with which optimiser, and where it writes.
///
/// ```swift
/// import Training
///
/// var plan = TrainingPlan(epochs: 20, learningRate: .cosine(1e-3, warmup: 0.05))
/// plan.clipGradient = 1
/// plan.output = "runs/own"
/// ```
public struct TrainingPlan: Sendable {
    /// How many times the training images are shown, at least 1.
    public var epochs: Int
    /// The learning rate of each step.
    public var learningRate: LearningRate
    /// What moves the weights.
    public var optimizer: OptimizerChoice
    /// The weight decay of matrices and filters, at least 0; vectors and embeddings have none.
    public var weightDecay: Double
    /// How many parts a batch is computed in, at least 1: less memory, the same gradients but for rounding.
    public var accumulation = 1
    /// The largest L2 norm of all gradients together, above 0, to which larger ones are scaled down; nil leaves them.
    public var clipGradient: Double?
    /// The averaging of the weights; nil for none.
    public var average: WeightAverage?
    /// How layers compute, applied when a trainer or a learner is made; nil for the current policy.
    public var compute: ComputePolicy?
    /// Where the random numbers of a step come from, such as those of dropout; order and augmentation have the loader's.
    public var seed = 0
    /// The folder for metrics and checkpoints; nil writes nothing.
    ///
    /// Where it holds checkpoints of the same module, training goes on from the newest.
    public var output: String?
    /// After how many steps a checkpoint is saved within an epoch; nil saves at the end of each epoch only.
    public var checkpointInterval: Int?
    /// How many of the newest checkpoints are kept, at least 1, in addition to the best.
    public var keepLast = 2
    /// After how many steps the means are recorded, at least 1.
    public var logInterval = 50
    /// Whether an event file for TensorBoard is written too.
    public var tensorboard = false
    /// How many epochs show images of their own, before the same are shown again; nil for all.
    public var augmentationEpochs: Int?
    /// The validation score by which the best checkpoint is chosen.
    public var bestMetric = BestMetric.top1
    /// After how many epochs in a row without a better score the run ends, at least 1; nil for never.
    public var patience: Int?
    /// The seconds that training may take; nil for as long as the epochs take.
    ///
    /// Before the first step the speed is measured, and the number of steps that fit is fixed, at most those of all epochs;
    /// ``learningRate`` gets it as the steps of the whole run. The run may end within an epoch.
    public var time: Double?
    /// The processes that train together, of which this is one; nil for one alone.
    ///
    /// Each has the same plan and a loader whose plan is its part: `EpochPlan.shared(_:)`. Only process 0 writes.
    public var group: ProcessGroup?

    /// How weights are averaged: after every step `average ← decay · average + (1 - decay) · weights`.
    public struct WeightAverage: Sendable, Equatable {
        /// The share of the average that a step keeps, 0 to 1.
        public var decay: Double
        /// How the first steps keep less.
        public var warmup: ExponentialMovingAverage.Warmup

        /// Creates the rule.
        ///
        /// - Parameters:
        ///   - decay: The share of the average that a step keeps, 0 to 1.
        ///   - warmup: How the first steps keep less.
        public init(decay: Double, warmup: ExponentialMovingAverage.Warmup = .off) {
            self.decay = decay
            self.warmup = warmup
        }
    }

    /// Creates a plan; what is not named here has its usual value and can be set.
    ///
    /// - Parameters:
    ///   - epochs: How many times the training images are shown, at least 1.
    ///   - learningRate: The learning rate of each step.
    ///   - optimizer: What moves the weights.
    ///   - weightDecay: The weight decay of matrices and filters, at least 0.
    ///   - output: The folder for metrics and checkpoints; nil writes nothing.
    public init(
        epochs: Int,
        learningRate: LearningRate,
        optimizer: OptimizerChoice = .adamW(),
        weightDecay: Double = 0.05,
        output: String? = nil
    ) {
        self.epochs = epochs
        self.learningRate = learningRate
        self.optimizer = optimizer
        self.weightDecay = weightDecay
        self.output = output
    }

    /// Checks the ranges.
    ///
    /// - Throws: ``TrainingError/invalidPlan(_:)`` for the first value outside of its range.
    public func check() throws(TrainingError) {
        let wrong: String? =
            if epochs < 1 {
                "epochs must be at least 1, not \(epochs)"
            } else if accumulation < 1 {
                "accumulation must be at least 1, not \(accumulation)"
            } else if let clipGradient, !(clipGradient > 0) {
                "clipGradient must be above 0, not \(clipGradient)"
            } else if let average, !(0...1).contains(average.decay) {
                "the decay of the average must be from 0 to 1, not \(average.decay)"
            } else if !(weightDecay >= 0) {
                "weightDecay must be at least 0, not \(weightDecay)"
            } else if logInterval < 1 {
                "logInterval must be at least 1, not \(logInterval)"
            } else if keepLast < 1 {
                "keepLast must be at least 1, not \(keepLast)"
            } else if let checkpointInterval, checkpointInterval < 1 {
                "checkpointInterval must be at least 1, not \(checkpointInterval)"
            } else if let augmentationEpochs, augmentationEpochs < 1 {
                "augmentationEpochs must be at least 1, not \(augmentationEpochs)"
            } else if let patience, patience < 1 {
                "patience must be at least 1, not \(patience)"
            } else if let time, !(time > 0) {
                "time must be above 0, not \(time)"
            } else {
                nil
            }
        if let wrong { throw .invalidPlan(wrong) }
    }

    /// The epoch whose images an epoch shows.
    func augmentationEpoch(_ epoch: Int) -> Int { augmentationEpochs.map { epoch % $0 } ?? epoch }
}

/// The learning rate of each step of a run.
public struct LearningRate: Sendable {
    private let rate: @Sendable (_ step: Int, _ totalSteps: Int) -> Double

    /// Takes any function.
    ///
    /// - Parameter rate: The learning rate of a step, from 0, of that many steps in the whole run.
    public init(_ rate: @escaping @Sendable (_ step: Int, _ totalSteps: Int) -> Double) {
        self.rate = rate
    }

    /// The same rate in every step.
    public static func constant(_ rate: Double) -> LearningRate { LearningRate { _, _ in rate } }

    /// A linear warm-up to the peak, then half a cosine down.
    ///
    /// - Parameters:
    ///   - peak: The largest rate.
    ///   - minimum: The rate at the end.
    ///   - warmup: The share of the steps that the warm-up takes, 0 to 1.
    /// - Returns: The rates; as in timm the cosine begins with the warm-up, and not after it.
    public static func cosine(
        _ peak: Double,
        minimum: Double = 0,
        warmup: Double = 0
    ) -> LearningRate {
        LearningRate { step, total in
            // The first step of a warm-up moves the weights already.
            Schedule(
                shape: .cosine,
                base: peak,
                minimum: minimum,
                warmupStart: peak / max(1, warmup * Double(total)),
                warmup: warmup * Double(total),
                total: Double(total)
            ).value(at: Double(step))
        }
    }

    /// The rate of a step.
    ///
    /// - Parameters:
    ///   - step: The step, counted from 0 over the whole run.
    ///   - totalSteps: The steps of the whole run.
    /// - Returns: The rate, before the factors of parameter groups.
    public func value(step: Int, of totalSteps: Int) -> Double { rate(step, totalSteps) }
}
