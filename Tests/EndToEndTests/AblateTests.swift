import Foundation
import TestSupport
import Testing

/// `deit ablate` as a user meets it.
@Suite(.serialized, .tags(.endToEnd)) struct AblateTests {
    /// Options that train a small transformer on ``TinyData`` in a second or two, as a study's base has them.
    private static let base = stride(from: 0, to: TinyRun.options.count, by: 2).map { place in
        let key = TinyRun.options[place].dropFirst(2).replacing("-", with: "_")
        return "  \(key): \(TinyRun.options[place + 1])"
    }.joined(separator: "\n")

    private func write(_ rest: String, to folder: URL, epochs: Int = 2) throws {
        let yaml = "base:\n  data: data\n  epochs: \(epochs)\n\(Self.base)\n\(rest)\n"
        try Data(yaml.utf8).write(to: folder.appending(path: "study.yaml"))
    }

    private func ablate(_ folder: URL, _ more: [String] = []) async throws -> CommandResult {
        try await DeitCommand.run(["ablate", "study.yaml", "--output", "out"] + more, in: folder)
    }

    private func text(_ path: String, _ folder: URL) throws -> String {
        try String(contentsOf: folder.appending(path: path), encoding: .utf8)
    }

    @Test func makesEveryRunOnceAndATable() async throws {
        try await withTemporaryFolder { folder in
            try TinyData.writeIDX(to: folder.appending(path: "data"), train: 64, validation: 16)
            try write("switch-off: [ema]\nseeds: [0, 1]", to: folder)
            let first = try await ablate(folder)
            #expect(first.code == 0, "\(first.errors)")
            #expect(first.output.contains("row 2/2 without ema, seed 1: top-1"))
            #expect(first.output.contains("ETA"))
            let table = try text("out/table.md", folder)
            #expect(first.output.hasSuffix(table + "\n"))
            #expect(
                table.contains("| full |") && table.contains("± ") && table.contains("class head")
            )
            try await theCommandOfARowMakesTheRow(folder)
            try await aFinishedStudyIsNotRepeated(folder, table)
            try await aChangedStudyIsTold(folder)
        }
    }

    private func theCommandOfARowMakesTheRow(_ folder: URL) async throws {
        let json = try JSONSerialization.jsonObject(
            with: Data(contentsOf: folder.appending(path: "out/study.json"))
        )
        let rows = try #require((json as? [String: Any])?["rows"] as? [[String: Any]])
        let runs = try #require(rows.last?["runs"] as? [[String: Any]])
        let command = try #require(runs.last?["command"] as? String)
        #expect(
            command.contains(" --ema off ")
                && command.hasSuffix("--seed 1 --output out/runs/without-ema-seed1")
        )
        var words = command.split(separator: " ").map(String.init)
        words[words.count - 1] = "alone"
        let alone = try await DeitCommand.run(Array(words.dropFirst()), in: folder)
        #expect(alone.code == 0, "\(alone.errors)")
        try TinyRun(folder: folder.appending(path: "alone")).expectEqual(
            TinyRun(folder: folder.appending(path: "out/runs/without-ema-seed1"))
        )
    }

    private func aFinishedStudyIsNotRepeated(_ folder: URL, _ table: String) async throws {
        let before = try text("out/runs/full-seed0/metrics.jsonl", folder)
        let again = try await ablate(folder)
        #expect(again.code == 0 && again.output == table + "\n", "\(again.output)")
        #expect(try text("out/runs/full-seed0/metrics.jsonl", folder) == before)
    }

    private func aChangedStudyIsTold(_ folder: URL) async throws {
        try write("switch-off: [ema]\nseeds: [0, 1]", to: folder, epochs: 3)
        let changed = try await ablate(folder)
        changed.expectRefusal(
            64,
            saying: "out/runs/full-seed0: epochs is 2 in the run and 3 in the study",
            "out/runs/without-ema-seed1"
        )
    }

    @Test func aStoppedStudyGoesOnBitForBit() async throws {
        try await withTemporaryFolder { folder in
            try TinyData.writeIDX(to: folder.appending(path: "data"), train: 320, validation: 40)
            try write("rows: {one: {}, two: {smoothing: 0.2}}", to: folder)
            let whole = try await DeitCommand.run(
                ["ablate", "study.yaml", "--output", "whole"],
                in: folder
            )
            #expect(whole.code == 0, "\(whole.errors)")
            let second = TinyRun(folder: folder.appending(path: "out/runs/two-seed0"))
            let command = try DeitCommand.start(
                ["ablate", "study.yaml", "--output", "out"],
                in: folder
            )
            await command.send(SIGTERM) { second.recordedSteps >= 5 }
            let stopped = try await command.result()
            #expect(stopped.code == 143, "\(stopped.errors)")
            #expect(stopped.errors.contains("continue with: deit ablate study.yaml --output out"))
            #expect(try text("out/table.md", folder).contains("| two | not run yet |"))
            let resumed = try await ablate(folder)
            #expect(resumed.code == 0, "\(resumed.errors)")
            #expect(try text("out/logs/two-seed0.log", folder).contains("resuming after step"))
            for name in ["one-seed0", "two-seed0"] {
                try TinyRun(folder: folder.appending(path: "out/runs/\(name)")).expectEqual(
                    TinyRun(folder: folder.appending(path: "whole/runs/\(name)"))
                )
            }
        }
    }

    /// Nobody tells a run that its study was killed; it saves and ends all the same, so that the study can go on.
    @Test func aRunEndsWithItsStudy() async throws {
        try await withTemporaryFolder { folder in
            try TinyData.writeIDX(to: folder.appending(path: "data"), train: 320, validation: 40)
            try write("rows: {one: {}}", to: folder, epochs: 40)
            let run = TinyRun(folder: folder.appending(path: "out/runs/one-seed0"))
            let command = try DeitCommand.start(
                ["ablate", "study.yaml", "--output", "out"],
                in: folder
            )
            await command.send(SIGKILL) { run.recordedSteps >= 5 }
            #expect(try await command.result().code == 137)
            var log = ""
            for _ in 0..<600 where !log.contains("continue with") {
                try await Task.sleep(for: .milliseconds(100))
                log = try text("out/logs/one-seed0.log", folder)
            }
            #expect(log.contains("the study that started this run has ended"), "\(log)")
            #expect(log.contains("stopped by SIGTERM: saved out/runs/one-seed0/checkpoints/"))
            let list = try await ablate(folder, ["--list"])
            #expect(
                list.code == 0 && list.output.contains("0 of 1 runs finished"),
                "\(list.errors)"
            )
        }
    }

    @Test func theTeacherStandsInTheTable() async throws {
        try await withTemporaryFolder { folder in
            try TinyData.writeIDX(to: folder.appending(path: "data"), train: 64, validation: 16)
            let teacher = try await DeitCommand.run(
                ["train"] + TinyRun.options + [
                    "--epochs", "2", "--data", "data", "--output", "teacher",
                ],
                in: folder
            )
            #expect(teacher.code == 0, "\(teacher.errors)")
            try write(
                """
                axes:
                  method:
                    none: {}
                    hard: {distillation: hard, teacher: teacher}
                """,
                to: folder,
                epochs: 1
            )
            let result = try await ablate(folder, ["--json"])
            #expect(result.code == 0, "\(result.errors)")
            let last = try #require(result.output.split(separator: "\n").last)
            let json = try JSONSerialization.jsonObject(with: Data(last.utf8)) as? [String: Any]
            let found = try #require((json?["teachers"] as? [[String: Any]])?.first)
            // The best checkpoint of the teacher's run is what teaches.
            let best = try TinyRun(folder: folder.appending(path: "teacher")).records()
                .compactMap { $0["best_top1"] as? Double }.last
            #expect(found["top1"] as? Double == best && found["count"] as? Int == 16)
            #expect(try text("out/table.md", folder).contains("| *teacher* teacher |"))
        }
    }

    @Test func everythingIsCheckedBeforeTheFirstRun() async throws {
        try await withTemporaryFolder { folder in
            try TinyData.writeIDX(to: folder.appending(path: "data"), train: 64, validation: 16)
            try write("rows: {good: {}, bad: {batch: 65}, worse: {model: deit_nan}}", to: folder)
            try await ablate(folder).expectRefusal(
                65,
                saying: "the row \"bad\"",
                "a batch of 65",
                "the row \"worse\"",
                "deit_nan"
            )
            try write("rows: {one: {batch: 65}, two: {batch: 65, lr: 1.0e-3}}", to: folder)
            try await ablate(folder).expectRefusal(65, saying: "the rows \"one\", \"two\": a batch")
            try write("rows: {good: {mixupp: 1}}", to: folder)
            try await ablate(folder).expectRefusal(64, saying: "did you mean \"mixup\"")
            #expect(!FileManager.default.fileExists(atPath: folder.appending(path: "out").path))
            try await DeitCommand.run(["ablate", "nothing.yaml"], in: folder)
                .expectRefusal(64, saying: "does not exist")
        }
    }

    @Test func theListTellsWhatWouldBeDone() async throws {
        try await withTemporaryFolder { folder in
            try TinyData.writeIDX(to: folder.appending(path: "data"), train: 64, validation: 16)
            try write("switch-off: [ema, smoothing]", to: folder)
            let list = try await ablate(folder, ["--list"])
            #expect(list.code == 0, "\(list.errors)")
            #expect(list.output.contains("3 rows, seeds 0: 0 of 3 runs finished"))
            #expect(
                list.output.contains("without smoothing: ") && list.output.contains("--smoothing 0")
            )
            #expect(!FileManager.default.fileExists(atPath: folder.appending(path: "out").path))
        }
    }
}
