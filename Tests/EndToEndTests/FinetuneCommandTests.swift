import Foundation
import TestSupport
import Testing

/// `deit finetune`: the command of its own, and the mistakes that it refuses before anything is created.
@Suite(.serialized, .tags(.endToEnd)) struct FinetuneCommandTests {
    private func finetune(
        _ arguments: [String],
        from checkpoint: String = "first",
        data: String = "other",
        in folder: URL
    ) async throws -> CommandResult {
        try await DeitCommand.run(
            ["finetune", checkpoint, "--data", data] + TinyFineTuning.options + arguments,
            in: folder
        )
    }

    @Test func theHelpHasAnExample() async throws {
        try await withTemporaryFolder { folder in
            let help = try await DeitCommand.run(["finetune", "--help"], in: folder)
            #expect(help.code == 0)
            for word in ["deit finetune CHECKPOINT --data DIR", "--layer-decay", "--freeze"] {
                #expect(help.output.contains(word), "\(word)")
            }
            #expect(!help.output.contains("--finetune <"))
            try await DeitCommand.run(["finetune", "--data", "x"], in: folder)
                .expectRefusal(64, saying: "deit finetune CHECKPOINT")
        }
    }

    @Test func aRunIsFineTunedAsTheFlagsSay() async throws {
        try await TinyFineTuning.afterTraining { folder in
            let tuned = try await finetune(
                [
                    "--freeze", "patch_embed,blocks.0", "--layer-decay", "0.7", "--output",
                    "second",
                ],
                in: folder
            )
            #expect(tuned.code == 0, "\(tuned.errors)")
            #expect(tuned.errors.contains("patch_embed means 2, blocks.0 means 12"))
            let manifest = String(
                decoding: try TinyRun(folder: folder.appending(path: "second")).data("run.yaml"),
                as: UTF8.self
            )
            for line in [
                "recipe: \"finetune\"", "freeze: patch_embed,blocks.0", "layer_decay: 0.7",
                "finetune: first", "schedule: linear",
            ] {
                #expect(manifest.contains(line), "\(line)")
            }
            let evaluated = try await DeitCommand.run(
                ["evaluate", "second", "--data", "other"],
                in: folder
            )
            #expect(evaluated.code == 0 && evaluated.output.contains("top-1"))

            let listed = try await finetune(
                ["--layer-decay", "0.5", "--list-groups"],
                in: folder
            )
            #expect(listed.output.contains("layer 0, no decay"), "\(listed.errors)")
            #expect(listed.output.contains("weight decay 0.05, rate × 0.031250"))
        }
    }

    /// A run learns one class for an image: it says so of a model of several, which cannot be its teacher either.
    @Test func aModelOfAnotherTaskIsTrainedAnewAndTeachesNobody() async throws {
        try await TinyFineTuning.afterTraining { folder in
            let multi = folder.appending(path: "multi")
            try FileManager.default.copyItem(
                at: folder.appending(path: "first/checkpoints/best").resolvingSymlinksInPath(),
                to: multi
            )
            let file = multi.appending(path: "config.json")
            let text = try String(contentsOf: file, encoding: .utf8)
            let type = "\"problem_type\": \"multi_label_classification\""
            try "{\(type),\(text.dropFirst())".write(to: file, atomically: true, encoding: .utf8)
            let tuned = try await finetune(
                ["--output", "tuned"],
                from: "multi",
                data: "data",
                in: folder
            )
            #expect(tuned.code == 0, "\(tuned.errors)")
            let config = try TinyRun(folder: folder.appending(path: "tuned"))
                .data("checkpoints/best/config.json")
            #expect(!String(decoding: config, as: UTF8.self).contains("multi_label"))
            try await finetune(
                ["--teacher", "multi", "--distillation", "hard", "--output", "taught"],
                data: "data",
                in: folder
            ).expectRefusal(65, saying: "was trained on another task (problem_type multi_label")
        }
    }

    @Test func aDistilledCheckpointCanKeepOneHead() async throws {
        try await TinyFineTuning.afterTraining { folder in
            let tuned = try await finetune(
                ["--single-head", "on", "--size", "12", "--output", "one"],
                in: folder
            )
            #expect(tuned.code == 0, "\(tuned.errors)")
            #expect(tuned.errors.contains("head_dist.weight removed: one head"))
            #expect(
                tuned.errors.contains(
                    "position embeddings resampled from 2×2 to 3×3 patches (deit)"
                )
            )
            let config = try TinyRun(folder: folder.appending(path: "one"))
                .data("checkpoints/best/config.json")
            #expect(
                String(decoding: config, as: UTF8.self).contains("\"DeiTForImageClassification\"")
            )
            let evaluated = try await DeitCommand.run(
                ["evaluate", "one", "--data", "other"],
                in: folder
            )
            #expect(evaluated.code == 0, "\(evaluated.errors)")
            #expect(evaluated.output.contains("top-1"))
            #expect(!evaluated.output.contains("distillation head"))
            // What has one head keeps it.
            let again = try await finetune(["--output", "again"], from: "one", in: folder)
            #expect(again.code == 0, "\(again.errors)")
            try await finetune(
                ["--single-head", "on", "--teacher", "first", "--output", "run"],
                in: folder
            )
            .expectRefusal(64, saying: "single_head", "--teacher")
        }
    }

    @Test func aTeacherIsLearntFromByItsDecisions() async throws {
        try await TinyFineTuning.afterTraining { folder in
            let taught = try await finetune(
                ["--teacher", "first", "--output", "taught"],
                data: "data",
                in: folder
            )
            #expect(taught.code == 0, "\(taught.errors)")
            let manifest = try TinyRun(folder: folder.appending(path: "taught")).data("run.yaml")
            #expect(String(decoding: manifest, as: UTF8.self).contains("distillation: hard"))
        }
    }

    @Test func mistakesAreRefusedBeforeAnythingIsCreated() async throws {
        try await TinyFineTuning.afterTraining { folder in
            let output = ["--output", "run"]
            try await finetune(output + ["--freeze", "blocks.*.mpl"], in: folder)
                .expectRefusal(64, saying: "blocks.*.mpl", "did you mean \"blocks.*.mlp\"?")
            try await finetune(output + ["--freeze", "*"], in: folder)
                .expectRefusal(64, saying: "head.weight", "random initial values")
            try await finetune(output + ["--freeze", "*"], data: "data", in: folder)
                .expectRefusal(64, saying: "nothing would be trained", "--freeze all")
            try await finetune(output + ["--freeze", "5"], in: folder)
                .expectRefusal(64, saying: "4 blocks")
            try await finetune(output + ["--freeze", "0"], in: folder)
                .expectRefusal(64, saying: "off, all, a number of blocks")
            try await finetune(output + ["--freeze", "2", "--attn-only", "on"], in: folder)
                .expectRefusal(64, saying: "exclude")
            try await finetune(output + ["--size", "10"], in: folder)
                .expectRefusal(64, saying: "10", "patch size 4")
            try await finetune(output + ["--epochs", "0"], in: folder)
                .expectRefusal(64, saying: "epochs")
            try await finetune(output + ["--warmup-epochs", "2"], in: folder)
                .expectRefusal(64, saying: "warmup of 2.0 epochs", "run of 1:", "--epochs")
            // All 40 images are one step, at the very start of the warm-up.
            try await finetune(output + ["--batch", "40"], in: folder)
                .expectRefusal(64, saying: "one step", "learning rate 0", "--warmup-epochs 0")
            try await finetune(output + ["--layer-decay", "1.5"], in: folder)
                .expectRefusal(64, saying: "layer_decay", "above 0, up to 1.0")
            try await finetune(output, from: "nowhere", in: folder)
                .expectRefusal(65, saying: "nowhere")
            #expect(!FileManager.default.fileExists(atPath: folder.appending(path: "run").path))
        }
    }
}
