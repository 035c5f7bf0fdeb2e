import Foundation
import TestSupport
import Testing

/// Every kind of bad input gets one clear sentence, the right code, and leaves nothing behind.
@Suite(.serialized, .tags(.endToEnd)) struct BadInputTests {
    private func train(_ arguments: [String], in folder: URL) async throws -> CommandResult {
        try await DeitCommand.run(
            ["train"] + TinyRun.options + ["--epochs", "1", "--data", "data", "--output", "run"]
                + arguments,
            in: folder
        )
    }

    private func inFolderWithData(_ body: (URL) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            try TinyData.writeIDX(to: folder.appending(path: "data"), train: 32, validation: 8)
            try await body(folder)
        }
    }

    private func expectNothing(in folder: URL, location: SourceLocation = #_sourceLocation) {
        let run = folder.appending(path: "run").path
        #expect(!FileManager.default.fileExists(atPath: run), sourceLocation: location)
    }

    @Test func unknownNamesAreToldWithTheNearest() async throws {
        try await inFolderWithData { folder in
            try await train(["--model", "deit_nano_distiled_patch4_28"], in: folder)
                .expectRefusal(64, saying: "did you mean \"deit_nano_distilled_patch4_28\"?")
            try await train(["--recipe", "quickstrat"], in: folder)
                .expectRefusal(64, saying: "did you mean \"quickstart\"?")
            try await train(["--distillation", "sofft"], in: folder)
                .expectRefusal(64, saying: "one of none, soft, hard", "did you mean \"soft\"?")
            try await train(["--epoch", "3"], in: folder).expectRefusal(64, saying: "--epochs")
            try await DeitCommand.run(["trian"], in: folder).expectRefusal(64, saying: "trian")
            try "epochs: 1\nwieght_decay: 0\n".write(
                to: folder.appending(path: "mine.yaml"),
                atomically: true,
                encoding: .utf8
            )
            try await train(["--recipe", "mine.yaml"], in: folder)
                .expectRefusal(64, saying: "mine.yaml", "did you mean \"weight_decay\"?")
            expectNothing(in: folder)
        }
    }

    @Test func contradictionsAreToldBeforeTraining() async throws {
        try await inFolderWithData { folder in
            let mixing = ["--mixup", "0.8"]
            try await train(mixing + ["--batch", "1"], in: folder)
                .expectRefusal(64, saying: "Mixup", "--batch")
            try await train(["--three-augment", "on", "--aa", "v0"], in: folder)
                .expectRefusal(64, saying: "three_augment", "aa")
            try await train(["--bce-loss", "on"], in: folder)
                .expectRefusal(64, saying: "--smoothing 0")
            try await train(["--accumulation", "9"], in: folder)
                .expectRefusal(64, saying: "9 parts")
            try await train(["--aa", "rand-m9-foo1"], in: folder)
                .expectRefusal(64, saying: "foo1")
            try await train(["--batch", "33"], in: folder)
                .expectRefusal(65, saying: "33", "no step")
            try TinyData.writeFolders(
                to: folder.appending(path: "one"),
                classes: ["only"],
                train: 32,
                validation: 8
            )
            try await train(mixing + ["--data", "one"], in: folder)
                .expectRefusal(65, saying: "only one class", "at least two")
            try await train(["--in-chans", "4"], in: folder)
                .expectRefusal(64, saying: "4 channels", "--in-chans 1 or 3")
            try await train(["--model-ema-decay", "0.9"], in: folder)
                .expectRefusal(64, saying: "--model-ema-decay", "here it is ema")
            try "model_ema_decay: 0.9\n".write(
                to: folder.appending(path: "mine.yaml"),
                atomically: true,
                encoding: .utf8
            )
            try await train(["--recipe", "mine.yaml"], in: folder)
                .expectRefusal(64, saying: "mine.yaml", "here it is ema")
            expectNothing(in: folder)
        }
    }

    @Test func valuesOutOfRangeAreRefused() async throws {
        try await inFolderWithData { folder in
            try await train(["--epochs", "0"], in: folder).expectRefusal(
                64,
                saying: "epochs",
                "\"0\""
            )
            try await train(["--lr", "nan"], in: folder).expectRefusal(64, saying: "lr", "nan")
            try await train(["--size", "30"], in: folder).expectRefusal(
                64,
                saying: "30",
                "patch size 4"
            )
            try await train(["--batch", "33"], in: folder)
                .expectRefusal(65, saying: "33", "32 training images", "smaller --batch")
            try await train(["--crop-scale", "0.5"], in: folder).expectRefusal(
                64,
                saying: "--crop-scale off"
            )
            expectNothing(in: folder)
        }
    }

    @Test func missingAndEmptyDataIsRefused() async throws {
        try await inFolderWithData { folder in
            try await train(["--data", "nowhere"], in: folder).expectRefusal(65, saying: "nowhere")
            try FileManager.default.createDirectory(
                at: folder.appending(path: "empty"),
                withIntermediateDirectories: true
            )
            try await train(["--data", "empty"], in: folder)
                .expectRefusal(65, saying: "empty", "train/CLASS")
            try await train(["--data", "data/train-images-idx3-ubyte"], in: folder).expectRefusal(
                65
            )
            try await DeitCommand.run(["train"], in: folder).expectRefusal(64, saying: "--data")
            try TinyData.writeFolders(
                to: folder.appending(path: "images"),
                classes: ["cat", "dog"],
                train: 8,
                validation: 2
            )
            try FileManager.default.createDirectory(
                at: folder.appending(path: "images/train/bird"),
                withIntermediateDirectories: true
            )
            try await train(["--data", "images"], in: folder).expectRefusal(65, saying: "bird")
            expectNothing(in: folder)
        }
    }

    @Test func truncatedIDXFilesAreRefused() async throws {
        try await inFolderWithData { folder in
            let file = folder.appending(path: "data/train-images-idx3-ubyte")
            try Data(contentsOf: file).prefix(100).write(to: file)
            try await train([], in: folder).expectRefusal(65, saying: "train-images-idx3-ubyte")
            expectNothing(in: folder)
        }
    }

    @Test func unreadableImagesAreSkippedUpToTheLimit() async throws {
        try await withTemporaryFolder { folder in
            let data = folder.appending(path: "data")
            try TinyData.writeFolders(to: data, classes: ["cat", "dog"], train: 16, validation: 4)
            try Data().write(to: data.appending(path: "train/cat/3.png"))
            try Data("no image".utf8).write(to: data.appending(path: "train/dog/5.png"))
            let file = data.appending(path: "train/dog/6.png")
            try Data(contentsOf: file).prefix(60).write(to: file)
            try await train(["--skip-limit", "2"], in: folder)
                .expectRefusal(65, saying: "3 images cannot be used", "limit of 2", ".png")
            try FileManager.default.removeItem(at: folder.appending(path: "run"))
            let result = try await train(["--skip-limit", "3"], in: folder)
            #expect(result.code == 0, "\(result.errors)")
            #expect(result.errors.contains("3 of at most 3 unreadable images skipped"))
            #expect(result.errors.contains("train/cat/3.png"))
            let records = try TinyRun(folder: folder.appending(path: "run")).records()
            #expect(records.last?["unreadable_images"] as? Int == 3)
        }
    }

    @Test func aRunIsNeverOverwrittenOrChanged() async throws {
        try await inFolderWithData { folder in
            #expect(try await train([], in: folder).code == 0)
            let run = TinyRun(folder: folder.appending(path: "run"))
            let before = try run.data("checkpoints/last/model.safetensors")
            try await train([], in: folder).expectRefusal(64, saying: "run", "--resume")
            try await DeitCommand.run(
                ["train", "--resume", "--output", "run", "--lr", "1"],
                in: folder
            )
            .expectRefusal(64, saying: "lr", "run.yaml")
            try await DeitCommand.run(["train", "--resume", "--output", "data"], in: folder)
                .expectRefusal(64, saying: "no run")
            try await DeitCommand.run(["train", "--resume"], in: folder).expectRefusal(
                64,
                saying: "--output"
            )
            try TinyData.writeIDX(to: folder.appending(path: "other"), train: 40, validation: 8)
            try await DeitCommand.run(
                ["train", "--resume", "--output", "run", "--data", "other"],
                in: folder
            ).expectRefusal(65, saying: "40 training", "not 32")
            #expect(try run.data("checkpoints/last/model.safetensors") == before)
        }
    }

    @Test func anUnwritableRunFolderIsRefused() async throws {
        try await inFolderWithData { folder in
            try Data().write(to: folder.appending(path: "file"))
            try await train(["--output", "file/run"], in: folder).expectRefusal(
                1,
                saying: "file/run"
            )
        }
    }

    /// A limit on the size of files stands in for a full disk: both make `write` fail.
    @Test func aFullDiskLeavesEarlierCheckpointsIntact() async throws {
        try await inFolderWithData { folder in
            let options = TinyRun.options + ["--epochs", "2", "--data", "data", "--output", "run"]
            let first = try DeitCommand.start(["train"] + options + ["--epochs", "3"], in: folder)
            let run = TinyRun(folder: folder.appending(path: "run"))
            try await first.wait {
                FileManager.default.fileExists(
                    atPath: run.folder.appending(path: "checkpoints/last/config.json").path
                )
            }
            first.send(SIGTERM)
            _ = try await first.result()
            let last = try FileManager.default.destinationOfSymbolicLink(
                atPath: run.folder.appending(path: "checkpoints/last").path
            )
            let before = try run.data("checkpoints/last/model.safetensors")
            let command = "ulimit -f 64; exec \"$0\" train --resume --output run"
            let limited = try DeitCommand.start(
                ["-c", command, DeitCommand.binary.path],
                in: folder,
                program: URL(filePath: "/bin/bash")
            )
            let result = try await limited.result()
            result.expectRefusal(1, saying: "cannot write", "run/checkpoints/")
            #expect(try run.data("checkpoints/\(last)/model.safetensors") == before)
            #expect(
                try await DeitCommand.run(["train", "--resume", "--output", "run"], in: folder).code
                    == 0
            )
        }
    }

    @Test func teachersThatDoNotFitAreRefused() async throws {
        try await inFolderWithData { folder in
            for (name, classes) in [("pets", ["cat", "dog"]), ("others", ["cat", "fox", "owl"])] {
                try TinyData.writeFolders(
                    to: folder.appending(path: name),
                    classes: classes,
                    train: 8,
                    validation: 2
                )
            }
            let base = [
                "--epochs", "1", "--size", "8", "--batch", "4", "--crop-padding", "1", "--dtype",
                "fp32",
            ]
            let trained = try await DeitCommand.run(
                ["train", "--data", "pets", "--model", "resnet8_cifar", "--output", "teacher"]
                    + base,
                in: folder
            )
            #expect(trained.code == 0, "\(trained.errors)")
            let student =
                ["train", "--data", "others", "--model", "deit_nano_patch4_28", "--output", "run"]
                + base
            try await DeitCommand.run(
                student + ["--teacher", "teacher", "--distillation", "hard"],
                in: folder
            )
            .expectRefusal(65, saying: "fox, owl", "dog")
            try await DeitCommand.run(student + ["--distillation", "hard"], in: folder)
                .expectRefusal(64, saying: "--teacher")
            try await DeitCommand.run(student + ["--teacher", "teacher"], in: folder)
                .expectRefusal(64, saying: "--distillation")
            try await DeitCommand.run(
                student + ["--teacher", "nowhere", "--distillation", "soft"],
                in: folder
            ).expectRefusal(65, saying: "nowhere")
            try await DeitCommand.run(
                student + [
                    "--data", "pets", "--in-chans", "1", "--teacher", "teacher", "--distillation",
                    "soft",
                ],
                in: folder
            ).expectRefusal(65, saying: "3 channels", "of 1")
            try await DeitCommand.run(
                student + ["--teacher", "teacher,teacher", "--distillation", "soft"],
                in: folder
            ).expectRefusal(64, saying: "given twice")
            try await DeitCommand.run(
                student + [
                    "--teacher", "teacher", "--teacher", "nowhere", "--distillation", "hard",
                    "--teacher-finetune", "2",
                ],
                in: folder
            ).expectRefusal(64, saying: "teacher_finetune")
            expectNothing(in: folder)
        }
    }
}
