extension TrainingOptions {
    /// The options that only DINO has.
    static let dinoFields: [OptionField] = startFields + headFields + cropFields + guardFields

    private static let startFields: [OptionField] = [
        .text(
            .initialWeights,
            \.initialWeights,
            "checkpoint",
            "Start from these weights: a backbone's, or a full checkpoint's of DINO."
        ),
        .number(
            .weightDecayEnd,
            \.weightDecayEnd,
            anyReal,
            absent: "off",
            "rate",
            "Weight decay at the end, by a cosine; off: as at the start."
        ),
        .number(
            .momentumTeacher,
            \.momentumTeacher,
            0...1,
            "share",
            "Share of the teacher that a step keeps, rising to 1; 0.9995 for small batches."
        ),
        .number(.studentTemp, \.studentTemp, positive, "tau", "Temperature of the student."),
        .number(
            .teacherTemp,
            \.teacherTemp,
            positive,
            "tau",
            "Temperature of the teacher; above 0.07 it is unstable."
        ),
        .number(
            .warmupTeacherTemp,
            \.warmupTeacherTemp,
            positive,
            "tau",
            "Temperature of the teacher at the start."
        ),
        .number(
            .warmupTeacherTempEpochs,
            \.warmupTeacherTempEpochs,
            0...1_000_000,
            "epochs",
            "Epochs from that to the last temperature."
        ),
        .number(
            .centerMomentum,
            \.centerMomentum,
            0...1,
            "share",
            "Share of the centre that a step keeps."
        ),
    ]

    private static let headFields: [OptionField] = [
        .number(
            .outDim,
            \.outDim,
            2...10_000_000,
            "K",
            "Outputs of the head; a few thousand for small data."
        ),
        .flag(
            .normLastLayer,
            \.normLastLayer,
            "Keep the rows of the head's last layer at length 1: steadier, a little worse."
        ),
        .flag(.useBNInHead, \.useBNInHead, "Batch normalisation in the head."),
        .number(.headLayers, \.headLayers, 1...16, "count", "Layers of the head before its last."),
        .number(
            .headHiddenDim,
            \.headHiddenDim,
            1...1_000_000,
            "width",
            "Width of the head's hidden layers."
        ),
        .number(
            .headBottleneckDim,
            \.headBottleneckDim,
            1...1_000_000,
            "width",
            "Width of what the head's last layer reads."
        ),
        .number(
            .freezeLastLayer,
            \.freezeLastLayer,
            0...1_000_000,
            "epochs",
            "Keep the head's last layer as it is for so many epochs."
        ),
    ]

    private static let cropFields: [OptionField] = [
        .number(
            .globalCropsNumber,
            \.globalCropsNumber,
            1...64,
            "count",
            "Large crops of an image, which the teacher sees."
        ),
        .numbers(
            .globalCropsScale,
            \.globalCropsScale,
            0...1,
            absent: "off",
            "min,max",
            "Share of the area that a large crop keeps."
        ),
        .number(
            .localCropsNumber,
            \.localCropsNumber,
            0...64,
            "count",
            "Small crops of an image, for the student alone."
        ),
        .numbers(
            .localCropsScale,
            \.localCropsScale,
            0...1,
            absent: "off",
            "min,max",
            "Share of the area that a small crop keeps."
        ),
        .number(
            .localCropsSize,
            \.localCropsSize,
            1...8_192,
            absent: "auto",
            "pixels",
            "Side of the small crops; auto: 96 where the large ones have 224."
        ),
        .number(
            .colorJitterProb,
            \.colorJitterProb,
            0...1,
            "probability",
            "Change the colours of a crop."
        ),
        .numbers(
            .globalBlurProb,
            \.globalBlurProb,
            0...1,
            absent: "off",
            "first,others",
            "Blur the first large crop, and the others."
        ),
        .number(.localBlurProb, \.localBlurProb, 0...1, "probability", "Blur a small crop."),
        .number(
            .solarizeProb,
            \.solarizeProb,
            0...1,
            "probability",
            "Solarise a large crop but the first."
        ),
    ]

    private static let guardFields: [OptionField] = [
        .number(
            .knnInterval,
            \.knnInterval,
            1...1_000_000,
            absent: "off",
            "epochs",
            "Measure by nearest neighbours every so many epochs, where there are labels."
        ),
        .number(
            .knnLimit,
            \.knnLimit,
            1...Int.max,
            "count",
            "So many training images vote at most."
        ),
        .flag(
            .knnStart,
            \.knnStart,
            "Measure raw pixels and the network as it begins too."
        ),
        .number(
            .knnStop,
            \.knnStop,
            0...100,
            absent: "off",
            "points",
            "Stop when that accuracy stays so many points below its best."
        ),
    ]
}

extension TrainingOptions {
    /// The defaults of a method: DeiT's `main.py`, or DINO's `main_dino.py`.
    ///
    /// - Parameter method: What the run learns from.
    /// - Returns: The options.
    public static func defaults(of method: TrainingMethod) -> TrainingOptions {
        var options = TrainingOptions()
        options.method = method
        switch method {
        case .supervised: return options
        case .mim: return mimDefaults
        case .dino: break
        }
        options.model = "vit_small_patch16_224.dino"
        options.epochs = 100
        options.warmupEpochs = 10
        options.warmupLR = 0
        options.minLR = 1e-6
        options.weightDecay = 0.04
        options.clipGrad = 3
        options.schedOnUpdates = true
        options.colorJitter = 0.4
        options.grayscaleProb = 0.2
        options.turnOffWhatNeedsLabels()
        return options
    }

    /// Turns off what labels or their mixing need, and what an image of several crops has of its own.
    mutating func turnOffWhatNeedsLabels() {
        ema = nil
        smoothing = 0
        aa = nil
        reprob = 0
        mixup = 0
        cutmix = 0
        repeatedAug = nil
        valFraction = nil
    }

    /// The options that mean something in a method, in the order of `--help`.
    ///
    /// - Parameter method: What the run learns from.
    /// - Returns: The options.
    public static func fields(of method: TrainingMethod) -> [OptionField] {
        switch method {
        case .supervised:
            let others = Set((dinoFields + mimFields).map(\.key))
            return fields.filter { !others.contains($0.key) }
        case .dino:
            let own = dinoKeys.union(dinoFields.map(\.key))
            return fields.filter { own.contains($0.key) }
        case .mim:
            return fields.filter { mimKeys.contains($0.key) }
        }
    }

    /// The options that DINO shares with others.
    private static let dinoKeys: Set<String> = [
        "method", "data", "model", "epochs", "batch", "accumulation", "lr", "lr_scaling", "min_lr",
        "warmup_lr", "warmup_epochs", "optimizer", "opt_eps", "opt_betas", "weight_decay",
        "momentum", "drop_path", "clip_grad", "dtype", "seed", "size", "in_chans",
        "exif_orientation", "train_interpolation", "flip", "color_jitter", "grayscale_prob",
        "val_fraction",
        "train_limit", "val_limit", "skip_limit", "workers", "threads", "checkpoint_interval",
        "keep_last", "log_interval", "tensorboard",
    ]
}
