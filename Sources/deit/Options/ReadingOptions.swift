import ArgumentParser
import Checkpoints
import Datasets
import Foundation
import Inference

/// How images are read and batched where a model only looks at them.
struct ReadingOptions: ParsableArguments {
    @Option(help: "Batch size.")
    var batch = 32

    @Option(help: "Number of workers that read images (default: one per core, at most 8).")
    var workers: Int?

    @Option(
        help:
            "Number of unreadable images to skip before failing (default: 1 %, at least 10)."
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

    /// The images in order, preprocessed for a model and prefetched.
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
            "skipped \(skipped.count) \(noun) that cannot be read: \(skipped.listing)"
        )
    }
}
