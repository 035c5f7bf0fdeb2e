import ArgumentParser
import Checkpoints
import Datasets
import Evaluation
import Foundation
import Torch
import TorchNN

/// `deit evaluate`: how often a model is right.
struct EvaluateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Measure a model's accuracy on labelled pictures.",
        discussion: """
            Examples:
              deit evaluate runs/first --data DIR
              deit evaluate tiny.safetensors --labels synsets.txt --data DIR --json

            DIR holds val/CLASS/, CLASS/ or IDX files (t10k-images-idx3-ubyte …). Its
            classes are found among the model's by name or synset and may be some of them
            only. Pictures that cannot be read are left out and told. A distilled model
            predicts with the mean of its two heads.
            """
    )

    @OptionGroup var checkpoint: CheckpointOptions

    @Option(help: "The folder of pictures.")
    var data: String

    @Option(help: "The pictures that the model sees at once.")
    var batch = 32

    @Option(
        help:
            "The side of the pictures in pixels, for convolutional networks (default: the model's)."
    )
    var size: Int?

    @Option(help: "How many batches are read at the same time (default: one a core, at most 8).")
    var workers: Int?

    @Option(
        help:
            "How many unreadable pictures are left out before it is an error (default: 1 %, at least 10)."
    )
    var skipLimit: Int?

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard batch > 0 else { throw ValidationError("--batch must be at least 1, not \(batch)") }
        guard size.map({ $0 > 0 }) ?? true else {
            throw ValidationError("--size must be at least 1")
        }
        guard workers.map({ (1...1024).contains($0) }) ?? true else {
            throw ValidationError("--workers must be from 1 to 1024")
        }
        guard skipLimit.map({ $0 >= 0 }) ?? true else {
            throw ValidationError("--skip-limit must not be negative")
        }
    }

    @ModelActor
    func run() async throws {
        // The workers need the processors that idle threads would spin on.
        OpenMPWaiting.spinBriefly()
        let dataset = try DatasetLocation(path: data).open(.validation)
        let loaded = try checkpoint.load()
        let mapping = try ClassMapping(of: dataset.classNames, in: loaded.description.labels)
        let loader = try loader(dataset, loaded.description)
        let status = StatusLine()
        defer { status.clear() }
        let report = try await Evaluator.evaluate(loaded, on: loader, mapping: mapping) {
            status.show($0, of: dataset.count, "pictures")
        }
        status.clear()
        checkpoint.tellAssumptions(loaded)
        if mapping.isByOrder {
            StatusLine.note("assumed: classes in the same order, as not both sides have names")
        }
        if report.skipped.count > 0 {
            let count = report.skipped.count
            StatusLine.note(
                "left out \(count) picture\(count == 1 ? "" : "s") that cannot be read: \(report.skipped.listing)"
            )
        }
        try Results.print(json ? report.json.text(isIndented: false) : table(report))
    }

    private func loader(
        _ dataset: any ImageDataset,
        _ description: ModelDescription
    ) throws -> DataLoader {
        let processor = try size.map { try Evaluator.processor(size: $0, for: description) }
        return try DataLoader(
            dataset: dataset,
            transform: processor ?? description.processor,
            plan: EpochPlan(count: dataset.count, batchSize: batch, shuffles: false),
            workers: workers ?? min(8, ProcessInfo.processInfo.activeProcessorCount),
            policy: .drop(limit: skipLimit ?? UnreadablePolicy.usualLimit(count: dataset.count))
        )
    }

    private func table(_ report: EvaluationReport) -> String {
        func percent(_ share: Double) -> String { String(format: "%6.2f %%", share * 100) }
        func right(_ share: Double) -> String {
            "\(percent(share))  \(Int((share * Double(report.count)).rounded())) of \(report.count)"
        }
        var lines = [
            "top-1              \(right(report.top1))", "top-5              \(right(report.top5))",
        ]
        if let cls = report.clsTop1 { lines.append("class head         \(right(cls))") }
        if let dist = report.distTop1 { lines.append("distillation head  \(right(dist))") }
        lines.append(String(format: "loss               %6.4f", report.loss))
        lines.append(String(format: "images/s           %6.1f", report.imagesPerSecond))
        return lines.joined(separator: "\n")
    }
}
