import Datasets
import Foundation
public import Training

/// How fast images become the model's input here, without a model.
public struct PipelineThroughput: Codable, Sendable, Equatable {
    /// The recipe's name.
    public var recipe: String
    /// The images of a step.
    public var batch: Int
    /// The training images that one worker makes in a second, mixed and batched: on one core.
    public var imagesPerSecondPerCore: Double
    /// The images for evaluation that one worker makes in a second.
    public var evaluationImagesPerSecondPerCore: Double
    /// How many workers the next figure is for.
    public var workers: Int
    /// The training images that all workers make in a second.
    public var imagesPerSecond: Double
    /// How much faster all workers are than one, divided by how many cores they could use at most: 1 is perfect.
    public var scaling: Double
    /// What one training image takes of one core, in milliseconds.
    public var stages: Stages
    /// The largest memory of the process so far, in MiB.
    public var peakMemoryMiB: Double
    /// What the loader with all workers added to the memory, batches under way included, divided by their number; `nil`
    /// where the system does not report it.
    public var memoryPerWorkerMiB: Double?
    /// How many training images were timed, by one worker.
    public var images: Int

    /// The parts of the work on one image, in milliseconds.
    public struct Stages: Codable, Sendable, Equatable {
        /// Reading the file and its header.
        public var read: Double
        /// Decoding what a first crop or resize needs, and that.
        public var decodeAndResize: Double
        /// The further operations.
        public var augment: Double
        /// Normalisation and erasing.
        public var normalize: Double
        /// What the loader adds: mixing with others, and the batch.
        public var mixAndBatch: Double

        private enum CodingKeys: String, CodingKey {
            case read = "read_ms"
            case decodeAndResize = "decode_and_resize_ms"
            case augment = "augment_ms"
            case normalize = "normalize_ms"
            case mixAndBatch = "mix_and_batch_ms"
        }
    }

    private enum CodingKeys: String, CodingKey {
        case recipe, batch, workers, scaling, stages, images
        case imagesPerSecondPerCore = "images_per_second_per_core"
        case evaluationImagesPerSecondPerCore = "evaluation_images_per_second_per_core"
        case imagesPerSecond = "images_per_second"
        case peakMemoryMiB = "peak_memory_mib"
        case memoryPerWorkerMiB = "memory_per_worker_mib"
    }
}

extension PipelineThroughput {
    /// Times the image path of a recipe, first with one worker, then with all.
    ///
    /// - Parameters:
    ///   - images: The data and what the recipe does to it.
    ///   - recipe: The recipe's name, for the report.
    ///   - batch: The images of a step.
    ///   - workers: How many workers to time last.
    ///   - seconds: How long each of the four measurements goes on.
    /// - Returns: The rates.
    /// - Throws: `DatasetError` and `ImageError` when the data cannot be used.
    public static func measure(
        _ images: RecipeImages,
        recipe: String,
        batch: Int,
        workers: Int,
        seconds: Double
    ) async throws -> PipelineThroughput {
        var stages = try StageSampler(images).measure(seconds: seconds)
        // First, so that memory which the others have left behind does not hide the workers'.
        let canMeasure = MemoryGauge.reset()
        let before = MemoryGauge.current
        let all = try await Pace(
            of: images.trainingLoader(batch: batch, workers: workers),
            seconds: seconds
        )
        let after = canMeasure ? MemoryGauge.peak : nil
        let training = try await Pace(
            of: images.trainingLoader(batch: batch, workers: 1),
            seconds: seconds
        )
        let evaluation = try await Pace(
            of: images.evaluationLoader(batch: batch, workers: 1),
            seconds: seconds
        )
        let sum = stages.read + stages.decodeAndResize + stages.augment + stages.normalize
        stages.mixAndBatch = max(0, 1000 / training.imagesPerSecond - sum)
        let cores = min(workers, ProcessInfo.processInfo.activeProcessorCount)
        let added = before.flatMap { before in after.map { Double($0 - before) } }
        return PipelineThroughput(
            recipe: recipe,
            batch: batch,
            imagesPerSecondPerCore: training.imagesPerSecond,
            evaluationImagesPerSecondPerCore: evaluation.imagesPerSecond,
            workers: workers,
            imagesPerSecond: all.imagesPerSecond,
            scaling: all.imagesPerSecond / training.imagesPerSecond / Double(cores),
            stages: stages,
            peakMemoryMiB: peakMemory(),
            memoryPerWorkerMiB: added.map { $0 / Double(workers) / 1_048_576 },
            images: training.images
        )
    }
}
