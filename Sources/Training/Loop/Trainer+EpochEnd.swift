import Foundation
import TorchNN

/// What happens after an epoch's last step: validation, the record, the checkpoint, `best`.
extension Trainer {
    /// How an epoch ended.
    enum EpochEnd {
        case done
        /// The method asks to end the run; the sentence gives the reason.
        case enough(String)
        /// A signal asked to stop during the validation; nothing has changed.
        case interrupted
    }

    /// Validates, records and saves.
    func finishEpoch() async throws -> EpochEnd {
        let place = StepPlace(
            step: state.step,
            epoch: state.epoch,
            stepInEpoch: state.stepInEpoch,
            attempt: state.rollbacks
        )
        guard
            let scores = try await parts.learner.measure(
                after: place,
                sums: state.sums,
                stop: stop
            )
        else { return .interrupted }
        addLap()
        let isFit = try isFitToKeep()
        let found = bestScore(scores)
        let isBest = isFit && isBetter(found, than: state.best)
        let best = isBest ? found : state.best ?? found
        let report = report(scores, best: best, isBest: isBest)
        let record = EpochRecord(report)
        try metrics?.append(WithNumbers(record: record, numbers: record.others))
        try events?.append(record.scalars, step: state.step, time: Date().timeIntervalSince1970)
        // A run that is killed before it saves comes here again, and writes the same.
        for file in scores.files { try parts.run?.write(file.bytes, to: file.name) }
        if isBest { state.best = best }
        state.epoch += 1
        state.stepInEpoch = 0
        state.sums = EpochSums()
        let exhausted = exhaustedPatience
        if exhausted != nil || timePlan != nil && state.epoch >= epochs { state.isComplete = true }
        if isBest, let best, best.isAverage, let run = parts.run {
            try TrainerCheckpoint.saveAverage(parts, in: run, name: best.checkpoint)
        }
        try save()
        if isBest, let best { try parts.run?.point(.best, to: best.checkpoint) }
        parts.run?.prune(keepLast: plan.keepLast)
        observer.didFinish(epoch: report)
        for notice in scores.notices { observer.didNotice(notice) }
        return (scores.stopReason ?? exhausted).map { .enough($0) } ?? .done
    }

    /// Why the run ends where too many epochs in a row were not better; nil where it goes on.
    ///
    /// It follows from the best score's step alone, so a resumed run counts as one that never stopped.
    var exhaustedPatience: String? {
        guard let patience = plan.patience, let best = state.best, state.epoch < epochs,
            state.epoch * stepsPerEpoch - best.step >= patience * stepsPerEpoch
        else { return nil }
        return
            "no better \(plan.bestMetric.title) on the validation images in \(patience) "
            + "epoch\(patience == 1 ? "" : "s") (--patience)"
    }

    /// Saves a checkpoint of this moment, unless the weights are not fit to be kept.
    ///
    /// - Returns: Its name, or that of the newest one before; nil without a folder to save in.
    @discardableResult
    func save() throws -> String? {
        guard let run = parts.run else { return nil }
        guard try isFitToKeep() else {
            observer.didNotice(
                "warning: no checkpoint at step \(state.step): the last loss was not finite"
            )
            return run.target(of: .last)
        }
        addLap()
        try metrics?.synchronize()
        state.metricsLength = metrics?.length ?? 0
        try events?.synchronize()
        state.eventsLength = events?.length
        state.counters = parts.learner.counters.isEmpty ? nil : parts.learner.counters
        let name = try TrainerCheckpoint.save(parts, in: run, state: state)
        run.prune(keepLast: plan.keepLast, keeping: state.best?.checkpoint)
        return name
    }

    private func isFitToKeep() throws -> Bool {
        try state.skippedInARow == 0 && NonFiniteDiagnosis.areFinite(parts.learner.module)
    }

    func addLap() {
        let now = ContinuousClock.now
        state.seconds += (now - lap).inSeconds
        lap = now
    }

    private func isBetter(_ found: BestScore?, than best: BestScore?) -> Bool {
        guard let found else { return false }
        guard let best else { return !found.value.isNaN }
        return plan.bestMetric.isBetter(found.value, than: best.value)
    }

    /// The better one of the model and the average, and the checkpoint that will hold it.
    private func bestScore(_ scores: EpochScores) -> BestScore? {
        let name = RunDirectory.checkpointName(step: state.step)
        guard let validation = scores.validation else {
            return scores.knnTop1.map {
                BestScore(top1: $0, step: state.step, isAverage: false, checkpoint: name)
            }
        }
        let own = score(validation, isAverage: false, checkpoint: name)
        guard let average = scores.average else { return own }
        let averaged = score(average, isAverage: true, checkpoint: name + "-ema")
        let isOwnUnusable = own.value.isNaN && !averaged.value.isNaN
        return isOwnUnusable || isBetter(averaged, than: own) ? averaged : own
    }

    private func score(
        _ score: ValidationScore,
        isAverage: Bool,
        checkpoint: String
    ) -> BestScore {
        let isUsual = plan.bestMetric == .top1
        return BestScore(
            top1: score.top1,
            step: state.step,
            isAverage: isAverage,
            checkpoint: checkpoint,
            metric: isUsual ? nil : plan.bestMetric,
            metricValue: isUsual ? nil : score.value(plan.bestMetric) ?? .nan
        )
    }

    private func report(
        _ scores: EpochScores,
        best: BestScore?,
        isBest: Bool
    ) -> EpochReport {
        EpochReport(
            epoch: state.epoch + 1,
            epochs: epochs,
            step: state.step,
            training: state.sums,
            lr: learningRate(step: max(state.step - 1, 0)),
            scoresLabels: parts.learner.scoresLabels,
            validation: scores.validation,
            validationLoss: scores.validation?.loss ?? scores.loss,
            average: scores.average,
            knnTop1: scores.knnTop1,
            best: best,
            isBest: isBest,
            skippedSteps: state.skippedSteps,
            unreadableImages: state.unreadableImages,
            seconds: state.seconds
        )
    }
}
