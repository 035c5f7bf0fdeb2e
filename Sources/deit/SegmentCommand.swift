import ArgumentParser
import Checkpoints
import Datasets
import Evaluation
import ImagePipeline
import Inference
import Storage
import Torch
import VisionModels

/// `deit segment`: foreground without labels.
struct SegmentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "segment",
        abstract: "Segment the foreground of images, without labels.",
        discussion: """
            Examples:
              deit segment runs/first photos/ --output masks
              deit segment tiny.safetensors cat.jpg --main-object --output masks
              deit segment dino.pth --data DIR --method attention --output masks

            Masks are PNG files in the size of the images, 255 for foreground, in the same \
            directory structure as the images. sheets/ shows images and masks side by side, \
            overview.png the first of them.

            cut separates the patches into two groups by their attention keys (normalised cut, \
            as in TokenCut); attention and rollout keep the patches that hold most of the class \
            token's attention. With --truth, a folder of masks with the same names, the overlap \
            is reported.
            """
    )

    @OptionGroup var checkpoint: CheckpointOptions

    @OptionGroup var images: ImageFolderOptions

    @Option(
        help: "Directory of labelled images, in place of IMAGES; its validation split is used.",
        completion: .directory
    )
    var data: String?

    @Option(help: "Method: cut (normalized cut of features), attention or rollout.")
    var method = Segmenter.Method.cut

    @Option(help: "Cosine similarity above which patches are connected in the cut.")
    var tau = 0.2

    @Option(help: "Fraction of the attention that a mask keeps, above 0 up to 1.")
    var threshold = 0.6

    @Flag(help: "Keep only the object with the most certain patch.")
    var mainObject = false

    @Option(help: "Interpolation from patches to pixels: nearest, bilinear or bicubic.")
    var upscale = Upscaling.bilinear

    @OptionGroup var viewing: ViewingOptions

    @Option(
        help: ArgumentHelp(
            "Block to read, counted from 1.",
            discussion:
                "Default: the block at five sixths of the depth for cut, the last block for other methods."
        )
    )
    var block: Int?

    @Option(
        help: "Directory of ground-truth masks, to report the overlap (IoU).",
        completion: .directory
    )
    var truth: String?

    func validate() throws {
        guard images.images.isEmpty != (data == nil) else {
            throw ValidationError(
                data == nil
                    ? "give images: files and directories, or --data DIR"
                    : "give images or --data DIR, not both"
            )
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
        let list = try dataset()
        let loaded = try await checkpoint.load(allowing: .noHead)
        let reader = try reader(loaded)
        let viewer = try ImageViewer(
            reader,
            Predictor(loaded),
            size: viewing.viewingSize(for: reader.configuration)
        )
        let masks = MaskFolder(Segmenter(viewer, try options()), in: folder, truth: truth)
        var failures = ImageFailures()
        let status = StatusLine()
        for index in 0..<list.count {
            let file = list.name(at: index)
            try failures.collect(file, of: list.count) {
                try masks.add(
                    list.image(at: index, upright: viewer.processor.appliesOrientation),
                    file: file
                )
            }
            status.show(index + 1, of: list.count, "images")
        }
        status.clear()
        let overview = try masks.finish()
        if !masks.entries.isEmpty { checkpoint.tellAssumptions(loaded) }
        try report(masks, overview)
        try failures.finish(total: list.count)
    }

    private func reader(_ loaded: LoadedModel) throws -> AttentionReader {
        let depth = (loaded.model as? VisionTransformer)?.configuration.depth
        return try AttentionReader(
            loaded,
            block: block ?? (method == .cut ? depth.map(AttentionReader.usualKeysBlock) : nil),
            keysBlock: block,
            rollout: method == .rollout ? .paper : nil,
            resampling: viewing.resample
        )
    }

    private func dataset() throws -> any ImageDataset {
        guard let data else { return try images.imageFiles() }
        return try LabelledData.open(data, .validation, for: checkpoint.checkpoint)
    }

    private func options() throws -> Segmenter.Options {
        try Segmenter.Options(
            method: method,
            tau: tau,
            threshold: threshold,
            isMainObject: mainObject,
            upscaling: upscale
        )
    }

    private func report(_ masks: MaskFolder, _ overview: [String]) throws {
        if images.json { return try Results.print(masks.json(overview).text()) }
        guard !masks.entries.isEmpty else { return }
        let noun = masks.entries.count == 1 ? "mask" : "masks"
        try Results.print(
            "\(images.output): \(masks.entries.count) \(noun); open \(images.output)/overview.png"
        )
        if let overlap = masks.meanOverlap {
            try Results.print(
                "overlap with \(truth ?? ""): \(ProgressPrinter.percent(overlap)) (intersection over union, mean)"
            )
        }
    }
}
