import ArgumentParser
import Checkpoints
import Datasets
import Evaluation
import Foundation
import ImagePipeline
import Inference
import Storage
import Torch
import VisionModels

/// `deit attention`: what a transformer looks at in images.
struct AttentionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attention",
        abstract: "Draw attention maps of a vision transformer.",
        discussion: """
            Examples:
              deit attention runs/first cat.jpg --output maps
              deit attention dino.pth photos/ --size 480 --upscale bicubic --output maps
              deit attention runs/first film/ --frames --output film-maps

            DIR gets a directory for each image. For the class token, and the distillation token \
            of a distilled model, it contains maps of every head, of their mean and of the \
            rollout through all blocks: in colours, over the image, and as a mask of the patches \
            that hold most of the attention. features.png shows the principal components of the \
            patch features as colours, sheet.png everything together. DIR/overview.png and \
            DIR/index.html show all images.

            With --frames the images are video frames, sorted by the numbers in their names. \
            Each kind of map gets a directory with 000001.png and so on, with the same colour \
            range for all frames. To make a video:

              ffmpeg -i DIR/cls-mean-overlay/%06d.png film.mp4

            The class next to an image is the prediction of `deit classify`, on the model's own \
            crop; maps show the whole image at --size.

            Every vision transformer works; convolutional networks have no attention. Models \
            trained without labels (DINO) show objects more clearly than supervised ones.
            """
    )

    @OptionGroup var checkpoint: CheckpointOptions

    @OptionGroup var images: ImageFolderOptions

    @Flag(help: "Treat the images as the frames of a video.")
    var frames = false

    @OptionGroup var viewing: ViewingOptions

    @Option(help: "Block to read, counted from 1 (default: the last).")
    var block: Int?

    @Option(
        help: "What to draw, separated by commas: heads, mean, rollout, features (default: all)."
    )
    var parts: String?

    @Option(help: "Fraction of the attention that masks keep, above 0 up to 1.")
    var threshold = 0.6

    @Option(help: "Interpolation of maps to the image: nearest, bilinear or bicubic.")
    var upscale = Upscaling.nearest

    @Option(help: "Color map: inferno or viridis.")
    var colors = ColorMap.inferno

    @Option(help: "How the rollout combines heads: mean, max or min.")
    var fusion = AttentionRollout.Fusion.mean

    @Option(help: "Fraction of each block's smallest weights that the rollout drops, 0 up to 1.")
    var discard = 0.0

    @Flag(
        help: "Show features of the foreground only; the foreground is segmented by the features."
    )
    var foreground = false

    func validate() throws {
        do {
            _ = try drawing()
            _ = try rollout()
        } catch let error as EvaluationError {
            throw ValidationError(error.description)
        }
        guard !frames || !images.images.contains("-") else {
            throw ValidationError("frames are files, not standard input")
        }
    }

    @ModelActor
    func run() async throws {
        let folder = try images.folder()
        let list = try frames ? images.frames() : images.imageFiles()
        let drawing = try drawing()
        let loaded = try await checkpoint.load(allowing: .noHead)
        let reader = try AttentionReader(
            loaded,
            block: block,
            rollout: drawing.parts.contains(.rollout) ? try rollout() : nil,
            resampling: viewing.resample
        )
        let viewer = try ImageViewer(
            reader,
            Predictor(loaded),
            size: viewing.viewingSize(for: reader.configuration)
        )
        var failures = ImageFailures()
        let (entries, overview) =
            try frames
            ? film(list, viewer, drawing, folder, &failures)
            : gallery(list, viewer, drawing, folder, &failures)
        if !entries.isEmpty { checkpoint.tellAssumptions(loaded) }
        try report(entries, overview)
        try failures.finish(total: list.count)
    }

    @ModelActor
    private func gallery(
        _ list: ImageFileList,
        _ viewer: ImageViewer,
        _ drawing: AttentionDrawing,
        _ folder: OutputFolder,
        _ failures: inout ImageFailures
    ) throws -> ([AttentionEntry], [String]) {
        let gallery = AttentionGallery(viewer, drawing, in: folder)
        let status = StatusLine()
        defer { status.clear() }
        for index in 0..<list.count {
            let file = list.name(at: index)
            try failures.collect(file, of: list.count) {
                try gallery.add(
                    list.image(at: index, upright: viewer.processor.appliesOrientation),
                    file: file
                )
            }
            status.show(index + 1, of: list.count, "images")
        }
        return (gallery.entries, try gallery.finish(model: checkpoint.checkpoint))
    }

    @ModelActor
    private func film(
        _ list: ImageFileList,
        _ viewer: ImageViewer,
        _ drawing: AttentionDrawing,
        _ folder: OutputFolder,
        _ failures: inout ImageFailures
    ) throws -> ([AttentionEntry], [String]) {
        let sequence = AttentionSequence(viewer, drawing, in: folder)
        let status = StatusLine()
        defer { status.clear() }
        var usable: [Int] = []
        for index in 0..<list.count {
            try failures.collect(list.name(at: index), of: list.count) {
                try sequence.gather(
                    list.image(at: index, upright: viewer.processor.appliesOrientation)
                )
                usable.append(index)
            }
            status.show(index + 1, of: 2 * list.count, "frames")
        }
        for (done, index) in usable.enumerated() {
            try sequence.draw(
                list.image(at: index, upright: viewer.processor.appliesOrientation),
                file: list.name(at: index),
                of: usable.count
            )
            status.show(list.count + done + 1, of: 2 * list.count, "frames")
        }
        return (sequence.entries, try sequence.finish(model: checkpoint.checkpoint))
    }

    private func report(_ entries: [AttentionEntry], _ overview: [String]) throws {
        let shrunk = entries.filter(\.isShrunk)
        if let first = shrunk.first {
            let others = shrunk.count > 1 ? " (and \(shrunk.count - 1) more)" : ""
            StatusLine.note(
                "\(first.file) is shown to the model at \(ImageSize(height: first.height, width: first.width))\(others), "
                    + "as its own size needs more memory than --memory \(viewing.memory) (GiB)"
            )
        }
        if images.json {
            let list = entries.map(\.json)
            let value: JSONValue = [
                "output": .string(images.output), "images": .array(list),
                "overview": .array(overview.map(JSONValue.string)),
            ]
            return try Results.print(value.text())
        }
        guard !entries.isEmpty else { return }
        let noun = frames ? "frames" : entries.count == 1 ? "image" : "images"
        try Results.print(
            "\(images.output): maps of \(entries.count) \(noun); open \(images.output)/index.html"
        )
    }

    private func drawing() throws -> AttentionDrawing {
        let known = AttentionDrawing.Part.allCases.map(\.rawValue).joined(separator: ", ")
        let wanted = try parts?.split(separator: ",", omittingEmptySubsequences: false).map {
            guard let part = AttentionDrawing.Part(rawValue: String($0)) else {
                throw ValidationError("unknown part \"\($0)\"; --parts takes \(known)")
            }
            return part
        }
        return try AttentionDrawing(
            parts: Set(wanted ?? AttentionDrawing.Part.allCases),
            threshold: threshold,
            upscaling: upscale,
            colors: colors,
            isForeground: foreground
        )
    }

    private func rollout() throws -> AttentionRollout {
        try AttentionRollout(fusion: fusion, discardRatio: discard)
    }
}
