import Datasets
import Torch
import TorchNN

/// Learning from labels, and from a teacher that knows them.
@ModelActor
final class SupervisedLearner: Learner {
    private let parts: TrainingParts
    /// The pixels of the last batch, for a diagnosis.
    private var pixels: Tensor?
    var counters: [String: Double] = [:]

    init(_ parts: TrainingParts) {
        self.parts = parts
    }

    var module: Module { parts.student.module }

    func movingStatistics() -> [Tensor] { module.namedBuffers().map(\.buffer.tensor) }

    func beginEpoch() { module.trainUnfrozen(parts.plan.options.trainMode) }

    func addGradients(_ batch: ImageBatch, at place: StepPlace) throws -> StepGradients.Numbers {
        var input = try StepInput(batch)
        // A run that was rolled back shows other images than those that the answers are kept of.
        if let teacher = parts.teacher, place.attempt == 0 {
            input = try teacher.answered(
                input,
                epoch: parts.plan.augmentationEpoch(place.epoch),
                step: place.stepInEpoch
            )
        }
        pixels = input.pixels
        return try StepGradients.add(
            parts.task,
            input,
            parts: parts.plan.options.accumulation,
            norm: parts.plan.options.clipGrad == nil ? nil : parts.optimizer
        )
    }

    func diagnosis() -> String {
        guard let pixels else { return "there was no batch" }
        return NonFiniteDiagnosis.sentence(module, pixels: [pixels]) {
            parts.student.firstNonFiniteLayer(pixels)
        }
    }

    func takeStep(_ numbers: StepGradients.Numbers, at place: StepPlace) throws {
        if let limit = parts.plan.options.clipGrad, let norm = numbers.gradientNorm {
            try parts.optimizer.clipGradients(norm: norm, maxNorm: limit)
        }
        try parts.optimizer.step(lr: parts.plan.learningRate(step: place.step))
        try parts.ema?.update()
    }

    func clearGradients() throws {
        pixels = nil
        try parts.optimizer.clearGradients()
    }

    func measure(
        after place: StepPlace,
        sums: EpochSums,
        stop: StopRequest
    ) async throws -> EpochScores? {
        guard let scores = try await Validation.run(parts, stop: stop) else { return nil }
        return EpochScores(validation: scores.model, average: scores.average)
    }

    func namedState() -> [(name: String, tensor: Tensor)] {
        parts.optimizer.namedState().map { ("optimizer.\($0.name)", $0.tensor) }
            + (parts.ema?.namedTensors() ?? []).map { ("ema.\($0.name)", $0.tensor) }
    }

    func save(to folder: String) throws { try parts.student.save(folder) }

    func load(from folder: String) throws { try parts.student.load(folder) }

    /// The averages stand in ``TrainingParts/average`` since the validation.
    func saveAverage(to folder: String) throws { try parts.average?.save(folder) }

    func didLoad(_ state: TrainerState) { parts.ema?.updateCount = state.optimizerSteps }
}
