import Foundation
import TestSupport
import Testing

/// Commands that are printed as advice work as printed.
@Suite(.serialized, .tags(.endToEnd)) struct AdviceTests {
    /// Runs the command behind `next: ` in an output, as a shell reads it.
    private func runAdvice(in output: String, _ folder: URL) async throws -> CommandResult {
        let range = try #require(output.range(of: "next: deit "), "\(output)")
        let words = output[range.upperBound...].prefix { $0 != "\n" }
        let command = "exec \"$DEIT_BINARY\" \(words)"
        return try await DeitCommand.start(
            ["-c", command],
            in: folder,
            environment: ["DEIT_BINARY": DeitCommand.binary.path],
            program: URL(filePath: "/bin/sh")
        ).result()
    }

    private func flat(_ folder: URL, _ name: String) throws {
        let place = folder.appending(path: name)
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        for index in 0..<8 {
            try TinyData.png(TinyData.pixels(label: index % 2, index: index))
                .write(to: place.appending(path: "\(index).png"))
        }
    }

    private static let dino = [
        "pretrain", "dino", "--model", "deit_nano_patch4_28", "--local-crops-size", "12",
        "--out-dim", "64", "--epochs", "1", "--warmup-epochs", "0", "--batch", "4", "--dtype",
        "fp32", "--threads", "1",
    ]
    private static let mim = [
        "pretrain", "mim", "--model", "deit_nano_patch4_28", "--epochs", "1", "--warmup-epochs",
        "0", "--batch", "4", "--dtype", "fp32", "--threads", "1",
    ]

    @Test func afterTraining() async throws {
        try await withTemporaryFolder { folder in
            let name = "my $data's (1)"
            try TinyData.writeFolders(
                to: folder.appending(path: name),
                classes: ["ant", "bee"],
                train: 8,
                validation: 2
            )
            let trained = try await DeitCommand.run(
                ["train"] + TinyRun.options + [
                    "--epochs", "1", "--data", name, "--output=-a run",
                ],
                in: folder
            )
            #expect(trained.code == 0, "\(trained.errors)")
            // The header has the facts, and the options that are not the recipe's.
            #expect(trained.output.contains("2 classes: ant, bee"))
            #expect(trained.output.contains("options that differ from the recipe"))
            let listed = trained.output.split(separator: "\n").count { $0.hasPrefix("  ") }
            #expect(listed < 35, "\(trained.output)")
            let result = try await runAdvice(in: trained.output, folder)
            #expect(result.code == 0 && result.output.contains("top-1"), "\(result.errors)")
            let resumed = try await DeitCommand.run(
                ["train", "--resume", "--verbose", "--output=-a run"],
                in: folder
            )
            #expect(resumed.output.contains("weight_decay"), "\(resumed.errors)")
        }
    }

    @Test(arguments: ["dino", "mim"]) func afterPretraining(method: String) async throws {
        try await withTemporaryFolder { folder in
            let command = method == "dino" ? Self.dino : Self.mim
            try flat(folder, "flat images")
            try TinyData.writeFolders(
                to: folder.appending(path: "classes"),
                classes: ["ant", "bee"],
                train: 12,
                validation: 0
            )
            try flat(folder, "parts/train")
            for (index, data) in ["flat images", "classes/train", "classes", "parts"].enumerated() {
                if data == "classes" {
                    try FileManager.default.removeItem(at: folder.appending(path: "classes/val"))
                }
                let trained = try await DeitCommand.run(
                    command + ["--data", data, "--output", "run \(index)"],
                    in: folder
                )
                #expect(trained.code == 0, "\(data): \(trained.errors)")
                let result = try await runAdvice(in: trained.output, folder)
                #expect(result.code == 0, "\(trained.output.suffix(200)) \(result.errors)")
            }
        }
    }
}
