import ArgumentParser
import Training

/// What `deit pretrain mim` hides.
struct MIMMaskOptions: ParsableArguments {
    @Option(help: .field("mask", of: .mim)) var mask: String?
    @Option(help: .field("mask_ratio", of: .mim)) var maskRatio: String?
    @Option(help: .field("mask_patch_size", of: .mim)) var maskPatchSize: String?
    @Option(help: .field("shown_images", of: .mim)) var shownImages: String?

    var flags: [OptionText] {
        [
            OptionText("mask", mask),
            OptionText("mask_ratio", maskRatio),
            OptionText("mask_patch_size", maskPatchSize),
            OptionText("shown_images", shownImages),
        ]
    }
}

/// What `deit pretrain mim` does to images before it hides parts.
struct MIMAugmentationOptions: ParsableArguments {
    @Option(help: .field("crop_scale", of: .mim)) var cropScale: String?
    @Option(help: .field("crop_padding", of: .mim)) var cropPadding: String?
    @Option(help: .field("train_interpolation", of: .mim)) var trainInterpolation: String?
    @Option(help: .field("flip", of: .mim)) var flip: String?
    @Option(help: .field("color_jitter", of: .mim)) var colorJitter: String?
    @Option(help: .field("grayscale_prob", of: .mim)) var grayscaleProb: String?

    var flags: [OptionText] {
        [
            OptionText("crop_scale", cropScale),
            OptionText("crop_padding", cropPadding),
            OptionText("train_interpolation", trainInterpolation),
            OptionText("flip", flip),
            OptionText("color_jitter", colorJitter),
            OptionText("grayscale_prob", grayscaleProb),
        ]
    }
}
