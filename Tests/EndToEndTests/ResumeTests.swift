import Foundation
import TestSupport
import Testing

@Suite(.serialized, .tags(.endToEnd)) struct ResumeTests {
    private static let options = TinyRun.options + ["--epochs", "3", "--data", "data"]

    /// A run that is never stopped.
    private func uninterrupted(_ folder: URL, _ more: [String] = []) async throws -> TinyRun {
        let result = try await DeitCommand.run(
            ["train"] + Self.options + more + ["--output", "whole"],
            in: folder
        )
        #expect(result.code == 0, "\(result.errors)")
        return TinyRun(folder: folder.appending(path: "whole"))
    }

    private func resume(_ folder: URL) async throws {
        let result = try await DeitCommand.run(
            ["train", "--resume", "--output", "broken"],
            in: folder
        )
        #expect(result.code == 0, "\(result.errors)")
        #expect(result.output.contains("resuming after step"))
    }

    @Test func aTerminatedRunResumesBitForBit() async throws {
        try await withTemporaryFolder { folder in
            try TinyData.writeIDX(to: folder.appending(path: "data"), train: 320, validation: 40)
            let whole = try await uninterrupted(folder)
            let broken = TinyRun(folder: folder.appending(path: "broken"))
            let command = try DeitCommand.start(
                ["train"] + Self.options + ["--output", "broken"],
                in: folder
            )
            // In the middle of the second epoch of 40 steps.
            await command.send(SIGTERM) { broken.recordedSteps >= 50 }
            let stopped = try await command.result()
            #expect(stopped.code == 143, "\(stopped.errors)")
            let lastLine = stopped.output.split(separator: "\n").last.map(String.init) ?? ""
            #expect(lastLine.hasPrefix("stopped by SIGTERM: saved broken/checkpoints/step-"))
            #expect(lastLine.hasSuffix("continue with: deit train --resume --output broken"))
            try await resume(folder)
            try broken.expectEqual(whole)
        }
    }

    @Test func aRunTerminatedWhileItValidatesResumesBitForBit() async throws {
        try await withTemporaryFolder { folder in
            try TinyData.writeIDX(
                to: folder.appending(path: "data"),
                train: 32,
                validation: 2_000
            )
            let whole = try await uninterrupted(folder)
            let broken = TinyRun(folder: folder.appending(path: "broken"))
            let command = try DeitCommand.start(
                ["train"] + Self.options + ["--output", "broken"],
                in: folder
            )
            // The last of the first epoch's 4 steps is done; 2,000 images take longer than a signal.
            await command.send(SIGTERM) { broken.recordedSteps >= 4 }
            let stopped = try await command.result()
            #expect(stopped.code == 143, "\(stopped.errors)")
            #expect(stopped.output.contains("saved broken/checkpoints/step-4;"))
            #expect(!stopped.output.contains("epoch 1/3 loss"))
            try await resume(folder)
            try broken.expectEqual(whole)
        }
    }

    @Test func aKilledRunResumesBitForBitFromItsLastCheckpoint() async throws {
        try await withTemporaryFolder { folder in
            try TinyData.writeIDX(to: folder.appending(path: "data"), train: 320, validation: 40)
            let whole = try await uninterrupted(folder, ["--checkpoint-interval", "7"])
            let broken = TinyRun(folder: folder.appending(path: "broken"))
            let command = try DeitCommand.start(
                ["train"] + Self.options + ["--checkpoint-interval", "7", "--output", "broken"],
                in: folder
            )
            await command.send(SIGKILL) { broken.recordedSteps >= 60 }
            #expect(try await command.result().code == 137)
            try await resume(folder)
            try broken.expectEqual(whole)
        }
    }

    /// Everything that is random or remembered, at once.
    private static let everything = [
        "--aa", "rand-m9-mstd0.5-inc1", "--reprob", "0.5", "--mixup", "0.8", "--cutmix", "1",
        "--repeated-aug", "3", "--accumulation", "2", "--clip-grad", "1", "--optimizer", "lamb",
        "--drop", "0.1", "--flip", "0.5", "--sched-on-updates", "off", "--lr-lag", "on",
        "--smoothing", "0.1",
        "--sampler", "balanced", "--class-weights", "1,2,0.5,1,1,1,1,1,1,1", "--best-metric",
        "macro-f1",
        "--patience", "9",
        "--checkpoint-interval", "5",
    ]

    /// SIGKILL leaves no time for anything; whatever was being done then, nothing of the result changes.
    @Test func aRunKilledAtRandomMomentsEndsAsOneThatWasNot() async throws {
        try await withTemporaryFolder { folder in
            try TinyData.writeIDX(to: folder.appending(path: "data"), train: 320, validation: 40)
            let started = ContinuousClock.now
            let whole = try await uninterrupted(folder, Self.everything)
            let length = ContinuousClock.now - started
            let broken = TinyRun(folder: folder.appending(path: "broken"))
            let fresh = ["train"] + Self.options + Self.everything + ["--output", "broken"]
            // Before its run.yaml is there, a run has not begun.
            func next() -> [String] {
                let hasBegun = (try? broken.data("run.yaml")) != nil
                return hasBegun ? ["train", "--resume", "--output", "broken"] : fresh
            }
            for _ in 0..<4 {
                let command = try DeitCommand.start(next(), in: folder)
                try await Task.sleep(for: length * Double.random(in: 0.1...0.7))
                command.send(SIGKILL)
                _ = try await command.result()
            }
            // On a machine that does much else, all four can have come before that.
            let last = try await DeitCommand.run(next(), in: folder)
            #expect(last.code == 0, "\(last.errors)")
            try broken.expectEqual(whole)
            let file = "events.out.tfevents.deit"
            #expect(try broken.data(file).count == whole.data(file).count)
        }
    }

    /// With a checkpoint after every step, most of the time goes into saving, and so do the kills.
    @Test func aRunKilledManyTimesWhileItSavesStillEndsAsOneThatWasNot() async throws {
        try await withTemporaryFolder { folder in
            try TinyData.writeIDX(to: folder.appending(path: "data"), train: 96, validation: 16)
            let saving = ["--checkpoint-interval", "1", "--keep-last", "1"]
            let whole = try await uninterrupted(folder, saving)
            let broken = TinyRun(folder: folder.appending(path: "broken"))
            var arguments = ["train"] + Self.options + saving + ["--output", "broken"]
            for _ in 0..<5 {
                let before = broken.recordedSteps
                let command = try DeitCommand.start(arguments, in: folder)
                await command.send(SIGKILL) { broken.recordedSteps >= before + 5 }
                _ = try await command.result()
                arguments = ["train", "--resume", "--output", "broken"]
            }
            try await resume(folder)
            try broken.expectEqual(whole)
            let names = try FileManager.default.contentsOfDirectory(
                atPath: broken.folder.appending(path: "checkpoints").path
            )
            #expect(names.allSatisfy { !$0.hasPrefix(".") }, "\(names)")
        }
    }

    @Test func aRunKilledBeforeItsFirstCheckpointStartsOver() async throws {
        try await withTemporaryFolder { folder in
            try TinyData.writeIDX(to: folder.appending(path: "data"), train: 320, validation: 40)
            let whole = try await uninterrupted(folder)
            let broken = TinyRun(folder: folder.appending(path: "broken"))
            let command = try DeitCommand.start(
                ["train"] + Self.options + ["--output", "broken"],
                in: folder
            )
            await command.send(SIGKILL) { broken.recordedSteps >= 5 }
            _ = try await command.result()
            try await resume(folder)
            try broken.expectEqual(whole)
        }
    }

    @Test func workersDoNotChangeTheResult() async throws {
        try await withTemporaryFolder { folder in
            try TinyData.writeIDX(to: folder.appending(path: "data"), train: 64, validation: 16)
            let one = try await DeitCommand.run(
                ["train"] + Self.options + ["--workers", "1", "--output", "one"],
                in: folder
            )
            let four = try await DeitCommand.run(
                ["train"] + Self.options + ["--workers", "4", "--output", "four"],
                in: folder
            )
            #expect(one.code == 0 && four.code == 0, "\(one.errors)\(four.errors)")
            try TinyRun(folder: folder.appending(path: "one")).expectEqual(
                TinyRun(folder: folder.appending(path: "four"))
            )
        }
    }

    @Test func aDamagedNewestCheckpointIsPassedOver() async throws {
        try await withTemporaryFolder { folder in
            try TinyData.writeIDX(to: folder.appending(path: "data"), train: 64, validation: 16)
            let options = ["train"] + Self.options + ["--output", "broken"]
            #expect(try await DeitCommand.run(options, in: folder).code == 0)
            let broken = TinyRun(folder: folder.appending(path: "broken"))
            let before = try broken.data("checkpoints/step-24/model.safetensors")
            try before.prefix(1_000).write(
                to: broken.folder.appending(path: "checkpoints/step-24/model.safetensors")
            )
            let result = try await DeitCommand.run(
                ["train", "--resume", "--output", "broken"],
                in: folder
            )
            #expect(result.code == 0, "\(result.errors)")
            #expect(result.output.contains("resuming after step 16"))
            #expect(result.errors.contains("warning: the checkpoint step-24 cannot be used"))
            #expect(try broken.data("checkpoints/step-24/model.safetensors") == before)
        }
    }
}
