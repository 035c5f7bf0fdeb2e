import Checkpoints
public import Storage

/// How well a linear classifier on features distinguishes classes.
public struct LinearProbeReport: Sendable, Equatable {
    /// The share of measured images whose class was predicted, 0 to 1.
    public let top1: Double

    /// The share whose class was among the five predicted first, 0 to 1.
    public let top5: Double

    /// The share of the training images whose class was predicted, 0 to 1.
    public let trainTop1: Double

    /// The number of images that were learnt from.
    public let trainCount: Int

    /// The number of images measured.
    public let count: Int

    /// The numbers of a feature vector.
    public let width: Int

    /// The number of classes.
    public let classCount: Int

    /// The number of images measured that the layer was fitted to as well.
    public let sharedCount: Int

    /// The strength of the data against the penalty on weights.
    public let strength: Double

    /// The steps of the search.
    public let iterations: Int

    /// Whether the search came to its end.
    public let isConverged: Bool

    /// Learns from some features and measures others.
    ///
    /// - Parameters:
    ///   - train: The images to learn from, of at least two classes.
    ///   - validation: The images that are measured; their classes are found among the others' by name.
    ///   - options: How it is learnt.
    /// - Returns: The report.
    /// - Throws: `NeighbourError` for features that cannot be used,
    ///   ``InferenceError/unknownClasses(data:model:hasIdentifiers:)``, `TorchError`.
    public static func measure(
        train: LabelledFeatures,
        validation: LabelledFeatures,
        options: LogisticRegression.Options = .init()
    ) throws -> LinearProbeReport {
        let mapping = try ClassMapping(
            of: validation.classNames,
            in: ClassLabels(names: train.classNames)
        )
        let classifier = try LogisticRegression(train, options)
        let own = try classifier.scores(of: train, labels: train.labels)
        let scores = try classifier.scores(
            of: validation,
            labels: validation.labels.map { mapping.indices[$0] }
        )
        return LinearProbeReport(
            top1: Double(scores.top1) / Double(validation.count),
            top5: Double(scores.top5) / Double(validation.count),
            trainTop1: Double(own.top1) / Double(train.count),
            trainCount: train.count,
            count: validation.count,
            width: train.width,
            classCount: train.classNames.count,
            sharedCount: validation.sharedCount(with: train),
            strength: options.strength,
            iterations: classifier.iterations,
            isConverged: classifier.isConverged
        )
    }

    /// The report as a JSON object, shares from 0 to 1.
    public var json: JSONValue {
        [
            "linear": [
                "top1": .number(top1), "top5": .number(top5), "train_top1": .number(trainTop1),
                "c": .number(strength), "iterations": .integer(iterations),
                "converged": .bool(isConverged),
            ], "train": .integer(trainCount), "count": .integer(count),
            "shared": .integer(sharedCount), "width": .integer(width),
            "classes": .integer(classCount),
        ]
    }
}
