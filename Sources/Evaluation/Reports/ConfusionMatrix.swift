public import Inference

/// Which classes are taken for which.
///
/// Rows are the right classes, columns the predicted ones, both in the order of the data's classes. A last column counts
/// predictions of classes that the data does not have.
public struct ConfusionMatrix: Sendable, Equatable {
    /// The numbers of images, `[classes, classes + 1]`.
    public let counts: [[Int]]

    /// Counts predictions.
    ///
    /// - Parameters:
    ///   - outcomes: The predictions.
    ///   - classes: The model's class of each of the data's classes.
    public init(_ outcomes: [ImageOutcome], classes: [Int]) {
        let places = Dictionary(
            classes.enumerated().map { ($1, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        let empty = [Int](repeating: 0, count: classes.count + 1)
        var counts = Array(repeating: empty, count: classes.count)
        for outcome in outcomes {
            guard let row = places[outcome.label] else { continue }
            counts[row][outcome.prediction.flatMap { places[$0] } ?? classes.count] += 1
        }
        self.counts = counts
    }

    /// Whether a class was predicted that the data does not have.
    public var hasOthers: Bool { counts.contains { ($0.last ?? 0) > 0 } }

    /// Precision, recall and F1 of each of the data's classes.
    public var classScores: [ClassScore] {
        counts.indices.map { place in
            ClassScore(
                support: counts[place].reduce(0, +),
                predicted: counts.reduce(0) { $0 + $1[place] },
                right: counts[place][place]
            )
        }
    }

    /// The class that images of a class are mistaken for most often, and how often; nil if they never are.
    ///
    /// - Parameter place: The right class, by its place among the data's classes.
    /// - Returns: The predicted class by its place, of equally frequent ones the first, and the number of images.
    public func mostFrequentMistake(of place: Int) -> (place: Int, count: Int)? {
        let mistakes = counts[place].indices.filter { $0 != place && counts[place][$0] > 0 }
        let most = mistakes.max { (counts[place][$0], $1) < (counts[place][$1], $0) }
        return most.map { ($0, counts[place][$0]) }
    }
}
