import Foundation
import TestSupport
import Testing

/// Several processes of one run, started as a launcher does, on loopback.
@Suite(.serialized, .tags(.endToEnd), .timeLimit(.minutes(30)))
struct ProcessesTests {
    /// No drop path: like an accumulated batch, a divided one draws other numbers for it.
    private static let options =
        TinyRun.options + [
            "--drop-path", "0", "--epochs", "2", "--data", "data", "--warmup-epochs", "0",
            "--clip-grad", "1",
        ]

    /// Runs the processes to their end, which must be a good one.
    @discardableResult
    private func run(
        _ count: Int,
        _ arguments: [String],
        output: String,
        in folder: URL,
        location: SourceLocation = #_sourceLocation
    ) async throws -> TinyRun {
        let results = try await LaunchedProcesses.results(
            LaunchedProcesses.start(count, arguments + ["--output", output], in: folder)
        )
        for result in results {
            #expect(result.code == 0, "\(result.errors)", sourceLocation: location)
        }
        // Only process 0 prints.
        for result in results.dropFirst() {
            #expect(result.output.isEmpty && result.errors.isEmpty, sourceLocation: location)
        }
        return TinyRun(folder: folder.appending(path: output))
    }

    /// Expects the same records but for rounding.
    private func expectClose(
        _ run: TinyRun,
        _ whole: TinyRun,
        location: SourceLocation = #_sourceLocation
    ) throws {
        let (found, expected) = (try run.records(), try whole.records())
        #expect(found.count == expected.count, sourceLocation: location)
        for (one, other) in zip(found, expected) {
            #expect(
                Set(one.allKeys.map { "\($0)" }) == Set(other.allKeys.map { "\($0)" }),
                sourceLocation: location
            )
            for (key, value) in other {
                guard let value = value as? Double, let own = one[key] as? Double else { continue }
                #expect(
                    abs(own - value) <= 1e-5 * max(1, abs(value)),
                    "\(key): \(own), not \(value)",
                    sourceLocation: location
                )
            }
        }
    }

    private func withData(_ body: (URL) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            try TinyData.writeIDX(to: folder.appending(path: "data"), train: 320, validation: 42)
            try await body(folder)
        }
    }

    @Test func processesEqualOneProcess() async throws {
        try await withData { folder in
            // Mixing, repeated augmentation, accumulation, and validation batches that do not divide evenly.
            let options =
                ["train"] + Self.options + [
                    "--mixup", "0.8", "--cutmix", "1", "--mixup-mode", "elem", "--repeated-aug",
                    "3", "--accumulation", "2", "--flip", "0.5",
                ]
            let whole = try await run(1, options, output: "one", in: folder)
            let two = try await run(2, options, output: "two", in: folder)
            let four = try await run(4, options, output: "four", in: folder)
            try expectClose(two, whole)
            try expectClose(four, whole)
            // From run to run they are equal to the bit.
            try await run(4, options, output: "again", in: folder)
                .expectEqual(four)
        }
    }

    @Test func processesThatDistillEqualOneProcess() async throws {
        try await withData { folder in
            try await run(1, ["train"] + Self.options, output: "teacher", in: folder)
            let options =
                ["train"] + Self.options + [
                    "--teacher", "teacher", "--distillation", "hard", "--sampler", "balanced",
                    "--epochs", "1",
                ]
            let whole = try await run(1, options, output: "one", in: folder)
            let cached = options + ["--cache-teacher", "answers/"]
            try expectClose(try await run(2, cached, output: "two", in: folder), whole)
            // Each process has kept answers of its own.
            let files = try FileManager.default.contentsOfDirectory(
                atPath: folder.appending(path: "answers").path
            )
            #expect(files.count == 2)
            try expectClose(try await run(2, cached, output: "again", in: folder), whole)
        }
    }

    @Test func processesThatLearnWithoutLabelsEqualOneProcess() async throws {
        try await withData { folder in
            let shared = [
                "--model", "deit_nano_patch4_28", "--size", "8", "--dtype", "fp32", "--threads",
                "1", "--workers", "1", "--batch", "16", "--drop-path", "0", "--warmup-epochs", "0",
                "--log-interval", "1", "--data", "data", "--epochs", "1",
            ]
            let dino =
                ["pretrain", "dino"] + shared + [
                    "--out-dim", "32", "--head-hidden-dim", "16", "--head-bottleneck-dim", "8",
                    "--local-crops-number", "2", "--local-crops-size", "4", "--knn-interval", "1",
                    "--freeze-last-layer", "0",
                ]
            let mim = ["pretrain", "mim"] + shared + ["--mask-patch-size", "4", "--size", "16"]
            for (name, options) in [("dino", dino), ("mim", mim)] {
                let whole = try await run(1, options, output: "\(name)-1", in: folder)
                try expectClose(
                    try await run(2, options, output: "\(name)-2", in: folder),
                    whole
                )
            }
        }
    }

    @Test func aTerminatedProcessStopsAllAndAnotherNumberGoesOn() async throws {
        try await withData { folder in
            let options = ["train"] + Self.options
            let whole = try await run(1, options, output: "whole", in: folder)
            let broken = TinyRun(folder: folder.appending(path: "broken"))
            let commands = try LaunchedProcesses.start(
                2,
                options + ["--output", "broken", "--resume", "auto"],
                in: folder
            )
            // A scheduler tells one process only.
            await commands[1].send(SIGTERM) { broken.recordedSteps >= 10 }
            let results = try await LaunchedProcesses.results(commands)
            #expect(results.map(\.code) == [143, 143], "\(results.map(\.errors))")
            #expect(
                results[0].output.contains("stopped by SIGTERM: saved broken/checkpoints/step-")
            )
            #expect(broken.recordedSteps < 80)
            try await run(4, options + ["--resume", "auto"], output: "broken", in: folder)
            try expectClose(broken, whole)
        }
    }

    @Test func processesThatDifferAreToldInWhat() async throws {
        try await withData { folder in
            let commands = try LaunchedProcesses.start(
                2,
                ["train"] + Self.options + ["--output", "run"],
                in: folder,
                more: { ["--lr", $0 == 0 ? "0.001" : "0.002"] }
            )
            for result in try await LaunchedProcesses.results(commands) {
                result.expectRefusal(
                    64,
                    saying: "process 1 differs from process 0 in option lr (0.002, not 0.001)"
                )
            }
        }
    }

    @Test func aProcessWithoutDataEndsTheOthersWithItsReason() async throws {
        try await withData { folder in
            let commands = try LaunchedProcesses.start(
                2,
                ["train"] + Self.options + ["--output", "run"],
                in: folder,
                more: { $0 == 0 ? [] : ["--data", "nowhere"] }
            )
            let results = try await LaunchedProcesses.results(commands)
            results[1].expectRefusal(65, saying: "process 1 of 2:", "nowhere")
            results[0].expectRefusal(1, saying: "process 1 ended with an error:", "nowhere")
        }
    }

    @Test func batchNormalizationIsRefused() async throws {
        try await withData { folder in
            let commands = try LaunchedProcesses.start(
                2,
                [
                    "train", "--model", "resnet20_cifar", "--size", "8", "--data", "data",
                    "--output", "run", "--epochs", "1",
                ],
                in: folder
            )
            for result in try await LaunchedProcesses.results(commands) {
                #expect(result.code == 64, "\(result.errors)")
                #expect(result.errors.contains("is a batch normalization"))
            }
        }
    }
}
