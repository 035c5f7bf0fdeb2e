import Foundation
import TestSupport
import Testing

/// Several teachers, and teachers that see images in their own way.
@Suite(.serialized, .tags(.endToEnd)) struct TeachersTests {
    private static let base = [
        "--data", "data", "--dtype", "fp32", "--threads", "1", "--workers", "1", "--batch", "8",
        "--log-interval", "1", "--epochs", "1",
    ]

    private func train(_ arguments: [String], in folder: URL) async throws -> CommandResult {
        try await DeitCommand.run(["train"] + Self.base + arguments, in: folder)
    }

    @Test func anEnsembleOfOtherSizesTeaches() async throws {
        try await withTemporaryFolder { folder in
            try TinyData.writeFolders(
                to: folder.appending(path: "data"),
                classes: ["a", "b", "c"],
                train: 8,
                validation: 2
            )
            for (model, size, output) in [
                ("resnet8_cifar", "8", "cnn"), ("deit_nano_patch4_28", "12", "transformer"),
            ] {
                let result = try await train(
                    ["--model", model, "--size", size, "--output", output],
                    in: folder
                )
                #expect(result.code == 0, "\(result.errors)")
            }
            let recipe = folder.appending(path: "both.yaml")
            try Data("teacher: [cnn, transformer]\nwarmup_epochs: 1\n".utf8).write(to: recipe)
            let student = [
                "--size", "8", "--model", "deit_nano_distilled_patch4_28", "--distillation", "soft",
            ]
            for (output, teachers) in [
                ("commas", ["--teacher", "cnn,transformer"]),
                ("flags", ["--teacher", "cnn", "--teacher", "transformer"]),
                ("listed", ["--recipe", "both.yaml"]), ("one", ["--teacher", "transformer"]),
            ] {
                let result = try await train(student + teachers + ["--output", output], in: folder)
                #expect(result.code == 0, "\(output): \(result.errors)")
                #expect(result.errors.contains("resized to its input size, 12×12"), "\(output)")
                #expect(
                    result.errors.contains("2 teachers: their probabilities") == (output != "one"),
                    "\(output)"
                )
            }
            func weights(_ run: String) throws -> Data {
                try TinyRun(folder: folder.appending(path: run))
                    .data("checkpoints/last/model.safetensors")
            }
            #expect(try weights("commas") == weights("flags"))
            #expect(try weights("commas") != weights("one"))
            // The teacher is as it was.
            let again = try await DeitCommand.run(
                ["train", "--resume", "--output", "commas"],
                in: folder
            )
            #expect(again.code == 0, "\(again.errors)")
        }
    }
}
