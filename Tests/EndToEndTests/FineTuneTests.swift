import Foundation
import TestSupport
import Testing

/// Training that starts from a checkpoint: other classes, other sizes, a linear probe, and its resume.
@Suite(.serialized, .tags(.endToEnd)) struct FineTuneTests {
    private func weights(_ run: String, _ folder: URL) throws -> [String: Data] {
        let data = try TinyRun(folder: folder.appending(path: run))
            .data("checkpoints/last/model.safetensors")
        let length = data.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        let header = try JSONSerialization.jsonObject(with: data.dropFirst(8).prefix(length))
        var found: [String: Data] = [:]
        for (name, value) in try #require(header as? [String: Any]) where name != "__metadata__" {
            let entry = try #require(value as? [String: Any])
            let place = try #require(entry["data_offsets"] as? [Int])
            found[name] = data.dropFirst(8 + length).dropFirst(place[0])
                .prefix(place[1] - place[0])
        }
        return found
    }

    @Test func otherClassesAndASizeGetAFreshHeadAndResampledPositions() async throws {
        try await TinyFineTuning.afterTraining { folder in
            let result = try await DeitCommand.run(
                ["train", "--recipe", "finetune", "--finetune", "first", "--data", "other"]
                    + TinyFineTuning.options + ["--size", "12", "--output", "second"],
                in: folder
            )
            #expect(result.code == 0, "\(result.errors)")
            #expect(result.errors.contains("initialized instead of loaded: cls_classifier"))
            #expect(
                result.errors.contains(
                    "position embeddings resampled from 2×2 to 3×3 patches (deit)"
                )
            )
            let config = try JSONSerialization.jsonObject(
                with: TinyRun(folder: folder.appending(path: "second"))
                    .data("checkpoints/best/config.json")
            )
            let object = try #require(config as? [String: Any])
            #expect((object["id2label"] as? [String: String])?.count == 5)
            #expect(object["image_size"] as? Int == 12)
        }
    }

    @Test func theRecipeForALargerSizeTrains() async throws {
        try await TinyFineTuning.afterTraining { folder in
            let result = try await DeitCommand.run(
                ["train", "--recipe", "deit-384", "--finetune", "first", "--data", "data"]
                    + TinyFineTuning.options + [
                        "--size", "12", "--accumulation", "2", "--warmup-epochs", "0.5",
                        "--output", "larger",
                    ],
                in: folder
            )
            #expect(result.code == 0, "\(result.errors)")
            let run = TinyRun(folder: folder.appending(path: "larger"))
            let loss = try #require(try run.records().last?["train_loss"] as? Double)
            #expect(loss.isFinite && loss > 0)
        }
    }

    @Test func aLinearProbeTrainsTheHeadAlone() async throws {
        try await TinyFineTuning.afterTraining { folder in
            let arguments =
                ["train", "--recipe", "linear", "--finetune", "first", "--data", "other"]
                + TinyFineTuning.options + ["--output", "probe"]
            let groups = try await DeitCommand.run(arguments + ["--list-groups"], in: folder)
            #expect(groups.code == 0, "\(groups.errors)")
            #expect(groups.output.contains("decay: 2 tensors, 640 numbers, weight decay 0.0"))
            #expect(groups.output.contains("\nfrozen: "))
            #expect(groups.output.contains("  head.weight  5 × 64"))
            let path = folder.appending(path: "probe").path
            #expect(!FileManager.default.fileExists(atPath: path))

            let result = try await DeitCommand.run(arguments, in: folder)
            #expect(result.code == 0, "\(result.errors)")
            let before = try weights("first", folder)
            let after = try weights("probe", folder)
            #expect(before.keys.sorted() == after.keys.sorted() && before.count > 40)
            for (name, bytes) in before {
                let isHead = name.contains("classifier") || name.hasPrefix("head")
                #expect((after[name] == bytes) != isHead, "\(name)")
            }
        }
    }

    @Test func aResumedRunNeedsNotTheCheckpointThatItStartedFrom() async throws {
        try await TinyFineTuning.afterTraining { folder in
            let arguments =
                ["train", "--recipe", "finetune", "--finetune", "first", "--data", "other"]
                + TinyFineTuning.options + [
                    "--epochs", "6", "--log-interval", "1", "--workers", "1",
                ]
            let whole = try await DeitCommand.run(arguments + ["--output", "whole"], in: folder)
            #expect(whole.code == 0, "\(whole.errors)")
            let broken = TinyRun(folder: folder.appending(path: "broken"))
            let command = try DeitCommand.start(arguments + ["--output", "broken"], in: folder)
            await command.send(SIGTERM) { broken.recordedSteps >= 8 }
            #expect(try await command.result().code == 143)
            try FileManager.default.removeItem(at: folder.appending(path: "first"))
            let resumed = try await DeitCommand.run(
                ["train", "--resume", "--output", "broken"],
                in: folder
            )
            #expect(resumed.code == 0, "\(resumed.errors)")
            try broken.expectEqual(TinyRun(folder: folder.appending(path: "whole")))
        }
    }

    @Test func whatCannotBeStartedFromIsTold() async throws {
        try await TinyFineTuning.afterTraining { folder in
            let arguments = ["train", "--data", "data", "--output", "run"] + TinyFineTuning.options
            try await DeitCommand.run(
                arguments + ["--recipe", "finetune", "--finetune", "nowhere"],
                in: folder
            )
            .expectRefusal(65, saying: "nowhere")
            try await DeitCommand.run(arguments + ["--recipe", "finetune"], in: folder)
                .expectRefusal(64, saying: "--finetune CHECKPOINT")
            try await DeitCommand.run(
                arguments + [
                    "--recipe", "finetune", "--finetune", "first", "--model",
                    "deit_micro_patch4_28",
                ],
                in: folder
            )
            .expectRefusal(64, saying: "first", "deit_micro_patch4_28", "--model checkpoint")
            try await DeitCommand.run(
                arguments + ["--recipe", "finetune", "--finetune", "first", "--freeze", "9"],
                in: folder
            )
            .expectRefusal(64, saying: "4 blocks")
            #expect(!FileManager.default.fileExists(atPath: folder.appending(path: "run").path))
        }
    }
}
