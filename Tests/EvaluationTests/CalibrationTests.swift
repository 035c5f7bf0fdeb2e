import Inference
import Testing

@testable import Evaluation

/// Numbers of NumPy and scikit-learn 1.9 for the same predictions.
struct CalibrationTests {
    private let predictions: [(confidence: Double, isRight: Bool)] = [
        (0.95, true), (0.85, true), (0.62, false), (0.55, true), (0.31, false), (1.0, true),
        (0.2, false), (0.9, true), (0.88, false), (0.4, true), (0.6, true), (0.07, false),
    ]

    @Test func theErrorIsTheWeightedDistance() throws {
        let calibration = Calibration(predictions)
        try #require(calibration.bins.count == 15)
        // A bound belongs to the bin below it: 0.2, 0.4 and 0.6 are bounds.
        #expect(calibration.bins.map(\.count) == [0, 1, 1, 0, 1, 1, 0, 0, 2, 1, 0, 0, 1, 2, 2])
        #expect(abs(calibration.bins[8].confidence - 0.575) < 1e-12)
        #expect(calibration.bins[8].accuracy == 1 && calibration.bins[13].accuracy == 0.5)
        #expect(abs(calibration.expectedError - 0.3025) < 1e-12)
        #expect(abs(calibration.largestError - 0.62) < 1e-12)
    }

    @Test func everyBoundBelongsToTheBinBelow() {
        for bound in 1...15 {
            let calibration = Calibration([(Double(bound) / 15, true)])
            #expect(calibration.bins[bound - 1].count == 1)
        }
    }

    @Test func nothingAndNotANumberAreNoTrouble() {
        #expect(Calibration([]).expectedError == 0 && Calibration([]).largestError == 0)
        let odd = Calibration([(.nan, false), (-1, false), (2, true)], bins: 2)
        #expect(odd.bins.map(\.count) == [2, 1])
        #expect(odd.expectedError == 0)
    }
}

struct ConfusionMatrixTests {
    private func outcomes(_ labels: [Int], _ predictions: [Int?]) -> [ImageOutcome] {
        labels.indices.map {
            ImageOutcome(
                index: $0,
                label: labels[$0],
                prediction: predictions[$0],
                confidence: 0.5,
                rank: 0
            )
        }
    }

    @Test func countsAsScikitLearn() throws {
        let found = outcomes(
            [0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 2],
            [0, 1, 0, 2, 1, 1, 0, 2, 2, 1, 2, 0]
        )
        let matrix = ConfusionMatrix(found, classes: [0, 1, 2])
        #expect(matrix.counts == [[2, 1, 1, 0], [1, 2, 0, 0], [1, 1, 3, 0]])
        #expect(!matrix.hasOthers)
        let scores = matrix.classScores
        #expect(abs(scores.balancedAccuracy - 0.588_888_888_888_888_9) < 1e-12)
        #expect(scores.map(\.precision) == [0.5, 0.5, 0.75])
        #expect(scores.map(\.recall) == [0.5, 2.0 / 3, 0.6])
        // Of equally frequent mistakes the first.
        #expect(matrix.mostFrequentMistake(of: 0)?.place == 1)
        #expect(matrix.mostFrequentMistake(of: 2)?.place == 0)
    }

    /// The data has two of the model's classes, in another order, and no image of one.
    @Test func classesThatTheDataLacksAreOthers() {
        let matrix = ConfusionMatrix(outcomes([7, 7, 7, 7], [7, 3, 5, nil]), classes: [3, 7])
        #expect(matrix.counts == [[0, 0, 0], [1, 1, 2]])
        #expect(matrix.hasOthers)
        #expect(matrix.classScores[0].recall == nil && matrix.classScores[0].precision == 0)
        #expect(matrix.mostFrequentMistake(of: 1)?.place == 2)
        #expect(matrix.classScores.balancedAccuracy == 0.25)
        // 2 · 1 / (4 images + 1 prediction), and 0 of the class that was only predicted.
        #expect(matrix.classScores.macroF1 == 0.2)
    }

    @Test func headsAreCompared() throws {
        func outcome(_ label: Int, _ cls: Int?, _ dist: Int?) -> ImageOutcome {
            ImageOutcome(
                index: 0,
                label: label,
                prediction: cls,
                confidence: 1,
                rank: 0,
                heads: .init(cls: cls, dist: dist)
            )
        }
        let found = [
            outcome(0, 0, 0), outcome(0, 0, 1), outcome(0, 1, 0), outcome(0, 1, 1),
            outcome(0, 1, 2),
            outcome(0, nil, nil),
        ]
        let heads = try #require(HeadAgreement(found))
        #expect(heads.count == 6 && heads.same == 2)
        #expect(heads.bothRight == 1 && heads.onlyCls == 1 && heads.onlyDist == 1)
        #expect(heads.neither == 3 && heads.share == 1.0 / 3)
        #expect(HeadAgreement(outcomes([0], [0])) == nil)
    }

    @Test func anOutcomeIsReadFromScores() {
        let scores: [Float] = [9, 0, 3, 1]
        let outcome = ImageOutcome(index: 4, label: 1, scores: scores[1...], heads: nil)
        #expect(outcome.prediction == 1 && outcome.isRight && outcome.rank == 0)
        // softmax of 0, 3, 1.
        #expect(abs(outcome.confidence - 0.843_794_7) < 1e-6)
        let tie = ImageOutcome(index: 0, label: 1, scores: [2, 2], heads: nil)
        #expect(tie.prediction == 0 && tie.rank == 1 && !tie.isRight)
        let broken = ImageOutcome(index: 0, label: 0, scores: [.nan, .nan], heads: nil)
        #expect(broken.prediction == nil && broken.confidence == 0 && !broken.isRight)
        let half = ImageOutcome(index: 0, label: 1, scores: [.nan, 1], heads: nil)
        #expect(half.prediction == 1 && half.confidence == 1)
        let large = ImageOutcome(index: 0, label: 0, scores: [1e4, -1e4], heads: nil)
        #expect(large.confidence == 1)
    }
}
