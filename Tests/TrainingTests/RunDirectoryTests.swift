import Foundation
import TestSupport
import Testing

@testable import Training

@Suite struct RunDirectoryTests {
    private func inNewFolder(_ body: (String) throws -> Void) throws {
        try withTemporaryFolder { try body($0.path) }
    }

    private func save(_ run: RunDirectory, _ name: String, text: String = "weights") throws {
        try run.saveCheckpoint(name) { folder in
            try text.write(toFile: folder + "/model", atomically: false, encoding: .utf8)
        }
    }

    private func content(_ run: RunDirectory, _ name: String) throws -> String {
        try String(contentsOfFile: run.checkpointPath(name) + "/model", encoding: .utf8)
    }

    @Test func keepsTheNewestAndTheBest() throws {
        try inNewFolder { folder in
            let run = try RunDirectory(path: folder + "/run", resume: false)
            for step in [2, 10, 100, 9] { try save(run, "step-\(step)") }
            try save(run, "step-2-ema")
            try save(run, "step-9-ema")
            try run.point(.best, to: "step-2-ema")
            try run.point(.last, to: "step-100")
            run.prune(keepLast: 2)
            #expect(run.checkpointNames == ["step-100", "step-10"])
            #expect(run.target(of: .best) == "step-2-ema")
            #expect(run.target(of: .last) == "step-100")
            #expect(!FileManager.default.fileExists(atPath: run.checkpointPath("step-9-ema")))
        }
    }

    @Test func aFailedSaveLeavesTheOldCheckpointAndNothingElse() throws {
        struct DiskFull: Error {}
        try inNewFolder { folder in
            let run = try RunDirectory(path: folder, resume: false)
            try save(run, "step-1", text: "good")
            #expect(throws: DiskFull.self) {
                try run.saveCheckpoint("step-1") { folder in
                    try "half".write(toFile: folder + "/model", atomically: false, encoding: .utf8)
                    throw DiskFull()
                }
            }
            #expect(try content(run, "step-1") == "good")
            let names = try FileManager.default.contentsOfDirectory(atPath: folder + "/checkpoints")
            #expect(names == ["step-1"])
        }
    }

    @Test func aSaveReplacesAnOlderOneOfTheSameStep() throws {
        try inNewFolder { folder in
            let run = try RunDirectory(path: folder, resume: false)
            try save(run, "step-1", text: "old")
            try save(run, "step-1", text: "new")
            #expect(try content(run, "step-1") == "new")
        }
    }

    @Test func openingRepairsWhatAKilledSaveLeft() throws {
        try inNewFolder { folder in
            do {
                let run = try RunDirectory(path: folder, resume: false)
                try save(run, "step-1", text: "good")
                try "options: {}".write(toFile: run.manifestPath, atomically: true, encoding: .utf8)
                // Killed between the two renames of a replacement, with another save half done.
                let checkpoints = folder + "/checkpoints/"
                try FileManager.default.moveItem(
                    atPath: checkpoints + "step-1",
                    toPath: checkpoints + ".old-step-1"
                )
                try FileManager.default.createDirectory(
                    atPath: checkpoints + ".new-step-2",
                    withIntermediateDirectories: false
                )
            }
            let run = try RunDirectory(path: folder, resume: true)
            #expect(try content(run, "step-1") == "good")
            #expect(run.checkpointNames == ["step-1"])
            #expect(!FileManager.default.fileExists(atPath: folder + "/checkpoints/.new-step-2"))
        }
    }

    @Test func oneProcessAtATime() throws {
        try inNewFolder { folder in
            let first = try RunDirectory(path: folder, resume: false)
            #expect(throws: RunError.locked(path: folder)) {
                try RunDirectory(path: folder, resume: false)
            }
            #expect(first.path == folder)
        }
    }

    /// Killed while it writes its run.yaml, a run leaves part of one; it has not begun, and can be started again.
    @Test func takesAFolderWhoseRunWasKilledBeforeItBegan() throws {
        try inNewFolder { folder in
            let files = FileManager.default
            try files.createDirectory(
                atPath: folder + "/checkpoints",
                withIntermediateDirectories: true
            )
            for name in [".lock", ".run.yaml.tmp-17-abc"] {
                try "format".write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
            }
            let run = try RunDirectory(path: folder, resume: false)
            #expect(
                try files.contentsOfDirectory(atPath: run.path).sorted() == [
                    ".lock", "checkpoints",
                ]
            )
        }
    }

    @Test func refusesFoldersThatHoldSomething() throws {
        try inNewFolder { folder in
            try "mine".write(toFile: folder + "/notes.txt", atomically: true, encoding: .utf8)
            #expect(throws: RunError.notEmpty(path: folder, isRun: false)) {
                try RunDirectory(path: folder, resume: false)
            }
            #expect(throws: RunError.notARun(path: folder)) {
                try RunDirectory(path: folder, resume: true)
            }
            try "".write(toFile: folder + "/run.yaml", atomically: true, encoding: .utf8)
            #expect(throws: RunError.notEmpty(path: folder, isRun: true)) {
                try RunDirectory(path: folder, resume: false)
            }
        }
    }

    @Test func aPathBelowAFileCannotBeWritten() throws {
        try inNewFolder { folder in
            try "".write(toFile: folder + "/file", atomically: true, encoding: .utf8)
            let error = #expect(throws: RunError.self) {
                try RunDirectory(path: folder + "/file/run", resume: false)
            }
            #expect(error?.description.hasPrefix("cannot write") == true)
        }
    }

    @Test func metricsAreCutWhereTheCheckpointStood() throws {
        struct Record: Encodable {
            let stepNumber: Int
            let loss: Double
        }
        try inNewFolder { folder in
            let path = folder + "/metrics.jsonl"
            let kept: Int
            do {
                let log = try MetricsLog(path: path, keeping: 0)
                try log.append(Record(stepNumber: 1, loss: 0.5))
                kept = log.length
                try log.append(Record(stepNumber: 2, loss: .nan))
            }
            #expect(try String(contentsOfFile: path, encoding: .utf8).contains(#""loss":"nan""#))
            let log = try MetricsLog(path: path, keeping: kept)
            try log.append(Record(stepNumber: 3, loss: 0.25))
            let text = try String(contentsOfFile: path, encoding: .utf8)
            #expect(text == "{\"loss\":0.5,\"step_number\":1}\n{\"loss\":0.25,\"step_number\":3}\n")
            #expect(log.length == text.utf8.count)
        }
    }
}
