import Foundation
import ImagePipeline
import Inference
import TestSupport
import Testing
import Torch
import TorchNN

@testable import Training

/// A lop-sided folder: the small class is recognised where the options say so.
@ModelActor @Suite(.serialized) struct ImbalanceTests {
    private final class LastEpoch: TrainingObserver {
        var report: EpochReport?
        func didFinish(epoch: EpochReport) { report = epoch }
    }

    /// Grey images of 8 pixels, whose mean level tells the class not quite: 95 ± 20 for the large one, 125 ± 20 for the small.
    private func writeImages(_ folder: URL) throws {
        var generator = SplitMix64(seed: 3)
        for (part, counts) in [("train", [200, 10]), ("val", [60, 60])] {
            for (label, count) in counts.enumerated() {
                let place = folder.appending(path: "data/\(part)/\(["large", "small"][label])")
                try FileManager.default.createDirectory(
                    at: place,
                    withIntermediateDirectories: true
                )
                for index in 0..<count {
                    let level = 95 + 30 * Double(label) + 20 * generator.normal()
                    let pixels = (0..<64).map { _ in
                        UInt8(min(255, max(0, level + 10 * generator.normal())))
                    }
                    let image = try Image(height: 8, width: 8, channels: 1, pixels: pixels)
                    try Data(try image.encodedPNG()).write(
                        to: place.appending(path: "\(index).png")
                    )
                }
            }
        }
    }

    private func scores(
        _ folder: URL,
        _ name: String,
        _ changes: [(String, String)]
    ) async throws -> ValidationScore {
        let policy = ComputePolicy.current
        defer { ComputePolicy.current = policy }
        var options = TrainingOptions()
        let base = [
            ("data", folder.appending(path: "data").path), ("model", "deit_nano_patch4_28"),
            ("size", "8"), ("epochs", "6"), ("batch", "10"), ("lr", "2e-3"), ("lr_scaling", "off"),
            ("warmup_epochs", "1"), ("sched_on_updates", "on"), ("ema", "off"), ("smoothing", "0"),
            ("crop_scale", "off"), ("aa", "off"), ("color_jitter", "0"), ("reprob", "0"),
            ("mixup", "0"), ("cutmix", "0"), ("repeated_aug", "off"), ("dtype", "fp32"),
            ("threads", "1"), ("workers", "1"), ("tensorboard", "off"), ("drop_path", "0"),
        ]
        for (key, text) in base + changes { try options.set(key, to: text, source: "the test") }
        let last = LastEpoch()
        let session = try TrainingSession(
            RunRequest(
                options: options,
                output: folder.appending(path: name).path,
                resuming: nil,
                recipe: "test",
                toolVersion: "test"
            ),
            observer: last,
            stop: StopRequest()
        )
        _ = try await session.run()
        return try #require(last.report?.validation)
    }

    @Test func theSmallClassIsRecognisedMoreOften() async throws {
        try await withTemporaryFolder { folder in
            try writeImages(folder)
            let plain = try await scores(folder, "plain", [])
            let recall = try #require(plain.classes?[1].recall)
            let plainF1 = try #require(plain.macroF1)
            for (name, change) in [
                ("sampler", ("sampler", "balanced")), ("weights", ("class_weights", "balanced")),
                ("effective", ("class_weights", "effective:0.99")),
            ] {
                let found = try await scores(folder, name, [change])
                let balanced = try #require(found.classes?[1].recall)
                #expect(balanced > recall + 0.2, "\(name): \(balanced), plain \(recall)")
                #expect(try #require(found.macroF1) > plainF1, "\(name)")
                #expect(found.balancedAccuracy ?? 0 > plain.balancedAccuracy ?? 1, "\(name)")
            }
        }
    }

    /// A resumed run has the weights that it began with, whatever its file says by now.
    @Test func theWeightsAreKept() async throws {
        try await withTemporaryFolder { folder in
            try writeImages(folder)
            let file = folder.appending(path: "weights.csv")
            try Data("large,0.5\nsmall,4\n".utf8).write(to: file)
            _ = try await scores(folder, "run", [("class_weights", file.path), ("epochs", "1")])
            try FileManager.default.removeItem(at: file)
            let path = folder.appending(path: "run").path
            let manifest = try RunManifest.read(path + "/run.yaml")
            #expect(manifest.classWeights == [0.5, 4])
            let policy = ComputePolicy.current
            defer { ComputePolicy.current = policy }
            let session = try TrainingSession(
                RunRequest(
                    options: manifest.options,
                    output: path,
                    resuming: manifest,
                    recipe: "test",
                    toolVersion: "test"
                ),
                observer: LastEpoch(),
                stop: StopRequest()
            )
            #expect(session.plan.classWeights == [0.5, 4])
        }
    }
}
