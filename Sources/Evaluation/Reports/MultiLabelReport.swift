public import Datasets
public import Inference
public import Storage

/// How well a model predicts the classes of images that have any number of them.
public struct MultiLabelReport: Sendable, Equatable {
    /// What the model said of the data's classes, and what the images have.
    public var scores: MultiLabelScores

    /// The probability from which each of the data's classes counts as recognised.
    public var thresholds: [Double]

    /// Whether they are the model's, chosen on its validation images; otherwise all are one half.
    public var hasOwnThresholds: Bool

    /// Images per second, from files to predictions.
    public var imagesPerSecond: Double

    /// The mean average precision of a distilled model's class head alone.
    public var clsMeanAveragePrecision: Double?

    /// The mean average precision of a distilled model's distillation head alone.
    public var distMeanAveragePrecision: Double?

    /// The images that could not be read and were left out.
    public var skipped: SkippedImages

    /// The images' places in the data, in the order of ``scores``.
    public var indices: [Int]

    /// Precision, recall and F1 of each class, by the thresholds.
    public var classScores: [ClassScore] { scores.classScores(thresholds: thresholds) }

    /// The report's numbers as a JSON object, shares from 0 to 1.
    ///
    /// - Parameter names: The names of the data's classes.
    /// - Returns: The numbers of all images, and `classes` with those of each class; those that are undefined, such as the
    ///   average precision of a class without images, are null.
    public func json(classNames names: [String]) -> JSONValue {
        let classScores = classScores
        func number(_ value: Double?) -> JSONValue { value.map { .number($0) } ?? .null }
        var object: JSONObject = [
            "map": number(scores.meanAveragePrecision),
            "micro_ap": number(scores.microAveragePrecision),
            "macro_f1": .number(classScores.macroF1), "micro_f1": number(classScores.microF1),
            "samples_f1": number(scores.samplesF1(thresholds: thresholds)),
            "loss": number(scores.loss), "count": .integer(scores.count),
            "images_per_second": .number(imagesPerSecond),
            "thresholds": .string(hasOwnThresholds ? "model" : "0.5"),
        ]
        if let clsMeanAveragePrecision { object["cls_map"] = .number(clsMeanAveragePrecision) }
        if let distMeanAveragePrecision { object["dist_map"] = .number(distMeanAveragePrecision) }
        let averages = scores.averagePrecisions
        object["classes"] = .array(
            classScores.enumerated().map { place, score in
                [
                    "class": .string(names[place]), "support": .integer(score.support),
                    "right": .integer(score.right), "predicted": .integer(score.predicted),
                    "average_precision": number(averages[place]),
                    "threshold": .number(thresholds[place]),
                    "precision": number(score.precision), "recall": number(score.recall),
                    "f1": number(score.f1),
                ]
            }
        )
        return .object(object)
    }
}
