public import ArgumentParser
import Checkpoints
public import ImagePipeline

extension CropMode: ExpressibleByArgument {}

/// A choice that is on or off, as options of training are written.
enum Switch: String, CaseIterable, ExpressibleByArgument {
    case on
    case off

    var isOn: Bool { self == .on }
}

/// Which checkpoint is meant, and what its files do not say.
struct CheckpointSource: ParsableArguments {
    @Argument(
        help: ArgumentHelp(
            "A run, a model directory, a Hub model ID (ORG/NAME), timm's name of weights, or bare weights (.safetensors, .pth, .bin).",
            discussion:
                "Tensor names may be those of timm, DeiT, DINO or Hugging Face."
        )
    )
    var checkpoint: String

    @Option(
        help:
            "Text file with the model's class names, one per line; a line may start with a synset.",
        completion: .file()
    )
    var labels: String?

    @OptionGroup var weights: BareWeightsOptions

    @Option(help: "Normalization mean, one value or one per channel: 0.485,0.456,0.406.")
    var mean: String?

    @Option(help: "Normalization standard deviation, one value or one per channel.")
    var std: String?

    @Option(help: "Fraction of the shorter side kept by the center crop, 0 to 1.")
    var cropPct: Double?

    @Option(help: "Interpolation for resizing: nearest, bilinear or bicubic.")
    var interpolation: String?

    @Option(
        help:
            "How images are resized before the crop: center, squash or border (timm's crop_mode)."
    )
    var cropMode: CropMode?

    @Option(
        help: ArgumentHelp(
            "Apply EXIF orientation: on or off (default: the checkpoint's, else on).",
            valueName: "on|off"
        )
    )
    var exifOrientation: Switch?

    func validate() throws {
        guard !checkpoint.isEmpty else { throw ValidationError("the checkpoint's path is empty") }
        _ = try imageOverrides()
    }

    /// What is to be done otherwise to images.
    func imageOverrides() throws -> ImageOverrides {
        if let cropPct, !(cropPct > 0.01 && cropPct <= 1) {
            throw ValidationError("--crop-pct must be above 0.01 and at most 1, not \(cropPct)")
        }
        let kinds = Interpolation.allCases.map(\.rawValue)
        let kind = interpolation.flatMap { Interpolation(rawValue: $0) }
        guard interpolation == nil || kind != nil else {
            throw ValidationError("--interpolation must be one of \(kinds.joined(separator: ", "))")
        }
        return ImageOverrides(
            mean: try Self.numbers(mean, "--mean"),
            std: try Self.numbers(std, "--std"),
            cropShare: cropPct,
            interpolation: kind,
            cropMode: cropMode,
            appliesOrientation: exifOrientation?.isOn
        )
    }

    /// How the checkpoint is to be read.
    func options(_ relaxations: LoadOptions.Relaxations = []) throws -> LoadOptions {
        var options = LoadOptions(
            relaxations: relaxations,
            preset: weights.preset,
            stateDict: weights.stateDict,
            images: try imageOverrides()
        )
        if let labels { options.labels = try ClassLabels(contentsOf: labels) }
        return options
    }

    private static func numbers(_ text: String?, _ flag: String) throws -> [Float]? {
        guard let text else { return nil }
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        let values = parts.compactMap { part in
            Float(part.filter { $0 != " " }).flatMap { $0.isFinite ? $0 : nil }
        }
        guard values.count == parts.count, [1, 3].contains(values.count) else {
            throw ValidationError("\(flag) must be one or three numbers, not \"\(text)\"")
        }
        return values
    }
}
