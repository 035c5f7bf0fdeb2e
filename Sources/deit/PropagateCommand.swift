import ArgumentParser
import Checkpoints
import Datasets
import Evaluation
import ImagePipeline
import Inference
import Storage
import Torch
import VisionModels

/// `deit propagate`: the labels of a film's first frame carried to the others.
struct PropagateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "propagate",
        abstract: "Propagate masks of objects through video frames, from a mask of the first.",
        discussion: """
            Examples:
              deit propagate dino.pth film/ --mask first.png --output masks
              deit propagate runs/first film --mask truth/0.png --truth truth --output out

            The mask is a PNG of the first frame's size: black is background, every other colour \
            an object. Each frame's mask is written with the same colours under the frame's \
            name; sheet.png shows some of them. Frames in a folder are sorted by the numbers in \
            their names.

            Each patch takes the labels of the most similar nearby patches in the first and the \
            previous frames, as in DINO's evaluation on DAVIS; nothing is trained. With --truth, \
            a folder of masks with the same names, the overlap of all frames except the first is \
            reported (J, intersection over union).
            """
    )

    @OptionGroup var checkpoint: CheckpointOptions

    @OptionGroup var images: ImageFolderOptions

    @Option(help: "Mask of the first frame.", completion: .file(extensions: ["png"]))
    var mask: String

    @Option(help: "Shorter side of the frames as the model sees them, in pixels.")
    var size = 480

    @Option(help: "Resampling of position embeddings: deit, timm, hf, dino or dinov2.")
    var resample = PositionEmbeddingResampling.timm

    @Option(help: "Memory limit for attention, in GiB.")
    var memory = 2.0

    @Option(help: "Number of previous frames to compare with, besides the first.")
    var lastFrames = 7

    @Option(help: "Radius of the search in patches; 0 for the whole frame.")
    var neighborhood = 12

    @Option(help: "Number of most similar patches to use.")
    var topk = 5

    @Option(
        help: "Directory of ground-truth masks, to report the overlap (IoU).",
        completion: .directory
    )
    var truth: String?

    func validate() throws {
        guard !images.images.isEmpty else { throw ValidationError("give the frames of a video") }
        guard !images.images.contains("-") else {
            throw ValidationError("frames are files, not standard input")
        }
        guard (1...100_000).contains(size) else {
            throw ValidationError("--size must be from 1 to 100000, not \(size)")
        }
        guard memory > 0, memory <= 1_000_000 else {
            throw ValidationError("--memory must be above 0, not \(memory)")
        }
        do {
            _ = try options()
        } catch let error as EvaluationError {
            throw ValidationError(error.description)
        }
    }

    @ModelActor
    func run() async throws {
        let folder = try images.folder()
        let frames = try images.frames()
        guard frames.count > 1 else {
            throw CommandFailure(
                "there is only one frame; at least two are needed",
                exitCode: CommandFailure.badData
            )
        }
        let labels = try read(mask, "the mask") { try LabelMask(Image(contentsOf: mask)) }
        let loaded = try await checkpoint.load(allowing: .noHead)
        let viewer = try viewer(loaded)
        let film = try read(frames.name(at: 0), "the first frame") {
            try FilmLabels(
                viewer,
                frame: frames.image(at: 0, upright: viewer.processor.appliesOrientation),
                mask: labels,
                shorterSide: size,
                options()
            )
        }
        if film.lostLabels > 0 {
            StatusLine.note(
                "\(film.lostLabels) of \(labels.labelCount) labels are too small for \(film.grid) patches and are lost; "
                    + "use a larger --size"
            )
        }
        let masks = FilmFolder(film, labels, in: folder, truth: truth)
        try follow(frames, masks, upright: viewer.processor.appliesOrientation)
        checkpoint.tellAssumptions(loaded)
        try report(masks, try masks.finish())
    }

    private func follow(_ frames: ImageFileList, _ masks: FilmFolder, upright: Bool) throws {
        let status = StatusLine()
        defer { status.clear() }
        for index in 0..<frames.count {
            let file = frames.name(at: index)
            try read(file, "the frame") {
                try masks.add(
                    frames.image(at: index, upright: upright),
                    file: file,
                    of: frames.count
                )
            }
            status.show(index + 1, of: frames.count, "frames")
        }
    }

    /// Runs what reads an image; its errors tell the file, and without the image there is no result.
    private func read<R>(_ file: String, _ what: String, _ body: () throws -> R) throws -> R {
        do {
            return try body()
        } catch let error as ImageError {
            throw CommandFailure(
                "\(what) \(file) cannot be used: \(error.reason)",
                exitCode: CommandFailure.badData
            )
        } catch let error as EvaluationError {
            if case .invalid(let reason) = error {
                throw CommandFailure(
                    "\(what) \(file) cannot be used: \(reason)",
                    exitCode: CommandFailure.badData
                )
            }
            throw error
        }
    }

    @ModelActor
    private func viewer(_ loaded: LoadedModel) throws -> ImageViewer {
        let reader = try AttentionReader(loaded, rollout: nil, resampling: resample)
        return try ImageViewer(
            reader,
            Predictor(loaded),
            size: ViewingSize(
                .shorterSide(size),
                for: reader.configuration,
                memoryLimit: Int(memory * Double(1 << 30))
            )
        )
    }

    private func options() throws -> LabelPropagation.Options {
        try LabelPropagation.Options(
            lastFrames: lastFrames,
            neighborhood: neighborhood,
            topK: topk
        )
    }

    private func report(_ masks: FilmFolder, _ overview: [String]) throws {
        if images.json { return try Results.print(masks.json(overview).text()) }
        try Results.print(
            "\(images.output): masks of \(masks.entries.count) frames; open \(images.output)/sheet.png"
        )
        if let overlap = masks.meanOverlap {
            let first = masks.entries.dropFirst().compactMap(\.overlap).count
            try Results.print(
                "overlap with \(truth ?? ""): J \(ProgressPrinter.percent(overlap)) "
                    + "(mean of \(first) frames and their objects)"
            )
        }
    }
}
