import ArgumentParser
import Training

/// What `deit pretrain mim` hides.
struct MIMMaskOptions: ParsableArguments {
    @Option(help: .field("mask", of: .mim)) var mask: String?
    @Option(help: .field("mask_ratio", of: .mim)) var maskRatio: String?
    @Option(help: .field("mask_patch_size", of: .mim)) var maskPatchSize: String?
    @Option(help: .field("shown_pictures", of: .mim)) var shownPictures: String?

    var flags: [OptionText] {
        [
            OptionText("mask", mask),
            OptionText("mask_ratio", maskRatio),
            OptionText("mask_patch_size", maskPatchSize),
            OptionText("shown_pictures", shownPictures),
        ]
    }
}

/// The pictures of `deit pretrain mim`.
struct MIMPictureOptions: ParsableArguments {
    @Option(help: .field("data", of: .mim)) var data: String?
    @Option(help: .field("size", of: .mim)) var size: String?
    @Option(help: .field("in_chans", of: .mim)) var inChans: String?
    @Option(help: .field("crop_scale", of: .mim)) var cropScale: String?
    @Option(help: .field("crop_padding", of: .mim)) var cropPadding: String?
    @Option(help: .field("train_interpolation", of: .mim)) var trainInterpolation: String?
    @Option(help: .field("flip", of: .mim)) var flip: String?
    @Option(help: .field("color_jitter", of: .mim)) var colorJitter: String?
    @Option(help: .field("grayscale_prob", of: .mim)) var grayscaleProb: String?
    @Option(help: .field("train_limit", of: .mim)) var trainLimit: String?
    @Option(help: .field("val_fraction", of: .mim)) var valFraction: String?
    @Option(help: .field("val_limit", of: .mim)) var valLimit: String?
    @Option(help: .field("skip_limit", of: .mim)) var skipLimit: String?
    @Option(help: .field("workers", of: .mim)) var workers: String?

    var flags: [OptionText] {
        [
            OptionText("data", data),
            OptionText("size", size),
            OptionText("in_chans", inChans),
            OptionText("crop_scale", cropScale),
            OptionText("crop_padding", cropPadding),
            OptionText("train_interpolation", trainInterpolation),
            OptionText("flip", flip),
            OptionText("color_jitter", colorJitter),
            OptionText("grayscale_prob", grayscaleProb),
            OptionText("train_limit", trainLimit),
            OptionText("val_fraction", valFraction),
            OptionText("val_limit", valLimit),
            OptionText("skip_limit", skipLimit),
            OptionText("workers", workers),
        ]
    }
}

/// The network of `deit pretrain mim`, the length and the optimiser.
struct MIMScheduleOptions: ParsableArguments {
    @Option(help: .field("model", of: .mim)) var model: String?
    @Option(name: .customLong("init"), help: .field("init", of: .mim)) var initialWeights: String?
    @Option(help: .field("drop_path", of: .mim)) var dropPath: String?
    @Option(help: .field("epochs", of: .mim)) var epochs: String?
    @Option(help: .field("batch", of: .mim)) var batch: String?
    @Option(help: .field("accumulation", of: .mim)) var accumulation: String?
    @Option(help: .field("lr", of: .mim)) var lr: String?
    @Option(help: .field("lr_scaling", of: .mim)) var lrScaling: String?
    @Option(help: .field("min_lr", of: .mim)) var minLr: String?
    @Option(help: .field("warmup_lr", of: .mim)) var warmupLr: String?
    @Option(help: .field("warmup_epochs", of: .mim)) var warmupEpochs: String?
    @Option(help: .field("optimizer", of: .mim)) var optimizer: String?
    @Option(help: .field("opt_eps", of: .mim)) var optEps: String?
    @Option(help: .field("opt_betas", of: .mim)) var optBetas: String?
    @Option(help: .field("momentum", of: .mim)) var momentum: String?
    @Option(help: .field("weight_decay", of: .mim)) var weightDecay: String?
    @Option(help: .field("clip_grad", of: .mim)) var clipGrad: String?

    var flags: [OptionText] {
        [
            OptionText("model", model),
            OptionText("init", initialWeights),
            OptionText("drop_path", dropPath),
            OptionText("epochs", epochs),
            OptionText("batch", batch),
            OptionText("accumulation", accumulation),
            OptionText("lr", lr),
            OptionText("lr_scaling", lrScaling),
            OptionText("min_lr", minLr),
            OptionText("warmup_lr", warmupLr),
            OptionText("warmup_epochs", warmupEpochs),
            OptionText("optimizer", optimizer),
            OptionText("opt_eps", optEps),
            OptionText("opt_betas", optBetas),
            OptionText("momentum", momentum),
            OptionText("weight_decay", weightDecay),
            OptionText("clip_grad", clipGrad),
        ]
    }
}
