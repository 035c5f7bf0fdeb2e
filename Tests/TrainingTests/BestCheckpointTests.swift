import Foundation
import TestSupport
import Testing

@testable import Training

@Suite("The best checkpoint")
struct BestCheckpointTests {
    @Test("Averaged weights that are the best survive pruning before `best` points at them")
    func survivesPruning() throws {
        try withTemporaryFolder { folder in
            let run = try RunDirectory(path: folder.appending(path: "run").path, resume: false)
            for name in ["step-1", "step-1-ema", "step-2", "step-2-ema", "step-3"] {
                try run.saveCheckpoint(name) { folder in
                    try Data("{}".utf8).write(to: URL(filePath: "\(folder)/config.json"))
                }
            }
            run.prune(keepLast: 1, keeping: "step-2-ema")
            try run.point(.best, to: "step-2-ema")
            #expect(run.target(of: .best) == "step-2-ema")
            #expect(run.checkpointNames == ["step-3"])
            #expect(!run.exists("step-1-ema"))

            run.prune(keepLast: 1)
            #expect(run.target(of: .best) == "step-2-ema")
        }
    }

    private static let data = "/usr/share/datasets/fashion-mnist"

    @Test(
        "A run ends with `best` pointing at a model, whether of the last weights or their average",
        .enabled(
            if: FileManager.default.fileExists(atPath: data),
            "needs Debian's dataset-fashion-mnist; `make setup` installs it"
        )
    )
    func pointsAtAverage() async throws {
        try await withTemporaryFolder { folder in
            var options = TrainingOptions()
            try options.apply(Recipe.named("quickstart"))
            options.data = Self.data
            options.epochs = 1
            options.trainLimit = 1000
            options.valLimit = 500
            options.workers = 1
            // The policy is the process's and stays: other tests expect fp32.
            options.dtype = .fp32
            let request = RunRequest(
                options: options,
                output: folder.appending(path: "run").path,
                resuming: nil,
                recipe: "quickstart",
                toolVersion: "test"
            )
            let stop = StopRequest()
            let session = try await TrainingSession(request, observer: Silent(), stop: stop)
            guard case .finished(let found) = try await session.run() else {
                Issue.record("the run was stopped")
                return
            }
            let best = try #require(found)
            let link = folder.appending(path: "run/checkpoints/best").path
            #expect(
                try FileManager.default.destinationOfSymbolicLink(atPath: link) == best.checkpoint
            )
            #expect(FileManager.default.fileExists(atPath: "\(link)/model.safetensors"))
        }
    }

    private struct Silent: TrainingObserver {}
}
