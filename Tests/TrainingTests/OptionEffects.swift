@testable import Training

/// A change of one option, and where a run shows it.
struct OptionEffect {
    /// Where a run shows it.
    enum Sign {
        /// In the weights that were learnt.
        case weights
        /// In what a resumed run needs beside the model.
        case state
        /// In the average of the weights.
        case average
        /// In the records.
        case records
        /// In the names of the files.
        case files
        /// In what the manifest says of the threads.
        case threads
        /// In the workers of the plan.
        case workers
        /// In a file whose path goes on so after that of the run's folder: there or not, larger or smaller.
        case file(String)
        /// The run is refused or stops.
        case failure
        /// A test of its own looks at it.
        case elsewhere(String)
    }

    /// The option's key.
    let key: String
    /// The value that must make a difference.
    let text: String
    /// What else the run needs for that, and the value that it differs from where that is not the tiny base's.
    let with: [(key: String, text: String)]
    let sign: Sign

    init(
        _ key: String,
        _ text: String,
        with: KeyValuePairs<String, String> = [:],
        _ sign: Sign? = nil
    ) {
        (self.key, self.text) = (key, text)
        self.sign = sign ?? Self.sign(of: Settings.named(key)?.effect)
        self.with = with.map { ($0.key, $0.value) }
    }

    /// Where what a setting says that it changes usually shows.
    private static func sign(of effect: SettingEffect?) -> Sign {
        switch effect {
        case .evaluation, .records: .records
        case .files: .files
        case .pixels, .gradients, .nothing, nil: .weights
        }
    }
}

/// For every option of every method a change that must make a difference.
enum OptionEffects {
    static func of(_ method: TrainingMethod) -> [OptionEffect] {
        switch method {
        case .supervised: shared + shownEach + network + teaching + learning + images
        case .dino: shared + heads + crops + neighbours
        case .mim: shared + masks
        }
    }

    /// Those that every method has.
    private static let shared: [OptionEffect] = [
        OptionEffect("method", "", .elsewhere("the table is of each method")),
        OptionEffect("data", "{other}"),
        OptionEffect("exif_orientation", "off", with: ["data": "{turned}"]),
        OptionEffect("epochs", "3"),
        OptionEffect("batch", "4"),
        // Parts draw other numbers for stochastic depth.
        OptionEffect("accumulation", "2", with: ["drop_path": "0.5"]),
        OptionEffect("lr", "1e-3"),
        OptionEffect("lr_scaling", "on"),
        OptionEffect("min_lr", "9e-3"),
        OptionEffect("warmup_lr", "9e-3", with: ["warmup_epochs": "1", "warmup_lr": "0"]),
        OptionEffect("warmup_epochs", "1", with: ["warmup_lr": "0"]),
        OptionEffect("optimizer", "sgd"),
        OptionEffect("optimizer", "lamb"),
        OptionEffect("opt_eps", "1e-2"),
        OptionEffect("opt_eps", "1e-2", with: ["optimizer": "lamb"]),
        OptionEffect("opt_betas", "0.5,0.9"),
        OptionEffect("opt_betas", "0.5,0.9", with: ["optimizer": "lamb"]),
        OptionEffect("weight_decay", "0.5"),
        OptionEffect("weight_decay", "0.5", with: ["optimizer": "momentum"]),
        OptionEffect("momentum", "0.5", with: ["optimizer": "sgd"]),
        OptionEffect("drop_path", "0.5"),
        OptionEffect("clip_grad", "1e-3", with: ["optimizer": "momentum"]),
        OptionEffect("dtype", "bf16"),
        OptionEffect("tf32", "", .elsewhere("only NVIDIA's GPUs have it")),
        OptionEffect("seed", "1"),
        OptionEffect("in_chans", "1"),
        OptionEffect("val_fraction", "0.5", with: ["data": "{whole}", "val_fraction": "0.25"]),
        OptionEffect("train_limit", "8"),
        OptionEffect("skip_limit", "0", with: ["data": "{damaged}"], .failure),
        OptionEffect("workers", "2", .workers),
        OptionEffect("device", "cuda:100", .failure),
        OptionEffect("threads", "2", .threads),
        OptionEffect("checkpoint_interval", "1", with: ["keep_last": "9"]),
        OptionEffect(
            "keep_last",
            "3",
            with: ["checkpoint_interval": "1", "keep_last": "1"]
        ),
        OptionEffect("log_interval", "1"),
        OptionEffect("tensorboard", "on", .files),
        OptionEffect("train_interpolation", "bilinear", with: ["size": "16"]),
        OptionEffect("flip", "1"),
        OptionEffect("color_jitter", "0.4"),
        OptionEffect("grayscale_prob", "1"),
    ]

    private static let shownEach: [OptionEffect] = [
        OptionEffect("size", "12"),
        OptionEffect("optimizer", "momentum", with: ["optimizer": "sgd"]),
        OptionEffect("val_limit", "4"),
        OptionEffect("crop_padding", "2"),
        OptionEffect("crop_scale", "0.2"),
        OptionEffect("vflip", "1"),
        OptionEffect("eval_crop_ratio", "0.5"),
    ]

    private static let network: [OptionEffect] = [
        OptionEffect("model", "deit_nano_distilled_patch4_28"),
        OptionEffect("finetune", "{teacher}"),
        OptionEffect("state_dict", "model_ema", with: ["finetune": "{both.pth}"]),
        OptionEffect("single_head", "on", with: ["model": "deit_nano_distilled_patch4_28"]),
        OptionEffect("freeze", "all", with: ["finetune": "{teacher}"]),
        OptionEffect("freeze", "patch_embed", with: ["finetune": "{teacher}"]),
        OptionEffect("attn_only", "on", with: ["finetune": "{teacher}"]),
        OptionEffect("train_mode", "off", with: ["drop_path": "0.5"]),
        OptionEffect("drop", "0.5"),
        OptionEffect("init_values", "0.5", with: ["init_values": "0.1"]),
    ]

    private static let teaching: [OptionEffect] = [
        OptionEffect(
            "teacher",
            "{other-teacher}",
            with: ["teacher": "{teacher}", "distillation": "soft"]
        ),
        OptionEffect(
            "distillation",
            "soft",
            with: ["teacher": "{teacher}", "distillation": "hard"]
        ),
        OptionEffect(
            "distillation_alpha",
            "0.9",
            with: ["teacher": "{teacher}", "distillation": "hard"]
        ),
        OptionEffect(
            "distillation_tau",
            "3",
            with: ["teacher": "{teacher}", "distillation": "soft"]
        ),
        OptionEffect(
            "kl_reduction",
            "batchmean",
            with: ["teacher": "{teacher}", "distillation": "soft"]
        ),
        OptionEffect(
            "distillation_token",
            "on",
            with: ["finetune": "{teacher}", "model": "checkpoint"]
        ),
        OptionEffect(
            "token_init",
            "normal",
            with: [
                "finetune": "{teacher}", "model": "checkpoint", "distillation_token": "on",
            ]
        ),
        OptionEffect(
            "teacher_finetune",
            "2",
            with: [
                "teacher": "{teacher}", "distillation": "soft", "teacher_finetune": "1",
                "teacher_recipe": "{fast.yaml}",
            ]
        ),
        OptionEffect(
            "teacher_recipe",
            "{fast.yaml}",
            with: [
                "teacher": "{teacher}", "distillation": "soft", "teacher_finetune": "1",
                "teacher_recipe": "{slow.yaml}",
            ]
        ),
        OptionEffect(
            "cache_teacher",
            "{run}.answers",
            with: ["teacher": "{teacher}", "distillation": "soft"],
            .file(".answers")
        ),
        OptionEffect(
            "cache_limit",
            "1e-7",
            with: [
                "teacher": "{teacher}", "distillation": "soft", "cache_teacher": "{run}.answers",
            ],
            .file(".answers")
        ),
    ]

    private static let learning: [OptionEffect] = [
        OptionEffect("schedule", "constant"),
        // In the middle a cosine has the value of a straight line.
        OptionEffect("schedule", "linear", with: ["epochs": "3"]),
        OptionEffect("decay_epochs", "2", with: ["schedule": "step", "decay_epochs": "1"]),
        OptionEffect("decay_rate", "0.5", with: ["schedule": "step", "decay_epochs": "1"]),
        OptionEffect("sched_on_updates", "on"),
        OptionEffect("lr_lag", "on"),
        OptionEffect("layer_decay", "0.5"),
        OptionEffect("smoothing", "0.3"),
        OptionEffect("smoothing", "0.3", with: ["mixup": "1"]),
        OptionEffect("class_weights", "1,2,3,0.5"),
        OptionEffect("class_weights", "1,2,3,0.5", with: ["bce_loss": "on"]),
        OptionEffect("class_weights", "1,2,3,0.5", with: ["mixup": "1", "smoothing": "0.1"]),
        OptionEffect("best_metric", "loss"),
        OptionEffect("patience", "", .elsewhere("TrainerTests: patience")),
        // The rate then changes with every step.
        OptionEffect("time", "1h"),
        OptionEffect("bce_loss", "on"),
        OptionEffect("bce_loss", "on", with: ["mixup": "1"]),
        OptionEffect("ema", "0.9", .average),
        OptionEffect("ema", "0.9", with: ["ema": "0.5"], .average),
        OptionEffect("ema_warmup", "timm", with: ["ema": "0.9"], .average),
        OptionEffect("ema_warmup", "tensorflow", with: ["ema": "0.9"], .average),
    ]

    private static let images: [OptionEffect] = [
        OptionEffect("sampler", "balanced"),
        OptionEffect("multi_label", "on"),
        OptionEffect("label_separator", ";", .elsewhere("MultiLabelDataTests")),
        OptionEffect("pos_weight", "2", with: ["multi_label": "on"]),
        OptionEffect("asymmetric_loss", "on", with: ["multi_label": "on"]),
        OptionEffect(
            "asl_gamma_neg",
            "1",
            with: ["multi_label": "on", "asymmetric_loss": "on"]
        ),
        OptionEffect(
            "asl_gamma_pos",
            "2",
            with: ["multi_label": "on", "asymmetric_loss": "on"]
        ),
        OptionEffect(
            "asl_clip",
            "0.2",
            with: ["multi_label": "on", "asymmetric_loss": "on"]
        ),
        OptionEffect("smoothing", "0.3", with: ["multi_label": "on"]),
        OptionEffect("mixup", "1", with: ["multi_label": "on"]),
        OptionEffect("best_metric", "macro-f1", with: ["multi_label": "on"]),
        OptionEffect("train_interpolation", "random", with: ["crop_scale": "0.2"]),
        OptionEffect("src", "on"),
        OptionEffect("aa", "rand-m9-mstd0.5-inc1"),
        OptionEffect("aa", "rand-m9-p1-inc0", with: ["aa": "rand-m9-p1-inc1"]),
        OptionEffect("aa", "original"),
        OptionEffect("three_augment", "on"),
        OptionEffect("gaussian_blur_prob", "1"),
        OptionEffect("reprob", "1"),
        OptionEffect("remode", "const", with: ["reprob": "1"]),
        OptionEffect("recount", "3", with: ["reprob": "1"]),
        OptionEffect("mixup", "1"),
        OptionEffect("cutmix", "1"),
        OptionEffect("cutmix_minmax", "0.3,0.6", with: ["cutmix": "1"]),
        OptionEffect("mixup_prob", "0.01", with: ["mixup": "1"]),
        OptionEffect(
            "mixup_switch_prob",
            "1",
            with: ["mixup": "1", "cutmix": "1", "mixup_switch_prob": "0"]
        ),
        OptionEffect("mixup_mode", "elem", with: ["mixup": "1"]),
        OptionEffect("augmentation_epochs", "1", with: ["flip": "0.5"]),
        OptionEffect("repeated_aug", "2"),
    ]

    private static let heads: [OptionEffect] = [
        OptionEffect("model", "deit_mini_patch4_32"),
        OptionEffect("init", "{teacher}"),
        OptionEffect("out_dim", "12", .state),
        OptionEffect("norm_last_layer", "off", .state),
        OptionEffect("use_bn_in_head", "on"),
        OptionEffect("head_layers", "2", .state),
        OptionEffect("head_hidden_dim", "12", .state),
        OptionEffect("head_bottleneck_dim", "4", .state),
        OptionEffect("student_temp", "0.2"),
        OptionEffect("teacher_temp", "0.07"),
        OptionEffect(
            "warmup_teacher_temp",
            "0.01",
            with: ["warmup_teacher_temp_epochs": "2", "warmup_teacher_temp": "0.03"]
        ),
        OptionEffect("warmup_teacher_temp_epochs", "2", with: ["warmup_teacher_temp": "0.01"]),
        OptionEffect("center_momentum", "0.1"),
        OptionEffect("momentum_teacher", "0.5"),
        OptionEffect("weight_decay_end", "0.9"),
        OptionEffect("freeze_last_layer", "1", .state),
    ]

    private static let crops: [OptionEffect] = [
        OptionEffect("size", "12"),
        OptionEffect("global_crops_number", "3"),
        OptionEffect("global_crops_scale", "0.9,1"),
        OptionEffect("local_crops_number", "1"),
        OptionEffect("local_crops_scale", "0.3,0.4"),
        OptionEffect("local_crops_size", "8"),
        OptionEffect(
            "color_jitter_prob",
            "1",
            with: ["color_jitter": "0.4", "color_jitter_prob": "0"]
        ),
        OptionEffect("global_blur_prob", "1,0"),
        OptionEffect("global_blur_prob", "0,1"),
        OptionEffect("local_blur_prob", "1"),
        OptionEffect("solarize_prob", "1"),
    ]

    private static let neighbours: [OptionEffect] = [
        OptionEffect("knn_interval", "1"),
        // One image that votes is right of its own class at most.
        OptionEffect("knn_limit", "4", with: ["knn_interval": "1", "knn_start": "on"]),
        OptionEffect("knn_start", "on", with: ["knn_interval": "1"]),
        OptionEffect("knn_stop", "", .elsewhere("DINOLearnerTests: judge")),
        OptionEffect("val_limit", "4", with: ["knn_interval": "1"]),
    ]

    private static let masks: [OptionEffect] = [
        OptionEffect("size", "12"),
        OptionEffect(
            "val_limit",
            "4",
            with: ["shown_images": "8"],
            .file("/reconstructions/epoch-1.png")
        ),
        OptionEffect("crop_padding", "2"),
        OptionEffect("crop_scale", "0.2"),
        OptionEffect("model", "deit_nano_distilled_patch4_28"),
        OptionEffect("init", "{teacher}"),
        OptionEffect("mask", "block"),
        OptionEffect("mask_ratio", "0.7"),
        OptionEffect("mask_patch_size", "8"),
        OptionEffect("shown_images", "2", .files),
    ]
}
