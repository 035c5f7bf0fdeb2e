// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation
// The help text of a declaration is its documentation.

import Datasets
public import ImagePipeline
public import Torch
public import TorchNN

/// All options of training, each declared once: key, default, range, help, section of `--help`, methods, effect.
///
/// To add an option, add a declaration here and read it: `options.name`. Recipes, `run.yaml`, flags and `--help` have it
/// then; an option that changes pixels is part of the key of kept teacher answers.
public struct Settings: Sendable {
    // MARK: - Data

    public let method = Setting<TrainingMethod>("method", .supervised, .choice)
        .listed(.data, for: .all, changes: .gradients)
        .help("Training method; each has a command of its own.")
        .standard(.dino, for: .dino)
        .standard(.mim, for: .mim)
        .withoutFlag()
    public let data = Setting<String>("data", "", .text("path"))
        .listed(.data, for: .all, changes: .pixels)
        .help(
            "Dataset: a directory with train/CLASS/ and val/CLASS/, an image list, tar shards, CIFAR or IDX files."
        )
        .help(
            "Images: any directory of images, or a dataset as for `deit train`.",
            for: .dino,
            .mim
        )
        .place()
        .derivedInTeacherKey()
    public let size = Setting<Int?>("size", nil, .number(1...8_192, "pixels", or: "auto"))
        .listed(.data, for: .all, changes: .pixels)
        .help("Input image size; auto: the model's.")
        .derivedInTeacherKey()
    public let inChans = Setting<Int?>("in_chans", nil, .number(1...64, "count", or: "auto"))
        .listed(.data, for: .all, changes: .pixels)
        .help("Number of input channels, 1 for grayscale; auto: the model's.")
        .derivedInTeacherKey()
    public let exifOrientation = Setting<Bool>("exif_orientation", true, .flag)
        .listed(.data, for: .all, changes: .pixels)
        .help("Apply the EXIF orientation of images, which timm and DeiT do not.")
        .derivedInTeacherKey()
    public let trainLimit = Setting<Int?>(
        "train_limit",
        nil,
        .number(1...Int.max, "count", or: "all")
    )
    .listed(.data, for: .all, changes: .pixels)
    .help("Maximum number of training images.")
    .derivedInTeacherKey()
    public let multiLabel = Setting<Bool>("multi_label", false, .flag)
        .listed(.data, for: .supervised, changes: .pixels)
        .help(
            "Images may have several labels or none: cells of lists are divided, rows of one file add up, links in several "
                + "class folders to one file are one image. A list with a column labels or a 0/1 column for each class "
                + "needs no flag."
        )
        .derivedInTeacherKey()
    public let labelSeparator = Setting<String>(
        "label_separator",
        LabelFormat.usualSeparator,
        .text("text")
    )
    .listed(.data, for: .supervised, changes: .pixels)
    .help("Text between the labels of an image in a cell of a list.")
    .derivedInTeacherKey()
    public let sampler = Setting<SamplerKind>("sampler", .shuffle, .choice)
        .listed(.data, for: .supervised, changes: .pixels)
        .help(
            "Training images of an epoch; shuffle: each once, balanced: equally many of each class."
        )
        .derivedInTeacherKey()
    public let valFraction = Setting<Double?>(
        "val_fraction",
        0.1,
        .number(0.001...0.999, "fraction", or: "off")
    )
    .listed(.data, for: .all, changes: .pixels)
    .help(
        "Fraction of each class held out for validation when the data has no validation split."
    )
    .standard(nil, for: .dino, .mim)
    .derivedInTeacherKey()
    public let valLimit = Setting<Int?>("val_limit", nil, .number(1...Int.max, "count", or: "all"))
        .listed(.data, for: .all, changes: .evaluation)
        .help("Maximum number of validation images.")
    public let skipLimit = Setting<Int>("skip_limit", 100, .number(0...Int.max, "count"))
        .listed(.data, for: .all, changes: .nothing)
        .help("Number of unreadable images to skip before training stops.")
    public let workers = Setting<Int?>("workers", nil, .number(1...1_024, "count", or: "auto"))
        .listed(.data, for: .all, changes: .nothing)
        .help("Number of workers that read images; auto: one per core, at most 8.")

    // MARK: - Augmentation

    public let cropPadding = Setting<Int?>(
        "crop_padding",
        nil,
        .number(0...1_024, "pixels", or: "off")
    )
    .listed(.augmentation, for: [.supervised, .mim], changes: .pixels)
    .help("Pad images by this many pixels, then take a random crop of the input size.")
    public let cropScale = Setting<Double?>(
        "crop_scale",
        0.08,
        .number(Double.leastNonzeroMagnitude...1, "fraction", or: "off")
    )
    .listed(.augmentation, for: [.supervised, .mim], changes: .pixels)
    .help("Minimum area of the random resized crop, as a fraction of the image.")
    .standard(0.67, for: .mim)
    public let src = Setting<Bool>("src", false, .flag)
        .listed(.augmentation, for: .supervised, changes: .pixels)
        .help("Use the simple random crop of DeiT-III instead of the random resized crop.")
    public let trainInterpolation = Setting<TrainInterpolation>(
        "train_interpolation",
        .bicubic,
        .choice
    )
    .listed(.augmentation, for: .all, changes: .pixels)
    .help("Interpolation for resizing training images.")
    public let flip = Setting<Double>("flip", 0.5, .number(0...1, "probability"))
        .listed(.augmentation, for: .all, changes: .pixels)
        .help("Probability of a horizontal flip.")
    public let vflip = Setting<Double>("vflip", 0, .number(0...1, "probability"))
        .listed(.augmentation, for: .supervised, changes: .pixels)
        .help("Probability of a vertical flip.")
    public let aa = Setting<String?>("aa", "rand-m9-mstd0.5-inc1", .text("policy", or: "off"))
        .listed(.augmentation, for: .supervised, changes: .pixels)
        .help(
            "RandAugment or AutoAugment policy in timm's notation, such as rand-m9-mstd0.5-inc1 or original."
        )
        .standard(nil, for: .dino, .mim)
    public let threeAugment = Setting<Bool>("three_augment", false, .flag)
        .listed(.augmentation, for: .supervised, changes: .pixels)
        .help("3-Augment (DeiT-III): grayscale, solarization or Gaussian blur, one per image.")
    public let colorJitter = Setting<Double>("color_jitter", 0.3, .number(0...1, "strength"))
        .listed(.augmentation, for: .all, changes: .pixels)
        .help("Strength of color jitter; not used together with --aa.")
        .help("Strength of color jitter.", for: .dino, .mim)
        .standard(0.4, for: .dino)
        .standard(0, for: .mim)
    public let grayscaleProb = Setting<Double>("grayscale_prob", 0, .number(0...1, "probability"))
        .listed(.augmentation, for: .all, changes: .pixels)
        .help("Probability of converting an image to grayscale.")
        .standard(0.2, for: .dino)
    public let gaussianBlurProb = Setting<Double>(
        "gaussian_blur_prob",
        0,
        .number(0...1, "probability")
    )
    .listed(.augmentation, for: .supervised, changes: .pixels)
    .help("Probability of Gaussian blur.")
    public let reprob = Setting<Double>("reprob", 0.25, .number(0...1, "probability"))
        .listed(.augmentation, for: .supervised, changes: .pixels)
        .help("Probability of random erasing.")
        .standard(0, for: .dino, .mim)
    public let remode = Setting<RandomErasing.Mode>("remode", .pixel, .choice)
        .listed(.augmentation, for: .supervised, changes: .pixels)
        .help("Fill of an erased box; const: black, rand: one random color, pixel: noise.")
    public let recount = Setting<Int>("recount", 1, .number(1...100, "count"))
        .listed(.augmentation, for: .supervised, changes: .pixels)
        .help("Number of erased boxes per image.")
    public let mixup = Setting<Double>("mixup", 0.8, .number(0...1_000, "alpha"))
        .listed(.augmentation, for: .supervised, changes: .pixels)
        .help("Alpha of Mixup; 0: no Mixup.")
        .standard(0, for: .dino, .mim)
    public let cutmix = Setting<Double>("cutmix", 1, .number(0...1_000, "alpha"))
        .listed(.augmentation, for: .supervised, changes: .pixels)
        .help("Alpha of CutMix; 0: no CutMix.")
        .standard(0, for: .dino, .mim)
    public let cutmixMinmax = Setting<[Double]?>(
        "cutmix_minmax",
        nil,
        .pair(0...1, "min,max", or: "off")
    )
    .listed(.augmentation, for: .supervised, changes: .pixels)
    .help("Side of the CutMix box as a fraction of the image's, drawn from this range instead.")
    public let mixupProb = Setting<Double>("mixup_prob", 1, .number(0...1, "probability"))
        .listed(.augmentation, for: .supervised, changes: .pixels)
        .help("Probability of mixing a batch.")
    public let mixupSwitchProb = Setting<Double>(
        "mixup_switch_prob",
        0.5,
        .number(0...1, "probability")
    )
    .listed(.augmentation, for: .supervised, changes: .pixels)
    .help("Probability of CutMix instead of Mixup when both are enabled.")
    public let mixupMode = Setting<Mixing.Mode>("mixup_mode", .batch, .choice)
        .listed(.augmentation, for: .supervised, changes: .pixels)
        .help("Draw the mixing parameters once per batch, per pair or per image (elem).")
    public let repeatedAug = Setting<Int?>("repeated_aug", 3, .copies)
        .listed(.augmentation, for: .supervised, changes: .pixels)
        .help(
            "Number of augmented copies of each image per epoch (repeated augmentation); the length of an epoch "
                + "stays the same."
        )
        .standard(nil, for: .dino, .mim)
    public let augmentationEpochs = Setting<Int?>(
        "augmentation_epochs",
        nil,
        .number(1...1_000_000, "count", or: "off")
    )
    .listed(.augmentation, for: .supervised, changes: .pixels)
    .help("Number of first epochs whose augmented images are repeated in all later epochs.")
    .derivedInTeacherKey()
    public let evalCropRatio = Setting<Double?>(
        "eval_crop_ratio",
        nil,
        .number(0.02...1, "ratio", or: "auto")
    )
    .listed(.augmentation, for: .supervised, changes: .evaluation)
    .help(
        "Center-crop ratio in validation; auto: the checkpoint's, else 0.875, or 1 for small images."
    )

    // MARK: - Multi-crop of DINO

    public let globalCropsNumber = Setting<Int>("global_crops_number", 2, .number(1...64, "count"))
        .listed(.crops, for: .dino, changes: .pixels)
        .help("Number of global crops per image, which the teacher and the student see.")
    public let globalCropsScale = Setting<[Double]?>(
        "global_crops_scale",
        [0.4, 1],
        .pair(0...1, "min,max", or: "off")
    )
    .listed(.crops, for: .dino, changes: .pixels)
    .help("Area of a global crop as a fraction of the image.")
    public let localCropsNumber = Setting<Int>("local_crops_number", 8, .number(0...64, "count"))
        .listed(.crops, for: .dino, changes: .pixels)
        .help("Number of local crops per image, which only the student sees.")
    public let localCropsScale = Setting<[Double]?>(
        "local_crops_scale",
        [0.05, 0.4],
        .pair(0...1, "min,max", or: "off")
    )
    .listed(.crops, for: .dino, changes: .pixels)
    .help("Area of a local crop as a fraction of the image.")
    public let localCropsSize = Setting<Int?>(
        "local_crops_size",
        nil,
        .number(1...8_192, "pixels", or: "auto")
    )
    .listed(.crops, for: .dino, changes: .pixels)
    .help("Size of local crops; auto: 96 for global crops of 224, and in proportion.")
    public let colorJitterProb = Setting<Double>(
        "color_jitter_prob",
        0.8,
        .number(0...1, "probability")
    )
    .listed(.augmentation, for: .dino, changes: .pixels)
    .help("Probability of color jitter.")
    public let globalBlurProb = Setting<[Double]?>(
        "global_blur_prob",
        [1, 0.1],
        .pair(0...1, "first,others", or: "off")
    )
    .listed(.augmentation, for: .dino, changes: .pixels)
    .help("Probability of Gaussian blur, of the first global crop and of the others.")
    public let localBlurProb = Setting<Double>(
        "local_blur_prob",
        0.5,
        .number(0...1, "probability")
    )
    .listed(.augmentation, for: .dino, changes: .pixels)
    .help("Probability of Gaussian blur of a local crop.")
    public let solarizeProb = Setting<Double>("solarize_prob", 0.2, .number(0...1, "probability"))
        .listed(.augmentation, for: .dino, changes: .pixels)
        .help("Probability of solarization of a global crop other than the first.")

    // MARK: - Masks of masked image modelling

    public let maskKind = Setting<MaskKind>("mask", .random, .choice)
        .listed(.masking, for: .mim, changes: .gradients)
        .help("Mask: random squares (SimMIM) or blocks of patches (BEiT).")
    public let maskRatio = Setting<Double>("mask_ratio", 0.6, .number(0...1, "fraction"))
        .listed(.masking, for: .mim, changes: .gradients)
        .help("Fraction of an image that is masked, above 0 and below 1.")
    public let maskPatchSize = Setting<Int?>(
        "mask_patch_size",
        nil,
        .number(1...65_536, "pixels", or: "auto")
    )
    .listed(.masking, for: .mim, changes: .gradients)
    .help("Size of random squares; auto: 32, or one patch for images of up to 64 pixels.")
    public let shownImages = Setting<Int>("shown_images", 8, .number(0...256, "count"))
        .listed(.masking, for: .mim, changes: .records)
        .help("Number of images whose reconstructions are written after each epoch.")
        .formerly("shown_pictures")

    // MARK: - Model

    public let model = Setting<String>("model", "deit_tiny_patch16_224", .text("name"))
        .listed(.model, for: .all, changes: .pixels)
        .help("Model to train, as listed by `deit models`, or `checkpoint`: that of --finetune.")
        .help("Model to train, as listed by `deit models`.", for: .dino, .mim)
        .standard("vit_small_patch16_224.dino", for: .dino)
        .derivedInTeacherKey()
    public let finetune = Setting<String>("finetune", "", .text("checkpoint"))
        .listed(.model, for: .supervised, changes: .pixels)
        .help("Checkpoint to start from: a run, a model directory, a file or a Hub model ID.")
        .place()
        .derivedInTeacherKey()
    public let initialWeights = Setting<String>("init", "", .text("checkpoint"))
        .listed(.model, for: [.dino, .mim], changes: .gradients)
        .help("Checkpoint of a backbone to start from, or a full checkpoint of DINO.")
        .help("Checkpoint of a backbone to start from.", for: .mim)
        .place()
    public let stateDict = Setting<String?>("state_dict", nil, .text("name", or: "auto"))
        .listed(.model, for: .supervised, changes: .gradients)
        .help(
            "State dict to load where a .pth file has several, such as model_ema; auto: the trained weights."
        )
    public let singleHead = Setting<Bool>("single_head", false, .flag)
        .listed(.model, for: .supervised, changes: .gradients)
        .help("For distilled models, train only the class-token head.")
    public let freeze = Setting<Freezing>("freeze", .none, .weights)
        .listed(.model, for: .supervised, changes: .gradients)
        .help(
            "Weights to freeze: all but the head (all), the first blocks (their number), or those of some names, such "
                + "as patch_embed,blocks.*.mlp."
        )
    public let attnOnly = Setting<Bool>("attn_only", false, .flag)
        .listed(.model, for: .supervised, changes: .gradients)
        .help("Train only attention layers, position embeddings and head.")
    public let trainMode = Setting<Bool>("train_mode", true, .flag)
        .listed(.model, for: .supervised, changes: .gradients)
        .help(
            "Train in training mode; off: in evaluation mode, without dropout, as DeiT fine-tunes."
        )
    public let drop = Setting<Double>("drop", 0, .number(0...0.999, "rate"))
        .listed(.model, for: .supervised, changes: .gradients)
        .help("Dropout rate.")
    public let dropPath = Setting<Double>("drop_path", 0.1, .number(0...0.999, "rate"))
        .listed(.model, for: .all, changes: .gradients)
        .help("Stochastic depth rate of the last block.")
        .standard(0, for: .mim)
    public let initValues = Setting<Double?>(
        "init_values",
        nil,
        .number(positive, "value", or: "auto")
    )
    .listed(.model, for: .supervised, changes: .gradients)
    .help("Initial value of LayerScale; auto: the model's.")

    // MARK: - Loss

    public let smoothing = Setting<Double>("smoothing", 0.1, .number(0...0.999, "fraction"))
        .listed(.loss, for: .supervised, changes: .gradients)
        .help("Label smoothing; never applied to a teacher's labels.")
        .standard(0, for: .dino, .mim)
    public let bceLoss = Setting<Bool>("bce_loss", false, .flag)
        .listed(.loss, for: .supervised, changes: .gradients)
        .help("Binary cross-entropy per class (DeiT-III).")
    public let classWeights = Setting<ClassWeighting>("class_weights", .none, .weights)
        .listed(.loss, for: .supervised, changes: .gradients)
        .help(
            "Weights of the classes in the loss: balanced (inverse frequency), effective or effective:BETA (effective "
                + "number of images), a list in the order of the classes, or a CSV file with rows of class,weight."
        )

    public let posWeight = Setting<PosWeighting>("pos_weight", .none, .weights)
        .listed(.loss, for: .supervised, changes: .gradients)
        .help(
            "For several labels an image: weight of a class in images that have it; balanced (images without it for each "
                + "with it), a number, or a list in the order of the classes."
        )
    public let asymmetricLoss = Setting<Bool>("asymmetric_loss", false, .flag)
        .listed(.loss, for: .supervised, changes: .gradients)
        .help("For several labels an image: asymmetric loss (ASL) instead of binary cross-entropy.")
    public let aslGammaNeg = Setting<Double>("asl_gamma_neg", 4, .number(0...100, "exponent"))
        .listed(.loss, for: .supervised, changes: .gradients)
        .help("Focus of the asymmetric loss on hard classes that an image has not.")
    public let aslGammaPos = Setting<Double>("asl_gamma_pos", 1, .number(0...100, "exponent"))
        .listed(.loss, for: .supervised, changes: .gradients)
        .help("Focus of the asymmetric loss on hard classes that an image has.")
    public let aslClip = Setting<Double>("asl_clip", 0.05, .number(0...0.999, "probability"))
        .listed(.loss, for: .supervised, changes: .gradients)
        .help("Probability taken off classes that an image has not in the asymmetric loss.")

    // MARK: - Distillation

    public let teacher = Setting<String>("teacher", "", .texts("checkpoint"))
        .listed(.distillation, for: .supervised, changes: .gradients)
        .help(
            "Teacher checkpoint, as for --finetune; give the flag several times, or names separated by commas, to "
                + "average the probabilities of several."
        )
        .place()
    public let distillation = Setting<DistillationKind>("distillation", .none, .choice)
        .listed(.distillation, for: .supervised, changes: .gradients)
        .help("What to learn from the teacher; soft: its probabilities, hard: its predicted class.")
    public let distillationAlpha = Setting<Double>(
        "distillation_alpha",
        0.5,
        .number(0...1, "weight")
    )
    .listed(.distillation, for: .supervised, changes: .gradients)
    .help("Weight of the distillation loss.")
    public let distillationTau = Setting<Double>("distillation_tau", 1, .number(positive, "tau"))
        .listed(.distillation, for: .supervised, changes: .gradients)
        .help("Temperature of soft distillation.")
    public let klReduction = Setting<Loss.KLReduction>("kl_reduction", .numel, .choice)
        .listed(.distillation, for: .supervised, changes: .gradients)
        .help("Divide the soft loss by images × classes (numel, as DeiT) or by images (batchmean).")
    public let distillationToken = Setting<DistillationTokenUse>(
        "distillation_token",
        .auto,
        .choice
    )
    .listed(.distillation, for: .supervised, changes: .gradients)
    .help(
        "Whether the student has a distillation token; auto: as the model has it, on: also added to a plain "
            + "checkpoint."
    )
    public let tokenInit = Setting<TokenInitialization>("token_init", .cls, .choice)
        .listed(.distillation, for: .supervised, changes: .gradients)
        .help(
            "Initial value of an added distillation token; class: the class token, normal: random numbers."
        )
    public let teacherFinetune = Setting<Int?>(
        "teacher_finetune",
        nil,
        .number(1...1_000_000, "epochs", or: "off")
    )
    .listed(.distillation, for: .supervised, changes: .gradients)
    .help("Number of epochs for which the teacher is first fine-tuned on this dataset.")
    public let teacherRecipe = Setting<String>("teacher_recipe", "finetune", .text("name|file"))
        .listed(.distillation, for: .supervised, changes: .gradients)
        .help("Recipe for fine-tuning the teacher; linear trains only a new head.")
    public let cacheTeacher = Setting<String>("cache_teacher", "", .text("file"))
        .listed(.distillation, for: .supervised, changes: .files)
        .help(
            "File that keeps the teacher's outputs for this run and others; DIR/: a file in that directory for each kind "
                + "of run."
        )
    public let cacheLimit = Setting<Double>("cache_limit", 4, .number(positive, "GB"))
        .listed(.distillation, for: .supervised, changes: .files)
        .help("Maximum size of that file.")

    // MARK: - DINO's head, teacher and loss

    public let outDim = Setting<Int>("out_dim", 65_536, .number(2...10_000_000, "K"))
        .listed(.head, for: .dino, changes: .gradients)
        .help("Output dimension of the projection head; a few thousand suffice for small datasets.")
    public let normLastLayer = Setting<Bool>("norm_last_layer", true, .flag)
        .listed(.head, for: .dino, changes: .gradients)
        .help("Keep the weights of the last layer normalized: more stable, slightly less accurate.")
    public let useBNInHead = Setting<Bool>("use_bn_in_head", false, .flag)
        .listed(.head, for: .dino, changes: .gradients)
        .help("Use batch normalization in the head.")
    public let headLayers = Setting<Int>("head_layers", 3, .number(1...16, "count"))
        .listed(.head, for: .dino, changes: .gradients)
        .help("Number of layers of the head before its last layer.")
    public let headHiddenDim = Setting<Int>(
        "head_hidden_dim",
        2_048,
        .number(1...1_000_000, "width")
    )
    .listed(.head, for: .dino, changes: .gradients)
    .help("Width of the head's hidden layers.")
    public let headBottleneckDim = Setting<Int>(
        "head_bottleneck_dim",
        256,
        .number(1...1_000_000, "width")
    )
    .listed(.head, for: .dino, changes: .gradients)
    .help("Width of the input of the head's last layer.")
    public let freezeLastLayer = Setting<Int>(
        "freeze_last_layer",
        1,
        .number(0...1_000_000, "epochs")
    )
    .listed(.head, for: .dino, changes: .gradients)
    .help("Number of epochs for which the head's last layer is frozen.")
    public let momentumTeacher = Setting<Double>("momentum_teacher", 0.996, .number(0...1, "rate"))
        .listed(.teacher, for: .dino, changes: .gradients)
        .help("Initial EMA momentum of the teacher, rising to 1; 0.9995 for small batches.")
    public let studentTemp = Setting<Double>("student_temp", 0.1, .number(positive, "tau"))
        .listed(.teacher, for: .dino, changes: .gradients)
        .help("Temperature of the student.")
    public let teacherTemp = Setting<Double>("teacher_temp", 0.04, .number(positive, "tau"))
        .listed(.teacher, for: .dino, changes: .gradients)
        .help("Temperature of the teacher after its warmup; above 0.07 training is unstable.")
    public let warmupTeacherTemp = Setting<Double>(
        "warmup_teacher_temp",
        0.04,
        .number(positive, "tau")
    )
    .listed(.teacher, for: .dino, changes: .gradients)
    .help("Initial temperature of the teacher.")
    public let warmupTeacherTempEpochs = Setting<Int>(
        "warmup_teacher_temp_epochs",
        0,
        .number(0...1_000_000, "epochs")
    )
    .listed(.teacher, for: .dino, changes: .gradients)
    .help("Length of the warmup of the teacher's temperature.")
    public let centerMomentum = Setting<Double>("center_momentum", 0.9, .number(0...1, "rate"))
        .listed(.teacher, for: .dino, changes: .gradients)
        .help("EMA momentum of the center.")

    // MARK: - Schedule

    public let epochs = Setting<Int>("epochs", 300, .number(1...1_000_000, "count"))
        .listed(.schedule, for: .all, changes: .gradients)
        .help("Number of epochs.")
        .standard(100, for: .dino, .mim)
    public let time = Setting<Double?>("time", nil, .duration(or: "off"))
        .listed(.schedule, for: .supervised, changes: .gradients)
        .help(
            "Time for training, such as 30m or 1h30m: the speed is measured, and the schedule is compressed to the steps "
                + "that fit; --epochs is then the maximum."
        )
    public let patience = Setting<Int?>(
        "patience",
        nil,
        .number(1...1_000_000, "epochs", or: "off")
    )
    .listed(.schedule, for: .supervised, changes: .evaluation)
    .help("Stop if this many epochs in a row do not improve --best-metric.")
    public let batch = Setting<Int>("batch", 64, .batch)
        .listed(.schedule, for: .all, changes: .pixels)
        .help("Batch size: images per step; auto: the largest that fits a GPU.")
        .derivedInTeacherKey()
    public let accumulation = Setting<Int>("accumulation", 1, .number(1...1_000_000, "parts"))
        .listed(.schedule, for: .all, changes: .gradients)
        .help("Number of parts in which a batch is computed, one after the other, to save memory.")
    public let lr = Setting<Double>("lr", 5e-4, .number(positive, "rate"))
        .listed(.schedule, for: .all, changes: .gradients)
        .help("Base learning rate, before --lr-scaling.")
        .standard(4e-4, for: .mim)
    public let lrScaling = Setting<Bool>("lr_scaling", true, .flag)
        .listed(.schedule, for: .all, changes: .gradients)
        .help("Multiply the learning rate by batch/512.")
        .help("Multiply the learning rate by batch/256.", for: .dino)
    public let minLR = Setting<Double>("min_lr", 1e-5, .number(anyReal, "rate"))
        .listed(.schedule, for: .all, changes: .gradients)
        .help("Final learning rate; not scaled.")
        .standard(1e-6, for: .dino)
    public let warmupLR = Setting<Double>("warmup_lr", 1e-6, .number(anyReal, "rate"))
        .listed(.schedule, for: .all, changes: .gradients)
        .help("Initial learning rate of the warmup; not scaled.")
        .standard(0, for: .dino)
    public let warmupEpochs = Setting<Double>("warmup_epochs", 5, .number(anyReal, "epochs"))
        .listed(.schedule, for: .all, changes: .gradients)
        .help("Length of the warmup.")
        .standard(10, for: .dino, .mim)
    public let schedule = Setting<Schedule.Shape>("schedule", .cosine, .choice)
        .listed(.schedule, for: .supervised, changes: .gradients)
        .help("Learning rate schedule after the warmup.")
    public let decayEpochs = Setting<Double>("decay_epochs", 30, .number(positive, "epochs"))
        .listed(.schedule, for: .supervised, changes: .gradients)
        .help("Epochs between two decays of --schedule step.")
    public let decayRate = Setting<Double>(
        "decay_rate",
        0.1,
        .number(positive.lowerBound...1, "factor")
    )
    .listed(.schedule, for: .supervised, changes: .gradients)
    .help("Factor of each decay of --schedule step.")
    public let schedOnUpdates = Setting<Bool>("sched_on_updates", false, .flag)
        .listed(.schedule, for: .supervised, changes: .gradients)
        .help("Update the learning rate after every step instead of every epoch.")
        .standard(true, for: .dino, .mim)
    public let lrLag = Setting<Bool>("lr_lag", false, .flag)
        .listed(.schedule, for: .supervised, changes: .gradients)
        .help("Use the learning rate of the previous epoch, as DeiT's training loop does.")

    // MARK: - Optimizer

    public let optimizer = Setting<OptimizerKind>("optimizer", .adamw, .choice)
        .listed(.optimizer, for: .all, changes: .gradients)
        .help("Optimizer, by timm's names: sgd has Nesterov momentum, momentum does not.")
        .help("Optimizer; sgd has plain momentum, as in DINO's code.", for: .dino)
    public let optEps = Setting<Double>("opt_eps", 1e-8, .number(0...1, "value"))
        .listed(.optimizer, for: .all, changes: .gradients)
        .help("Epsilon of AdamW and LAMB.")
    public let optBetas = Setting<[Double]?>(
        "opt_betas",
        nil,
        .pair(0...0.999999, "a,b", or: "auto")
    )
    .listed(.optimizer, for: .all, changes: .gradients)
    .help("Betas of AdamW and LAMB; auto: 0.9,0.999.")
    public let weightDecay = Setting<Double>("weight_decay", 0.05, .number(anyReal, "rate"))
        .listed(.optimizer, for: .all, changes: .gradients)
        .help("Weight decay, except of biases, norms, tokens and position embeddings.")
        .standard(0.04, for: .dino)
    public let weightDecayEnd = Setting<Double?>(
        "weight_decay_end",
        0.4,
        .number(anyReal, "rate", or: "off")
    )
    .listed(.optimizer, for: .dino, changes: .gradients)
    .help("Final weight decay of a cosine schedule; off: it stays the same.")
    public let layerDecay = Setting<Double?>(
        "layer_decay",
        nil,
        .number(positive.lowerBound...1, "factor", or: "off")
    )
    .listed(.optimizer, for: .supervised, changes: .gradients)
    .help("Layer-wise learning rate decay: the factor from each layer to the one before it.")
    public let momentum = Setting<Double>("momentum", 0.9, .number(0...0.999999, "rate"))
        .listed(.optimizer, for: .all, changes: .gradients)
        .help("Momentum of SGD.")
    public let clipGrad = Setting<Double?>("clip_grad", nil, .number(positive, "norm", or: "off"))
        .listed(.optimizer, for: .all, changes: .gradients)
        .help("Maximum norm of the gradient.")
        .standard(3, for: .dino)
        .standard(5, for: .mim)
    public let ema = Setting<Double?>("ema", 0.99996, .number(0...0.9999999, "decay", or: "off"))
        .listed(.optimizer, for: .supervised, changes: .gradients)
        .help("Decay of the moving average (EMA) of the weights, which is evaluated as well.")
        .standard(nil, for: .dino, .mim)
    public let emaWarmup = Setting<ExponentialMovingAverage.Warmup>("ema_warmup", .off, .choice)
        .listed(.optimizer, for: .supervised, changes: .gradients)
        .help("Warmup of the EMA decay, by timm's or TensorFlow's formula.")

    // MARK: - kNN evaluation of DINO

    public let knnInterval = Setting<Int?>(
        "knn_interval",
        10,
        .number(1...1_000_000, "epochs", or: "off")
    )
    .listed(.neighbours, for: .dino, changes: .evaluation)
    .help("Epochs between two kNN evaluations, for data with labels.")
    public let knnLimit = Setting<Int>("knn_limit", 10_000, .number(1...Int.max, "count"))
        .listed(.neighbours, for: .dino, changes: .evaluation)
        .help("Maximum number of training images in the kNN bank.")
    public let knnStart = Setting<Bool>("knn_start", false, .flag)
        .listed(.neighbours, for: .dino, changes: .evaluation)
        .help("Evaluate raw pixels and the initial network too.")
    public let knnStop = Setting<Double?>("knn_stop", 10, .number(0...100, "points", or: "off"))
        .listed(.neighbours, for: .dino, changes: .evaluation)
        .help("Stop when the kNN accuracy stays this many percentage points below its best.")

    // MARK: - Run

    public let dtype = Setting<Precision>("dtype", .auto, .choice)
        .listed(.run, for: .all, changes: .gradients)
        .help(
            "Precision of forward and backward pass; fp16 on GPUs only, auto: bf16 where the device has it."
        )
    public let device = Setting<DeviceChoice>("device", .automatic, .device)
        .listed(.run, for: .all, changes: .nothing)
        .help("Device to train on: auto (CUDA, MPS, CPU), cpu, cuda, cuda:N or mps.")
    public let tf32 = Setting<Bool>("tf32", false, .flag)
        .listed(.run, for: .all, changes: .gradients)
        .help("Let CUDA round the inputs of fp32 products to TF32, which is faster.")
    public let seed = Setting<Int>("seed", 0, .number(0...Int.max, "number"))
        .listed(.run, for: .all, changes: .pixels)
        .help("Random seed.")
    public let threads = Setting<Int?>("threads", nil, .number(1...4_096, "count", or: "auto"))
        .listed(.run, for: .all, changes: .gradients)
        .help("Number of compute threads; auto: libtorch's choice.")
    public let checkpointInterval = Setting<Int?>(
        "checkpoint_interval",
        nil,
        .number(1...Int.max, "steps", or: "off")
    )
    .listed(.run, for: .all, changes: .files)
    .help("Steps between checkpoints, in addition to one after each epoch.")
    public let keepLast = Setting<Int>("keep_last", 2, .number(1...Int.max, "count"))
        .listed(.run, for: .all, changes: .files)
        .help("Number of most recent checkpoints to keep, in addition to the best.")
    public let bestMetric = Setting<BestMetric>("best_metric", .top1, .choice)
        .listed(.run, for: .supervised, changes: .evaluation)
        .help(
            "Validation score by which checkpoints/best is chosen; for several labels an image, map instead of top1."
        )
    public let logInterval = Setting<Int>("log_interval", 50, .number(1...Int.max, "steps"))
        .listed(.run, for: .all, changes: .records)
        .help("Steps between two records in metrics.jsonl.")
    public let tensorboard = Setting<Bool>("tensorboard", true, .flag)
        .listed(.run, for: .all, changes: .records)
        .help("Write the records for TensorBoard as well.")
}

private let anyReal = 0...Double.greatestFiniteMagnitude
private let positive = Double.leastNonzeroMagnitude...Double.greatestFiniteMagnitude

extension Set<TrainingMethod> {
    fileprivate static let all: Set = [.supervised, .dino, .mim]
    fileprivate static let supervised: Set = [.supervised]
    fileprivate static let dino: Set = [.dino]
    fileprivate static let mim: Set = [.mim]
}

// MARK: - Finding settings

extension Settings {
    /// The declarations.
    public static let declared = Settings()

    /// All settings in the order of their declarations.
    public static let all: [any AnySetting] =
        Mirror(reflecting: declared).children.compactMap { $0.value as? any AnySetting }

    /// The settings that mean something in a method.
    ///
    /// - Parameter method: What the run learns from.
    /// - Returns: The settings.
    public static func of(_ method: TrainingMethod) -> [any AnySetting] {
        all.filter { $0.methods.contains(method) }
    }

    private static let byKey: [String: any AnySetting] = Dictionary(
        all.flatMap { setting in ([setting.key] + setting.otherKeys).map { ($0, setting) } },
        uniquingKeysWith: { first, _ in first }
    )

    /// The setting with a name as in a recipe or a flag: `weight_decay` or `weight-decay`.
    public static func named(_ name: String) -> (any AnySetting)? {
        byKey[name.replacing("-", with: "_")]
    }
}
