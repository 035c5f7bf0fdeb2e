import ArgumentParser
import Evaluation
import Foundation
import Training

/// `deit bench pipeline`: how fast images become the model's input.
struct PipelineBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pipeline",
        abstract: "Measure the speed of decoding and preprocessing, without a model.",
        discussion: """
            Examples:
              deit bench pipeline DIR --recipe deit
              deit bench pipeline DIR --recipe deit3 --workers 8 --json

            Measures the whole pipeline: files are read, decoded, augmented as in the recipe, \
            normalised, mixed and put into batches. Rates per core are those of one worker. DIR \
            is any data that --data accepts; without splits, all images are used. Augmentation \
            options override the recipe.
            """
    )

    @Argument(help: "Images: a directory, list or archive.", completion: .directory)
    var directory: String

    @Option(help: RecipeChoice.help)
    var recipe = "deit"

    @Option(help: "Batch size.")
    var batch = 32

    @Option(help: "Number of workers to compare with one (default: one per core).")
    var workers: Int?

    @Option(help: "Duration of each of four measurements, in seconds.")
    var seconds = 5.0

    @Flag(help: "Print one JSON object.")
    var json = false

    @OptionGroup(title: "Changes to the recipe") var changes: SettingFlags<RecipeChoice.Changes>

    func validate() throws {
        guard batch > 0 else { throw ValidationError("--batch must be at least 1, not \(batch)") }
        guard seconds >= 0, seconds <= 3600 else {
            throw ValidationError("--seconds must be from 0 to 3600")
        }
        guard workers.map({ (1...1024).contains($0) }) ?? true else {
            throw ValidationError("--workers must be from 1 to 1024")
        }
    }

    func run() async throws {
        let images = try RecipeChoice.images(recipe, changes, data: directory)
        guard images.crops == nil else {
            throw ValidationError(
                "\(recipe) uses several crops per image, which this benchmark does not support: choose a recipe of deit train"
            )
        }
        let result = try await PipelineThroughput.measure(
            images,
            recipe: recipe,
            batch: batch,
            workers: workers ?? ProcessInfo.processInfo.activeProcessorCount,
            seconds: seconds
        )
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            try Results.print(String(decoding: try encoder.encode(result), as: UTF8.self))
        } else {
            try Results.print(text(result))
        }
    }

    private func text(_ result: PipelineThroughput) -> String {
        func rate(_ value: Double) -> String { String(format: "%.1f images/s", value) }
        func part(_ name: String, _ value: Double) -> String {
            name + String(format: " %.2f", value)
        }
        let stages = result.stages
        let memory = result.memoryPerWorkerMiB.map { String(format: ", %.0f MiB a worker", $0) }
        return """
            \(recipe), one core: \(rate(result.imagesPerSecondPerCore)) in training, \
            \(rate(result.evaluationImagesPerSecondPerCore)) in evaluation
            \(result.workers) workers: \(rate(result.imagesPerSecond)) in training\
            \(String(format: ", %.0f %% of the cores' sum", result.scaling * 100))
            per training image, in milliseconds: \(part("read", stages.read)), \
            \(part("decode and resize", stages.decodeAndResize)), \
            \(part("augment", stages.augment)), \
            \(part("normalise", stages.normalize)), \
            \(part("mix and batch", stages.mixAndBatch))
            peak memory \(Int(result.peakMemoryMiB)) MiB\(memory ?? "")
            """
    }
}
