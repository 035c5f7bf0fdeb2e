import ArgumentParser
import Training

/// The pictures of `deit pretrain dino`, and how its features are measured on the way.
struct DINOPictureOptions: ParsableArguments {
    @Option(help: .field("data", of: .dino)) var data: String?
    @Option(help: .field("size", of: .dino)) var size: String?
    @Option(help: .field("in_chans", of: .dino)) var inChans: String?
    @Option(help: .field("train_limit", of: .dino)) var trainLimit: String?
    @Option(help: .field("val_fraction", of: .dino)) var valFraction: String?
    @Option(help: .field("val_limit", of: .dino)) var valLimit: String?
    @Option(help: .field("skip_limit", of: .dino)) var skipLimit: String?
    @Option(help: .field("workers", of: .dino)) var workers: String?
    @Option(help: .field("knn_interval", of: .dino)) var knnInterval: String?
    @Option(help: .field("knn_limit", of: .dino)) var knnLimit: String?
    @Option(help: .field("knn_stop", of: .dino)) var knnStop: String?

    var flags: [OptionText] {
        [
            OptionText("data", data),
            OptionText("size", size),
            OptionText("in_chans", inChans),
            OptionText("train_limit", trainLimit),
            OptionText("val_fraction", valFraction),
            OptionText("val_limit", valLimit),
            OptionText("skip_limit", skipLimit),
            OptionText("workers", workers),
            OptionText("knn_interval", knnInterval),
            OptionText("knn_limit", knnLimit),
            OptionText("knn_stop", knnStop),
        ]
    }
}

/// The crops of `deit pretrain dino`.
struct DINOCropOptions: ParsableArguments {
    @Option(help: .field("global_crops_number", of: .dino)) var globalCropsNumber: String?
    @Option(help: .field("global_crops_scale", of: .dino)) var globalCropsScale: String?
    @Option(help: .field("local_crops_number", of: .dino)) var localCropsNumber: String?
    @Option(help: .field("local_crops_scale", of: .dino)) var localCropsScale: String?
    @Option(help: .field("local_crops_size", of: .dino)) var localCropsSize: String?
    @Option(help: .field("train_interpolation", of: .dino)) var trainInterpolation: String?
    @Option(help: .field("flip", of: .dino)) var flip: String?
    @Option(help: .field("color_jitter", of: .dino)) var colorJitter: String?
    @Option(help: .field("color_jitter_prob", of: .dino)) var colorJitterProb: String?
    @Option(help: .field("grayscale_prob", of: .dino)) var grayscaleProb: String?
    @Option(help: .field("global_blur_prob", of: .dino)) var globalBlurProb: String?
    @Option(help: .field("local_blur_prob", of: .dino)) var localBlurProb: String?
    @Option(help: .field("solarize_prob", of: .dino)) var solarizeProb: String?

    var flags: [OptionText] {
        [
            OptionText("global_crops_number", globalCropsNumber),
            OptionText("global_crops_scale", globalCropsScale),
            OptionText("local_crops_number", localCropsNumber),
            OptionText("local_crops_scale", localCropsScale),
            OptionText("local_crops_size", localCropsSize),
            OptionText("train_interpolation", trainInterpolation),
            OptionText("flip", flip),
            OptionText("color_jitter", colorJitter),
            OptionText("color_jitter_prob", colorJitterProb),
            OptionText("grayscale_prob", grayscaleProb),
            OptionText("global_blur_prob", globalBlurProb),
            OptionText("local_blur_prob", localBlurProb),
            OptionText("solarize_prob", solarizeProb),
        ]
    }
}

/// The networks of `deit pretrain dino`.
struct DINOModelOptions: ParsableArguments {
    @Option(help: .field("model", of: .dino)) var model: String?
    @Option(name: .customLong("init"), help: .field("init", of: .dino)) var initialWeights: String?
    @Option(help: .field("drop_path", of: .dino)) var dropPath: String?
    @Option(help: .field("out_dim", of: .dino)) var outDim: String?
    @Option(help: .field("norm_last_layer", of: .dino)) var normLastLayer: String?
    @Option(help: .field("use_bn_in_head", of: .dino)) var useBnInHead: String?
    @Option(help: .field("head_layers", of: .dino)) var headLayers: String?
    @Option(help: .field("head_hidden_dim", of: .dino)) var headHiddenDim: String?
    @Option(help: .field("head_bottleneck_dim", of: .dino)) var headBottleneckDim: String?

    var flags: [OptionText] {
        [
            OptionText("model", model),
            OptionText("init", initialWeights),
            OptionText("drop_path", dropPath),
            OptionText("out_dim", outDim),
            OptionText("norm_last_layer", normLastLayer),
            OptionText("use_bn_in_head", useBnInHead),
            OptionText("head_layers", headLayers),
            OptionText("head_hidden_dim", headHiddenDim),
            OptionText("head_bottleneck_dim", headBottleneckDim),

        ]
    }
}

/// The teacher and the loss of `deit pretrain dino`.
struct DINOLossOptions: ParsableArguments {
    @Option(help: .field("momentum_teacher", of: .dino)) var momentumTeacher: String?
    @Option(help: .field("student_temp", of: .dino)) var studentTemp: String?
    @Option(help: .field("teacher_temp", of: .dino)) var teacherTemp: String?
    @Option(help: .field("warmup_teacher_temp", of: .dino)) var warmupTeacherTemp: String?
    @Option(help: .field("warmup_teacher_temp_epochs", of: .dino)) var warmupTeacherTempEpochs:
        String?
    @Option(help: .field("center_momentum", of: .dino)) var centerMomentum: String?
    @Option(help: .field("freeze_last_layer", of: .dino)) var freezeLastLayer: String?

    var flags: [OptionText] {
        [
            OptionText("momentum_teacher", momentumTeacher),
            OptionText("student_temp", studentTemp),
            OptionText("teacher_temp", teacherTemp),
            OptionText("warmup_teacher_temp", warmupTeacherTemp),
            OptionText("warmup_teacher_temp_epochs", warmupTeacherTempEpochs),
            OptionText("center_momentum", centerMomentum),
            OptionText("freeze_last_layer", freezeLastLayer),
        ]
    }
}

/// The length of `deit pretrain dino` and its optimiser.
struct DINOScheduleOptions: ParsableArguments {
    @Option(help: .field("epochs", of: .dino)) var epochs: String?
    @Option(help: .field("batch", of: .dino)) var batch: String?
    @Option(help: .field("accumulation", of: .dino)) var accumulation: String?
    @Option(help: .field("lr", of: .dino)) var lr: String?
    @Option(help: .field("lr_scaling", of: .dino)) var lrScaling: String?
    @Option(help: .field("min_lr", of: .dino)) var minLr: String?
    @Option(help: .field("warmup_lr", of: .dino)) var warmupLr: String?
    @Option(help: .field("warmup_epochs", of: .dino)) var warmupEpochs: String?
    @Option(help: .field("optimizer", of: .dino)) var optimizer: String?
    @Option(help: .field("opt_eps", of: .dino)) var optEps: String?
    @Option(help: .field("opt_betas", of: .dino)) var optBetas: String?
    @Option(help: .field("momentum", of: .dino)) var momentum: String?
    @Option(help: .field("weight_decay", of: .dino)) var weightDecay: String?
    @Option(help: .field("weight_decay_end", of: .dino)) var weightDecayEnd: String?
    @Option(help: .field("clip_grad", of: .dino)) var clipGrad: String?

    var flags: [OptionText] {
        [
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
            OptionText("weight_decay_end", weightDecayEnd),
            OptionText("clip_grad", clipGrad),
        ]
    }
}
