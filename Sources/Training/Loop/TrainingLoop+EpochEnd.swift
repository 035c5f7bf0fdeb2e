import Foundation
import TorchNN

/// What happens after an epoch's last step: validation, the record, the checkpoint, `best`.
extension TrainingLoop {
    /// Validates, records and saves.
    ///
    /// - Returns: False where a signal asked to stop during the validation; nothing has changed then.
    func finishEpoch() async throws -> Bool {
        guard let scores = try await Validation.run(parts, stop: stop) else { return false }
        addLap()
        let isFit = try isFitToKeep()
        let found = bestScore(scores.model, scores.average)
        let isBest = isFit && found.top1 > state.best?.top1 ?? -1
        let best = isBest ? found : state.best ?? found
        let report = report(scores.model, scores.average, best: best, isBest: isBest)
        let record = EpochRecord(report)
        try metrics.append(record)
        try events?.append(record.scalars, step: state.step, time: Date().timeIntervalSince1970)
        if isBest { state.best = best }
        state.epoch += 1
        state.stepInEpoch = 0
        state.sums = EpochSums()
        if isBest, best.isAverage {
            try TrainerCheckpoint.saveAverage(parts, name: best.checkpoint)
        }
        try save()
        if isBest { try parts.run.point(.best, to: best.checkpoint) }
        parts.run.prune(keepLast: plan.options.keepLast)
        observer.didFinish(epoch: report)
        return true
    }

    /// Saves a checkpoint of this moment, unless the weights are not fit to be kept.
    ///
    /// - Returns: Its name, or that of the newest one before.
    @discardableResult
    func save() throws -> String? {
        guard try isFitToKeep() else {
            observer.didNotice(
                "warning: no checkpoint at step \(state.step): the last loss was not finite"
            )
            return parts.run.target(of: .last)
        }
        addLap()
        try metrics.synchronize()
        state.metricsLength = metrics.length
        try events?.synchronize()
        state.eventsLength = events?.length
        let name = try TrainerCheckpoint.save(parts, state: state)
        parts.run.prune(keepLast: plan.options.keepLast, keeping: state.best?.checkpoint)
        return name
    }

    private func isFitToKeep() throws -> Bool {
        try state.skippedInARow == 0 && NonFiniteDiagnosis.areFinite(parts.student.module)
    }

    private func addLap() {
        let now = ContinuousClock.now
        state.seconds += (now - lap).inSeconds
        lap = now
    }

    /// The better one of the model and the average, and the checkpoint that will hold it.
    private func bestScore(_ model: ValidationScore, _ average: ValidationScore?) -> BestScore {
        let name = RunDirectory.checkpointName(step: state.step)
        if let average, average.top1 > model.top1 {
            return BestScore(
                top1: average.top1,
                step: state.step,
                isAverage: true,
                checkpoint: name + "-ema"
            )
        }
        return BestScore(top1: model.top1, step: state.step, isAverage: false, checkpoint: name)
    }

    private func report(
        _ model: ValidationScore,
        _ average: ValidationScore?,
        best: BestScore,
        isBest: Bool
    ) -> EpochReport {
        EpochReport(
            epoch: state.epoch + 1,
            epochs: plan.options.epochs,
            step: state.step,
            training: state.sums,
            lr: plan.learningRate(step: max(state.step - 1, 0)),
            validation: model,
            average: average,
            best: best,
            isBest: isBest,
            skippedSteps: state.skippedSteps,
            unreadablePictures: state.unreadablePictures,
            seconds: state.seconds
        )
    }
}
