import ArgumentParser
import Checkpoints
import Datasets
import Evaluation
import Foundation
import ImagePipeline
import Torch
import TorchNN

/// `deit data check`: what is wrong with images, before anything is trained on them.
struct DataCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Find problems in images and labels.",
        discussion: """
            Examples:
              deit data check DIR
              deit data check DIR --html report.html --clean-list clean.csv
              deit data check DIR --model facebook/deit-tiny-patch16-224 --json

            Finds images that are unreadable, truncated, too large, misnamed, CMYK, rotated by \
            EXIF or blank; empty and imbalanced classes; and identical or nearly identical \
            images: twice in a class, in two classes, or in train and val. With --model it also \
            finds labels that the most similar images contradict.

            DIR is any data that --data accepts: a directory, a list (.csv, .tsv) or a tar \
            archive. The cleaned list is a data set itself: deit train --data clean.csv. It \
            leaves out unusable images, duplicates, and training images that are also in val; \
            suspicious images are kept.

            The exit code is 65 if images cannot be used or make measurements wrong, and 0 if \
            there are only warnings.
            """
    )

    @Argument(help: "Images: a directory, list or archive.", completion: .file())
    var data: String

    @OptionGroup var labels: LabelOptions

    @Flag(help: "Print one JSON object with every finding.")
    var json = false

    @Option(help: "Write an HTML page with thumbnails.", completion: .file())
    var html: String?

    @Option(help: "Write a cleaned image list (.csv).", completion: .file())
    var cleanList: String?

    @Option(
        help: "Checkpoint whose features are used to find suspicious labels.",
        completion: .file()
    )
    var model: String?

    @OptionGroup var device: DeviceOption

    @Option(help: "Number of nearest images that a label is compared with.")
    var neighbours = 10

    @Option(help: "Number of images checked in parallel (default: one per core).")
    var workers: Int?

    func validate() throws {
        guard workers.map({ (1...1024).contains($0) }) ?? true else {
            throw ValidationError("--workers must be from 1 to 1024")
        }
        guard (1...1000).contains(neighbours) else {
            throw ValidationError("--neighbours must be from 1 to 1000")
        }
        if let cleanList, !cleanList.lowercased().hasSuffix(".csv") {
            throw ValidationError(
                "--clean-list \(cleanList) must end in .csv, so that --data takes it"
            )
        }
    }

    func run() async throws {
        if model != nil { OpenMPWaiting.spinBriefly() }
        let start = ContinuousClock.now
        let count = workers ?? ProcessInfo.processInfo.activeProcessorCount
        let status = StatusLine()
        defer { status.clear() }
        let check = try DataCheck(path: data, workers: count, labels: labels.format())
        var report = try await check.run { status.show($0, of: $1, "images") }
        status.clear()
        if let model { report.add(try await suspects(model, report, workers: count)) }
        let clean = CleanList(report)
        if let html {
            try ReportPage(report, title: "\(data): data check").write(to: html)
        }
        if let cleanList { try clean.write(to: cleanList) }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        if json {
            try DataReportJSON(report, clean, path: data, seconds: seconds).print()
        } else {
            try Results.print(DataReportText(report, clean, path: data, seconds: seconds).text)
        }
        if report.hasErrors { throw ExitCode(CommandFailure.badData) }
    }

    @ModelActor
    private func suspects(
        _ model: String,
        _ report: DataReport,
        workers: Int
    ) async throws -> [Finding] {
        ComputePolicy.current = try .automatic(device: device.resolved())
        let loaded = try ModelDirectory.load(
            try await CheckpointPath.find(model),
            options: LoadOptions(relaxations: .noHead)
        )
        let status = StatusLine()
        defer { status.clear() }
        return try await LabelSuspects(neighbours: neighbours).find(
            in: report,
            with: loaded,
            workers: workers
        ) {
            status.show($0, of: report.count, "images seen by the model")
        }
    }
}
