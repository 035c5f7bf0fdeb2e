import ArgumentParser
import Training

/// How the features of `deit pretrain dino` are measured on the way.
struct DINOGuardOptions: ParsableArguments {
    @Option(help: .field("knn_interval", of: .dino)) var knnInterval: String?
    @Option(help: .field("knn_limit", of: .dino)) var knnLimit: String?
    @Option(help: .field("knn_start", of: .dino)) var knnStart: String?
    @Option(help: .field("knn_stop", of: .dino)) var knnStop: String?

    var flags: [OptionText] {
        [
            OptionText("knn_interval", knnInterval),
            OptionText("knn_limit", knnLimit),
            OptionText("knn_start", knnStart),
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

/// The heads of `deit pretrain dino`.
struct DINOHeadOptions: ParsableArguments {
    @Option(help: .field("out_dim", of: .dino)) var outDim: String?
    @Option(help: .field("norm_last_layer", of: .dino)) var normLastLayer: String?
    @Option(help: .field("use_bn_in_head", of: .dino)) var useBnInHead: String?
    @Option(help: .field("head_layers", of: .dino)) var headLayers: String?
    @Option(help: .field("head_hidden_dim", of: .dino)) var headHiddenDim: String?
    @Option(help: .field("head_bottleneck_dim", of: .dino)) var headBottleneckDim: String?

    var flags: [OptionText] {
        [
            OptionText("out_dim", outDim),
            OptionText("norm_last_layer", normLastLayer),
            OptionText("use_bn_in_head", useBnInHead),
            OptionText("head_layers", headLayers),
            OptionText("head_hidden_dim", headHiddenDim),
            OptionText("head_bottleneck_dim", headBottleneckDim),
        ]
    }
}

/// The teacher and the loss of `deit pretrain dino`, and what of it changes on the way.
struct DINOLossOptions: ParsableArguments {
    @Option(help: .field("momentum_teacher", of: .dino)) var momentumTeacher: String?
    @Option(help: .field("student_temp", of: .dino)) var studentTemp: String?
    @Option(help: .field("teacher_temp", of: .dino)) var teacherTemp: String?
    @Option(help: .field("warmup_teacher_temp", of: .dino)) var warmupTeacherTemp: String?
    @Option(help: .field("warmup_teacher_temp_epochs", of: .dino)) var warmupTeacherTempEpochs:
        String?
    @Option(help: .field("center_momentum", of: .dino)) var centerMomentum: String?
    @Option(help: .field("freeze_last_layer", of: .dino)) var freezeLastLayer: String?
    @Option(help: .field("weight_decay_end", of: .dino)) var weightDecayEnd: String?

    var flags: [OptionText] {
        [
            OptionText("momentum_teacher", momentumTeacher),
            OptionText("student_temp", studentTemp),
            OptionText("teacher_temp", teacherTemp),
            OptionText("warmup_teacher_temp", warmupTeacherTemp),
            OptionText("warmup_teacher_temp_epochs", warmupTeacherTempEpochs),
            OptionText("center_momentum", centerMomentum),
            OptionText("freeze_last_layer", freezeLastLayer),
            OptionText("weight_decay_end", weightDecayEnd),
        ]
    }
}
