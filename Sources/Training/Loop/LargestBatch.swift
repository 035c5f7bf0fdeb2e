import Torch
import TorchNN

/// The largest batch whose step fits a device's memory, found by trying.
@ModelActor
enum LargestBatch {
    /// Finds how many images of noise go forward and backward at once; weights, statistics and gradients are then as before.
    ///
    /// The number is doubled until memory is lacking, and then searched in between in steps of eight.
    ///
    /// - Parameters:
    ///   - run: What is measured.
    ///   - device: Where it runs; not the CPU, whose system ends a process rather than refuse it memory.
    ///   - limit: The largest number of interest, at least 1.
    /// - Returns: The number of images; nil where not even one fits.
    /// - Throws: `TorchError` other than a lack of memory.
    static func find(_ run: EstimatedRun, on device: Device, limit: Int) throws -> Int? {
        let statistics = try run.statistics.map { ($0, try $0.clone()) }
        defer { device.releaseCachedMemory() }
        func fits(_ count: Int) throws -> Bool {
            defer { device.releaseCachedMemory() }
            var isEnough = true
            do {
                try run.addGradients(count)
            } catch let error as TorchError where error.isOutOfMemory {
                isEnough = false
            }
            try run.optimizer.clearGradients()
            for (tensor, value) in statistics { try tensor.copy(from: value) }
            return isEnough
        }
        var (largest, tooMany) = (0, limit + 1)
        var next = min(2, limit)
        while largest < limit {
            guard try fits(next) else {
                tooMany = next
                break
            }
            largest = next
            next = min(2 * next, limit)
        }
        // Products of multiples of eight are the fastest.
        let step = largest < 16 ? 1 : 8
        while tooMany - largest > step {
            let middle = largest + max(step, (tooMany - largest) / 2 / step * step)
            if try fits(middle) { largest = middle } else { tooMany = middle }
        }
        return largest == 0 ? nil : largest
    }
}

extension Trainer {
    /// Trains as ``run()`` does, and explains a lack of memory by the largest batch that fits.
    ///
    /// - Parameters:
    ///   - plan: The run's plan.
    ///   - measured: What of the run is measured.
    /// - Returns: As ``run()``.
    /// - Throws: As ``run()``; ``TrainingError/outOfMemory(device:batch:parts:largest:)``.
    func run(_ plan: RunPlan, measuring measured: () throws -> EstimatedRun) async throws -> Outcome
    {
        do {
            return try await run()
        } catch let error as TorchError where error.isOutOfMemory {
            let (options, device) = (plan.options, plan.policy.device)
            try parts.learner.clearGradients()
            let part = (options.batch + options.accumulation - 1) / options.accumulation
            let largest =
                device == .cpu
                ? nil : try LargestBatch.find(measured(), on: device, limit: part)
            throw TrainingError.outOfMemory(
                device: "\(device)",
                batch: options.batch,
                parts: options.accumulation,
                largest: largest
            )
        }
    }
}
