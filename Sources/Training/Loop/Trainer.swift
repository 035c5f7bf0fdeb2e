public import Datasets
import Foundation
public import Torch
import TorchNN

/// Trains a network: batches in, steps, validation, checkpoints.
///
/// It takes a ``Learner``, which says what a step computes, the training images and a ``TrainingPlan``. The runs of the
/// command are made of the same: ``TrainingSession``, ``DINOSession`` and ``MIMSession`` set one up from options.
///
/// `runEpoch` is the place to start reading. It runs on `ModelActor`. Everything random is a function of seed, epoch and
/// step, and everything that a step depends on is in the checkpoint, so a resumed run equals one that never stopped.
@ModelActor
public final class Trainer {
    /// How a run ended.
    public enum Outcome: Sendable {
        /// All epochs are done.
        case finished(BestScore?)
        /// The method ended the run early; the sentence says why.
        case ended(reason: String, BestScore?)
        /// A signal asked to stop; the checkpoint of that name holds everything.
        case stopped(signal: Int32, checkpoint: String?)
    }

    private enum EpochOutcome {
        case finished
        case ended(String)
        case stopped(Int32)
        case rolledBack
    }

    /// How many steps in a row may have a loss that is not finite.
    static let skipsInARowLimit = 3

    let parts: TrainerParts
    let metrics: MetricsLog?
    let events: EventLog?
    var state: TrainerState
    let observer: any TrainingObserver
    /// Asks to stop; with several processes, all of them after the same step.
    let stop: StopRequest
    /// What the processes exchange; nil for one process.
    let exchange: GradientExchange?
    private var loader: DataLoader
    /// When the time that ``TrainerState/seconds`` holds was last added to.
    var lap = ContinuousClock.now
    /// The steps that fit into the time of a run that has one; nil before that is known, and of other runs.
    var timePlan: TimePlan?
    /// What was wrong at the last step that was skipped.
    private var diagnosis = ""

    /// Sets up the training of a learner.
    ///
    /// With ``TrainingPlan/output`` and checkpoints in that folder, the newest is loaded and gone on from.
    ///
    /// - Parameters:
    ///   - learner: What a step computes.
    ///   - training: The training images; the seed of its plan decides their order and augmentation.
    ///   - plan: How long, how fast, and where to.
    ///   - observer: Watches the run.
    ///   - stop: Asks it to stop.
    /// - Throws: ``TrainingError/invalidPlan(_:)``, ``RunError`` for a folder that cannot be used, `CheckpointError` for
    ///   checkpoints of another module.
    public convenience init(
        _ learner: any Learner,
        training: DataLoader,
        plan: TrainingPlan,
        observer: (any TrainingObserver)? = nil,
        stop: StopRequest = StopRequest()
    ) throws {
        try plan.check()
        if let compute = plan.compute { ComputePolicy.current = compute }
        let writes = plan.group?.isFirst ?? true
        let parts = TrainerParts(
            plan: plan,
            run: try plan.output.flatMap { writes ? try RunDirectory(goingOnIn: $0) : nil },
            learner: learner,
            trainingLoader: { try training.reordered(attempt: $0) }
        )
        let observer = observer ?? Unobserved()
        try self.init(
            parts,
            state: TrainerCheckpoint.resume(parts, notice: observer.didNotice),
            observer: observer,
            stop: stop
        )
    }

    init(
        _ parts: TrainerParts,
        state: TrainerState,
        observer: any TrainingObserver,
        stop: StopRequest
    ) throws {
        self.parts = parts
        self.state = state
        let group = parts.plan.group
        exchange = group.map { GradientExchange($0, asked: stop) }
        self.stop = exchange?.stop ?? stop
        self.observer = group?.isFirst ?? true ? observer : Unobserved()
        parts.learner.exchange = exchange
        metrics = try parts.run.map {
            try MetricsLog(path: $0.metricsPath, keeping: state.metricsLength)
        }
        events =
            try parts.plan.tensorboard
            ? parts.run.map {
                try EventLog(
                    path: $0.eventsPath,
                    keeping: state.eventsLength ?? 0,
                    time: Date().timeIntervalSince1970
                )
            } : nil
        loader = try parts.trainingLoader(state.rollbacks)
        try checkProcesses()
    }

    var plan: TrainingPlan { parts.plan }

    /// The step that training goes on from, or has reached: the steps taken since the run began.
    public var stepsTaken: Int { state.step }

    /// The steps of an epoch.
    var stepsPerEpoch: Int { loader.plan.stepsPerEpoch }

    /// The epochs of the whole run; the last may be a part of one where the run has a time.
    var epochs: Int {
        timePlan.map { ($0.steps - 1) / max(stepsPerEpoch, 1) + 1 } ?? plan.epochs
    }

    /// The steps of the whole run; with ``TrainingPlan/time``, the most it can have until the speed is measured.
    public var totalSteps: Int { timePlan?.steps ?? stepsPerEpoch * plan.epochs }

    /// The learning rate that the plan has for a step.
    func learningRate(step: Int) -> Double { plan.learningRate.value(step: step, of: totalSteps) }

    /// Trains from the current state to the last epoch, or until asked to stop.
    public func run() async throws -> Outcome {
        let outcome = try await train()
        // The other processes stay until process 0 has saved: a launcher ends all when one ends too early.
        try exchange?.group.barrier()
        return outcome
    }

    private func train() async throws -> Outcome {
        tellWhatTheDataSays()
        lap = .now
        if let time = plan.time, try await !planTime(time) {
            return stop.signal.map { .stopped(signal: $0, checkpoint: nil) } ?? .finished(nil)
        }
        if state.isComplete == true {
            if let reason = exhaustedPatience { return .ended(reason: reason, state.best) }
            // A program may go on with more patience.
            if state.epoch < epochs { state.isComplete = nil }
        }
        if state.step == 0, let scores = try await parts.learner.measureStart(stop: stop) {
            try metrics?.append(WithNumbers(record: StartRecord(), numbers: scores.numbers))
            observer.didNotice(scores.notice)
        }
        while state.epoch < epochs {
            if let signal = stop.signal {
                // Before the first step there is nothing to keep, and a fresh head would look like a trained one.
                return .stopped(signal: signal, checkpoint: state.step == 0 ? nil : try save())
            }
            switch try await runEpoch() {
            case .finished, .rolledBack: continue
            case .ended(let reason): return .ended(reason: reason, state.best)
            case .stopped(let signal): return .stopped(signal: signal, checkpoint: try save())
            }
        }
        return .finished(state.best)
    }

    /// Trains what is left of the epoch at hand, validates and saves.
    private func runEpoch() async throws -> EpochOutcome {
        parts.learner.beginEpoch()
        var batches = loader.batches(
            epoch: plan.augmentationEpoch(state.epoch),
            startingAt: state.stepInEpoch
        ).makeAsyncIterator()
        var reported = unreadableImages
        var listed = loader.skipped.count
        while state.step < totalSteps {
            let beforeWaiting = ContinuousClock.now
            guard let batch = try await batches.next(isolation: #isolation) else { break }
            let waiting = ContinuousClock.now - beforeWaiting

            let lr = learningRate(step: state.step)
            let loss = try step(batch, lr: lr, waiting: waiting.inSeconds)
            if unreadableImages > reported {
                reported = unreadableImages
                listed = try tellUnreadable(after: listed)
            }
            observer.didFinish(step: report(loss: loss, lr: lr))

            if state.skippedInARow >= Self.skipsInARowLimit {
                try rollBack()
                return .rolledBack
            }
            if state.step.isMultiple(of: plan.logInterval) { try recordSteps(lr: lr) }
            if let signal = stop.signal { return .stopped(signal) }
            if let interval = plan.checkpointInterval, state.step.isMultiple(of: interval),
                state.stepInEpoch < stepsPerEpoch, state.step < totalSteps
            {
                try save()
            }
        }
        switch try await finishEpoch() {
        case .done: return .finished
        case .enough(let reason): return .ended(reason)
        // Stopped while validating: a resumed run has no step left in this epoch and validates again.
        case .interrupted: return stop.signal.map { .stopped($0) } ?? .finished
        }
    }

    // MARK: - A step

    /// Forward, backward, optimiser, average.
    ///
    /// Reads the loss, the score and the gradient's norm from the device at once.
    ///
    /// - Returns: The loss; the weights are unchanged where it is not finite.
    private func step(_ batch: ImageBatch, lr: Double, waiting: Double) throws -> Double {
        try manualSeed(
            StepRandomness.seed(
                plan.seed,
                epoch: state.epoch,
                step: state.stepInEpoch,
                attempt: state.rollbacks,
                rank: exchange?.group.rank ?? 0
            )
        )
        exchange?.unreadable = loader.skipped.count
        exchange?.group.step = state.step + 1
        let learner = parts.learner
        let place = StepPlace(
            step: state.step,
            epoch: state.epoch,
            stepInEpoch: state.stepInEpoch,
            attempt: state.rollbacks,
            learningRate: lr
        )
        // A forward pass moves running statistics; those of a skipped step must not stay.
        let statistics = try learner.movingStatistics().map { ($0, try $0.clone()) }
        let numbers = try learner.addGradients(batch, at: place)
        state.step += 1
        state.stepInEpoch += 1
        if numbers.areFinite, !numbers.overflowed {
            try learner.takeStep(numbers, at: place)
            state.optimizerSteps += 1
            state.skippedInARow = 0
        } else {
            // Before the diagnosis, which is to find the cause, and after it, which runs the layers again.
            for (tensor, value) in statistics { try tensor.copy(from: value) }
            // An overflow is how the scale of float16 is found.
            if numbers.overflowed, numbers.loss.isFinite {
                state.overflowedSteps = (state.overflowedSteps ?? 0) + 1
            } else {
                try skip(numbers, lr: lr)
            }
            for (tensor, value) in statistics { try tensor.copy(from: value) }
            try learner.leaveOutStep()
        }
        try learner.clearGradients()
        count(numbers, images: numbers.images ?? batch.count, waiting)
        return numbers.loss
    }

    private func count(_ numbers: StepNumbers, images: Int, _ waiting: Double) {
        let images = numbers.loss.isFinite ? images : 0
        let now = ContinuousClock.now
        let seconds = (now - lap).inSeconds
        lap = now
        state.seconds += seconds
        for sums in [\TrainerState.sums, \TrainerState.recordSums] {
            state[keyPath: sums].loss += images == 0 ? 0 : numbers.loss * Double(images)
            state[keyPath: sums].correct += images == 0 ? 0 : numbers.correct ?? 0
            for (name, value) in numbers.others where images > 0 {
                state[keyPath: sums].numbers = state[keyPath: sums].numbers ?? [:]
                state[keyPath: sums].numbers?[name, default: 0] += value * Double(images)
            }
            state[keyPath: sums].count += images
            state[keyPath: sums].seconds += seconds
            state[keyPath: sums].waiting += waiting
        }
    }

    private func report(loss: Double, lr: Double) -> StepReport {
        StepReport(
            step: state.step,
            totalSteps: totalSteps,
            epoch: state.epoch,
            epochs: epochs,
            loss: loss,
            lr: lr,
            sums: state.sums,
            scoresLabels: parts.learner.scoresLabels
        )
    }

    private func recordSteps(lr: Double) throws {
        let record = StepRecord(
            step: state.step,
            epoch: state.epoch + 1,
            sums: state.recordSums,
            lr: lr,
            scoresLabels: parts.learner.scoresLabels
        )
        try metrics?.append(WithNumbers(record: record, numbers: record.others))
        try events?.append(record.scalars, step: state.step, time: Date().timeIntervalSince1970)
        state.recordSums = EpochSums()
    }

    /// What was noticed when the data was opened, each thing once.
    private func tellWhatTheDataSays() {
        let notes = loader.dataset.notes
        let others = parts.notes.filter { !notes.contains($0) }
        for note in notes + others { observer.didNotice("note: \(note)") }
    }

    /// The images that could not be read so far; with several processes, those of all up to the last step.
    private var unreadableImages: Int { exchange?.unreadableInAll ?? loader.skipped.count }

    /// Tells of unreadable images, each once.
    private func tellUnreadable(after listed: Int) throws -> Int {
        let skipped = loader.skipped
        var listings = [skipped.listing(after: listed)]
        if let group = exchange?.group { listings = try group.gather(listings[0]) }
        state.unreadableImages = unreadableImages
        observer.didNotice(
            "warning: \(unreadableImages) of at most \(skipped.limit) unreadable images skipped: "
                + listings.filter { !$0.isEmpty }.joined(separator: ", ")
        )
        return skipped.count
    }

    // MARK: - A loss that is not finite

    private func skip(_ numbers: StepNumbers, lr: Double) throws {
        state.skippedSteps += 1
        state.skippedInARow += 1
        // The gradients are still there to be looked at.
        diagnosis = parts.learner.diagnosis()
        try metrics?.append(
            SkippedRecord(
                step: state.step,
                epoch: state.epoch + 1,
                trainLoss: numbers.loss,
                gradientNorm: numbers.gradientNorm,
                lr: lr,
                diagnosis: diagnosis
            )
        )
        observer.didNotice(
            "warning: step \(state.step) skipped: the loss is \(numbers.loss); \(diagnosis)"
        )
    }

    /// Goes back to the newest checkpoint and on in another order of the images, once.
    private func rollBack() throws {
        let before = state
        guard before.rollbacks == 0,
            let restored = try TrainerCheckpoint.loadNewestForAll(
                parts,
                notice: observer.didNotice
            )
        else {
            try metrics?.synchronize()
            throw TrainingError.diverged(step: state.step, diagnosis: diagnosis)
        }
        state = restored
        state.rollbacks = before.rollbacks + 1
        state.skippedSteps = before.skippedSteps
        state.skippedInARow = 0
        state.seconds = before.seconds
        loader = try parts.trainingLoader(state.rollbacks)
        try metrics?.append(
            RollbackRecord(step: before.step, backTo: state.step, diagnosis: diagnosis)
        )
        observer.didNotice(
            "warning: \(Self.skipsInARowLimit) steps in a row had no finite loss (\(diagnosis)); "
                + "going back to step \(state.step)"
        )
    }
}

extension Trainer {
    /// Makes sure that several processes can share the steps.
    private func checkProcesses() throws(TrainingError) {
        guard let group = exchange?.group else { return }
        guard parts.learner.exchange != nil else {
            throw .invalidPlan("the learner averages no gradients over the \(group.size) processes")
        }
        let share = BatchShare(rank: group.rank, size: group.size)
        guard loader.plan.share == share else {
            throw .invalidPlan(
                "the loader's plan is not the part of process \(group.rank) of \(group.size); use EpochPlan.shared(_:)"
            )
        }
        guard loader.plan.dropsLast, loader.plan.batchSize >= 2 * group.size else {
            throw .invalidPlan(
                "\(group.size) processes need whole batches of at least \(2 * group.size) images, without a smaller last one"
            )
        }
        if case .drop = loader.policy {
            throw .invalidPlan("unreadable training images must be replaced, not dropped")
        }
    }
}

/// Watches nothing.
private struct Unobserved: TrainingObserver {}

extension Duration {
    /// The duration in seconds.
    var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
