import ArgumentParser
import Checkpoints
import Evaluation
import Foundation
import Storage
import Torch
import Training
import VisionModels

/// `deit convert`: a checkpoint in another form.
struct ConvertCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert",
        abstract: "Convert a checkpoint to the format of another library.",
        discussion: """
            Examples:
              deit convert deit_tiny_patch16_224.pth --to hf --output deit-tiny
              deit convert facebook-deit/ --to timm --output deit-timm --dtype fp16
              deit convert base.pth --to pth --output large.pth --size 384 --resample timm
              deit convert base.pth --to timm --output int8 --dtype int8 --measure DIR
              deit convert runs/dino --to dino --output checkpoint.pth
              deit convert dinov2.pth --head linear_head.pth --to hf --output dinov2
              deit convert dinov3-vits16/ --to timm --output dinov3-timm

            Formats: hf, a directory for transformers' from_pretrained; timm, a directory for \
            timm.create_model("local-dir:DIR"); deit, a .pth as Facebook's, under the key \
            "model"; dinov2 and dinov3, a backbone as facebookresearch/dinov2 or dinov3 \
            publish it; safetensors and pth, tensors only, with timm's names. All numbers are \
            preserved exactly, unless --dtype or --size changes them. The result is read back \
            and compared before it gets its name.

            dino writes a run of `deit pretrain dino`, or one of its checkpoints, as a full \
            checkpoint of DINO's own code: student, teacher, optimiser, epoch and centre. \
            main_dino.py can continue from it, and `deit pretrain dino --init` reads it.

            --head joins one of DINOv2's published linear classifiers to its backbone: the \
            result classifies images of 224 pixels. hf holds classifiers of one block \
            (…_linear_head.pth), safetensors also those of four (…_linear4_head.pth).

            int8 stores all linear layers except classifiers in 8 bits (hf, timm and safetensors \
            formats, readable by deit only). --measure takes images with labels and reports the \
            accuracy that it costs on them. Converted to fp32, such a model is the numbers that \
            its weights stand for, in a format that other libraries load.
            """
    )

    /// The forms, as the flag calls them.
    enum Target: String, CaseIterable, ExpressibleByArgument {
        case hf
        case timm
        case deit
        case dinov2
        case dinov3
        case safetensors
        case pth
        case dino
    }

    /// The types of numbers, as the flag calls them.
    enum NumberType: String, CaseIterable, ExpressibleByArgument {
        case fp32
        case fp16
        case bf16
        case int8

        /// The type of all numbers; nil for one that only some have.
        var dtype: DType? {
            switch self {
            case .fp32: .float32
            case .fp16: .float16
            case .bf16: .bfloat16
            case .int8: nil
            }
        }
    }

    @OptionGroup var source: CheckpointSource

    @Option(help: "Output format: hf, timm, deit, dinov2, dinov3, safetensors, pth or dino.")
    var to: Target

    @Option(help: "Directory to write; a file for every format but hf and timm.")
    var output: String

    @Option(help: "File with DINOv2's linear classifier for the backbone.")
    var head: String?

    @Option(
        help: "Number format of the weights: fp32, fp16, bf16 or int8 (default: the checkpoint's)."
    )
    var dtype: NumberType?

    @OptionGroup var measuring: MeasureOptions

    @Option(help: "Input size in pixels: 384, or HxW with the height first, such as 384x512.")
    var size: String?

    @Option(help: "Resampling of position embeddings: deit, timm, hf, dino or dinov2.")
    var resample: PositionEmbeddingResampling?

    @Option(
        help: "Maximum size of a weights file, such as 2GB; larger weights are sharded (hf only)."
    )
    var maxShardSize: String?

    @Flag(help: "Replace an output of the same kind.")
    var force = false

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        _ = try imageSize()
        _ = try shardSize()
        guard resample == nil || size != nil else {
            throw ValidationError("--resample needs --size")
        }
        guard maxShardSize == nil || to == .hf else {
            throw ValidationError("--max-shard-size is for --to hf")
        }
        guard dtype != .int8 || [.hf, .timm, .safetensors].contains(to) else {
            throw ValidationError("--dtype int8 is for --to hf, --to timm or --to safetensors")
        }
        guard dtype == .int8 || measuring.measure == nil else {
            throw ValidationError("--measure is for --dtype int8")
        }
        guard head == nil || to != .dinov2 && to != .dinov3 else {
            throw ValidationError("--to \(to.rawValue) writes a backbone: leave out --head")
        }
        guard !output.isEmpty else { throw ValidationError("--output is empty") }
        if to == .dino { try checkNothingChanges() }
    }

    /// Makes sure that no flag asks for a change of what is written as it is.
    private func checkNothingChanges() throws {
        let images = [source.mean, source.std, source.interpolation, source.labels]
        let weights = [source.weights.preset, source.weights.stateDict]
        let isPlain =
            (images + weights + [size, head]).allSatisfy { $0 == nil } && dtype == nil
            && source.cropPct == nil && source.cropMode == nil && source.exifOrientation == nil
        guard isPlain else {
            throw ValidationError("--to dino does not support the other flags: leave them out")
        }
    }

    @ModelActor
    func run() async throws {
        try checkOutput()
        if to == .dino { return try writeRun() }
        var options = try source.options()
        options.imageSize = try imageSize()
        options.positionResampling = resample
        options.linearHead = head
        let path = try await CheckpointPath.find(source.checkpoint)
        let images = try await measuring.images(for: path, options)
        var int8: Int8Quantization.Report?
        let report = try Conversion.run(path, loading: options, to: output, saving: saveOptions()) {
            guard dtype == .int8 else { return }
            int8 = try Int8Quantization.run($0, on: images)
        }
        try carryHeldOutShare(from: path)
        try Results.print(
            json
                ? ConversionText.json(report, int8, output).text()
                : ConversionText.text(report, int8, output)
        )
    }

    /// Keeps with the model which images its run held out, so that it is not measured with those that it learned from.
    private func carryHeldOutShare(from path: String) throws {
        guard let share = HeldOutShare.find(for: path) else { return }
        if to == .hf || to == .timm { return try share.write(to: output) }
        StatusLine.note(
            "warning: the run held out a share of its images for validation, which \(output) cannot record: "
                + "deit evaluate \(ShellLine.quoted(output)) may measure training images; "
                + "evaluate \(path), or convert to hf or timm, which record it"
        )
    }

    /// Writes a run in the form of DINO's own code.
    @ModelActor
    private func writeRun() throws {
        let report = try DINOExport.run(source.checkpoint, to: output)
        try Results.print(
            json
                ? ConversionText.json(report, output).text()
                : ConversionText.text(report, output)
        )
    }

    private func saveOptions() throws -> SaveOptions {
        var options = SaveOptions(dtype: dtype?.dtype, maxShardSize: try shardSize())
        switch to {
        case .hf: options.form = .huggingFace(nil)
        case .timm: options.form = .timm
        case .deit: options.form = .deit
        case .dinov2: options.form = .dinov2
        case .dinov3: options.form = .dinov3
        case .safetensors: options.form = .bare
        case .pth, .dino:
            options.form = .bare
            options.container = .pytorch
        }
        return options
    }

    /// Refuses to replace unrelated files.
    private func checkOutput() throws {
        var isFolder: ObjCBool = false
        let manager = FileManager.default
        guard manager.fileExists(atPath: output, isDirectory: &isFolder) else { return }
        func refuse(_ reason: String) -> CommandFailure {
            CommandFailure("\(output) \(reason)", exitCode: CommandFailure.wrongCall)
        }
        let writesFolder = to == .hf || to == .timm
        guard isFolder.boolValue == writesFolder else {
            throw refuse(
                writesFolder
                    ? "is a file, but the format \(to.rawValue) is a directory"
                    : "is a directory, but the format \(to.rawValue) is a file"
            )
        }
        if writesFolder {
            let names = (try? manager.contentsOfDirectory(atPath: output)) ?? []
            if names.isEmpty { return }
            guard names.contains("config.json") else {
                throw refuse("is a directory with other files and is left unchanged")
            }
        }
        guard force else { throw refuse("exists already; --force replaces it") }
    }

    private func imageSize() throws -> LoadOptions.ImageSize? {
        try size.map(ImageSides.parse)?.size
    }

    private func shardSize() throws -> Int? {
        guard let text = maxShardSize?.uppercased() else { return nil }
        let units = [("KB", 1000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("", 1)]
        for (unit, factor) in units where text.hasSuffix(unit) {
            guard let count = Int(text.dropLast(unit.count)), count > 0 else { break }
            let (bytes, overflow) = count.multipliedReportingOverflow(by: factor)
            if !overflow { return bytes }
        }
        throw ValidationError("--max-shard-size must be like 2GB or 500MB, not \"\(text)\"")
    }
}
