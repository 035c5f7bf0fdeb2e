import Foundation
import TestSupport
import Testing

/// `deit pretrain dino` as a user meets it.
@Suite(.serialized, .tags(.endToEnd)) struct PretrainDINOTests {
    private let options = [
        "--model", "deit_nano_patch4_28", "--size", "8", "--dtype", "fp32", "--threads", "1",
        "--workers", "2", "--batch", "4", "--log-interval", "1", "--lr", "0.002", "--out-dim", "32",
        "--head-hidden-dim", "16", "--head-bottleneck-dim", "8", "--local-crops-number", "2",
        "--drop-path", "0.1", "--warmup-epochs", "1",
    ]

    private func pretrain(_ arguments: [String], in folder: URL) async throws -> CommandResult {
        try await DeitCommand.run(["pretrain", "dino"] + arguments, in: folder)
    }

    private func exists(_ path: String, in folder: URL) -> Bool {
        FileManager.default.fileExists(atPath: folder.appending(path: path).path)
    }

    @Test func trainsResumesAndStartsOthers() async throws {
        try await withTemporaryFolder { folder in
            let data = folder.appending(path: "data")
            try TinyData.writeFolders(to: data, classes: ["ant", "bee"], train: 20, validation: 3)
            // 10 steps an epoch.
            let start =
                options + [
                    "--data", "data", "--epochs", "3", "--knn-interval", "2", "--knn-start", "on",
                    "--accumulation", "2",
                ]
            let result = try await pretrain(start + ["--output", "whole"], in: folder)
            #expect(result.code == 0, "\(result.errors)")
            #expect(result.output.contains("estimate: "))
            #expect(result.output.contains("done: best kNN "))
            let whole = TinyRun(folder: folder.appending(path: "whole"))
            try tells(whole)
            // Stopped in an epoch's middle it goes on as if it never was.
            let cut = TinyRun(folder: folder.appending(path: "cut"))
            try await cut.trainStopped(["pretrain", "dino"], start, after: 13)
            try cut.expectEqual(whole)
            try await startsOthers(in: folder)
        }
    }

    /// Every step has the monitor's numbers, every second epoch and the last an accuracy.
    private func tells(_ run: TinyRun) throws {
        let records = try run.records()
        let steps = records.filter { $0["event"] as? String == "step" }
        #expect(steps.count == 30)
        for name in [
            "ln_k", "teacher_entropy", "kl_uniform", "teacher_information", "feature_std",
            "center_norm",
        ] {
            #expect(steps.allSatisfy { ($0[name] as? Double)?.isFinite == true }, "\(name)")
        }
        let start = try #require(records.first)
        #expect(start["event"] as? String == "start")
        for name in ["knn_top1_pixels", "knn_top1"] {
            #expect((start[name] as? Double).map { (0...1).contains($0) } == true, "\(name)")
        }
        let epochs = records.filter { $0["event"] as? String == "epoch" }
        #expect(epochs.map { $0["knn_top1"] is Double } == [false, true, true])
    }

    private func startsOthers(in folder: URL) async throws {
        // The run's own weights, and the same in the form of DINO's code.
        let converted = try await DeitCommand.run(
            ["convert", "whole", "--to", "dino", "--output", "checkpoint.pth"],
            in: folder
        )
        #expect(converted.code == 0, "\(converted.errors)")
        #expect(converted.output.contains("after 3 epochs"))
        let again = try await DeitCommand.run(
            ["convert", "whole/checkpoints/last", "--to", "dino", "--output", "checkpoint.pth"],
            in: folder
        )
        again.expectRefusal(64, saying: "checkpoint.pth", "--force")
        let plain = options + ["--data", "data", "--epochs", "1", "--knn-interval", "off"]
        for (name, path, words) in [
            ("own", "whole", "student, teacher, heads and center are loaded from whole"),
            ("pth", "checkpoint.pth", "student, teacher and heads are loaded from checkpoint.pth"),
            ("model", "whole/checkpoints/last/model.safetensors", "the heads are new"),
        ] {
            var arguments = plain + ["--init", path, "--output", name]
            // Bare weights do not tell of which size their images are.
            if name == "model" { arguments += ["--seed", "1"] }
            let started = try await pretrain(arguments, in: folder)
            #expect(started.code == 0, "\(started.errors)")
            #expect((started.output + started.errors).contains(words), "\(started.output)")
        }
        // Both forms hold the same, and a new schedule begins from it.
        let (own, pth) = (
            TinyRun(folder: folder.appending(path: "own")),
            TinyRun(folder: folder.appending(path: "pth"))
        )
        #expect(
            try own.data("checkpoints/last/trainer.safetensors")
                == pth.data("checkpoints/last/trainer.safetensors")
        )
        #expect(try own.trainerState()["step"] as? Int == 10)
        for (path, code, words) in [
            ("whole/checkpoints/last", 64, "a single checkpoint"),
            ("checkpoint.pth", 64, "--init checkpoint.pth"),
        ] as [(String, Int32, String)] {
            try await pretrain(["--resume", "--output", path], in: folder)
                .expectRefusal(code, saying: words)
        }
        try await pretrain(plain + ["--init", "data", "--output", "none"], in: folder)
            .expectRefusal(65, saying: "data")
        #expect(!exists("none", in: folder))
        try await DeitCommand.run(
            ["convert", "own/checkpoints/last/model.safetensors", "--to", "dino", "--output", "x"],
            in: folder
        ).expectRefusal(65, saying: "deit pretrain dino")
    }

    @Test func learnsFromAnyFolderOfImages() async throws {
        try await withTemporaryFolder { folder in
            let data = folder.appending(path: "data")
            for (place, index) in ["", "deep/", "deep/deeper/"].flatMap({ place in
                (0..<2).map { (place, $0) }
            }) {
                let path = data.appending(path: "\(place)\(index).png")
                try FileManager.default.createDirectory(
                    at: path.deletingLastPathComponent(),
                    withIntermediateDirectories: true
                )
                try TinyData.png(TinyData.pixels(label: index, index: place.count)).write(to: path)
            }
            let result = try await pretrain(
                options + ["--size", "12", "--data", "data", "--epochs", "1", "--output", "run"],
                in: folder
            )
            #expect(result.code == 0, "\(result.errors)")
            // Images of 8 pixels are smaller than a crop of 12: allowed, and told.
            let text = result.output + result.errors
            #expect(text.contains("smaller than the global crops of 12 pixels"), "\(text)")
            #expect(text.contains("8 × 8"), "\(text)")
            #expect(result.output.contains("done: run/checkpoints/last"), "\(text)")
        }
    }

    @Test func refuses() async throws {
        try await withTemporaryFolder { folder in
            let data = folder.appending(path: "data")
            try TinyData.writeFolders(to: data, classes: ["ant", "bee"], train: 3, validation: 1)
            try FileManager.default.createDirectory(
                at: folder.appending(path: "empty"),
                withIntermediateDirectories: true
            )
            let start = options + ["--data", "data", "--output", "run"]
            for (arguments, code, words) in [
                (["--batch", "7"], 65, ["batch of 7", "6 images", "--batch"]),
                (["--out-dim", "0"], 64, ["out", "0"]),
                (["--teacher-temp", "0"], 64, ["teacher_temp", "above 0"]),
                (["--student-temp", "0"], 64, ["student_temp", "above 0"]),
                (["--warmup-teacher-temp=-1"], 64, ["warmup_teacher_temp"]),
                (["--local-crops-size", "12"], 64, ["12", "larger than the global crops of 8"]),
                (["--local-crops-size", "3"], 64, ["smaller than a patch of 4"]),
                (
                    ["--global-crops-number", "1", "--local-crops-number", "0"], 64,
                    ["a single crop"]
                ),
                (["--global-crops-scale", "0.9,0.5"], 64, ["global_crops_scale"]),
                (["--global-crops-scale", "0,1"], 64, ["global_crops_scale"]),
                (["--accumulation", "5"], 64, ["--accumulation"]),
                (["--use-bn-in-head", "on", "--accumulation", "4"], 64, ["two images"]),
                (["--model", "deit_nano_distilled_patch4_28"], 64, ["distillation token"]),
                (["--data", "empty"], 65, ["empty"]),
                (["--data", "nowhere"], 65, ["nowhere"]),
                (["--init", "nothing.pth"], 65, ["nothing.pth"]),
                (
                    ["--recipe", "deit"], 64,
                    ["recipe deit", "not an option of deit pretrain dino"]
                ),
                (["--recipe", "mim"], 64, ["deit pretrain mim"]),
            ] as [([String], Int32, [String])] {
                let result = try await pretrain(start + arguments, in: folder)
                result.expectRefusal(code)
                for word in words {
                    #expect(result.errors.contains(word), "\(arguments): \(result.errors)")
                }
            }
            let none = try await pretrain(options + ["--output", "run"], in: folder)
            none.expectRefusal(64, saying: "--data")
            #expect(!exists("run", in: folder))
        }
    }
}
