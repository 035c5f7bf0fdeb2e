public import ImagePipeline
public import TorchNN

/// Every option of a training run, with the values that are in effect.
///
/// The defaults are those of facebookresearch/deit `main.py`, and names that are timm's mean what they mean there. A
/// recipe overrides the defaults, flags override the recipe. The keys of a recipe, of `run.yaml`
/// and the flags are the raw values of ``CodingKeys``, with `-` for `_` in flags.
public struct TrainingOptions: Codable, Sendable, Equatable {
    /// What a run learns from.
    public var method = TrainingMethod.supervised
    /// The folder of training and validation images.
    public var data = ""
    /// The model's name in the registry, or ``modelOfCheckpoint``.
    public var model = "deit_tiny_patch16_224"
    /// The checkpoint whose weights training starts from, or empty for fresh ones.
    public var finetune = ""
    /// Which of several state dicts of that checkpoint is meant, such as `model_ema`, or nil for the plain one.
    public var stateDict: String?
    /// Whether a model with a distillation token has one head, on the class token, in place of two.
    public var singleHead = false
    /// Which of the weights that training starts from stay as they are.
    public var freeze = Freezing.none
    /// Whether only attention, positions and the head are trained, the rest stays as it is.
    public var attnOnly = false
    /// Whether the network trains in training mode; in evaluation mode nothing is dropped, and statistics stay.
    public var trainMode = true
    /// The rate of dropout, 0 to 1.
    public var drop = 0.0
    /// The first value of LayerScale, or nil for the model's own.
    public var initValues: Double?
    /// The teacher's checkpoint, several with commas between them, or empty for none; see ``teachers``.
    public var teacher = ""
    /// What the student learns from the teacher.
    public var distillation = DistillationKind.none
    /// The weight of the teacher's part in the loss, 0 to 1.
    public var distillationAlpha = 0.5
    /// The temperature of soft distillation, above 0.
    public var distillationTau = 1.0
    /// What the soft distillation loss is divided by.
    public var klReduction = Loss.KLReduction.numel
    /// Whether the student has a distillation token, which a plain checkpoint then gets.
    public var distillationToken = DistillationTokenUse.auto
    /// What a distillation token begins as that a plain checkpoint gets.
    public var tokenInit = TokenInitialization.cls
    /// The number of epochs that the teacher is trained first on the same data, or nil for not at all.
    public var teacherFinetune: Int?
    /// The recipe that the teacher is trained by: a shipped one's name or the path of a file.
    public var teacherRecipe = "finetune"
    /// The file that keeps the teacher's answers, or a folder, with `/` at its end, of one for each kind of run; empty
    /// for none.
    public var cacheTeacher = ""
    /// The largest size of that file in gigabytes.
    public var cacheLimit = 4.0

    /// The number of passes over the training images.
    public var epochs = 300
    /// The number of images in a step.
    public var batch = 64
    /// Into how many parts a step's images are divided, one after another, to save memory.
    public var accumulation = 1
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
    /// The epochs between two steps of the schedule `step`, above 0.
    public var decayEpochs = 30.0
    /// What each step of the schedule `step` multiplies the learning rate by, above 0 and at most 1.
    public var decayRate = 0.1
    /// Whether the learning rate changes with every step and not with every epoch.
    public var schedOnUpdates = false
    /// Whether each epoch has the learning rate of the one before, as in DeiT's own loop.
    public var lrLag = false
    /// The optimiser.
    public var optimizer = OptimizerKind.adamw
    /// What keeps the optimiser's denominator from zero, of AdamW and LAMB.
    public var optEps = 1e-8
    /// The decays of the running means of AdamW and LAMB, two numbers, or nil for 0.9 and 0.999.
    public var optBetas: [Double]?
    /// The weight decay; none for biases, norms, tokens and position embeddings.
    public var weightDecay = 0.05
    /// What the learning rate is multiplied by from each layer to the one before it, or nil for one rate in all.
    public var layerDecay: Double?
    /// The momentum of SGD.
    public var momentum = 0.9
    /// The label smoothing, 0 to 1.
    public var smoothing = 0.1
    /// Whether every class is decided by itself, as in DeiT-III.
    public var bceLoss = false
    /// The rate of stochastic depth at the last block, 0 to 1.
    public var dropPath = 0.1
    /// The decay of the moving average of the weights, or nil for none.
    public var ema: Double? = 0.99996
    /// How that average forgets the start of the run.
    public var emaWarmup = ExponentialMovingAverage.Warmup.off
    /// The largest norm of the whole gradient, or nil for no limit.
    public var clipGrad: Double?
    /// The number format.
    public var dtype = Precision.auto
    /// The seed of everything random.
    public var seed = 0

    /// The side of the images in pixels, or nil for the model's own.
    public var size: Int?
    /// The channels of the images that the model takes, or nil for the model's own.
    public var inChans: Int?
    /// Whether images are turned upright as their EXIF data say, in training and in validation.
    public var exifOrientation = true
    /// The border in pixels that a random crop is padded by, or nil for no padded crop.
    public var cropPadding: Int?
    /// The probability of mirroring an image left to right.
    public var flip = 0.5
    /// The probability of mirroring an image top to bottom.
    public var vflip = 0.0
    /// The smallest share of the area that a random resized crop keeps, or nil for no such crop.
    public var cropScale: Double? = 0.08
    /// How samples are weighed when an image is resized for training.
    public var trainInterpolation = TrainInterpolation.bicubic
    /// Whether images are resized by their shorter side and cropped after a mirrored border of 4 pixels was added
    /// (DeiT-III), in place of the resized crop.
    public var src = false
    /// RandAugment or AutoAugment in timm's notation, or nil for neither.
    public var aa: String? = "rand-m9-mstd0.5-inc1"
    /// Whether each image is made grey, solarised or blurred (DeiT-III).
    public var threeAugment = false
    /// How far brightness, contrast and saturation may change, 0 to 1; as in timm, unused beside `aa` but for `3a`.
    public var colorJitter = 0.3
    /// The probability of making an image grey.
    public var grayscaleProb = 0.0
    /// The probability of blurring an image.
    public var gaussianBlurProb = 0.0
    /// The probability of random erasing.
    public var reprob = 0.25
    /// What is put where an image is erased.
    public var remode = RandomErasing.Mode.pixel
    /// How many boxes are erased.
    public var recount = 1
    /// The parameter α of Mixup's Beta distribution, 0 for no Mixup.
    public var mixup = 0.8
    /// The parameter α of CutMix's Beta distribution, 0 for no CutMix.
    public var cutmix = 1.0
    /// The smallest and largest share of the sides of CutMix's box, or nil to draw its area.
    public var cutmixMinmax: [Double]?
    /// The probability that a batch is mixed.
    public var mixupProb = 1.0
    /// The probability of CutMix where both are on.
    public var mixupSwitchProb = 0.5
    /// Whether one draw is for the batch, for a pair of images or for each.
    public var mixupMode = Mixing.Mode.batch
    /// After how many epochs their images come again, augmented and mixed as before, or nil for never.
    public var augmentationEpochs: Int?
    /// How often each image stands in an epoch of the usual length, augmented anew each time, or nil for once.
    public var repeatedAug: Int? = 3
    /// The share of the shorter side that the crop keeps in validation, or nil for the usual.
    public var evalCropRatio: Double?
    /// The share of each class that is held out for validation where the data has no such part, or nil for none.
    public var valFraction: Double? = 0.1
    /// Only so many training images, or nil for all.
    public var trainLimit: Int?
    /// Only so many validation images, or nil for all.
    public var valLimit: Int?
    /// How many unreadable images are skipped before training stops.
    public var skipLimit = 100

    // MARK: DINO

    /// The checkpoint whose weights pretraining starts from, or empty for fresh ones.
    public var initialWeights = ""
    /// The number of outputs of the projection head, K.
    public var outDim = 65_536
    /// Whether the rows of the head's last layer keep the length 1.
    public var normLastLayer = true
    /// Whether the head normalises its hidden layers by batch.
    public var useBNInHead = false
    /// The layers of the head before the last one.
    public var headLayers = 3
    /// The width of the head's hidden layers.
    public var headHiddenDim = 2_048
    /// The width of what the head's last layer reads.
    public var headBottleneckDim = 256
    /// The student's temperature, above 0.
    public var studentTemp = 0.1
    /// The teacher's temperature after its warm-up, above 0.
    public var teacherTemp = 0.04
    /// The teacher's temperature at the start, above 0.
    public var warmupTeacherTemp = 0.04
    /// The epochs in which the teacher's temperature goes from the first to the last value.
    public var warmupTeacherTempEpochs = 0
    /// The share of the centre that each step keeps, 0 to 1.
    public var centerMomentum = 0.9
    /// The share of the teacher that each step keeps, at the start; it rises to 1 by a cosine.
    public var momentumTeacher = 0.996
    /// The weight decay at the end, or nil for the one at the start.
    public var weightDecayEnd: Double? = 0.4
    /// The epochs in which the head's last layer stays as it is.
    public var freezeLastLayer = 1
    /// The large crops of an image, which the teacher sees.
    public var globalCropsNumber = 2
    /// The smallest and largest share of the area that a large crop keeps.
    public var globalCropsScale: [Double]? = [0.4, 1]
    /// The small crops of an image, which only the student sees.
    public var localCropsNumber = 8
    /// The smallest and largest share of the area that a small crop keeps.
    public var localCropsScale: [Double]? = [0.05, 0.4]
    /// The side of small crops in pixels, or nil for 96/224 of the large ones'.
    public var localCropsSize: Int?
    /// The probability that a crop's colours change by ``colorJitter``.
    public var colorJitterProb = 0.8
    /// The probabilities of blurring the first large crop and the others.
    public var globalBlurProb: [Double]? = [1, 0.1]
    /// The probability of blurring a small crop.
    public var localBlurProb = 0.5
    /// The probability of solarising a large crop but the first.
    public var solarizeProb = 0.2
    /// The epochs between two measurements by nearest neighbours, or nil for none.
    public var knnInterval: Int? = 10
    /// How many training images vote in them at most.
    public var knnLimit = 10_000
    /// Whether raw pixels and the network as it begins are measured so too, before the first step.
    public var knnStart = false
    /// By how many points this accuracy may fall below its best before the run stops, or nil for any number.
    public var knnStop: Double? = 10

    // MARK: Masked modelling

    /// How the hidden patches of an image lie.
    public var maskKind = MaskKind.random
    /// The share of an image that is hidden, above 0 and below 1.
    public var maskRatio = 0.6
    /// The side of hidden squares in pixels, or nil for 32, and a patch of small images.
    public var maskPatchSize: Int?
    /// How many images each epoch shows the reconstructions of.
    public var shownImages = 8

    /// The number of workers that read images, or nil for one a core.
    public var workers: Int?
    /// The number of threads that compute, or nil for libtorch's choice.
    public var threads: Int?
    /// The number of steps between checkpoints, beside the one at each epoch's end; nil for none.
    public var checkpointInterval: Int?
    /// How many of the newest checkpoints are kept, beside the best.
    public var keepLast = 2
    /// The number of steps between two records in `metrics.jsonl`.
    public var logInterval = 50
    /// Whether the records are written for TensorBoard too.
    public var tensorboard = true

    /// The defaults.
    public init() {}

    /// The options' names in recipes and in `run.yaml`.
    public enum CodingKeys: String, CodingKey, CaseIterable, Sendable {
        case method
        case data
        case model
        case finetune
        case stateDict = "state_dict"
        case singleHead = "single_head"
        case freeze
        case attnOnly = "attn_only"
        case trainMode = "train_mode"
        case drop
        case initValues = "init_values"
        case teacher
        case distillation
        case distillationAlpha = "distillation_alpha"
        case distillationTau = "distillation_tau"
        case klReduction = "kl_reduction"
        case distillationToken = "distillation_token"
        case tokenInit = "token_init"
        case teacherFinetune = "teacher_finetune"
        case teacherRecipe = "teacher_recipe"
        case cacheTeacher = "cache_teacher"
        case cacheLimit = "cache_limit"
        case epochs
        case batch
        case accumulation
        case lr
        case lrScaling = "lr_scaling"
        case minLR = "min_lr"
        case warmupLR = "warmup_lr"
        case warmupEpochs = "warmup_epochs"
        case schedule
        case decayEpochs = "decay_epochs"
        case decayRate = "decay_rate"
        case schedOnUpdates = "sched_on_updates"
        case lrLag = "lr_lag"
        case optimizer
        case optEps = "opt_eps"
        case optBetas = "opt_betas"
        case weightDecay = "weight_decay"
        case layerDecay = "layer_decay"
        case momentum
        case smoothing
        case bceLoss = "bce_loss"
        case dropPath = "drop_path"
        case ema
        case emaWarmup = "ema_warmup"
        case clipGrad = "clip_grad"
        case dtype
        case seed
        case size
        case inChans = "in_chans"
        case exifOrientation = "exif_orientation"
        case cropPadding = "crop_padding"
        case flip
        case vflip
        case cropScale = "crop_scale"
        case trainInterpolation = "train_interpolation"
        case src
        case aa
        case threeAugment = "three_augment"
        case colorJitter = "color_jitter"
        case grayscaleProb = "grayscale_prob"
        case gaussianBlurProb = "gaussian_blur_prob"
        case reprob
        case remode
        case recount
        case mixup
        case cutmix
        case cutmixMinmax = "cutmix_minmax"
        case mixupProb = "mixup_prob"
        case mixupSwitchProb = "mixup_switch_prob"
        case mixupMode = "mixup_mode"
        case augmentationEpochs = "augmentation_epochs"
        case repeatedAug = "repeated_aug"
        case evalCropRatio = "eval_crop_ratio"
        case valFraction = "val_fraction"
        case trainLimit = "train_limit"
        case valLimit = "val_limit"
        case skipLimit = "skip_limit"
        case initialWeights = "init"
        case outDim = "out_dim"
        case normLastLayer = "norm_last_layer"
        case useBNInHead = "use_bn_in_head"
        case headLayers = "head_layers"
        case headHiddenDim = "head_hidden_dim"
        case headBottleneckDim = "head_bottleneck_dim"
        case studentTemp = "student_temp"
        case teacherTemp = "teacher_temp"
        case warmupTeacherTemp = "warmup_teacher_temp"
        case warmupTeacherTempEpochs = "warmup_teacher_temp_epochs"
        case centerMomentum = "center_momentum"
        case momentumTeacher = "momentum_teacher"
        case weightDecayEnd = "weight_decay_end"
        case freezeLastLayer = "freeze_last_layer"
        case globalCropsNumber = "global_crops_number"
        case globalCropsScale = "global_crops_scale"
        case localCropsNumber = "local_crops_number"
        case localCropsScale = "local_crops_scale"
        case localCropsSize = "local_crops_size"
        case colorJitterProb = "color_jitter_prob"
        case globalBlurProb = "global_blur_prob"
        case localBlurProb = "local_blur_prob"
        case solarizeProb = "solarize_prob"
        case knnInterval = "knn_interval"
        case knnLimit = "knn_limit"
        case knnStart = "knn_start"
        case knnStop = "knn_stop"
        case maskKind = "mask"
        case maskRatio = "mask_ratio"
        case maskPatchSize = "mask_patch_size"
        case shownImages = "shown_images"
        case workers
        case threads
        case checkpointInterval = "checkpoint_interval"
        case keepLast = "keep_last"
        case logInterval = "log_interval"
        case tensorboard
    }
}

extension TrainingOptions {
    /// The batch that the learning rate is given for: 512, in DINO 256.
    public var lrReferenceBatch: Int { method == .dino ? 256 : 512 }

    /// The factor between the given and the effective learning rate: `batch / 512` (DINO: 256), or 1.
    public var lrFactor: Double { lrScaling ? Double(batch) / Double(lrReferenceBatch) : 1 }

    /// Whether the momentum of SGD looks ahead: timm's `sgd`, but not that of DINO's `main_dino.py`.
    var usesNesterov: Bool { optimizer == .sgd && method != .dino }

    /// The learning rate after scaling, that the warm-up climbs to.
    public var effectiveLR: Double { lr * lrFactor }
}

extension TrainingOptions {
    /// The value of ``model`` that means the model of the checkpoint that training starts from.
    public static let modelOfCheckpoint = "checkpoint"

    /// Whether images are mixed.
    public var mixes: Bool { (mixup > 0 || cutmix > 0 || cutmixMinmax != nil) && mixupProb > 0 }

    /// What runs trained with whose `run.yaml` is older than augmentation: they are to go on as they began.
    static let beforeAugmentation: TrainingOptions = {
        var options = TrainingOptions()
        options.aa = nil
        options.colorJitter = 0
        options.reprob = 0
        options.mixup = 0
        options.cutmix = 0
        options.repeatedAug = nil
        options.valFraction = nil
        options.schedOnUpdates = true
        options.tensorboard = false
        options.exifOrientation = false
        return options
    }()
}
