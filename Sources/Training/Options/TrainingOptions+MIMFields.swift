extension TrainingOptions {
    /// The options that only masked modelling has.
    static let mimFields: [OptionField] = [
        .choice(
            .maskKind,
            \.maskKind,
            "How hidden patches lie: random squares (SimMIM) or block-wise (BEiT)."
        ),
        .number(
            .maskRatio,
            \.maskRatio,
            0...1,
            "share",
            "Share of an image that is hidden, above 0 and below 1."
        ),
        .number(
            .maskPatchSize,
            \.maskPatchSize,
            1...65_536,
            absent: "auto",
            "pixels",
            "Side of random squares; auto: 32, and a patch of images up to 64 pixels."
        ),
        .number(
            .shownImages,
            \.shownImages,
            0...256,
            "count",
            "Images whose reconstructions each epoch writes, 0 for none."
        ),
    ]

    /// The defaults of masked modelling: those of SimMIM's small configurations.
    static var mimDefaults: TrainingOptions {
        var options = TrainingOptions()
        options.method = .mim
        options.model = "deit_tiny_patch16_224"
        options.epochs = 100
        options.warmupEpochs = 10
        options.warmupLR = 1e-6
        options.minLR = 1e-5
        options.lr = 4e-4
        options.weightDecay = 0.05
        options.clipGrad = 5
        options.schedOnUpdates = true
        options.cropScale = 0.67
        options.dropPath = 0
        options.colorJitter = 0
        options.turnOffWhatNeedsLabels()
        return options
    }

    /// The options that masked modelling has, its own and shared ones.
    static let mimKeys = Set(mimFields.map(\.key)).union([
        "exif_orientation",
        "method", "data", "model", "init", "epochs", "batch", "accumulation", "lr", "lr_scaling",
        "min_lr", "warmup_lr", "warmup_epochs", "optimizer", "opt_eps", "opt_betas",
        "weight_decay", "momentum", "drop_path", "clip_grad", "dtype", "seed", "size", "in_chans",
        "crop_scale", "crop_padding", "train_interpolation", "flip", "color_jitter",
        "grayscale_prob", "val_fraction", "train_limit", "val_limit", "skip_limit", "workers",
        "threads", "checkpoint_interval", "keep_last", "log_interval", "tensorboard",
    ])
}
