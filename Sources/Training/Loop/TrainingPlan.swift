public import TorchNN

/// What follows from the options, the data and the model before the first step.
public struct TrainingPlan: Sendable, Equatable {
    /// The options in effect.
    public let options: TrainingOptions
    /// The number of training pictures.
    public let trainCount: Int
    /// The number of validation pictures.
    public let validationCount: Int
    /// The names of the classes, by label.
    public let classNames: [String]
    /// The number of the model's parameters.
    public let parameterCount: Int
    /// How the model computes.
    public let policy: ComputePolicy
    /// The workers that read pictures.
    public let workers: Int

    /// The steps of an epoch; pictures that do not fill a batch wait for another epoch's order.
    public var stepsPerEpoch: Int { trainCount / options.batch }
    /// The steps of the whole run.
    public var totalSteps: Int { stepsPerEpoch * options.epochs }

    /// The learning rate by step.
    public var schedule: Schedule {
        let base = options.effectiveLR
        return Schedule(
            shape: options.schedule,
            base: base,
            minimum: min(options.minLR, base),
            warmupStart: min(options.warmupLR, base),
            warmup: options.warmupEpochs * Double(stepsPerEpoch),
            total: Double(totalSteps)
        )
    }

    /// The facts to print and to store, in order.
    public var facts: [(name: String, value: String)] {
        var facts = [
            ("effective_lr", lrSentence), ("steps_per_epoch", "\(stepsPerEpoch)"),
            ("steps", "\(totalSteps)"),
            ("parameters", "\(parameterCount)"), ("train_pictures", "\(trainCount)"),
            ("val_pictures", "\(validationCount)"), ("classes", "\(classNames.count)"),
            ("compute", policy.description), ("workers", "\(workers)"),
        ]
        if let ema = options.ema, !options.emaIsLongEnough(steps: totalSteps) {
            facts.append(("ema_note", "decay \(ema) averages over more steps than the run has"))
        }
        return facts
    }

    private var lrSentence: String {
        options.lrScaling
            ? "\(options.effectiveLR) (= \(options.lr) × \(options.batch)/512)"
            : "\(options.effectiveLR)"
    }
}

extension TrainingOptions {
    /// Whether an average with this decay forgets its start within a run.
    fileprivate func emaIsLongEnough(steps: Int) -> Bool {
        guard let ema else { return true }
        return 1 / (1 - ema) <= Double(steps)
    }
}
