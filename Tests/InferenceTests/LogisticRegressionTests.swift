import Inference
import TestSupport
import Testing
import Torch

/// The linear probe against scikit-learn 1.9.1: `LogisticRegression(C=…, tol=1e-10)` on the same numbers.
@ModelActor @Suite struct LogisticRegressionTests {
    private let features = LabelledFeatures(
        values: (0..<120).map(Self.number),
        width: 4,
        labels: (0..<30).map { ($0 * $0 + $0 / 4) % 3 },
        classNames: ["a", "b", "c"]
    )

    nonisolated private static func number(at place: Int) -> Float {
        let (row, column) = (place / 4, place % 4)
        let turn = (row * 7 + column * 13 + row * column * 5) % 23
        return Float(turn) / 8 - 1.4
    }

    @Test(
        arguments: [
            (
                1.0, 0.6,
                [
                    0.799131, 0.062621, 0.138248, 0.843066, 0.041492, 0.115442, 0.327231, 0.354838,
                    0.317931,
                ]
            ),
            (
                0.05, 16 / 30.0,
                [
                    0.530697, 0.1981, 0.271202, 0.512218, 0.201169, 0.286613, 0.39755, 0.278944,
                    0.323506,
                ]
            ),
        ]
    )
    func `probabilities and score are scikit-learn's`(
        strength: Double,
        score: Double,
        expected: [Double]
    ) throws {
        let options = LogisticRegression.Options(strength: strength, tolerance: 1e-8)
        let classifier = try LogisticRegression(features, options)
        #expect(classifier.isConverged)
        let rows = [0, 7, 19].flatMap { features.values[($0 * 4)..<($0 * 4 + 4)] }
        let found = try classifier.probabilities(of: rows)
        try #require(found.count == expected.count)
        for (value, expected) in zip(found, expected) {
            #expect(abs(Double(value) - expected) < 2e-6)
        }
        let report = try LinearProbeReport.measure(
            train: features,
            validation: features,
            options: options
        )
        #expect(abs(report.trainTop1 - score) < 1e-12 && report.top1 == report.trainTop1)
        #expect(report.count == 30 && report.classCount == 3 && report.width == 4)
    }

    @Test func `what cannot be learnt from is refused`() throws {
        let one = LabelledFeatures(
            values: features.values,
            width: 4,
            labels: Array(repeating: 1, count: 30),
            classNames: ["a", "b"]
        )
        #expect(throws: NeighbourError.oneClass) { try LogisticRegression(one) }
        let bad = LabelledFeatures(
            values: [1, 2, .nan, 4],
            width: 2,
            labels: [0, 1],
            classNames: ["a", "b"]
        )
        #expect(throws: NeighbourError.notFinite(place: 1)) { try LogisticRegression(bad) }
        let wide = LabelledFeatures(values: [1, 2, 3], width: 3, labels: [0], classNames: ["a"])
        #expect(throws: NeighbourError.differentWidths(bank: 4, queries: 3)) {
            try LinearProbeReport.measure(train: features, validation: wide)
        }
    }
}
