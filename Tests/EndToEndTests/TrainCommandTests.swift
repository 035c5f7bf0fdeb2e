import Foundation
import TestSupport
import Testing

@Suite(.serialized, .tags(.endToEnd)) struct TrainCommandTests {
    @Test func overfitsAFewImages() async throws {
        try await withTemporaryFolder { folder in
            try TinyData.writeIDX(to: folder.appending(path: "data"), train: 16, validation: 16)
            let result = try await DeitCommand.run(
                [
                    "train", "--model", "deit_nano_patch4_28", "--size", "8", "--dtype", "fp32",
                    "--threads", "1",
                    "--batch", "16", "--epochs", "60", "--crop-padding", "off", "--flip", "0",
                    "--smoothing", "0",
                    "--ema", "off", "--lr", "0.003", "--data", "data", "--output", "run",
                    "--log-interval", "100",
                ],
                in: folder
            )
            #expect(result.code == 0, "\(result.errors)")
            let records = try TinyRun(folder: folder.appending(path: "run")).records()
            let top1 = try #require(records.last?["val_top1"] as? Double)
            let loss = try #require(records.last?["val_loss"] as? Double)
            #expect(top1 == 1)
            #expect(loss < 0.1)
        }
    }

    @Test func distilsEveryWay() async throws {
        try await withTemporaryFolder { folder in
            try TinyData.writeIDX(to: folder.appending(path: "data"), train: 64, validation: 32)
            let base = [
                "train", "--data", "data", "--size", "8", "--dtype", "fp32", "--threads", "1",
                "--batch", "16",
                "--epochs", "2", "--crop-padding", "1", "--flip", "0", "--ema", "off",
            ]
            let teacher = try await DeitCommand.run(
                base + [
                    "--model", "resnet8_cifar", "--optimizer", "sgd", "--lr", "0.05", "--output",
                    "teacher",
                ],
                in: folder
            )
            #expect(teacher.code == 0, "\(teacher.errors)")
            for (index, more) in [
                [
                    "--model", "deit_nano_patch4_28", "--distillation", "soft",
                    "--distillation-tau", "3",
                ],
                [
                    "--model", "deit_nano_distilled_patch4_28", "--distillation", "soft",
                    "--kl-reduction", "batchmean",
                ],
                ["--model", "deit_nano_distilled_patch4_28", "--distillation", "hard"],
            ].enumerated() {
                let result = try await DeitCommand.run(
                    base + ["--teacher", "teacher", "--output", "student\(index)"] + more,
                    in: folder
                )
                #expect(result.code == 0, "\(result.errors)")
                let records = try TinyRun(folder: folder.appending(path: "student\(index)"))
                    .records()
                let isDistilled = more[1].contains("distilled")
                #expect((records.last?["val_cls_top1"] != nil) == isDistilled)
                #expect((records.last?["val_dist_top1"] != nil) == isDistilled)
            }
        }
    }

    /// Each shipped recipe from end to end, on a small network and small images.
    @Test(arguments: ["deit", "deit3", "cifar", "quickstart", "fashion-mnist"])
    func everyRecipeTrains(name: String) async throws {
        try await withTemporaryFolder { folder in
            try TinyData.writeFolders(
                to: folder.appending(path: "data"),
                classes: ["a", "b", "c"],
                train: 12,
                validation: 2
            )
            let result = try await DeitCommand.run(
                [
                    "train", "--recipe", name, "--data", "data", "--model", "deit_nano_patch4_28",
                    "--size", "8", "--batch", "16", "--accumulation", "2", "--epochs", "1",
                    "--warmup-epochs", "0.5", "--dtype", "fp32", "--threads", "1", "--output",
                    "run",
                ],
                in: folder
            )
            #expect(result.code == 0, "\(result.errors)")
            let warnings = result.errors.split(separator: "\n").filter {
                !$0.hasPrefix("deit: warning: the run has only 2 steps")
            }
            #expect(warnings.isEmpty, "\(result.errors)")
            let run = TinyRun(folder: folder.appending(path: "run"))
            let loss = try #require(try run.records().last?["train_loss"] as? Double)
            #expect(loss.isFinite && loss > 0)
            #expect(try run.data("events.out.tfevents.deit").count > 100)
            #expect(result.output.contains("\nestimate: "))
        }
    }

    @Test func greyModelsTrainAndAreMeasured() async throws {
        try await withTemporaryFolder { folder in
            try TinyData.writeIDX(to: folder.appending(path: "data"), train: 32, validation: 8)
            let result = try await DeitCommand.run(
                ["train"] + TinyRun.options
                    + ["--in-chans", "1", "--aa", "rand-m9", "--epochs", "1", "--data", "data"]
                    + ["--output", "run"],
                in: folder
            )
            #expect(result.code == 0, "\(result.errors)")
            let measured = try await DeitCommand.run(
                ["evaluate", "run", "--data", "data"],
                in: folder
            )
            #expect(measured.code == 0, "\(measured.errors)")
        }
    }

    @Test func tellsAndStoresTheOptionsInEffect() async throws {
        try await withTemporaryFolder { folder in
            try TinyData.writeIDX(to: folder.appending(path: "data"), train: 16, validation: 8)
            let recipe =
                "model: deit_nano_patch4_28\nepochs: 1\nwarmup_epochs: 0\nbatch: 8\nlr: 5.0e-4\ncrop_scale: off\n"
                + "size: 8\nseed: 7\n"
            try recipe.write(
                to: folder.appending(path: "mine.yaml"),
                atomically: true,
                encoding: .utf8
            )
            let result = try await DeitCommand.run(
                [
                    "train", "--recipe", "mine.yaml", "--data", "data", "--lr-scaling", "on",
                    "--ema", "off",
                ],
                in: folder
            )
            #expect(result.code == 0, "\(result.errors)")
            #expect(result.output.contains("7.8125e-06 (= 0.0005 × 8/512)"))
            let runs = try FileManager.default.contentsOfDirectory(
                atPath: folder.appending(path: "runs").path
            )
            let name = try #require(runs.first)
            #expect(runs.count == 1 && name.hasSuffix("-mine"))
            let yaml = try String(
                contentsOf: folder.appending(path: "runs/\(name)/run.yaml"),
                encoding: .utf8
            )
            for words in [
                "seed: 7", "effective_lr: \"7.8125e-06", "libtorch: \"2.", "batch: 8", "dtype: ",
            ] {
                #expect(yaml.contains(words), "\(words) is not in \(yaml)")
            }
        }
    }

    @Test func everyCommandHasHelpWithAnExample() async throws {
        try await withTemporaryFolder { folder in
            let top = try await DeitCommand.run(["--help"], in: folder)
            #expect(top.code == 0 && top.errors.isEmpty)
            let list = top.output.components(separatedBy: "SUBCOMMANDS:").dropFirst().first ?? ""
            let names = list.split(separator: "\n").compactMap { line -> String? in
                guard line.hasPrefix("  "), !line.hasPrefix("   "), !line.hasPrefix("  See ") else {
                    return nil
                }
                return line.split(separator: " ").first.map(String.init)
            }
            #expect(names.contains("train") && names.contains("bench"), "\(top.output)")
            for name in names {
                let help = try await DeitCommand.run([name, "--help"], in: folder)
                #expect(help.code == 0 && help.errors.isEmpty, "\(name): \(help.errors)")
                #expect(help.output.contains("deit \(name) "), "\(name) shows no example")
            }
            let version = try await DeitCommand.run(["--version"], in: folder)
            #expect(version.output.hasPrefix("deit ") && version.output.contains("libtorch 2."))
        }
    }

    @Test func aRelocatedBinaryKnowsItsRecipes() async throws {
        try await withTemporaryFolder { folder in
            let copy = folder.appending(path: "deit")
            try FileManager.default.copyItem(at: DeitCommand.binary, to: copy)
            let command = try DeitCommand.start(
                ["train", "--recipe", "deit"],
                in: folder,
                program: copy
            )
            try await command.result().expectRefusal(64, saying: "--data")
        }
    }
}
