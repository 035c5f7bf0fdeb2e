import Datasets
import Foundation
public import Torch
import TorchNN

/// The loop: batches in, steps, validation, checkpoints.
///
/// `runEpoch` is the place to start reading. It runs on `ModelActor`. Everything random is a function of seed, epoch and
/// step, and everything that a step depends on is in the checkpoint, so a resumed run equals one that never stopped.
@ModelActor
public final class TrainingLoop {
    /// How a run ended.
    public enum Outcome: Sendable {
        /// All epochs are done.
        case finished(BestScore?)
        /// A signal asked to stop; the checkpoint of that name holds everything.
        case stopped(signal: Int32, checkpoint: String?)
    }

    private enum EpochOutcome {
        case finished
        case stopped(Int32)
        case rolledBack
    }

    /// How many steps in a row may have a loss that is not finite.
    static let skipsInARowLimit = 3

    let parts: TrainingParts
    let metrics: MetricsLog
    let events: EventLog?
    var state: TrainerState
    let observer: any TrainingObserver
    let stop: StopRequest
    private var loader: DataLoader
    /// When the time that ``TrainerState/seconds`` holds was last added to.
    var lap = ContinuousClock.now
    /// What was wrong at the last step that was skipped.
    private var diagnosis = ""

    init(
        _ parts: TrainingParts,
        state: TrainerState,
        observer: any TrainingObserver,
        stop: StopRequest
    ) throws {
        self.parts = parts
        self.state = state
        self.observer = observer
        self.stop = stop
        metrics = try MetricsLog(path: parts.run.metricsPath, keeping: state.metricsLength)
        events =
            parts.plan.options.tensorboard
            ? try EventLog(
                path: parts.run.eventsPath,
                keeping: state.eventsLength ?? 0,
                time: Date().timeIntervalSince1970
            ) : nil
        loader = try parts.trainingLoader(state.rollbacks)
    }

    var plan: TrainingPlan { parts.plan }

    /// Trains from where the state stands to the last epoch, or until asked to stop.
    public func run() async throws -> Outcome {
        tellWhatTheDataSays()
        lap = .now
        while state.epoch < plan.options.epochs {
            if let signal = stop.signal {
                // Before the first step there is nothing to keep, and a fresh head would look like a trained one.
                return .stopped(signal: signal, checkpoint: state.step == 0 ? nil : try save())
            }
            switch try await runEpoch() {
            case .finished, .rolledBack: continue
            case .stopped(let signal): return .stopped(signal: signal, checkpoint: try save())
            }
        }
        return .finished(state.best)
    }

    /// Trains what is left of the epoch at hand, validates and saves.
    private func runEpoch() async throws -> EpochOutcome {
        parts.student.module.trainUnfrozen(plan.options.trainMode)
        var batches = loader.batches(
            epoch: plan.augmentationEpoch(state.epoch),
            startingAt: state.stepInEpoch
        ).makeAsyncIterator()
        var reported = loader.skipped.count
        while true {
            let beforeWaiting = ContinuousClock.now
            guard let batch = try await batches.next(isolation: #isolation) else { break }
            let waiting = ContinuousClock.now - beforeWaiting

            let lr = plan.learningRate(step: state.step)
            let loss = try step(batch, lr: lr, waiting: waiting.inSeconds)
            if loader.skipped.count > reported { reported = tellUnreadable() }
            observer.didFinish(step: report(loss: loss, lr: lr))

            if state.skippedInARow >= Self.skipsInARowLimit {
                try rollBack()
                return .rolledBack
            }
            if state.step.isMultiple(of: plan.options.logInterval) { try recordSteps(lr: lr) }
            if let signal = stop.signal { return .stopped(signal) }
            if let interval = plan.options.checkpointInterval, state.step.isMultiple(of: interval),
                state.stepInEpoch < plan.stepsPerEpoch
            {
                try save()
            }
        }
        let isDone = try await finishEpoch()
        // Stopped while validating: a resumed run has no step left in this epoch and validates again.
        if !isDone, let signal = stop.signal { return .stopped(signal) }
        return .finished
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
                plan.options.seed,
                epoch: state.epoch,
                step: state.stepInEpoch,
                attempt: state.rollbacks
            )
        )
        var input = try StepInput(batch)
        // A run that was rolled back shows other pictures than those that the answers are kept of.
        if let teacher = parts.teacher, state.rollbacks == 0 {
            input = try teacher.answered(
                input,
                epoch: plan.augmentationEpoch(state.epoch),
                step: state.stepInEpoch
            )
        }
        // A forward pass moves running statistics; those of a skipped step must not stay.
        let buffers = try parts.student.module.namedBuffers().map {
            ($0.buffer.tensor, try $0.buffer.tensor.clone())
        }
        let numbers = try StepGradients.add(
            parts.task,
            input,
            parts: plan.options.accumulation,
            norm: plan.options.clipGrad == nil ? nil : parts.optimizer
        )
        state.step += 1
        state.stepInEpoch += 1
        if numbers.areFinite {
            if let limit = plan.options.clipGrad, let norm = numbers.gradientNorm {
                try parts.optimizer.clipGradients(norm: norm, maxNorm: limit)
            }
            try parts.optimizer.step(lr: lr)
            try parts.ema?.update()
            state.optimizerSteps += 1
            state.skippedInARow = 0
        } else {
            // Before the diagnosis, which is to find the cause, and after it, which runs the layers again.
            for (buffer, value) in buffers { try buffer.copy(from: value) }
            try skip(numbers, lr: lr, pixels: input.pixels)
            for (buffer, value) in buffers { try buffer.copy(from: value) }
        }
        try parts.optimizer.clearGradients()
        let isCounted = numbers.loss.isFinite
        count(
            loss: isCounted ? numbers.loss : 0,
            correct: numbers.correct,
            pictures: isCounted ? batch.count : 0,
            waiting
        )
        return numbers.loss
    }

    private func count(loss: Double, correct: Double, pictures: Int, _ waiting: Double) {
        let now = ContinuousClock.now
        let seconds = (now - lap).inSeconds
        lap = now
        state.seconds += seconds
        for sums in [\TrainerState.sums, \TrainerState.recordSums] {
            state[keyPath: sums].loss += loss * Double(pictures)
            state[keyPath: sums].correct += pictures == 0 ? 0 : correct
            state[keyPath: sums].count += pictures
            state[keyPath: sums].seconds += seconds
            state[keyPath: sums].waiting += waiting
        }
    }

    private func report(loss: Double, lr: Double) -> StepReport {
        StepReport(
            step: state.step,
            totalSteps: plan.totalSteps,
            epoch: state.epoch,
            epochs: plan.options.epochs,
            loss: loss,
            lr: lr,
            sums: state.sums
        )
    }

    private func recordSteps(lr: Double) throws {
        let record = StepRecord(
            step: state.step,
            epoch: state.epoch + 1,
            sums: state.recordSums,
            lr: lr
        )
        try metrics.append(record)
        try events?.append(record.scalars, step: state.step, time: Date().timeIntervalSince1970)
        state.recordSums = EpochSums()
    }

    /// What was noticed when the data was opened, each thing once.
    private func tellWhatTheDataSays() {
        let notes = loader.dataset.notes
        let others = parts.validationLoader.dataset.notes.filter { !notes.contains($0) }
        for note in notes + others { observer.didNotice("note: \(note)") }
    }

    private func tellUnreadable() -> Int {
        let skipped = loader.skipped
        state.unreadablePictures = skipped.count
        observer.didNotice(
            "warning: \(skipped.count) of at most \(skipped.limit) unreadable pictures skipped: \(skipped.listing)"
        )
        return skipped.count
    }

    // MARK: - A loss that is not finite

    private func skip(_ numbers: StepGradients.Numbers, lr: Double, pixels: Tensor) throws {
        state.skippedSteps += 1
        state.skippedInARow += 1
        // The gradients are still there to be looked at.
        diagnosis = NonFiniteDiagnosis.sentence(parts.student, pixels: pixels)
        try metrics.append(
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

    /// Goes back to the newest checkpoint and on in another order of the pictures, once.
    private func rollBack() throws {
        let before = state
        guard before.rollbacks == 0,
            let restored = try TrainerCheckpoint.loadNewest(into: parts, notice: observer.didNotice)
        else {
            try metrics.synchronize()
            throw TrainingError.diverged(step: state.step, diagnosis: diagnosis)
        }
        state = restored
        state.rollbacks = before.rollbacks + 1
        state.skippedSteps = before.skippedSteps
        state.skippedInARow = 0
        state.seconds = before.seconds
        loader = try parts.trainingLoader(state.rollbacks)
        try metrics.append(
            RollbackRecord(step: before.step, backTo: state.step, diagnosis: diagnosis)
        )
        observer.didNotice(
            "warning: \(Self.skipsInARowLimit) steps in a row had no finite loss (\(diagnosis)); "
                + "going back to step \(state.step)"
        )
    }
}

extension Duration {
    /// The duration in seconds.
    var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
