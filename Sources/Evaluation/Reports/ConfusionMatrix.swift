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

    /// What is known of one class.
    public struct ClassScore: Sendable, Equatable {
        /// The images that show it.
        public let count: Int
        /// Those of them that were recognised.
        public let right: Int
        /// The images of which it was predicted.
        public let predicted: Int
        /// The class that it was taken for most often, by its place among the data's classes, and how often; nil where it
        /// never was.
        public let mistakenFor: (place: Int, count: Int)?

        /// The share of its images that were recognised; nil where there is none.
        public var accuracy: Double? { count == 0 ? nil : Double(right) / Double(count) }
        /// The share of its predictions that are right; nil where there is none.
        public var precision: Double? { predicted == 0 ? nil : Double(right) / Double(predicted) }

        /// Whether two scores are the same.
        public static func == (first: ClassScore, second: ClassScore) -> Bool {
            first.count == second.count && first.right == second.right
                && first.predicted == second.predicted
                && first.mistakenFor?.place == second.mistakenFor?.place
                && first.mistakenFor?.count == second.mistakenFor?.count
        }
    }

    /// The score of each class.
    public var classScores: [ClassScore] {
        counts.indices.map { place in
            let mistakes = counts[place].indices.filter { $0 != place && counts[place][$0] > 0 }
            let most = mistakes.max { (counts[place][$0], $1) < (counts[place][$1], $0) }
            return ClassScore(
                count: counts[place].reduce(0, +),
                right: counts[place][place],
                predicted: counts.reduce(0) { $0 + $1[place] },
                mistakenFor: most.map { ($0, counts[place][$0]) }
            )
        }
    }

    /// The mean of the classes' accuracies, 0 to 1, in which a class counts the same however many images it has.
    public var meanAccuracy: Double {
        let known = classScores.compactMap(\.accuracy)
        return known.isEmpty ? 0 : known.reduce(0, +) / Double(known.count)
    }
}
