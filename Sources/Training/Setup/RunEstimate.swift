import Torch
import TorchNN

/// What a run will take, told before its first step: measured on a few pictures of noise and multiplied.
public struct RunEstimate: Sendable, Equatable {
    /// The memory in bytes, or nil where the system does not tell how much is in use.
    public let memory: Int?
    /// The seconds of a step, without waiting for pictures.
    public let secondsPerStep: Double
    /// The seconds of what is left of the run, validation included, without waiting for pictures.
    public let seconds: Double
    /// The pictures that were measured.
    public let pictures: Int
}

@ModelActor
extension RunEstimate {
    /// The multiplications that the measurement may take, so that it is over within seconds.
    private static let budget = 2e11

    /// Runs a few pictures forward and backward twice and takes the second time; weights, statistics and gradients
    /// are then as before.
    ///
    /// - Parameters:
    ///   - parts: The run.
    ///   - macs: The multiplications that one picture takes.
    ///   - inputShape: The shape of a picture, `[channels, height, width]`.
    ///   - state: Where the run stands.
    /// - Throws: `TorchError` for a lack of memory.
    init(_ parts: TrainingParts, macs: Int, inputShape: [Int], state: TrainerState) throws {
        let plan = parts.plan
        let options = plan.options
        let inPart = (options.batch + options.accumulation - 1) / options.accumulation
        let count = max(1, min(inPart, 16, Int(Self.budget / (3 * Double(max(macs, 1))))))

        let module = parts.student.module
        let buffers = try module.namedBuffers().map {
            ($0.buffer.tensor, try $0.buffer.tensor.clone())
        }
        // Every epoch sets the mode anew.
        module.trainUnfrozen(options.trainMode)
        var input = try Self.noise(count, inputShape, plan)
        if parts.teacher?.hasAllAnswers == true {
            input = input.answered(by: try Tensor.zeros([count, plan.classNames.count]))
        }
        let canMeasure = MemoryGauge.reset()
        let before = MemoryGauge.current
        _ = try StepGradients.add(parts.task, input, parts: 1)
        let start = ContinuousClock.now
        _ = try StepGradients.add(parts.task, input, parts: 1)
        let pass = (ContinuousClock.now - start).inSeconds / Double(count)
        let peak = canMeasure ? MemoryGauge.peak : nil
        for (buffer, value) in buffers { try buffer.copy(from: value) }
        try parts.optimizer.clearGradients()

        pictures = count
        secondsPerStep = pass * Double(options.batch)
        // A forward pass is a third of a step, and nearly all of it where no gradient goes back.
        let share = FrozenWeights.isBackboneFrozen(module) ? 1.0 : 1.0 / 3
        let models = parts.average == nil ? 1.0 : 2.0
        let validation = pass * share * models * Double(plan.validationCount)
        seconds =
            secondsPerStep * Double(plan.totalSteps - state.step)
            + validation * Double(options.epochs - state.epoch)
        memory = before.flatMap { before in
            peak.map { peak in
                let gradients = Self.bytes(module.namedParameters().map(\.parameter.tensor))
                let perPicture = max(0, peak - before - gradients) / count
                let picture = inputShape.reduce(MemoryLayout<Float>.stride, *)
                // The loader holds four batches or so, and the optimiser's memory is not touched yet.
                return before + gradients + perPicture * inPart + 4 * picture * options.batch
                    + Self.bytes(parts.optimizer.namedState().map(\.tensor))
            }
        }
    }

    private static func noise(
        _ count: Int,
        _ inputShape: [Int],
        _ plan: TrainingPlan
    ) throws -> StepInput {
        let classes = plan.classNames.count
        let labels = try Tensor((0..<count).map { Int64($0 % classes) }, shape: [count])
        return StepInput(
            pixels: try Tensor.randn([count] + inputShape),
            targets: TrainingTargets(
                labels: labels,
                soft: plan.options.mixes ? try labels.oneHot(classes: classes) : nil
            )
        )
    }

    private static func bytes(_ tensors: [Tensor]) -> Int {
        tensors.reduce(0) { $0 + $1.elementCount * $1.dtype.byteSize }
    }
}
