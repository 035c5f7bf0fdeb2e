import ArgumentParser
import Training

/// Which `deit pretrain` a group of flags is of: the texts of their help tell its defaults.
protocol PretrainMethod {
    static var method: TrainingMethod { get }
}

/// `deit pretrain dino`.
enum PretrainsDINO: PretrainMethod {
    static let method = TrainingMethod.dino
}

/// `deit pretrain mim`.
enum PretrainsMIM: PretrainMethod {
    static let method = TrainingMethod.mim
}

/// The images of `deit pretrain`.
struct PretrainDataOptions<Kind: PretrainMethod>: ParsableArguments {
    @Option(
        help: .field(
            "data",
            of: Kind.method,
            saying: "Images: any folder of them, or what `deit train` reads."
        )
    ) var data: String?
    @Option(help: .field("size", of: Kind.method)) var size: String?
    @Option(help: .field("in_chans", of: Kind.method)) var inChans: String?
    @Option(help: .field("exif_orientation", of: Kind.method)) var exifOrientation: String?
    @Option(help: .field("train_limit", of: Kind.method)) var trainLimit: String?
    @Option(help: .field("val_fraction", of: Kind.method)) var valFraction: String?
    @Option(help: .field("val_limit", of: Kind.method)) var valLimit: String?
    @Option(help: .field("skip_limit", of: Kind.method)) var skipLimit: String?
    @Option(help: .field("workers", of: Kind.method)) var workers: String?

    var flags: [OptionText] {
        [
            OptionText("data", data),
            OptionText("size", size),
            OptionText("in_chans", inChans),
            OptionText("exif_orientation", exifOrientation),
            OptionText("train_limit", trainLimit),
            OptionText("val_fraction", valFraction),
            OptionText("val_limit", valLimit),
            OptionText("skip_limit", skipLimit),
            OptionText("workers", workers),
        ]
    }
}

/// The network of `deit pretrain`, the length and the optimiser.
struct PretrainScheduleOptions<Kind: PretrainMethod>: ParsableArguments {
    @Option(
        help: .field(
            "model",
            of: Kind.method,
            saying: "Model to train; `deit models` lists them."
        )
    ) var model: String?
    @Option(name: .customLong("init"), help: .field("init", of: Kind.method)) var initialWeights:
        String?
    @Option(help: .field("drop_path", of: Kind.method)) var dropPath: String?
    @Option(help: .field("epochs", of: Kind.method)) var epochs: String?
    @Option(help: .field("batch", of: Kind.method)) var batch: String?
    @Option(help: .field("accumulation", of: Kind.method)) var accumulation: String?
    @Option(help: .field("lr", of: Kind.method)) var lr: String?
    @Option(help: .field("lr_scaling", of: Kind.method)) var lrScaling: String?
    @Option(help: .field("min_lr", of: Kind.method)) var minLr: String?
    @Option(help: .field("warmup_lr", of: Kind.method)) var warmupLr: String?
    @Option(help: .field("warmup_epochs", of: Kind.method)) var warmupEpochs: String?
    @Option(help: .field("optimizer", of: Kind.method)) var optimizer: String?
    @Option(help: .field("opt_eps", of: Kind.method)) var optEps: String?
    @Option(help: .field("opt_betas", of: Kind.method)) var optBetas: String?
    @Option(help: .field("momentum", of: Kind.method)) var momentum: String?
    @Option(help: .field("weight_decay", of: Kind.method)) var weightDecay: String?
    @Option(help: .field("clip_grad", of: Kind.method)) var clipGrad: String?

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
