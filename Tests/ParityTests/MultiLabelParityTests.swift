import Foundation
import Inference
import TestSupport
import Testing
import Torch
import TorchNN

@testable import ImagePipeline
@testable import Training

/// Targets, losses and scores of images with several labels against timm, torch and scikit-learn.
@Suite("Several labels against timm, torch and scikit-learn", .tags(.parity))
@ModelActor
struct MultiLabelParityTests {
    private struct Expected: Decodable {
        struct Metrics: Decodable {
            let name: String
            let classes: Int
            let logits: [Float]
            let labels: [[Int]]
            let averagePrecisions: [Double?]
            let map: Double
            let microAp: Double
            let bestF1: [Double?]
            let precision: [Double?]
            let recall: [Double?]
            let f1: [Double?]
            let macroF1: Double
            let microF1: Double
            let samplesF1: Double
            let loss: Double
        }

        let metrics: [Metrics]
    }

    private func expectClose(
        _ found: [Double?],
        _ expected: [Double?],
        _ what: String,
        tolerance: Double = 1e-9
    ) {
        #expect(found.map { $0 == nil } == expected.map { $0 == nil }, "\(what)")
        for (one, other) in zip(found.compactMap(\.self), expected.compactMap(\.self)) {
            #expect(abs(one - other) <= tolerance * max(1, abs(other)), "\(what): \(one), \(other)")
        }
    }

    @Test("Average precision, F1 and the thresholds of the highest F1")
    func metrics() throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let all = try decoder.decode(
            Expected.self,
            from: Data(contentsOf: fixtures.appending(path: "multi_label/expected.json"))
        ).metrics
        #expect(all.count == 6)
        for metrics in all {
            func name(_ what: String) -> String { "\(metrics.name): \(what)" }
            var scores = MultiLabelScores(classes: metrics.classes)
            // In two parts, as batches come.
            let (first, split) = (
                metrics.labels.count / 2, metrics.labels.count / 2 * metrics.classes
            )
            scores.add(logits: metrics.logits[..<split], labels: Array(metrics.labels[..<first]))
            scores.add(logits: metrics.logits[split...], labels: Array(metrics.labels[first...]))
            #expect(scores.count == metrics.labels.count)
            expectClose(scores.averagePrecisions, metrics.averagePrecisions, name("AP"))
            expectClose([scores.meanAveragePrecision], [metrics.map], name("mAP"))
            expectClose([scores.microAveragePrecision], [metrics.microAp], name("micro AP"))
            expectClose([scores.loss], [metrics.loss], name("loss"), tolerance: 1e-6)
            let half = Array(repeating: 0.5, count: metrics.classes)
            let classes = scores.classScores(thresholds: half)
            expectClose(classes.map(\.precision), metrics.precision, name("precision"))
            expectClose(classes.map(\.recall), metrics.recall, name("recall"))
            expectClose(classes.map(\.f1), metrics.f1, name("F1"))
            expectClose([classes.macroF1], [metrics.macroF1], name("macro F1"))
            expectClose([classes.microF1], [metrics.microF1], name("micro F1"))
            expectClose(
                [scores.samplesF1(thresholds: half)],
                [metrics.samplesF1],
                name("samples F1")
            )
            let best = scores.bestThresholds
            #expect(best.allSatisfy { $0 > 0 && $0 <= 1 }, "\(name("thresholds"))")
            let found = scores.classScores(thresholds: best)
            for label in 0..<metrics.classes {
                guard let expected = metrics.bestF1[label] else {
                    #expect(best[label] == 0.5)
                    continue
                }
                expectClose([found[label].f1], [expected], name("best F1 of \(label)"))
            }
        }
    }

    @Test("Targets")
    func targets() throws {
        let expected = try fixture("multi_label")
        let targets = try expected.floats("targets")
        let labels = (0..<6).map { row in (0..<5).filter { targets[row * 5 + $0] == 1 } }
        func made(_ smoothing: Double) -> [Float] {
            MixingPlan.multiLabelTargets(labels: labels, classes: 5, smoothing: smoothing)
        }
        #expect(made(0) == targets)
        #expect(made(0.1) == (try expected.floats("smoothed")))
        let mix = MixingPlan.Mix(share: 0.75, single: false)
        let plan = MixingPlan(mixes: Array(repeating: mix, count: 6), height: 1, width: 1)
        #expect(try plan.mixed(targets: made(0), classes: 5) == expected.floats("mixed"))
        #expect(try plan.mixed(targets: made(0.1), classes: 5) == expected.floats("mixed_smoothed"))
        #expect(throws: ImageError.self) { try plan.mixed(targets: made(0), classes: 4) }
    }

    @Test("Losses")
    func losses() throws {
        let expected = try fixture("multi_label")
        let weights = try expected.floats("weight").map(Double.init)
        let posWeights = try expected.floats("pos_weight").map(Double.init)
        func check(_ name: String, _ targets: String, _ loss: ClassificationLoss) throws {
            let targets = TrainingTargets(
                labels: try Tensor([Int64](repeating: 0, count: 6), shape: [6]),
                soft: try expected.tensor(targets),
                isMultiLabel: true
            )
            try expectLoss(name, expected) { try loss($0, targets) }
        }
        try check("binary", "targets", ClassificationLoss())
        // DeiT-III's binary loss of single labels takes shares for whole labels; with several they stay shares.
        try check("binary_mixed", "mixed_smoothed", ClassificationLoss(isBinary: true))
        try check(
            "binary_weighted",
            "targets",
            ClassificationLoss(classWeights: weights, posWeights: posWeights)
        )
        try check("asymmetric", "targets", ClassificationLoss(asymmetric: .init()))
        try check("asymmetric_mixed", "mixed_smoothed", ClassificationLoss(asymmetric: .init()))
        try check(
            "asymmetric_weighted",
            "targets",
            ClassificationLoss(
                classWeights: weights,
                posWeights: posWeights,
                asymmetric: .init(gammaNeg: 2, gammaPos: 0, clip: 0)
            )
        )
        #expect(throws: TorchError.self) {
            try check("binary_weighted", "targets", ClassificationLoss(posWeights: [1, 2]))
        }
    }

    @Test("Distillation class by class")
    func distillation() throws {
        let expected = try fixture("multi_label")
        let teacher = try expected.tensor("teacher")
        for (name, tau, reduction) in [
            ("soft_numel", 3.0, Loss.KLReduction.numel), ("soft_batchmean", 1.0, .batchmean),
        ] {
            try expectLoss(name, expected) {
                try Loss.softMultiLabelDistillation(
                    student: $0,
                    teacher: teacher,
                    tau: tau,
                    reduction: reduction
                )
            }
        }
        for (name, thresholds) in [("hard", nil), ("hard_thresholds", "thresholds")] {
            try expectLoss(name, expected) {
                try Loss.hardMultiLabelDistillation(
                    student: $0,
                    teacher: teacher,
                    thresholds: thresholds.map { try expected.tensor($0) }
                )
            }
        }
        // Two teachers: the logistic function of their logits is the mean of both.
        let logits = try expected.tensor("logits")
        let both = try TeacherEnsemble.meanProbabilityLogits([teacher, logits])
        let mean = try (teacher.sigmoid() + logits.sigmoid()) / 2
        #expect(try (both.sigmoid() - mean).abs().max().item() < 1e-6)
    }
}
