public import TorchNN

/// Every option of a training run, with the values that are in effect.
///
/// The defaults are those of facebookresearch/deit `main.py` as far as this version builds them.
/// A recipe overrides the defaults, flags override the recipe. The keys of a recipe, of `run.yaml`
/// and the flags are the raw values of ``CodingKeys``, with `-` for `_` in flags.
public struct TrainingOptions: Codable, Sendable, Equatable {
    /// The folder of training and validation pictures.
    public var data = ""
    /// The model's name in the registry.
    public var model = "deit_tiny_patch16_224"
    /// The teacher's checkpoint, or empty for none.
    public var teacher = ""
    /// What the student learns from the teacher.
    public var distillation = DistillationKind.none
    /// The weight of the teacher's part in the loss, 0 to 1.
    public var distillationAlpha = 0.5
    /// The temperature of soft distillation, above 0.
    public var distillationTau = 1.0
    /// What the soft distillation loss is divided by.
    public var klReduction = Loss.KLReduction.numel

    /// The number of passes over the training pictures.
    public var epochs = 300
    /// The number of pictures in a step.
    public var batch = 64
    /// The learning rate before scaling.
    public var lr = 5e-4
    /// Whether the learning rate is multiplied by `batch / 512`.
    public var lrScaling = true
    /// The learning rate at the end of the schedule; never scaled.
    public var minLR = 1e-5
    /// The learning rate at the start of the warm-up; never scaled.
    public var warmupLR = 1e-6
    /// The length of the warm-up in epochs.
    public var warmupEpochs = 5.0
    /// How the learning rate falls.
    public var schedule = Schedule.Shape.cosine
    /// The optimiser.
    public var optimizer = OptimizerKind.adamw
    /// The weight decay; none for biases, norms, tokens and position embeddings.
    public var weightDecay = 0.05
    /// The momentum of SGD.
    public var momentum = 0.9
    /// The label smoothing, 0 to 1.
    public var smoothing = 0.1
    /// The rate of stochastic depth at the last block, 0 to 1.
    public var dropPath = 0.1
    /// The decay of the moving average of the weights, or nil for none.
    public var ema: Double? = 0.99996
    /// The largest norm of the whole gradient, or nil for no limit.
    public var clipGrad: Double?
    /// The number format.
    public var dtype = Precision.auto
    /// The seed of everything random.
    public var seed = 0

    /// The side of the pictures in pixels, or nil for the model's own.
    public var size: Int?
    /// The border in pixels that a random crop is padded by, or nil for no padded crop.
    public var cropPadding: Int?
    /// The probability of mirroring a picture.
    public var flip = 0.5
    /// The smallest share of the area that a random resized crop keeps, or nil for no such crop.
    public var cropScale: Double? = 0.08
    /// Only so many training pictures, or nil for all.
    public var trainLimit: Int?
    /// Only so many validation pictures, or nil for all.
    public var valLimit: Int?
    /// How many unreadable pictures are skipped before training stops.
    public var skipLimit = 100

    /// The number of workers that read pictures, or nil for one a core.
    public var workers: Int?
    /// The number of threads that compute, or nil for libtorch's choice.
    public var threads: Int?
    /// The number of steps between checkpoints, beside the one at each epoch's end; nil for none.
    public var checkpointInterval: Int?
    /// How many of the newest checkpoints are kept, beside the best.
    public var keepLast = 2
    /// The number of steps between two records in `metrics.jsonl`.
    public var logInterval = 50

    /// The defaults.
    public init() {}

    /// The options' names in recipes and in `run.yaml`.
    public enum CodingKeys: String, CodingKey, CaseIterable, Sendable {
        case data
        case model
        case teacher
        case distillation
        case distillationAlpha = "distillation_alpha"
        case distillationTau = "distillation_tau"
        case klReduction = "kl_reduction"
        case epochs
        case batch
        case lr
        case lrScaling = "lr_scaling"
        case minLR = "min_lr"
        case warmupLR = "warmup_lr"
        case warmupEpochs = "warmup_epochs"
        case schedule
        case optimizer
        case weightDecay = "weight_decay"
        case momentum
        case smoothing
        case dropPath = "drop_path"
        case ema
        case clipGrad = "clip_grad"
        case dtype
        case seed
        case size
        case cropPadding = "crop_padding"
        case flip
        case cropScale = "crop_scale"
        case trainLimit = "train_limit"
        case valLimit = "val_limit"
        case skipLimit = "skip_limit"
        case workers
        case threads
        case checkpointInterval = "checkpoint_interval"
        case keepLast = "keep_last"
        case logInterval = "log_interval"
    }
}

extension TrainingOptions {
    /// The factor between the given and the effective learning rate: `batch / 512`, or 1.
    public var lrFactor: Double { lrScaling ? Double(batch) / 512 : 1 }

    /// The learning rate after scaling, that the warm-up climbs to.
    public var effectiveLR: Double { lr * lrFactor }
}
