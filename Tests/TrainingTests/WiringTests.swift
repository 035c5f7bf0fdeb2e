import Checkpoints
import Foundation
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

@testable import Training

/// Which of several weights a run saves and measures, and what differs from epoch to epoch.
@ModelActor @Suite(.serialized) struct WiringTests {
    private func values(_ named: [(name: String, tensor: Tensor)]) throws -> [String: [Float]] {
        try Dictionary(
            uniqueKeysWithValues: named.map { ($0.name, try $0.tensor.to(.float32).floats()) }
        )
    }

    /// The tensors of a trainer's file whose names begin so, without that beginning.
    private func stored(_ checkpoint: String, after prefix: String) throws -> [String: [Float]] {
        let all = try Safetensors.read(checkpoint + "/trainer.safetensors")
        return try values(
            all.filter { $0.key.hasPrefix(prefix) }
                .map { (String($0.key.dropFirst(prefix.count)), $0.value) }
        )
    }

    /// The weights of a model directory by timm's names.
    private func model(_ checkpoint: String) throws -> [String: [Float]] {
        let loaded = try ModelDirectory.load(
            checkpoint,
            options: LoadOptions(relaxations: .noHead)
        )
        return try values(loaded.model.namedTensors())
    }

    /// Expects the same values under each key, of which there are some.
    private func expectEqual(_ found: [String: [Float]], _ expected: [String: [Float]]) {
        #expect(!found.isEmpty)
        #expect(Set(found.keys) == Set(expected.keys))
        let others = found.filter { $0.value != expected[$0.key] }.map(\.key).sorted()
        #expect(others == [], "not the same weights")
    }

    /// Whether any value differs; the comparison itself would print them all.
    private func differ(_ first: [String: [Float]], _ second: [String: [Float]]) -> Bool {
        first != second
    }

    /// The average stays near the good weights that the run starts from, and the model leaves them at a rate far too high.
    @Test func theCheckpointOfTheAverageHoldsTheAverage() async throws {
        try await withTemporaryFolder { folder in
            let tiny = TinySession(folder: folder)
            try await tiny.prepare()
            let good = try await tiny.run(.supervised, [("epochs", "12")], name: "good")
            try FileManager.default.moveItem(
                at: good.run.appending(path: "checkpoints/step-24"),
                to: folder.appending(path: "good")
            )
            let outcome = try await tiny.run(
                .supervised,
                [
                    ("finetune", "{good}"), ("lr", "100"), ("optimizer", "momentum"),
                    ("ema", "0.9999999"), ("epochs", "1"),
                ],
                name: "worse"
            )
            let place = outcome.run.path + "/checkpoints"
            let average = try model("\(place)/step-2-ema")
            try expectEqual(average, stored("\(place)/last", after: "ema."))
            #expect(try differ(average, model("\(place)/last")))
        }
    }

    @Test func dinoSavesTheTeacher() async throws {
        try await withTemporaryFolder { folder in
            let tiny = TinySession(folder: folder)
            try await tiny.prepare()
            let place = try await tiny.run(.dino, [], name: "run").run.path + "/checkpoints/last"
            let saved = try model(place)
            try expectEqual(saved, stored(place, after: "teacher.backbone."))
            #expect(try differ(saved, stored(place, after: "student.backbone.")))
        }
    }

    @Test func dinoMeasuresTheTeacherByItsNeighbours() async throws {
        try await withTemporaryFolder { folder in
            let tiny = TinySession(folder: folder)
            try await tiny.prepare()
            // The teacher never moves, so its accuracy is what it was at the start; the student is ruined.
            let outcome = try await tiny.run(
                .dino,
                [
                    ("init", "{teacher}"), ("momentum_teacher", "1"), ("lr", "10"),
                    ("optimizer", "momentum"), ("knn_interval", "1"), ("knn_start", "on"),
                    ("knn_limit", "4"),
                ],
                name: "run"
            )
            let found = try numbers("knn_top1", outcome.records)
            #expect(found.count == 3 && Set(found).count == 1 && found.first ?? 0 > 0.3, "\(found)")
        }
    }

    /// Weights that hardly move lose the same in every epoch, unless other patches are hidden.
    @Test func everyEpochHidesOtherPatches() async throws {
        try await withTemporaryFolder { folder in
            let tiny = TinySession(folder: folder)
            try await tiny.prepare()
            let options = [("lr", "1e-30"), ("min_lr", "0"), ("optimizer", "momentum")]
            let outcome = try await tiny.run(.mim, options, name: "run")
            let losses = try numbers(
                "train_loss",
                outcome.records.filter { $0.contains(#""event":"epoch""#) }
            )
            #expect(losses.count >= 2)
            #expect(abs((losses.last ?? 0) - (losses.first ?? 0)) > 1e-4, "\(losses)")
        }
    }

    private func numbers(_ key: String, _ records: [String]) throws -> [Double] {
        try records.compactMap { line in
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
            return (object as? [String: Any])?[key] as? Double
        }
    }
}
