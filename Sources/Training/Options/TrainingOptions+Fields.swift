extension TrainingOptions {
    /// All options in the order of `--help`.
    public static let fields: [OptionField] =
        dataFields + augmentationFields + modelFields + distillationFields + scheduleFields
        + dinoFields + mimFields + runFields

    static let anyReal = 0...Double.greatestFiniteMagnitude
    static let positive = Double.leastNonzeroMagnitude...Double.greatestFiniteMagnitude

    private static let dataFields: [OptionField] = [
        .choice(
            .method,
            \.method,
            "What the run learns from; a recipe says it, the command is it."
        ),
        .text(
            .data,
            \.data,
            "folder",
            "Images: train/CLASS/… and val/CLASS/…, a list, tar shards, CIFAR's or IDX files."
        ),
        .number(
            .size,
            \.size,
            1...8_192,
            absent: "auto",
            "pixels",
            "Side of the images; auto: the model's."
        ),
        .number(
            .inChans,
            \.inChans,
            1...64,
            absent: "auto",
            "count",
            "Channels that the model takes, 1 for grey; auto: the model's."
        ),
        .number(
            .trainLimit,
            \.trainLimit,
            1...Int.max,
            absent: "all",
            "count",
            "Use only so many training images."
        ),
        .number(
            .valFraction,
            \.valFraction,
            0.001...0.999,
            absent: "off",
            "share",
            "Hold out this share of each class where the data has no val part."
        ),
        .number(
            .valLimit,
            \.valLimit,
            1...Int.max,
            absent: "all",
            "count",
            "Use only so many validation images."
        ),
        .number(
            .skipLimit,
            \.skipLimit,
            0...Int.max,
            "count",
            "Skip so many unreadable images, then stop."
        ),
        .number(
            .workers,
            \.workers,
            1...1_024,
            absent: "auto",
            "count",
            "Workers that read images."
        ),
    ]

    private static let modelFields: [OptionField] = [
        .text(
            .model,
            \.model,
            "name",
            "Model to train (`deit models` lists them), or checkpoint: that of --finetune."
        ),
        .text(.finetune, \.finetune, "checkpoint", "Start from these weights."),
        .text(
            .stateDict,
            \.stateDict,
            absent: "auto",
            "name",
            "Which weights of the checkpoint's .pth are taken, such as model_ema or teacher."
        ),
        .flag(
            .singleHead,
            \.singleHead,
            "Of a distilled model train one head, on the class token, without the other."
        ),
        .freezing(
            .freeze,
            \.freeze,
            "Leave weights as they are: all but the head, so many first blocks, or names: patch_embed,blocks.*.mlp."
        ),
        .flag(.attnOnly, \.attnOnly, "Train only attention, positions and head."),
        .flag(.trainMode, \.trainMode, "Off: nothing is dropped in training, as DeiT fine-tunes."),
        .number(.drop, \.drop, 0...0.999, "rate", "Dropout."),
        .number(.dropPath, \.dropPath, 0...0.999, "rate", "Stochastic depth at the last block."),
        .number(
            .initValues,
            \.initValues,
            positive,
            absent: "auto",
            "value",
            "First value of LayerScale; auto: the model's."
        ),
        .number(
            .smoothing,
            \.smoothing,
            0...0.999,
            "share",
            "Label smoothing (never of the teacher's labels)."
        ),
        .flag(.bceLoss, \.bceLoss, "Decide every class by itself (DeiT-III)."),
    ]

    private static let scheduleFields: [OptionField] = [
        .number(.epochs, \.epochs, 1...1_000_000, "count", "Passes over the training images."),
        .number(.batch, \.batch, 1...1_000_000, "count", "Images in a step."),
        .number(
            .accumulation,
            \.accumulation,
            1...1_000_000,
            "parts",
            "Divide a step's images into so many parts, to save memory."
        ),
        .number(.lr, \.lr, positive, "rate", "Learning rate, before scaling."),
        .flag(
            .lrScaling,
            \.lrScaling,
            "Multiply the learning rate by batch/512; of pretrain dino by batch/256."
        ),
        .number(.minLR, \.minLR, anyReal, "rate", "Learning rate at the end; never scaled."),
        .number(
            .warmupLR,
            \.warmupLR,
            anyReal,
            "rate",
            "Learning rate at the start of the warm-up; never scaled."
        ),
        .number(.warmupEpochs, \.warmupEpochs, anyReal, "epochs", "Length of the warm-up."),
        .choice(.schedule, \.schedule, "How the learning rate falls."),
        .number(
            .decayEpochs,
            \.decayEpochs,
            positive,
            "epochs",
            "Epochs between two steps of the schedule step."
        ),
        .number(
            .decayRate,
            \.decayRate,
            positive.lowerBound...1,
            "factor",
            "Multiply the learning rate by this at each of them."
        ),
        .flag(
            .schedOnUpdates,
            \.schedOnUpdates,
            "Change the learning rate with every step, not every epoch."
        ),
        .flag(
            .lrLag,
            \.lrLag,
            "Take the learning rate of the epoch before, as DeiT's own loop does."
        ),
        .choice(
            .optimizer,
            \.optimizer,
            "Optimiser, by timm's names: sgd is Nesterov's, momentum the plain one."
        ),
        .number(.optEps, \.optEps, 0...1, "value", "Epsilon of AdamW and LAMB."),
        .numbers(
            .optBetas,
            \.optBetas,
            0...0.999999,
            absent: "auto",
            "a,b",
            "Decays of AdamW's and LAMB's means; auto: 0.9,0.999."
        ),
        .number(
            .weightDecay,
            \.weightDecay,
            anyReal,
            "rate",
            "Weight decay; none for biases, norms and tokens."
        ),
        .number(
            .layerDecay,
            \.layerDecay,
            positive.lowerBound...1,
            absent: "off",
            "factor",
            "Multiply the learning rate by this from each layer to the one before it."
        ),
        .number(.momentum, \.momentum, 0...0.999999, "rate", "Momentum of SGD."),
        .number(
            .ema,
            \.ema,
            0...0.9999999,
            absent: "off",
            "decay",
            "Moving average of the weights, evaluated beside them."
        ),
        .choice(
            .emaWarmup,
            \.emaWarmup,
            "Let the average forget the start, by timm's or TensorFlow's formula; off: as DeiT."
        ),
        .number(
            .clipGrad,
            \.clipGrad,
            positive,
            absent: "off",
            "norm",
            "Largest norm of the gradient."
        ),
    ]

    private static let runFields: [OptionField] = [
        .choice(.dtype, \.dtype, "Number format; auto: bf16 where the processor computes in it."),
        .number(.seed, \.seed, 0...Int.max, "number", "Seed of everything random."),
        .number(.threads, \.threads, 1...4_096, absent: "auto", "count", "Threads that compute."),
        .number(
            .checkpointInterval,
            \.checkpointInterval,
            1...Int.max,
            absent: "off",
            "steps",
            "Save every so many steps too, not only after each epoch."
        ),
        .number(
            .keepLast,
            \.keepLast,
            1...Int.max,
            "count",
            "Keep so many of the newest checkpoints, and the best."
        ),
        .number(
            .logInterval,
            \.logInterval,
            1...Int.max,
            "steps",
            "Steps between two records in metrics.jsonl."
        ),
        .flag(.tensorboard, \.tensorboard, "Write the records for TensorBoard too."),
    ]

    private static let fieldsByKey: [String: OptionField] =
        Dictionary(fields.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })

    /// The option with a name as in a recipe or a flag: `weight_decay` or `weight-decay`.
    public static func field(_ name: String) -> OptionField? {
        fieldsByKey[name.replacing("-", with: "_")]
    }

    /// Sets one option from its text.
    ///
    /// - Parameters:
    ///   - name: `weight_decay` or `weight-decay`.
    ///   - text: The value as it stands in a recipe or after a flag.
    ///   - source: Where it stands, for the error: `the recipe quickstart`, `the command line`.
    /// - Throws: ``OptionError`` for an unknown name or a value that the option does not take.
    public mutating func set(_ name: String, to text: String, source: String) throws(OptionError) {
        guard let field = Self.field(name) else { throw .unknownKey(name, source: source) }
        guard field.write(&self, text) else {
            let choices = field.placeholder.split(separator: "|").map(String.init)
            let hint = choices.count > 1 ? Suggestion.phrase(for: text, among: choices) : ""
            throw .badValue(text, key: field.key, expected: field.expected + hint, source: source)
        }
    }

    /// The text of one option's value, as a recipe would have it.
    public func text(of field: OptionField) -> String { field.read(self) }
}
