import Datasets
import Foundation
import Torch
import TorchNN

/// Runs that have a time: the speed is measured before the first step, and the number of steps is fixed then.
extension Trainer {
    /// The share of the time that measuring a step's speed may take.
    private static let share = 0.04
    /// The seconds that it may take, whatever the time; of a short time no more than a quarter.
    private static let seconds = 1.0...45.0
    /// The steps that are not measured: the first ones allocate memory and fill the loader's queue.
    private static let unmeasured = 2
    /// The steps that are measured at least.
    private static let fewest = 3
    /// The share of the recipe's epochs below which a run is too short for it.
    private static let shortShare = 0.1

    /// Takes the plan of a run that has one, or measures and writes it.
    ///
    /// - Parameter time: The time of the run in seconds.
    /// - Returns: Whether there is a plan; false where a signal asked to stop.
    /// - Throws: ``RunError`` where a resumed run's plan is gone or damaged, and what training throws.
    func planTime(_ time: Double) async throws -> Bool {
        var stored = try parts.run.flatMap { try TimePlan.read(in: $0.path) }
        if let group = exchange?.group { stored = try group.first(stored) }
        if let stored {
            timePlan = stored
            if state.step > 0, state.isComplete != true { tellTimeUsed(stored) }
            return true
        }
        guard state.step == 0 else {
            let path = parts.run.map { "\($0.path)/\(TimePlan.fileName)" } ?? TimePlan.fileName
            throw RunError.unreadable(
                path: path,
                reason: "it is missing, and no run goes on without it"
            )
        }
        let usual = min(max(Self.share * time, Self.seconds.lowerBound), Self.seconds.upperBound)
        guard let pace = try await rehearse(seconds: min(usual, time / 4)) else { return false }
        addLap()
        var plan = TimePlan(
            time,
            pace,
            secondsBefore: state.seconds,
            stepsPerEpoch: stepsPerEpoch,
            limit: totalSteps
        )
        // The clocks of the processes differ; process 0's counts.
        if let group = exchange?.group { plan = try group.first(plan) }
        try parts.run.map { try plan.write(to: $0) }
        timePlan = plan
        tell(plan)
        return true
    }

    // MARK: - Measuring

    /// Trains some steps, validates and saves, and puts everything back as it was; nil where a signal asked to stop.
    private func rehearse(seconds: Double) async throws -> TimePlan.Pace? {
        let learner = parts.learner
        let tensors =
            learner.module.namedTensors().map(\.tensor) + learner.namedState().map(\.tensor)
        let before = try tensors.map { ($0, try $0.clone()) }
        let counters = learner.counters
        guard let step = try await secondsPerStep(within: seconds),
            let measuring = try await secondsToMeasure()
        else { return nil }
        let saving = try secondsToSave()
        for (tensor, value) in before {
            try withoutGradient { try tensor.copy(from: value) }
        }
        learner.counters = counters
        learner.didLoad(state)
        let often = plan.checkpointInterval.map { saving / Double($0) } ?? 0
        return TimePlan.Pace(
            secondsPerStep: step + often,
            secondsPerEpochEnd: measuring + saving
        )
    }

    private func secondsPerStep(within seconds: Double) async throws -> Double? {
        let learner = parts.learner
        learner.beginEpoch()
        let loader = try parts.trainingLoader(0)
        var (steps, start) = (0, ContinuousClock.now)
        var place = StepPlace(step: 0, epoch: 0, stepInEpoch: 0, attempt: 0)
        while true {
            var batches = loader.batches(epoch: plan.augmentationEpoch(place.epoch))
                .makeAsyncIterator()
            while let batch = try await batches.next(isolation: #isolation) {
                guard stop.signal == nil else { return nil }
                try manualSeed(
                    StepRandomness.seed(plan.seed, epoch: place.epoch, step: place.stepInEpoch)
                )
                let numbers = try learner.addGradients(batch, at: place)
                // At the rate 0; a step with a loss that is not finite is skipped in training too.
                if numbers.areFinite { try learner.takeStep(numbers, at: place) }
                try learner.clearGradients()
                steps += 1
                place = StepPlace(
                    step: steps,
                    epoch: place.epoch,
                    stepInEpoch: place.stepInEpoch + 1,
                    attempt: 0
                )
                if steps == Self.unmeasured { start = .now }
                let measured = steps - Self.unmeasured
                let spent = (ContinuousClock.now - start).inSeconds
                var isEnough = measured >= Self.fewest && spent >= seconds
                if let group = exchange?.group { isEnough = try group.first(isEnough) }
                if isEnough { return spent / Double(measured) }
            }
            // Small data is over soon; the pause between two epochs then counts, as it does in training.
            place = StepPlace(step: steps, epoch: place.epoch + 1, stepInEpoch: 0, attempt: 0)
        }
    }

    private func secondsToMeasure() async throws -> Double? {
        if let seconds = try await parts.learner.secondsToMeasure(stop: stop) {
            return stop.signal == nil ? seconds : nil
        }
        let start = ContinuousClock.now
        let place = StepPlace(step: 0, epoch: 0, stepInEpoch: 0, attempt: 0)
        let scores = try await parts.learner.measure(after: place, sums: EpochSums(), stop: stop)
        return scores == nil ? nil : (ContinuousClock.now - start).inSeconds
    }

    private func secondsToSave() throws -> Double {
        guard let run = parts.run else { return 0 }
        let start = ContinuousClock.now
        try TrainerCheckpoint.rehearse(parts, in: run)
        return (ContinuousClock.now - start).inSeconds
    }

    // MARK: - Telling

    private func tell(_ timePlan: TimePlan) {
        let all = stepsPerEpoch * plan.epochs
        let spe = max(stepsPerEpoch, 1)
        let pace =
            "\(Self.digits(timePlan.secondsPerStep, 3)) s a step, \(Self.digits(timePlan.secondsPerEpochEnd, 1)) s of "
            + "validation and saving an epoch"
        let given = DurationText.write(timePlan.time)
        guard timePlan.steps < all else {
            let needed = DurationText.write(
                timePlan.expectedSeconds(stepsPerEpoch: spe).rounded(.up)
            )
            observer.didNotice(
                "note: all \(plan.epochs) epochs (\(all) steps) take about \(needed) of the \(given): \(pace); choose "
                    + "more --epochs to use the rest"
            )
            return
        }
        let epochs = Double(timePlan.steps) / Double(spe)
        observer.didNotice(
            "note: \(given) are enough for \(timePlan.steps) of \(all) steps, \(Self.digits(epochs, 1)) of \(plan.epochs) "
                + "epochs, to which the schedule is compressed: \(pace)"
        )
        if epochs < Self.shortShare * Double(plan.epochs) {
            observer.didNotice(
                "warning: the run is too short for its recipe of \(plan.epochs) epochs: choose more --time, or a recipe "
                    + "for short runs, such as quickstart, cifar or finetune"
            )
        }
        if let warning = RunPlan.warningOfFewSteps(timePlan.steps) { observer.didNotice(warning) }
    }

    private func tellTimeUsed(_ timePlan: TimePlan) {
        let left = timePlan.steps - state.step
        observer.didNotice(
            "note: \(DurationText.write(state.seconds.rounded())) of \(DurationText.write(timePlan.time)) used; "
                + "\(left) of \(timePlan.steps) steps left, planned when the run began"
        )
    }

    private static func digits(_ value: Double, _ count: Int) -> String {
        String(format: "%.\(count)f", value)
    }
}
