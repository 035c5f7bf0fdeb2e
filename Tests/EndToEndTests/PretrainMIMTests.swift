import Foundation
import TestSupport
import Testing

/// `deit pretrain mim` as a user meets it.
@Suite(.serialized, .tags(.endToEnd)) struct PretrainMIMTests {
    private let options = [
        "--model", "deit_nano_distilled_patch4_28", "--size", "8", "--dtype", "fp32", "--threads",
        "1", "--workers", "2", "--batch", "8", "--warmup-epochs", "1", "--log-interval", "1",
        "--accumulation", "2", "--lr", "0.01",
    ]

    private func pretrain(_ arguments: [String], in folder: URL) async throws -> CommandResult {
        try await DeitCommand.run(["pretrain", "mim"] + arguments, in: folder)
    }

    @Test func trainsResumesAndIsUsed() async throws {
        try await withTemporaryFolder { folder in
            let data = folder.appending(path: "data")
            try TinyData.writeFolders(to: data, classes: ["ant", "bee"], train: 12, validation: 3)
            // 6 steps an epoch.
            let start = options + ["--data", "data", "--epochs", "4", "--batch", "4"]
            let whole = try await pretrain(start + ["--output", "whole"], in: folder)
            #expect(whole.code == 0, "\(whole.errors)")
            let run = TinyRun(folder: folder.appending(path: "whole"))
            try learns(run)
            try await resumes(run, start, in: folder)
            try await isUsed(in: folder)
        }
    }

    private func learns(_ run: TinyRun) throws {
        let losses = try run.records().filter { $0["event"] as? String == "step" }
            .compactMap { $0["train_loss"] as? Double }
        #expect(losses.count == 24)
        let (first, last) = (losses.prefix(6).reduce(0, +), losses.suffix(6).reduce(0, +))
        #expect(last < first && losses.allSatisfy { $0 > 0 && $0.isFinite })
        for epoch in 1...4 {
            // 6 images in 3 columns of 8 pixels, each enlarged to 96, with lines of 2.
            let png = try run.data("reconstructions/epoch-\(epoch).png")
            #expect(png.starts(with: [0x89, 0x50, 0x4E, 0x47]))
            let size = png[16..<24].map { Int($0) }
            #expect(size[2] * 256 + size[3] == 3 * 98 + 2)
            #expect(size[6] * 256 + size[7] == 6 * 98 + 2)
        }
        #expect(
            try run.data("reconstructions/epoch-1.png")
                != run.data("reconstructions/epoch-4.png")
        )
    }

    /// A run that was stopped in an epoch's middle goes on as if it never was.
    private func resumes(_ whole: TinyRun, _ start: [String], in folder: URL) async throws {
        let cut = TinyRun(folder: folder.appending(path: "cut"))
        try await cut.trainStopped(["pretrain", "mim"], start, after: 4)
        for file in ["model.safetensors", "trainer.safetensors"] {
            let path = "checkpoints/last/\(file)"
            #expect(try whole.data(path) == cut.data(path), "\(file) differs")
        }
        #expect(try whole.trainerState() == cut.trainerState())
    }

    private func isUsed(in folder: URL) async throws {
        let configuration = try String(
            contentsOf: folder.appending(path: "whole/checkpoints/last/config.json"),
            encoding: .utf8
        )
        #expect(configuration.contains("DeiTForMaskedImageModeling"))
        let knn = try await DeitCommand.run(
            ["evaluate", "whole", "--data", "data", "--knn", "--k", "3"],
            in: folder
        )
        #expect(knn.code == 0, "\(knn.errors)")
        let tuned = try await DeitCommand.run(
            ["train"] + TinyRun.options + [
                "--epochs", "1", "--data", "data", "--output", "tuned", "--finetune", "whole",
            ],
            in: folder
        )
        #expect(tuned.code == 0, "\(tuned.errors)")
    }

    @Test func refuses() async throws {
        try await withTemporaryFolder { folder in
            let data = folder.appending(path: "data")
            try TinyData.writeFolders(to: data, classes: ["ant", "bee"], train: 3, validation: 1)
            let start = options + ["--data", "data", "--output", "run"]
            let fixture = Checkout.root.appending(
                path: "Tests/CheckpointsTests/Fixtures/Foreign/deit3.pth"
            ).path
            for (arguments, code, words) in [
                (start + ["--mask-ratio", "0"], 64, ["--mask-ratio"]),
                (start + ["--mask-ratio", "1"], 64, ["--mask-ratio"]),
                (start + ["--mask-patch-size", "6"], 64, ["6", "patch size 4"]),
                (start + ["--mask-patch-size", "8"], 64, ["--mask-patch-size"]),
                (start + ["--mask", "stripes"], 64, ["random, block"]),
                (start + ["--accumulation", "9"], 64, ["--accumulation"]),
                (start + ["--model", "resnet18"], 64, ["resnet18"]),
                (start, 65, ["batch of 8", "6 images"]),
                (options + ["--output", "run"], 64, ["--data"]),
                (
                    start + ["--batch", "4", "--init", fixture], 65,
                    ["it contains a transformer of"]
                ),
            ] as [([String], Int32, [String])] {
                let result = try await pretrain(arguments, in: folder)
                result.expectRefusal(code, saying: words[0])
                for word in words { #expect(result.errors.contains(word), "\(result.errors)") }
            }
            let exists = FileManager.default.fileExists(
                atPath: folder.appending(path: "run").path
            )
            #expect(!exists)
        }
    }
}
