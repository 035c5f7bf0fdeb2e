import ArgumentParser
import Training

/// The flags of what happens to training images at random.
struct AugmentationOptions: ParsableArguments {
    @Option(help: .field("exif_orientation")) var exifOrientation: String?
    @Option(help: .field("crop_padding")) var cropPadding: String?
    @Option(help: .field("crop_scale")) var cropScale: String?
    @Option(help: .field("src")) var src: String?
    @Option(help: .field("train_interpolation")) var trainInterpolation: String?
    @Option(help: .field("flip")) var flip: String?
    @Option(help: .field("vflip")) var vflip: String?
    @Option(help: .field("eval_crop_ratio")) var evalCropRatio: String?
    @Option(help: .field("aa")) var aa: String?
    @Option(help: .field("three_augment")) var threeAugment: String?
    @Option(help: .field("color_jitter")) var colorJitter: String?
    @Option(help: .field("grayscale_prob")) var grayscaleProb: String?
    @Option(help: .field("gaussian_blur_prob")) var gaussianBlurProb: String?
    @Option(help: .field("reprob")) var reprob: String?
    @Option(help: .field("remode")) var remode: String?
    @Option(help: .field("recount")) var recount: String?
    @OptionGroup var mixing: MixingOptions

    var flags: [OptionText] {
        [
            OptionText("exif_orientation", exifOrientation),
            OptionText("crop_padding", cropPadding), OptionText("crop_scale", cropScale),
            OptionText("src", src),
            OptionText("train_interpolation", trainInterpolation), OptionText("flip", flip),
            OptionText("vflip", vflip), OptionText("eval_crop_ratio", evalCropRatio),
            OptionText("aa", aa), OptionText("three_augment", threeAugment),
            OptionText("color_jitter", colorJitter), OptionText("grayscale_prob", grayscaleProb),
            OptionText("gaussian_blur_prob", gaussianBlurProb), OptionText("reprob", reprob),
            OptionText("remode", remode), OptionText("recount", recount),
        ] + mixing.flags
    }
}

/// The flags of what happens to the images of a batch together.
struct MixingOptions: ParsableArguments {
    @Option(help: .field("mixup")) var mixup: String?
    @Option(help: .field("cutmix")) var cutmix: String?
    @Option(help: .field("cutmix_minmax")) var cutmixMinmax: String?
    @Option(help: .field("mixup_prob")) var mixupProb: String?
    @Option(help: .field("mixup_switch_prob")) var mixupSwitchProb: String?
    @Option(help: .field("mixup_mode")) var mixupMode: String?
    @Option(help: .field("repeated_aug")) var repeatedAug: String?
    @Option(help: .field("augmentation_epochs")) var augmentationEpochs: String?

    var flags: [OptionText] {
        [
            OptionText("mixup", mixup), OptionText("cutmix", cutmix),
            OptionText("cutmix_minmax", cutmixMinmax), OptionText("mixup_prob", mixupProb),
            OptionText("mixup_switch_prob", mixupSwitchProb), OptionText("mixup_mode", mixupMode),
            OptionText("repeated_aug", repeatedAug),
            OptionText("augmentation_epochs", augmentationEpochs),
        ]
    }
}
