import Evaluation
import Foundation
import Inference
import TestSupport
import Testing
import Torch
import TorchNN

@testable import Training

/// Class weights, weighted losses and scores of classes against scikit-learn and torch.
@Suite("Imbalance against scikit-learn and torch", .tags(.parity))
@ModelActor
struct ImbalanceParityTests {
    private struct Expected: Decodable {
        struct Weights: Decodable {
            let counts: [Int]
            let balanced: [Double]
            let effective: [String: [Double]]
        }

        struct Metrics: Decodable {
            let name: String
            let classes: Int
            let labels: [Int]
            let predictions: [Int]
            let precision: [Double?]
            let recall: [Double?]
            let f1: [Double?]
            let support: [Int]
            let macroF1: Double
            let balancedAccuracy: Double
            let logits: [Float]?
        }

        let classWeights: [Weights]
        let metrics: [Metrics]
    }

    private func expected() throws -> Expected {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(
            Expected.self,
            from: Data(contentsOf: fixtures.appending(path: "imbalance/expected.json"))
        )
    }

    private func expectClose(
        _ found: [Double],
        _ expected: [Double],
        _ what: String,
        tolerance: Double = 1e-12
    ) {
        #expect(found.count == expected.count, "\(what)")
        for (one, other) in zip(found, expected) {
            #expect(abs(one - other) <= tolerance * max(1, abs(other)), "\(what): \(one), \(other)")
        }
    }

    @Test("Weights by the number and the effective number of images")
    func classWeights() throws {
        for weights in try expected().classWeights {
            expectClose(
                ClassWeights.balanced(weights.counts),
                weights.balanced,
                "balanced \(weights.counts)"
            )
            #expect(weights.effective.count == 4)
            for (beta, values) in weights.effective {
                expectClose(
                    ClassWeights.effective(weights.counts, beta: try #require(Double(beta))),
                    values,
                    "effective \(beta) \(weights.counts)"
                )
            }
        }
        // Classes without images have no weight, and do not count as classes.
        expectClose(ClassWeights.balanced([6, 0, 2]), [8.0 / 12, 0, 2], "an empty class")
        expectClose(ClassWeights.effective([5, 0, 5], beta: 0.9), [1, 0, 1], "an empty class")
        expectClose(ClassWeights.effective([5, 50], beta: 0), [1, 1], "beta 0")
    }

    @Test("Precision, recall, F1, support, macro F1 and balanced accuracy")
    func metrics() throws {
        for metrics in try expected().metrics {
            var scores = Array(repeating: ClassScore(), count: metrics.classes)
            for (label, prediction) in zip(metrics.labels, metrics.predictions) {
                scores.count(label: label, prediction: prediction)
            }
            func expectEqual(_ found: [Double?], _ expected: [Double?], _ what: String) {
                let name = "\(metrics.name): \(what)"
                #expect(found.map { $0 == nil } == expected.map { $0 == nil }, "\(name)")
                expectClose(found.compactMap { $0 }, expected.compactMap { $0 }, name)
            }
            #expect(scores.map(\.support) == metrics.support)
            expectEqual(scores.map(\.precision), metrics.precision, "precision")
            expectEqual(scores.map(\.recall), metrics.recall, "recall")
            expectEqual(scores.map(\.f1), metrics.f1, "F1")
            expectEqual([scores.macroF1], [metrics.macroF1], "macro F1")
            expectEqual([scores.balancedAccuracy], [metrics.balancedAccuracy], "balanced accuracy")
            // The report counts in its own way.
            let outcomes = metrics.labels.indices.map { index in
                ImageOutcome(
                    index: index,
                    label: metrics.labels[index],
                    prediction: metrics.predictions[index],
                    confidence: 0.5,
                    rank: 0
                )
            }
            let matrix = ConfusionMatrix(outcomes, classes: Array(0..<metrics.classes))
            #expect(matrix.classScores == scores, "\(metrics.name)")
        }
    }

    /// The report and the validation of a run take the first of the largest scores, as NumPy does.
    @Test("Ties")
    func ties() throws {
        let metrics = try #require(try expected().metrics.first { $0.logits != nil })
        let logits = try #require(metrics.logits)
        let rows = metrics.predictions.indices.map {
            Scores.largest(logits[($0 * metrics.classes)..<(($0 + 1) * metrics.classes)])
        }
        #expect(rows == metrics.predictions)
        let table = try Tensor(logits, shape: [metrics.labels.count, metrics.classes])
        #expect(try table.argmax(1).int64s().map(Int.init) == metrics.predictions)
    }

    @Test("Weighted losses", arguments: [false, true])
    func losses(isMixed: Bool) throws {
        let expected = try fixture("imbalance")
        let labels = try expected.labels("labels")
        let weights = try expected.floats("class_weights").map(Double.init)
        func targets(_ soft: String? = nil) throws -> TrainingTargets {
            TrainingTargets(labels: labels, soft: try soft.map { try expected.tensor($0) })
        }
        func check(
            _ name: String,
            _ targets: TrainingTargets,
            smoothing: Double = 0,
            isBinary: Bool = false
        ) throws {
            let loss = ClassificationLoss(
                smoothing: smoothing,
                isBinary: isBinary,
                classWeights: weights
            )
            try expectLoss(name, expected) { try loss($0, targets) }
        }
        if isMixed {
            try check("cross_entropy_mixed", targets("mixed"))
            try check("cross_entropy_mixed_smoothed", targets("mixed_smoothed"), smoothing: 0.1)
            try check("binary_mixed", targets("mixed"), isBinary: true)
        } else {
            try check("cross_entropy", targets())
            try check("cross_entropy_smoothed", targets(), smoothing: 0.1)
            try check("binary", targets(), isBinary: true)
        }
    }

    /// Equal weights change nothing, and a number of weights that does not fit is an error.
    @Test("Equal weights")
    func equalWeights() throws {
        let expected = try fixture("imbalance")
        let logits = try expected.tensor("logits")
        let targets = TrainingTargets(labels: try expected.labels("labels"))
        for (smoothing, isBinary) in [(0, false), (0.1, false), (0, true)] {
            var loss = ClassificationLoss(smoothing: smoothing, isBinary: isBinary)
            let plain = try loss(logits, targets).item()
            loss.classWeights = [1, 1, 1, 1, 1]
            #expect(abs(try loss(logits, targets).item() - plain) <= 1e-5 * abs(plain))
            loss.classWeights = [1, 1]
            #expect(throws: TorchError.self) { try loss(logits, targets) }
        }
    }
}
