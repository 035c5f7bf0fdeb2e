public import Inference

/// What one training step did.
public struct StepReport: Sendable {
    /// The steps taken since the run began, this one included.
    public let step: Int
    /// The steps of the whole run.
    public let totalSteps: Int
    /// The epoch, from 0.
    public let epoch: Int
    /// The epochs of the whole run.
    public let epochs: Int
    /// The mean loss of the step's images; not finite where the step was skipped.
    public let loss: Double
    /// The learning rate of the step.
    public let lr: Double
    /// The sums of the epoch so far.
    public let sums: EpochSums
    /// Whether classes are predicted, one for an image, so that the sums have an accuracy.
    public let scoresLabels: Bool
}

/// How well a model does on the validation images.
public struct ValidationScore: Codable, Sendable, Equatable {
    /// The mean cross-entropy of an image; of images with several labels the binary one, a mean over the classes.
    public var loss: Double
    /// The share of images whose class was predicted, 0 to 1; of images with several labels, for which the class with the
    /// highest score is one of theirs.
    public var top1: Double
    /// The same by the class head alone, of a distilled model.
    public var clsTop1: Double?
    /// The same by the distillation head alone, of a distilled model.
    public var distTop1: Double?
    /// The images.
    public var count: Int
    /// Precision, recall and F1 of each class, by label; nil where they were not counted.
    public var classes: [ClassScore]?
    /// Of images with several labels: the mean average precision, 0 to 1; nil where no image has a class.
    public var meanAveragePrecision: Double?
    /// The same by the class head alone, of a model with two heads.
    public var clsMeanAveragePrecision: Double?
    /// The same by the distillation head alone, of a model with two heads.
    public var distMeanAveragePrecision: Double?
    /// Of images with several labels: the average precision of each class; nil for those that no image has.
    public var averagePrecisions: [Double?]?
    /// Of images with several labels: the F1 of all decisions together by ``thresholds``, 0 to 1.
    public var microF1: Double?
    /// Of images with several labels: the probability from which each class is recognised with the highest F1 on these
    /// images.
    public var thresholds: [Double]?

    /// The mean F1 of the classes, 0 to 1, as scikit-learn's `f1_score(average="macro")`.
    public var macroF1: Double? { classes?.macroF1 }

    /// The mean recall of the classes, 0 to 1, as scikit-learn's `balanced_accuracy_score`.
    public var balancedAccuracy: Double? { classes?.balancedAccuracy }

    /// Whether the images may have several labels.
    public var isMultiLabel: Bool { averagePrecisions != nil }

    /// The score by a metric; nil where it was not counted.
    ///
    /// - Parameter metric: The metric.
    /// - Returns: The score.
    public func value(_ metric: BestMetric) -> Double? {
        switch metric {
        case .top1: top1
        case .map: meanAveragePrecision
        case .macroF1: macroF1
        case .balancedAccuracy: balancedAccuracy
        case .loss: loss
        }
    }
}

/// What one epoch did.
public struct EpochReport: Sendable {
    /// The epochs finished, this one included.
    public let epoch: Int
    /// The epochs of the whole run.
    public let epochs: Int
    /// The steps taken since the run began.
    public let step: Int
    /// The sums over the epoch's training images.
    public let training: EpochSums
    /// The learning rate of the epoch's last step.
    public let lr: Double
    /// Whether the training images' accuracy is counted.
    public let scoresLabels: Bool
    /// The model's score; nil where the method does not measure one.
    public let validation: ValidationScore?
    /// The mean loss of a validation image; nil where the method does not measure one.
    public let validationLoss: Double?
    /// The averaged weights' score.
    public let average: ValidationScore?
    /// The share of validation images whose nearest neighbours vote right, 0 to 1, where it was measured.
    public let knnTop1: Double?
    /// The best score so far; nil where none was measured.
    public let best: BestScore?
    /// Whether this epoch reached it.
    public let isBest: Bool
    /// The steps skipped since the run began.
    public let skippedSteps: Int
    /// Training images of this epoch that could not be read.
    public let unreadableImages: Int
    /// Seconds since the run began, over all processes.
    public let seconds: Double
}

/// Watches a run.
///
/// Every method has a default that does nothing.
public protocol TrainingObserver {
    /// A step is done.
    func didFinish(step: StepReport)
    /// An epoch and its validation are done, and a checkpoint is saved.
    func didFinish(epoch: EpochReport)
    /// Something that a person should know: a skipped step, a rollback, an unreadable image.
    func didNotice(_ sentence: String)
}

extension TrainingObserver {
    /// Does nothing.
    public func didFinish(step: StepReport) {}
    /// Does nothing.
    public func didFinish(epoch: EpochReport) {}
    /// Does nothing.
    public func didNotice(_ sentence: String) {}
}
