import Torch
import TorchNN

/// The estimated cost of a run, before its first step: measured on a few images of noise and multiplied.
public struct RunEstimate: Sendable, Equatable {
    /// The memory in bytes, on a GPU that of its tensors; nil where the system does not report how much is in use.
    public let memory: Int?
    /// The seconds of a step, without waiting for images.
    public let secondsPerStep: Double
    /// The seconds of what is left of the run, validation included, without waiting for images.
    public let seconds: Double
    /// The images that were measured.
    public let images: Int
}

/// What of a run is measured for an estimate.
@ModelActor
struct EstimatedRun {
    let plan: RunPlan
    /// The network that learns.
    let module: Module
    let optimizer: any Optimizer
    /// What a forward pass moves, and what must be as before.
    let statistics: [Tensor]
    /// The multiplications that an image takes, forward and backward.
    let macs: Double
    /// The numbers of an image, all its crops together.
    let imageCount: Int
    /// What an epoch's end measures, in images that take as long as those of a step.
    let measured: Double
    /// Adds the gradients of that many images of noise.
    let addGradients: (_ images: Int) throws -> Void
}

@ModelActor
extension RunEstimate {
    /// The multiplications that the measurement may take, so that it is over within seconds.
    private static let budget = 2e11

    /// Runs a few images forward and backward twice and takes the second time; weights, statistics and gradients
    /// are then as before.
    ///
    /// - Parameters:
    ///   - run: What is measured.
    ///   - state: The state of the run.
    /// - Throws: `TorchError` for a lack of memory.
    init(_ run: EstimatedRun, state: TrainerState) throws {
        let options = run.plan.options
        let inPart = (options.batch + options.accumulation - 1) / options.accumulation
        // Batch normalisation needs two.
        let affordable = Int(min(Self.budget / max(run.macs, 1), 16))
        let count = min(inPart, max(2, affordable))

        let statistics = try run.statistics.map { ($0, try $0.clone()) }
        let device = run.plan.policy.device
        device.resetPeakMemory()
        let canMeasure = device != .cpu || MemoryGauge.reset()
        let before = device == .cpu ? MemoryGauge.current : device.peakMemory
        try run.addGradients(count)
        let start = ContinuousClock.now
        try run.addGradients(count)
        let pass = (ContinuousClock.now - start).inSeconds / Double(count)
        let onHost = canMeasure ? MemoryGauge.peak : nil
        let peak = device == .cpu ? onHost : device.peakMemory
        for (tensor, value) in statistics { try tensor.copy(from: value) }
        try run.optimizer.clearGradients()

        images = count
        secondsPerStep = pass * Double(options.batch)
        let all =
            secondsPerStep * Double(run.plan.totalSteps - state.step)
            + pass * run.measured * Double(options.epochs - state.epoch)
        seconds = options.time.map { min(all, max(0, $0 - state.seconds)) } ?? all
        memory = before.flatMap { before in
            peak.map { peak in
                let gradients = Self.bytes(run.module.namedParameters().map(\.parameter.tensor))
                let perImage = max(0, peak - before - gradients) / count
                let image = run.imageCount * MemoryLayout<Float>.stride
                let step = before + gradients + perImage * inPart
                guard device == .cpu else { return step + image * options.batch }
                // The loader holds four batches or so, and the optimiser's memory is not touched yet.
                return step + 4 * image * options.batch
                    + Self.bytes(run.optimizer.namedState().map(\.tensor))
            }
        }
    }

    private static func bytes(_ tensors: [Tensor]) -> Int {
        tensors.reduce(0) { $0 + $1.elementCount * $1.dtype.byteSize }
    }
}
