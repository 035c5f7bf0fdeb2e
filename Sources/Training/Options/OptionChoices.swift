import ImagePipeline
import Torch

/// What a run learns from: each method is a command of its own.
public enum TrainingMethod: String, Codable, Sendable, CaseIterable {
    /// Labels, and a teacher that knows them: `deit train`.
    case supervised
    /// Images without labels, as DINO does: `deit pretrain dino`.
    case dino
    /// The hidden patches of images: `deit pretrain mim`.
    case mim

    /// The command that runs it.
    public var command: String {
        switch self {
        case .supervised: "deit train"
        case .dino: "deit pretrain dino"
        case .mim: "deit pretrain mim"
        }
    }
}

/// What the student learns from the teacher.
public enum DistillationKind: String, Codable, Sendable, CaseIterable {
    /// Nothing: the labels only.
    case none
    /// The teacher's distribution over the classes, softened by a temperature.
    case soft
    /// The teacher's decision, as a label.
    case hard
}

/// Whether the student has a distillation token.
public enum DistillationTokenUse: String, Codable, Sendable, CaseIterable {
    /// As the model has it.
    case auto
    /// It must; a plain checkpoint that training starts from gets a fresh one.
    case on
    /// It must not.
    case off
}

/// What the distillation token of a plain checkpoint begins as; its position goes with it.
public enum TokenInitialization: String, Codable, Sendable, CaseIterable {
    /// The class token and its position: what leaves the last block is then of use from the first step.
    case cls = "class"
    /// Normal numbers with a standard deviation of 0.02, as DeiT's tokens begin.
    case normal
}

/// The optimiser's kind.
public enum OptimizerKind: String, Codable, Sendable, CaseIterable {
    /// AdamW: decoupled weight decay.
    case adamw
    /// Stochastic gradient descent with Nesterov's momentum, as timm's `sgd`; in DINO with the plain one, as its code has it.
    case sgd
    /// Stochastic gradient descent with plain momentum, as timm's `momentum`.
    case momentum
    /// LAMB: Adam's steps in proportion to the weights, for large batches.
    case lamb
}

/// How samples are weighed when training images are resized, and moved by augmentation; timm's names.
public enum TrainInterpolation: String, Codable, Sendable, CaseIterable {
    /// A triangle.
    case bilinear
    /// Keys' cubic.
    case bicubic
    /// One of the two, drawn for each image.
    case random

    /// The kind, or nil where it is drawn.
    var kind: Interpolation? {
        switch self {
        case .bilinear: .bilinear
        case .bicubic: .bicubic
        case .random: nil
        }
    }
}

/// The number format of the forward and backward pass; parameters and optimiser stay fp32.
public enum Precision: String, Codable, Sendable, CaseIterable {
    /// 32-bit floating point.
    case fp32
    /// bfloat16 under autocast.
    case bf16
    /// float16 under autocast, on GPUs.
    case fp16
    /// bf16 where the device computes in it; elsewhere fp16 on NVIDIA GPUs, else fp32.
    case auto

    /// The type of matrix products; nil for the device's usual.
    var dtype: DType? {
        switch self {
        case .fp32: .float32
        case .bf16: .bfloat16
        case .fp16: .float16
        case .auto: nil
        }
    }

    /// The precision with a type of matrix products.
    init(_ dtype: DType) {
        switch dtype {
        case .bfloat16: self = .bf16
        case .float16: self = .fp16
        default: self = .fp32
        }
    }
}

/// Which training images an epoch shows.
public enum SamplerKind: String, Codable, Sendable, CaseIterable {
    /// Each once, in random order.
    case shuffle
    /// Equally many of each class: images of small classes several times, of large classes a part.
    case balanced
}

/// The validation score by which the best checkpoint is chosen.
public enum BestMetric: String, Codable, Sendable, CaseIterable {
    /// The share of images whose class was predicted.
    case top1
    /// The mean average precision, of images with several labels.
    case map
    /// The mean F1 of the classes.
    case macroF1 = "macro-f1"
    /// The mean recall of the classes.
    case balancedAccuracy = "balanced-accuracy"
    /// The mean loss, of which less is better.
    case loss

    /// What it is called in messages.
    public var title: String {
        switch self {
        case .top1: "top-1"
        case .map: "mAP"
        case .macroF1: "macro F1"
        case .balancedAccuracy: "balanced accuracy"
        case .loss: "loss"
        }
    }

    /// Whether a value is better than another; a value that is not a number is never.
    func isBetter(_ value: Double, than other: Double) -> Bool {
        self == .loss ? value < other : value > other
    }
}
