import Checkpoints
public import Storage
import Torch

/// How well nearest neighbours among features distinguish classes.
public struct KNNReport: Sendable, Equatable {
    /// The accuracy with each number of neighbours.
    public let accuracies: [KNNAccuracy]

    /// The number of images that vote.
    public let bankCount: Int

    /// The number of images measured.
    public let count: Int

    /// The number of images measured that are among those that vote too; each is left out of its own vote.
    public let leftOut: Int

    /// The numbers of a feature vector.
    public let width: Int

    /// The number of classes.
    public let classCount: Int

    /// The temperature of votes.
    public let temperature: Double

    /// How long the search took, in seconds, without the features.
    public let searchSeconds: Double

    /// Measures features.
    ///
    /// An image that is among those that vote has no vote of its own: it is left out, recognised by its content
    /// (``LabelledFeatures/digests``) or, where that is not known, by equal features.
    ///
    /// - Parameters:
    ///   - train: The images that vote, of at least two classes.
    ///   - validation: The images that are measured; their classes are found among the others' by name.
    ///   - k: The numbers of neighbours, each at least 1.
    ///   - temperature: The temperature of votes, above 0.
    /// - Returns: The report.
    /// - Throws: `NeighbourError`, ``InferenceError/unknownClasses(data:model:hasIdentifiers:)``, `TorchError`.
    public static func measure(
        train: LabelledFeatures,
        validation: LabelledFeatures,
        k: [Int] = KNNClassifier.usualCounts,
        temperature: Double = KNNClassifier.usualTemperature
    ) throws -> KNNReport {
        let mapping = try ClassMapping(
            of: validation.classNames,
            in: ClassLabels(names: train.classNames)
        )
        let start = ContinuousClock.now
        let classifier = try KNNClassifier(train.set(), temperature: temperature)
        let (accuracies, leftOut) = try classifier.accuracies(
            of: validation.set(mapping: mapping.indices, classCount: train.classNames.count),
            k: k,
            leavingOut: validation.itself(among: train)
        )
        return KNNReport(
            accuracies: accuracies,
            bankCount: train.count,
            count: validation.count,
            leftOut: leftOut,
            width: train.width,
            classCount: train.classNames.count,
            temperature: temperature,
            searchSeconds: (ContinuousClock.now - start) / .seconds(1)
        )
    }

    /// The report as a JSON object, shares from 0 to 1.
    public var json: JSONValue {
        let rows = accuracies.map { row -> JSONValue in
            [
                "k": .integer(row.k), "neighbours": .integer(row.used), "top1": .number(row.top1),
                "top5": .number(row.top5),
            ]
        }
        return [
            "knn": .array(rows), "temperature": .number(temperature),
            "bank": .integer(bankCount), "count": .integer(count),
            "left_out": .integer(leftOut), "width": .integer(width),
            "classes": .integer(classCount), "search_seconds": .number(searchSeconds),
        ]
    }
}
