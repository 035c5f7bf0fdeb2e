import Foundation
import Testing
import Torch

@testable import Training

/// What the monitor makes of a run's numbers.
@ModelActor @Suite struct DINOWatchTests {
    /// ln K of 1,024 outputs.
    private let most = log(1024.0)

    private func verdict(
        loss: Double,
        entropy: Double,
        information: Double,
        spread: Double,
        epoch: Int = 5,
        warmup: Double = 10
    ) -> DINOWatch.Verdict? {
        DINOWatch.verdict(
            [
                "teacher_entropy": entropy * most, "teacher_information": information * most,
                "feature_std": spread,
            ],
            loss: loss * most,
            outDim: 1024,
            epoch: epoch,
            warmupEpochs: warmup
        )
    }

    @Test func `collapse of each kind, nothing learnt, and a run that is well`() {
        #expect(verdict(loss: 0.7, entropy: 0.4, information: 0.3, spread: 0.5) == nil)
        #expect(verdict(loss: 0.7, entropy: 0.9, information: 0.005, spread: 0.5) == nil)
        #expect(verdict(loss: 1, entropy: 0.999, information: 0.0001, spread: 0.5) == .uniform)
        #expect(verdict(loss: 0.01, entropy: 0.01, information: 0.0001, spread: 0.5) == .constant)
        #expect(verdict(loss: 0.7, entropy: 0.4, information: 0.3, spread: 0.001) == .oneFeature)
        #expect(verdict(loss: 0.99, entropy: 0.8, information: 0.1, spread: 0.5) == .nothingLearnt)
        #expect(verdict(loss: 1.2, entropy: 0.3, information: 0.5, spread: 0.5) == .contradicting)
    }

    @Test func `a warm-up is not judged, for three epochs at most`() {
        for (epoch, warmup, isJudged) in [
            (1, 10.0, false), (3, 10, false), (4, 10, true), (1, 0, true), (1, 1, false),
            (2, 1, true),
        ] {
            let found = verdict(
                loss: 1,
                entropy: 1,
                information: 0,
                spread: 0.5,
                epoch: epoch,
                warmup: warmup
            )
            #expect((found != nil) == isJudged, "epoch \(epoch), warm-up \(warmup)")
        }
        // Nothing is said of a run that has no numbers.
        #expect(DINOWatch.verdict([:], loss: 1, outDim: 8, epoch: 9, warmupEpochs: 0) == nil)
    }

    @Test func `the sentences say what it looks like and what to change`() {
        let options = TrainingOptions.defaults(of: .dino)
        for (verdict, words) in [
            (
                .uniform,
                ["looks like collapse", "uniform for every image", "--teacher-temp 0.02", "--lr"]
            ),
            (
                .constant,
                ["looks like collapse", "the same for every image", "--momentum-teacher 0.9995"]
            ),
            (.oneFeature, ["looks like collapse", "nearly the same", "--warmup-epochs"]),
            (.nothingLearnt, ["may not be learning", "ln K = 11.09", "--out-dim"]),
            (.contradicting, ["disagrees with its teacher", "ln K = 11.09", "a lower --lr"]),
        ] as [(DINOWatch.Verdict, [String])] {
            let sentence = DINOWatch.sentence(verdict, options)
            #expect(sentence.hasPrefix("warning: "))
            for word in words { #expect(sentence.contains(word), "\(sentence)") }
        }
    }

    @Test func `what to try is never an unstable temperature`() {
        var options = TrainingOptions.defaults(of: .dino)
        #expect(DINOPreflight.noteOfTemperature(options) == nil)
        options.teacherTemp = 0.9
        #expect(DINOPreflight.noteOfTemperature(options)?.contains("0.9 is above 0.07") == true)
        #expect(DINOWatch.sentence(.uniform, options).contains("--teacher-temp 0.04 "))
    }

    private func numbers(_ answers: [[Float]], features: [[Float]]) throws -> [String: Double] {
        let mean =
            answers.map { row in
                row.reduce(0) { $1 > 0 ? $0 - Double($1) * log(Double($1)) : $0 }
            }.reduce(0, +) / Double(answers.count)
        let named = try DINOWatch.numbers(
            entropy: Tensor.full(mean, []),
            answers: Tensor(answers.flatMap { $0 }, shape: [answers.count, answers[0].count]).sum([
                0
            ]),
            rows: answers.count,
            features: Tensor(
                features.flatMap { $0 },
                shape: [features.count, features[0].count]
            ),
            center: Tensor([3, 4] as [Float], shape: [1, 2])
        )
        return try Dictionary(uniqueKeysWithValues: named.map { ($0.name, try $0.value.item()) })
    }

    @Test func `numbers of collapse and of answers that tell images apart`() throws {
        let (apart, far) = ([[1, 0], [0, 1]] as [[Float]], [[1, 0], [-1, 0]] as [[Float]])
        let good = try numbers(apart, features: far)
        #expect(abs((good["teacher_information"] ?? 0) - log(2.0)) < 1e-6)
        #expect(abs((good["feature_std"] ?? 0) - 1 / 2.0.squareRoot()) < 1e-6)
        #expect(good["center_norm"] == 5)
        for same in [[[0.5, 0.5], [0.5, 0.5]], [[1, 0], [1, 0]]] as [[[Float]]] {
            let bad = try numbers(same, features: [[2, 1], [4, 2]])
            #expect(abs(bad["teacher_information"] ?? 1) < 1e-6)
            #expect(abs(bad["feature_std"] ?? 1) < 1e-6)
        }
        // Vectors everywhere on the sphere.
        try manualSeed(1)
        let spread = try DINOWatch.spread(Tensor.randn([2000, 16])).item()
        #expect(abs(spread - 1) < 0.02)
    }
}
