import Foundation
import Torch

@ModelActor
extension LargestBatch {
    /// The batch of a run whose options leave it to the memory.
    ///
    /// - Parameters:
    ///   - request: The run, with ``TrainingOptions/automaticBatch``.
    ///   - observer: Is told the batch.
    /// - Returns: The batch.
    /// - Throws: ``OptionError`` where it cannot be found, and what setting a run up throws.
    static func batch(_ request: RunRequest, observer: any TrainingObserver) throws -> Int {
        let options = request.options
        let device = try request.trainingDevice()
        guard device != .cpu else {
            throw OptionError.conflict(
                "--batch auto finds the largest batch that fits the memory of a GPU; on the CPU choose a number, such as "
                    + "--batch 64"
            )
        }
        guard options.teacherFinetune == nil else {
            throw OptionError.conflict(
                "--batch auto cannot measure a teacher that is trained first: choose a number, or train the teacher with "
                    + "deit finetune and give it with --teacher"
            )
        }
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "deit-batch-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        var trial = request
        trial.output = folder.path
        // Two in each part, as batch normalisation needs them.
        trial.options.batch = 2 * options.accumulation
        trial.options.cacheTeacher = ""
        let session = try RunSessions.make(trial, observer: Unheard(), stop: StopRequest())
        let limit = max(1, session.plan.imagesPerEpoch / options.accumulation)
        guard let part = try session.largestBatch(upTo: limit) else {
            throw TrainingError.outOfMemory(device: "\(device)", batch: 1, parts: 1, largest: nil)
        }
        let batch = part * options.accumulation
        observer.didNotice("note: --batch auto: a step of \(batch) images fits \(device)")
        return batch
    }

    private struct Unheard: TrainingObserver {}
}
