import ArgumentParser
import Checkpoints
import Evaluation
import Foundation
import ImagePipeline
import Inference
import Torch
import TorchNN
import VisionModels

/// `deit classify`: what images show.
struct ClassifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "classify",
        abstract: "Classify images.",
        discussion: """
            Examples:
              deit classify runs/first cat.jpg dog.png
              deit classify runs/first holiday/ --top 1
              deit classify flowers.index rose.jpg
              deit classify tiny.safetensors --labels synsets.txt --json cat.jpg
              curl -s https://example.org/cat.jpg | deit classify runs/first -

            Images are JPEG, PNG or WebP; the format is detected from the content, and EXIF \
            orientation is applied (unless --exif-orientation off). Directories are searched \
            recursively, sorted by name. "-" reads one image from standard input.

            A score is what the checkpoint specifies: the softmax over all classes, the sigmoid \
            of each class of a multi-label model or of a single output, or the output of a \
            regression. For an index (`deit index`) it is the share of the neighbours' votes, \
            and --json lists the neighbours. A multi-label model prints all classes whose \
            probability reaches their threshold, which training chooses on the validation images \
            (50 % where the model has none), and may print none.

            On a terminal the classes are printed as a table, otherwise as one line per class: \
            file, score, class, separated by tabs. Unreadable images are reported on standard \
            error, the others are classified, and the exit code is 65.
            """
    )

    @OptionGroup var checkpoint: CheckpointOptions

    @Argument(
        help: "Images: files, directories, or - for standard input.",
        completion: .file()
    )
    var images: [String]

    @Option(
        help: """
            Number of classes to print per image (default: 5; with several labels an image, all \
            that reach their thresholds).
            """
    )
    var top: Int?

    @Flag(help: "Print a JSON list.")
    var json = false

    func validate() throws {
        if let top, top < 1 { throw ValidationError("--top must be at least 1, not \(top)") }
        guard !images.isEmpty else { throw ValidationError("give at least one image") }
        guard images.count(where: { $0 == "-" }) < 2 else {
            throw ValidationError("standard input holds one image, so - can be given once")
        }
    }

    /// So many images are classified without preparations.
    private static let fewImages = 4

    /// So many multiplications are done by one thread: others would take longer to wake, or wait for a busy processor.
    private static let fewMultiplications = 10_000_000_000

    @ModelActor
    func run() async throws {
        let images = try imageFiles()
        let threads = Libtorch.threadCount
        try prepare(for: images.count)
        let empty = images.emptyFolders.map { "\($0) contains no images (jpg, jpeg, png or webp)" }
        guard images.count > 0 else {
            throw CommandFailure(
                empty.joined(separator: "; "),
                exitCode: CommandFailure.badData
            )
        }
        for sentence in empty { StatusLine.note(sentence) }
        let failures: (count: Int, first: String?)
        if checkpoint.isIndex {
            let index = try checkpoint.index()
            failures = try await print(images.count) { workers, deliver in
                try await index.classify(
                    images,
                    top: top ?? Predictor.usualCount,
                    workers: workers,
                    deliver: deliver
                )
            }
        } else {
            failures = try await classify(images, threads: threads)
        }
        try tell(failures, of: images.count)
        if !empty.isEmpty { throw ExitCode(CommandFailure.badData) }
    }

    /// Classifies with a model's own classifier.
    @ModelActor
    private func classify(
        _ images: ImageFileList,
        threads: Int
    ) async throws -> (count: Int, first: String?) {
        let loaded = try await checkpoint.load(allowing: .noHead)
        if images.count <= Self.fewImages,
            loaded.description.configuration.macs > Self.fewMultiplications / images.count
        {
            try Libtorch.setThreadCount(threads)
        }
        let predictor = try Predictor(loaded, isPacked: true)
        let failures = try await print(images.count) { workers, deliver in
            try await predictor.classify(images, top: top, workers: workers, deliver: deliver)
        }
        if failures.count < images.count { checkpoint.tellAssumptions(loaded) }
        return failures
    }

    /// Tells of the images that could not be used, which is a failure.
    private func tell(_ failures: (count: Int, first: String?), of count: Int) throws {
        guard let first = failures.first else { return }
        let sentence =
            count == 1
            ? first : "\(failures.count) of \(count) images cannot be used; see above"
        throw CommandFailure(sentence, exitCode: CommandFailure.badData)
    }

    private func prepare(for count: Int) throws {
        guard count <= Self.fewImages else {
            // Waiting threads get in the way where images are read while the model computes.
            if !images.contains("-") { OpenMPWaiting.spinBriefly() }
            return
        }
        // Starting anew and a probe of kernels take longer than a few images do, and so does what the fused encoder needs
        // first: for DeiT-Ti some 40 ms of checking its kernels and packing, to save 15 ms an image.
        try Libtorch.setThreadCount(1)
        if Libtorch.hasOneDNN { setenv("DEIT_COMPUTE", "onednn", 0) }
    }

    /// Prints each image's classes, or tells why there are none.
    @ModelActor
    private func print(
        _ count: Int,
        _ classify:
            @ModelActor (_ workers: Int, _ deliver: (ImageResult) throws -> Void) async throws ->
            Void
    ) async throws -> (count: Int, first: String?) {
        let status = StatusLine()
        defer { status.clear() }
        var printer = PredictionPrinter(form: json ? .json : Console.isTerminal ? .table : .lines)
        var done = 0
        var failures: (count: Int, first: String?) = (0, nil)
        try await classify(min(8, ProcessInfo.processInfo.activeProcessorCount)) { result in
            done += 1
            status.clear()
            if case .failure(let file, let reason) = result {
                let sentence = "\(file) cannot be used: \(reason)"
                failures = (failures.count + 1, failures.first ?? sentence)
                if count > 1 { StatusLine.note(sentence) }
            }
            guard try printer.print(result) else { throw ExitCode.success }
            status.show(done, of: count, "images")
        }
        status.clear()
        try printer.finish()
        return failures
    }

    /// The images, in the order of the arguments.
    private func imageFiles() throws -> ImageFileList {
        let list = try ImageFileList(paths: images)
        guard images.contains("-") else { return list }
        return list.replacing("-", by: try StandardInput.read(), named: "standard input")
    }
}
