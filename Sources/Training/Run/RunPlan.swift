import Datasets
import Foundation
public import TorchNN

/// What follows from a run's options, its data and its model before the first step.
public struct RunPlan: Sendable, Equatable {
    /// The options in effect.
    public let options: TrainingOptions
    /// The number of training images.
    public let trainCount: Int
    /// The images that an epoch shows; with repeated augmentation the same one several times.
    public let imagesPerEpoch: Int
    /// The number of validation images.
    public let validationCount: Int
    /// The names of the classes, by label.
    public let classNames: [String]
    /// The number of the model's parameters.
    public let parameterCount: Int
    /// How the model computes.
    public let policy: ComputePolicy
    /// The workers that read images.
    public let workers: Int
    /// What the names, the order and the labels of the training images come to, for a run's file.
    public var fingerprint: String?
    /// The keys of weights that the checkpoint has none for and that take the full rate under a layer decay, for a run's
    /// file.
    public var freshWeights: [String] = []
    /// Whether the validation images are a share of the data that the run held out itself.
    public var holdsOut = false
    /// How much the images of each class count in the loss, by label; nil where all count alike.
    public var classWeights: [Double]?
    /// The processes that train together.
    public var processes = 1
    /// Of images with several labels: the weight of each class in images that have it; nil where all count 1.
    public var posWeights: [Double]?
    /// Whether images may have several labels or none.
    public var isMultiLabel = false

    /// The steps of an epoch; images that do not fill a batch wait for another epoch's order.
    public var stepsPerEpoch: Int { imagesPerEpoch / max(options.batch, 1) }
    /// The steps of the whole run.
    public var totalSteps: Int { stepsPerEpoch * options.epochs }

    /// The epoch whose images an epoch shows, in the same order and augmented and mixed alike.
    ///
    /// - Parameter epoch: The epoch, from 0.
    /// - Returns: The epoch itself, but with ``Settings/augmentationEpochs`` never more than that many.
    public func augmentationEpoch(_ epoch: Int) -> Int {
        options.augmentationEpochs.map { epoch % $0 } ?? epoch
    }

    /// The epochs that show images of their own.
    public var distinctEpochs: Int {
        min(options.epochs, options.augmentationEpochs ?? options.epochs)
    }

    /// The learning rate as a function of the epochs done, from 0 at the start, or of the steps done.
    ///
    /// With ``Settings/schedOnUpdates`` its unit is a step, else an epoch.
    public var schedule: Schedule {
        let base = options.effectiveLR
        let unit = options.schedOnUpdates ? Double(stepsPerEpoch) : 1
        return Schedule(
            shape: options.schedule,
            base: base,
            minimum: min(options.minLR, base),
            warmupStart: min(options.warmupLR, base),
            warmup: options.warmupEpochs * unit,
            total: Double(options.epochs) * unit,
            decayInterval: options.decayEpochs * unit,
            decayRate: options.decayRate
        )
    }

    /// The learning rate of a step.
    ///
    /// By steps it is the schedule's value at the step; by epochs, the value at the step's epoch, and with
    /// ``Settings/lrLag`` at the epoch before, so that the first two epochs have the value at 0.
    ///
    /// With ``Settings/time`` the schedule is compressed to the steps of the run, its warm-up and its decays too, and the rate
    /// changes with every step.
    ///
    /// - Parameters:
    ///   - step: The step, counted from 0 over the whole run.
    ///   - total: The steps of the whole run, where its time decides them; nil for those of all epochs.
    /// - Returns: The rate, before the factors of parameter groups.
    public func learningRate(step: Int, of total: Int? = nil) -> Double {
        if options.time != nil {
            let schedule = schedule
            let share = Double(step) / Double(max(total ?? totalSteps, 1))
            return schedule.value(at: share * schedule.total)
        }
        if options.method == .dino {
            return options.stepCosine(stepsPerEpoch: stepsPerEpoch).value(at: step)
        }
        guard !options.schedOnUpdates else { return schedule.value(at: Double(step)) }
        let epoch = step / max(stepsPerEpoch, 1)
        return schedule.value(at: Double(options.lrLag ? max(epoch - 1, 0) : epoch))
    }

    /// Whether any step has a learning rate above 0.
    var learns: Bool { (0..<totalSteps).contains { learningRate(step: $0) > 0 } }

    /// Makes sure that the run learns.
    ///
    /// - Throws: ``OptionError`` for a warm-up that is longer than the run, and where every step would have the rate 0.
    func checkRates() throws(OptionError) {
        let warmup = options.warmupEpochs
        guard options.warmupEpochs <= Double(options.epochs) else {
            throw .conflict(
                "the warmup of \(warmup) epochs is longer than the run of \(options.epochs): add --warmup-epochs 0 or "
                    + "another number of up to \(options.epochs), or choose more --epochs"
            )
        }
        guard learns else {
            let steps = totalSteps == 1 ? "one step, which" : "\(totalSteps) steps, all of which"
            throw .conflict(
                "the run has \(steps) would have the learning rate 0, the start of a warmup of \(warmup) epochs: add "
                    + "--warmup-epochs 0, or choose more --epochs"
            )
        }
    }

    /// The steps below which hardly anything is learned.
    private static let fewSteps = 50

    /// A warning where the run has too few steps to learn; nil where it has enough.
    public var warningOfFewSteps: String? { Self.warningOfFewSteps(totalSteps) }

    /// The same for a number of steps.
    static func warningOfFewSteps(_ steps: Int) -> String? {
        guard steps < fewSteps else { return nil }
        return
            "warning: the run has only \(steps) step\(steps == 1 ? "" : "s"), too few to learn much: choose more "
            + "--epochs or --time, or a smaller --batch"
    }

    /// A warning where the warm-up takes most of the run; nil where it does not.
    public var warningOfLongWarmup: String? {
        let (warmup, epochs) = (options.warmupEpochs, Double(options.epochs))
        guard warmup > epochs / 2, warmup < epochs else { return nil }
        return
            "warning: the warmup of \(warmup) epochs takes most of the run of \(options.epochs): choose more --epochs, or "
            + "fewer --warmup-epochs"
    }

    /// The facts to print and to store, in order.
    public var facts: [(name: String, value: String)] {
        var facts = [
            ("effective_lr", lrSentence), ("steps_per_epoch", epochSentence),
            ("steps", options.time == nil ? "\(totalSteps)" : "at most \(totalSteps), by --time"),
            ("parameters", "\(parameterCount)"), ("train_images", "\(trainCount)"),
            ("val_images", "\(validationCount)"), ("classes", ClassNames.summary(classNames)),
            ("compute", policy.description), ("workers", "\(workers)"),
        ]
        if processes > 1 { facts.append(("processes", processSentence)) }
        if isMultiLabel { facts.append(("labels", "any number for an image")) }
        if let classWeights { facts.append(("class_weights", weightSentence(classWeights))) }
        if let posWeights { facts.append(("pos_weights", weightSentence(posWeights))) }
        if let ema = options.ema, !options.emaIsLongEnough(steps: totalSteps) {
            facts.append(("ema_note", "decay \(ema) averages over more steps than the run has"))
        }
        if options.warmupEpochs >= Double(options.epochs) {
            facts.append(("warmup_note", "the run ends before the learning rate is reached"))
        }
        return facts
    }

    /// The weights of few classes by name, of many the range.
    private func weightSentence(_ weights: [Double]) -> String {
        func text(_ weight: Double) -> String { String(format: "%.4g", weight) }
        guard weights.count <= 10 else {
            return "\(text(weights.min() ?? 0)) to \(text(weights.max() ?? 0))"
        }
        return zip(classNames, weights).map { "\($0) \(text($1))" }.joined(separator: ", ")
    }

    private var processSentence: String {
        let images = options.batch.isMultiple(of: 2 * processes) ? "" : "about "
        return "\(processes), each with \(images)\(options.batch / processes) images of a step"
    }

    private var epochSentence: String {
        var sentence = "\(stepsPerEpoch)"
        if options.accumulation > 1 {
            let part = (options.batch + options.accumulation - 1) / options.accumulation
            sentence +=
                ", each of \(options.batch) images in \(options.accumulation) parts of \(part)"
        }
        if let repeats = options.repeatedAug {
            let different = (imagesPerEpoch + repeats - 1) / repeats
            sentence +=
                "; each epoch uses \(different) of \(trainCount) images, \(repeats) times each"
        }
        return sentence
    }

    private var lrSentence: String {
        options.lrScaling
            ? "\(options.effectiveLR) (= \(options.lr) × \(options.batch)/\(options.lrReferenceBatch))"
            : "\(options.effectiveLR)"
    }
}

extension TrainingOptions {
    /// DINO's learning rate: by the step, with a warm-up of whole epochs.
    ///
    /// - Parameter stepsPerEpoch: The steps of an epoch.
    /// - Returns: The rate of each step.
    func stepCosine(stepsPerEpoch: Int) -> StepCosine {
        StepCosine(
            base: effectiveLR,
            final: min(self.minLR, effectiveLR),
            start: min(self.warmupLR, effectiveLR),
            warmupSteps: Int(min(self.warmupEpochs, 1e6) * Double(stepsPerEpoch)),
            totalSteps: self.epochs * stepsPerEpoch
        )
    }

    /// Whether an average with this decay forgets its start within a run.
    fileprivate func emaIsLongEnough(steps: Int) -> Bool {
        guard let ema = self.ema else { return true }
        return 1 / (1 - ema) <= Double(steps)
    }
}
