extension TrainingOptions {
    /// What an option of DeiT's `main.py` or timm's `train.py` is called here, where it has another name.
    ///
    /// - Parameter name: The name, as in a recipe or as a flag: `batch_size`, `--batch-size`.
    /// - Returns: The name here and what differs, or nil.
    public static func ours(for name: String) -> String? {
        let key = name.trimmingPrefix("--").replacing("-", with: "_").lowercased()
        return otherNames[key]
    }

    /// What is said of an option of DeiT's `main.py` that has no counterpart here.
    ///
    /// - Parameter name: The name, as in a recipe or as a flag: `cosub`, `--cosub`.
    /// - Returns: What it would do, or nil.
    public static func absent(_ name: String) -> String? {
        let key = name.trimmingPrefix("--").replacing("-", with: "_").lowercased()
        return absentNames[key]
    }

    /// The options of DeiT's `main.py` that have no counterpart here, and what they do there.
    static let absentNames: [String: String] = [
        "cooldown_epochs": "epochs after the schedule, which DeiT's own loop never trains",
        "cosub": "training of two submodels of one batch",
        "inat_category": "the choice of iNaturalist's labels",
        "lr_noise": "noise on the learning rate",
        "lr_noise_pct": "noise on the learning rate",
        "lr_noise_std": "noise on the learning rate",
        "patience_epochs": "a schedule that waits for the validation (plateau)",
        "resplit": "a first batch without random erasing",
    ]

    /// What options of DeiT's `main.py` and timm's `train.py` that have another name here are called.
    static let otherNames: [String: String] = [
        "aug_repeats": "repeated_aug, a number",
        "auto_augment": "aa",
        "batch_size": "batch",
        "data_path": "data",
        "data_set": "detected from the content of --data",
        "dist_eval": "always on, as every process validates its part",
        "dist_url": "MASTER_ADDR and MASTER_PORT, which torchrun sets",
        "distillation_type": "distillation",
        "grad_accum_steps": "accumulation, which divides batch instead of multiplying it",
        "hflip": "flip",
        "in_channels": "in_chans",
        "input_size": "size",
        "img_size": "size",
        "label_smoothing": "smoothing",
        "learning_rate": "lr",
        "model_ema": "ema, a decay or off",
        "model_ema_decay": "ema",
        "model_ema_warmup": "ema_warmup, timm",
        "nb_classes": "the number of classes in the data",
        "num_classes": "the number of classes in the data",
        "no_repeated_aug": "repeated_aug: off",
        "no_train_mode": "train_mode: off",
        "num_workers": "workers",
        "opt": "optimizer",
        "sched": "schedule",
        "teacher_model": "read from the teacher's checkpoint",
        "teacher_path": "teacher",
        "threeaugment": "three_augment",
        "unscale_lr": "lr_scaling: off",
        "world_size": "WORLD_SIZE, which torchrun sets",
    ]
}
