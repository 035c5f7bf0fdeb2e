import ArgumentParser
import Checkpoints
import Datasets
import Foundation
import Inference

/// How images are read and batched where a model only looks at them.
struct ReadingOptions: ParsableArguments {
    @Option(help: "The images that the model sees at once.")
    var batch = 32

    @Option(help: "How many batches are read at the same time (default: one a core, at most 8).")
    var workers: Int?

    @Option(
        help:
            "How many unreadable images are left out before it is an error (default: 1 %, at least 10)."
    )
    var skipLimit: Int?

    func validate() throws {
        guard batch > 0 else { throw ValidationError("--batch must be at least 1, not \(batch)") }
        guard workers.map({ (1...1024).contains($0) }) ?? true else {
            throw ValidationError("--workers must be from 1 to 1024")
        }
        guard skipLimit.map({ $0 >= 0 }) ?? true else {
            throw ValidationError("--skip-limit must not be negative")
        }
    }

    /// The images in their order as a model wants them, read ahead of need.
    func loader(_ dataset: any ImageDataset, _ predictor: Predictor) throws -> DataLoader {
        try DataLoader(
            dataset: dataset,
            transform: predictor.description.processor,
            plan: EpochPlan(count: dataset.count, batchSize: batch, shuffles: false),
            workers: workers ?? min(8, ProcessInfo.processInfo.activeProcessorCount),
            policy: .drop(limit: skipLimit ?? UnreadablePolicy.usualLimit(count: dataset.count))
        )
    }

    /// Tells which images were left out.
    func tell(_ skipped: SkippedImages) {
        guard skipped.count > 0 else { return }
        let noun = skipped.count == 1 ? "image" : "images"
        StatusLine.note(
            "left out \(skipped.count) \(noun) that cannot be read: \(skipped.listing)"
        )
    }
}
