public import Datasets
import Inference
public import Storage

/// How well a model predicts the classes of images.
public struct EvaluationReport: Sendable, Equatable {
    /// The share of images whose class was predicted, 0 to 1; of a distilled model by the mean of its heads.
    public var top1: Double

    /// The share of images whose class was among the five predicted first, 0 to 1.
    public var top5: Double

    /// The mean cross-entropy, in nats.
    public var loss: Double

    /// The number of images measured.
    public var count: Int

    /// Images per second, from files to predictions.
    public var imagesPerSecond: Double

    /// The share that a distilled model's class head alone predicts.
    public var clsTop1: Double?

    /// The share that a distilled model's distillation head alone predicts.
    public var distTop1: Double?

    /// The images that could not be read and were left out.
    public var skipped: SkippedImages

    /// What was predicted for each image, in the order of the data.
    public var outcomes: [ImageOutcome]

    /// The model's class of each of the data's classes.
    public var classes: [Int]

    /// How far confidence is from accuracy, in 15 bins.
    public var calibration: Calibration {
        Calibration(outcomes.map { ($0.confidence, $0.isRight) })
    }

    /// Which classes are taken for which.
    public var confusion: ConfusionMatrix { ConfusionMatrix(outcomes, classes: classes) }

    /// How often the heads agree, of a model with two.
    public var headAgreement: HeadAgreement? { HeadAgreement(outcomes) }

    /// The report's numbers as a JSON object, shares from 0 to 1.
    ///
    /// - Parameter names: The names of the data's classes.
    /// - Returns: The numbers of all images, and `classes` with those of each class.
    public func json(classNames names: [String]) -> JSONValue {
        var object = scalars
        object["classes"] = classes(named: names, confusion)
        return .object(object)
    }

    /// The numbers of each class; those that are undefined, such as the recall of a class without images, are null.
    func classes(named names: [String], _ confusion: ConfusionMatrix) -> JSONValue {
        .array(
            confusion.classScores.enumerated().map { place, score in
                [
                    "class": .string(names.indices.contains(place) ? names[place] : "(other)"),
                    "support": .integer(score.support), "right": .integer(score.right),
                    "predicted": .integer(score.predicted),
                    "precision": score.precision.map { .number($0) } ?? .null,
                    "recall": score.recall.map { .number($0) } ?? .null,
                    "f1": score.f1.map { .number($0) } ?? .null,
                ]
            }
        )
    }

    /// The numbers by their names.
    var scalars: JSONObject {
        var object: JSONObject = [
            "top1": .number(top1), "top5": .number(top5), "loss": .number(loss),
            "count": .integer(count), "images_per_second": .number(imagesPerSecond),
            "ece": .number(calibration.expectedError),
        ]
        let classScores = confusion.classScores
        object["balanced_accuracy"] = .number(classScores.balancedAccuracy)
        object["macro_f1"] = .number(classScores.macroF1)
        if let clsTop1 { object["cls_top1"] = .number(clsTop1) }
        if let distTop1 { object["dist_top1"] = .number(distTop1) }
        if let headAgreement { object["cls_dist_agreement"] = .number(headAgreement.share) }
        return object
    }
}
