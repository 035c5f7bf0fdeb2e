import Foundation
import TestSupport
import Testing

/// Distillation as a user calls it: fine-tuning with a teacher, a teacher of other classes, kept answers, mistakes.
@Suite(.serialized, .tags(.endToEnd)) struct DistillationTests {
    private static let base = [
        "--size", "8", "--dtype", "fp32", "--threads", "1", "--workers", "1", "--batch", "8",
        "--log-interval", "1",
    ]

    private func train(_ arguments: [String], in folder: URL) async throws -> CommandResult {
        try await DeitCommand.run(["train"] + Self.base + arguments, in: folder)
    }

    private func run(_ name: String, _ folder: URL) -> TinyRun {
        TinyRun(folder: folder.appending(path: name))
    }

    /// A folder with data of five classes, `plain`, a transformer of two of them, and `teacher`, a network of all.
    private func prepared(_ body: (URL) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            for (name, classes) in [("five", ["a", "b", "c", "d", "e"]), ("two", ["b", "d"])] {
                try TinyData.writeFolders(
                    to: folder.appending(path: name),
                    classes: classes,
                    train: 8,
                    validation: 4
                )
            }
            for (data, model, output) in [
                ("two", "deit_nano_patch4_28", "plain"), ("five", "resnet8_cifar", "teacher"),
            ] {
                let result = try await train(
                    ["--data", data, "--model", model, "--epochs", "1", "--output", output],
                    in: folder
                )
                #expect(result.code == 0, "\(result.errors)")
            }
            try await body(folder)
        }
    }

    private static let wayTwo = [
        "--recipe", "finetune", "--finetune", "plain", "--data", "five", "--distillation", "hard",
        "--epochs", "2",
    ]

    // MARK: - Fine-tuning with distillation

    @Test func aPlainCheckpointGetsATokenAndBothHeadsAreTrained() async throws {
        try await prepared { folder in
            for (output, more) in [
                ("named", ["--model", "deit_nano_distilled_patch4_28"]),
                ("asked", ["--distillation-token", "on"]),
            ] {
                let result = try await train(
                    Self.wayTwo + ["--teacher", "teacher", "--output", output] + more,
                    in: folder
                )
                #expect(result.code == 0, "\(result.errors)")
                #expect(result.errors.contains("initialized instead of loaded: classifier"))
                #expect(
                    result.errors.contains("a new distillation token, initialized with the class")
                )
                #expect(result.errors.contains("a new head_dist"))
                let record = try #require(try run(output, folder).records().last)
                #expect(record["val_cls_top1"] != nil && record["val_dist_top1"] != nil)
                // A run goes on from its own checkpoint, which has the token.
                let again = try await DeitCommand.run(
                    ["train", "--resume", "--output", output],
                    in: folder
                )
                #expect(again.code == 0, "\(again.errors)")
                #expect(!again.errors.contains("initialized"))
            }
            #expect(
                try run("named", folder).data("checkpoints/last/model.safetensors")
                    == run("asked", folder).data("checkpoints/last/model.safetensors")
            )
            let evaluated = try await DeitCommand.run(
                ["evaluate", "asked", "--data", "five"],
                in: folder
            )
            #expect(evaluated.code == 0, "\(evaluated.errors)")
            // A distilled checkpoint goes on with both heads.
            let further = try await train(
                [
                    "--recipe", "finetune", "--finetune", "asked", "--data", "five", "--teacher",
                    "teacher", "--distillation", "soft", "--epochs", "1", "--output", "further",
                ],
                in: folder
            )
            #expect(further.code == 0, "\(further.errors)")
            #expect(!further.errors.contains("initialized"))
        }
    }

    // MARK: - A teacher's classes

    @Test func aTeacherOfMoreClassesTeachesTheDatas() async throws {
        try await prepared { folder in
            let result = try await train(
                [
                    "--data", "two", "--model", "deit_nano_distilled_patch4_28", "--teacher",
                    "teacher", "--distillation", "hard", "--epochs", "1", "--output", "run",
                ],
                in: folder
            )
            #expect(result.code == 0, "\(result.errors)")
            #expect(result.errors.contains("the teacher teacher has 3 classes that the data lacks"))
        }
    }

    @Test func aTeacherOfOtherClassesIsTrainedFirstWhereTheUserSaysSo() async throws {
        try await prepared { folder in
            let arguments = [
                "--data", "five", "--model", "deit_nano_distilled_patch4_28", "--teacher", "plain",
                "--distillation", "hard", "--epochs", "2", "--aa", "rand-m9", "--mixup", "0.8",
            ]
            try await train(arguments + ["--output", "run"], in: folder)
                .expectRefusal(65, saying: "plain", "it lacks a, c, e", "--teacher-finetune EPOCHS")
            #expect(!FileManager.default.fileExists(atPath: folder.appending(path: "run").path))

            let recipe =
                "freeze: all\nbatch: 8\noptimizer: sgd\naa: off\nmixup: 0\ncutmix: 0\nrepeated_aug: off\n"
            try Data(recipe.utf8).write(to: folder.appending(path: "probe.yaml"))
            let more = ["--teacher-finetune", "3", "--teacher-recipe", "probe.yaml"]
            let whole = try await train(arguments + more + ["--output", "whole"], in: folder)
            #expect(whole.code == 0, "\(whole.errors)")
            #expect(whole.errors.contains("the teacher is trained first, 3 epochs"))
            #expect(whole.errors.contains("the teacher is ready: its top-1 is"))
            let records = try run("whole/teacher", folder).records()
            #expect(records.filter { $0["event"] as? String == "epoch" }.count == 3)

            // Stopped while the teacher is trained, and again while the student is.
            var command = try DeitCommand.start(
                ["train"] + Self.base + arguments + more + ["--output", "broken"],
                in: folder
            )
            let teacher = run("broken/teacher", folder)
            await command.send(SIGTERM) { teacher.recordedSteps >= 6 }
            let stopped = try await command.result()
            #expect(stopped.code == 143, "\(stopped.errors)")
            #expect(stopped.errors.contains("the teacher is saved in broken/teacher/checkpoints/"))
            let broken = run("broken", folder)
            command = try DeitCommand.start(
                ["train", "--resume", "--output", "broken"],
                in: folder
            )
            await command.send(SIGKILL) { broken.recordedSteps >= 7 }
            _ = try await command.result()
            try FileManager.default.removeItem(at: folder.appending(path: "plain"))
            let resumed = try await DeitCommand.run(
                ["train", "--resume", "--output", "broken"],
                in: folder
            )
            #expect(resumed.code == 0, "\(resumed.errors)")
            #expect(!resumed.errors.contains("trained first"))
            try teacher.expectEqual(run("whole/teacher", folder))
            try broken.expectEqual(run("whole", folder))
        }
    }

    // MARK: - Kept answers

    @Test func keptAnswersChangeNothing() async throws {
        try await prepared { folder in
            let arguments = [
                "--data", "five", "--model", "deit_nano_distilled_patch4_28", "--teacher",
                "teacher", "--distillation", "soft", "--epochs", "4", "--aa", "rand-m9",
                "--mixup", "0.8", "--cutmix", "1", "--accumulation", "2",
                "--augmentation-epochs", "3",
            ]
            let cached = arguments + ["--cache-teacher", "kept/teacher.cache"]
            let plain = try await train(arguments + ["--output", "whole"], in: folder)
            #expect(plain.code == 0, "\(plain.errors)")
            // The first run is killed, goes on and fills the file; the next one only reads it.
            let broken = run("broken", folder)
            let command = try DeitCommand.start(
                ["train"] + Self.base + cached + ["--output", "broken"],
                in: folder
            )
            await command.send(SIGKILL) { broken.recordedSteps >= 12 }
            _ = try await command.result()
            let resumed = try await DeitCommand.run(
                ["train", "--resume", "--output", "broken"],
                in: folder
            )
            #expect(resumed.code == 0, "\(resumed.errors)")
            let reader = try await train(cached + ["--output", "reader"], in: folder)
            #expect(reader.code == 0, "\(reader.errors)")
            #expect(reader.errors.contains("kept/teacher.cache: 3 of 3 epochs are there"))
            for name in ["broken", "reader"] {
                try run(name, folder).expectEqual(run("whole", folder))
            }

            // Another student, the same images; other images; another teacher.
            let other = try await train(
                cached + ["--model", "deit_nano_patch4_28", "--output", "other"],
                in: folder
            )
            #expect(other.code == 0, "\(other.errors)")
            try await train(cached + ["--seed", "1", "--output", "no"], in: folder)
                .expectRefusal(64, saying: "kept/teacher.cache", "seed (0 there, 1 here)")
            try await train(cached + ["--teacher", "whole", "--output", "no"], in: folder)
                .expectRefusal(64, saying: "kept/teacher.cache", "the teacher")
            #expect(!FileManager.default.fileExists(atPath: folder.appending(path: "no").path))
        }
    }

    @Test func keptAnswersToImagesThatHaveChangedAreFoundOut() async throws {
        try await prepared { folder in
            let cached = [
                "--data", "five", "--model", "deit_nano_distilled_patch4_28", "--teacher",
                "teacher", "--distillation", "hard", "--epochs", "1", "--cache-teacher", "cache",
            ]
            #expect(try await train(cached + ["--output", "first"], in: folder).code == 0)
            // None of those that the file's head knows by their bytes, which are every second or third of forty.
            for label in ["a", "b", "c", "d", "e"] {
                for index in 0..<8 {
                    let path = folder.appending(path: "five/train/\(label)/\(index).png")
                    try TinyData.png(TinyData.pixels(label: 7, index: 99)).write(to: path)
                }
            }
            try await train(cached + ["--output", "second"], in: folder)
                .expectRefusal(64, saying: "the training images or their classes")
        }
    }

    // MARK: - Mistakes

    @Test func mistakesAreToldBeforeAnythingIsCreated() async throws {
        try await prepared { folder in
            let arguments = [
                "--data", "five", "--model", "deit_nano_patch4_28", "--epochs", "1", "--output",
                "run",
            ]
            let hard = arguments + ["--distillation", "hard", "--teacher"]
            try await train(hard + ["resnet18"], in: folder)
                .expectRefusal(64, saying: "resnet18", "without weights")
            try await train(hard + ["nowhere"], in: folder).expectRefusal(65, saying: "nowhere")
            try await train(hard + ["teacher", "--distillation-token", "on"], in: folder)
                .expectRefusal(
                    64,
                    saying: "deit_nano_patch4_28",
                    "--model deit_nano_distilled_patch4_28"
                )
            try await train(hard + ["teacher", "--distillation-tau", "0"], in: folder)
                .expectRefusal(64, saying: "distillation_tau", "above 0")
            try await train(hard + ["teacher", "--distillation-alpha", "1.5"], in: folder)
                .expectRefusal(64, saying: "distillation_alpha", "from 0.0 to 1.0")
            try await train(hard + ["teacher", "--cache-teacher", "five"], in: folder)
                .expectRefusal(64, saying: "five", "not a cache of teacher outputs")
            try await train(arguments + ["--teacher-finetune", "2"], in: folder)
                .expectRefusal(64, saying: "teacher_finetune without a teacher")
            try await train(
                hard + ["plain", "--teacher-finetune", "1", "--batch", "40"],
                in: folder
            )
            .expectRefusal(64, saying: "learning rate 0", "--teacher-finetune")
            try await train(
                hard + ["teacher", "--teacher-finetune", "2", "--teacher-recipe", "liner"],
                in: folder
            )
            .expectRefusal(64, saying: "liner", "linear")
            #expect(!FileManager.default.fileExists(atPath: folder.appending(path: "run").path))
        }
    }
}
