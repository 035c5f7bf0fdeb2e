import Foundation
import TestSupport
import Testing
import Torch
import TorchNN

@testable import Training

/// Whole runs on the fake device: the same numbers as on the CPU, and no tensor on the wrong one.
@ModelActor @Suite(.serialized) struct DeviceRunTests {
    private typealias Texts = [(key: String, text: String)]

    /// Runs with libtorch's kernels on the CPU too, as those of our own round otherwise.
    private func onLibtorch(_ body: (_ folder: URL) async throws -> Void) async throws {
        try await ComputePolicy.$requestedKernels.withValue("libtorch") {
            try await withTemporaryFolder { folder in try await body(folder) }
        }
    }

    /// Expects a run to leave the same weights and state on both devices.
    private func compare(
        _ method: TrainingMethod,
        _ texts: Texts = [],
        location: SourceLocation = #_sourceLocation
    ) async throws {
        try await onLibtorch { folder in
            let tiny = TinySession(folder: folder)
            try await tiny.prepare()
            let fake = FakeDevice.device.description
            // Without it gradients that are nothing but rounding, such as those of a key's bias, move weights as far as any.
            let texts = [("opt_eps", "1e-2")] + texts
            let cpu = try await tiny.run(method, texts + [("device", "cpu")], name: "cpu")
            let other = try await tiny.run(method, texts + [("device", fake)], name: "fake")
            #expect(other.plan.policy.device == FakeDevice.device, sourceLocation: location)
            #expect(cpu.state.keys.sorted() == other.state.keys.sorted(), sourceLocation: location)
            for (name, values) in cpu.state.sorted(by: { $0.key < $1.key }) {
                expectClose(
                    other.state[name] ?? [],
                    values,
                    tolerance: 1e-3,
                    name,
                    location: location
                )
            }
            #expect(cpu.records.count == other.records.count, sourceLocation: location)
        }
    }

    @Test func `labels, an average, clipping, parts, weights of classes`() async throws {
        try await compare(
            .supervised,
            [
                ("ema", "0.9"), ("clip_grad", "1"), ("accumulation", "2"), ("smoothing", "0.1"),
                ("class_weights", "1,2,1,1"), ("drop_path", "0.2"),
            ]
        )
    }

    @Test func `mixed images and a binary loss`() async throws {
        try await compare(
            .supervised,
            [("mixup", "0.8"), ("cutmix", "1"), ("bce_loss", "on"), ("optimizer", "lamb")]
        )
    }

    @Test func `a convolutional student`() async throws {
        try await compare(.supervised, [("model", "resnet8_cifar"), ("optimizer", "sgd")])
    }

    @Test(arguments: [
        [("distillation", "soft")], [("distillation", "hard"), ("cache_teacher", "{run}/answers")],
        [("distillation", "hard"), ("teacher", "{teacher},{other-teacher}")],
    ])
    func `distillation`(texts: [(key: String, text: String)]) async throws {
        let teacher = texts.contains { $0.key == "teacher" } ? [] : [("teacher", "{teacher}")]
        try await compare(
            .supervised,
            [("model", "deit_nano_distilled_patch7_28"), ("size", "14")] + teacher + texts
        )
    }

    @Test func `fine-tuning with a new head and a frozen backbone`() async throws {
        try await compare(.supervised, [("finetune", "{teacher}"), ("freeze", "all")])
    }

    @Test func `DINO with neighbours`() async throws {
        try await compare(
            .dino,
            [
                ("knn_interval", "1"), ("knn_start", "on"), ("clip_grad", "3"),
                ("val_fraction", "0.3"),
            ]
        )
    }

    @Test func `masked images, with a sheet of them`() async throws {
        try await compare(.mim, [("shown_images", "2"), ("clip_grad", "1")])
    }

    @Test func `a run goes on on its device, and on another`() async throws {
        let policy = ComputePolicy.current
        defer { ComputePolicy.current = policy }
        try await onLibtorch { folder in
            let tiny = TinySession(folder: folder)
            try await tiny.prepare()
            let fake = FakeDevice.device.description
            let texts = [
                ("ema", "0.9"), ("device", fake), ("checkpoint_interval", "1"), ("opt_eps", "1e-2"),
            ]
            let whole = try await tiny.run(.supervised, texts, name: "whole")
            for device in [fake, "cpu"] {
                let name = "resumed-\(device == fake ? "fake" : "cpu")"
                let part = try await stopped(tiny, texts, name: name)
                var manifest = try RunManifest.read(part.appending(path: "run.yaml").path)
                manifest.options = try manifest.resumedOptions([("device", device)])
                let session = try RunSessions.make(
                    RunRequest(
                        options: manifest.options,
                        output: part.path,
                        resuming: manifest,
                        recipe: "test",
                        toolVersion: "test"
                    ),
                    observer: Silent(),
                    stop: StopRequest()
                )
                #expect(session.startStep == 1)
                #expect(session.plan.policy.device.description == device)
                _ = try await session.run()
                let resumed = try tiny.outcome(part, session.plan)
                for (key, values) in whole.state {
                    let found = resumed.state[key] ?? []
                    if device == fake {
                        #expect(found == values, "\(key)")
                    } else {
                        expectClose(found, values, tolerance: 1e-3, key)
                    }
                }
            }
        }
    }

    @Test func `float16 scales its loss, leaves out steps that overflow, and stores the scale`()
        async throws
    {
        try await withTemporaryFolder { folder in
            let tiny = TinySession(folder: folder)
            try await tiny.prepare()
            let fake = FakeDevice.device.description
            let methods: [(TrainingMethod, Texts)] = [
                (.supervised, [("epochs", "3")]), (.dino, [("clip_grad", "3")]), (.mim, []),
            ]
            for (method, texts) in methods {
                let run = try await tiny.run(
                    method,
                    texts + [("device", fake), ("dtype", "fp16")],
                    name: "\(method)"
                )
                #expect(run.manifest.dtype == .fp16)
                let scale = try #require(run.state["scaler.scale"]?.first)
                #expect(scale > 0 && scale <= 65_536, "\(method)")
                let state = try TrainerCheckpoint.state(
                    in: run.run.appending(path: "checkpoints/last").path
                )
                #expect(state.skippedSteps == 0)
                let lost = state.overflowedSteps ?? 0
                #expect(scale == 65_536 / Float(1 << lost), "\(method): \(lost) overflows")
                #expect(state.optimizerSteps + lost == state.step)
                let weights = run.state.filter { !$0.key.hasPrefix("scaler.") }
                #expect(weights.allSatisfy { $0.value.allSatisfy(\.isFinite) }, "\(method)")
            }
            await #expect(throws: (any Error).self) {
                _ = try await tiny.run(
                    .supervised,
                    [("device", "cpu"), ("dtype", "fp16")],
                    name: "on the CPU"
                )
            }
        }
    }

    @Test func `a step reads from the device once`() async throws {
        let policy = ComputePolicy.current
        defer { ComputePolicy.current = policy }
        try await withTemporaryFolder { folder in
            let tiny = TinySession(folder: folder)
            try await tiny.prepare()
            let methods: [(TrainingMethod, Texts)] = [
                (.supervised, [("ema", "0.9"), ("clip_grad", "1"), ("accumulation", "2")]),
                (.supervised, [("optimizer", "lamb")]), (.supervised, [("optimizer", "sgd")]),
                (.supervised, [("teacher", "{teacher}"), ("distillation", "hard")]),
                (.dino, [("clip_grad", "3")]), (.mim, [("clip_grad", "1")]),
            ]
            for (number, (method, texts)) in methods.enumerated() {
                let output = folder.appending(path: "runs/reads-\(number)")
                let all = texts + [("device", FakeDevice.device.description), ("batch", "4")]
                let counting = CountingReads()
                let session = try RunSessions.make(
                    RunRequest(
                        options: try tiny.options(method, all, output: output),
                        output: output.path,
                        resuming: nil,
                        recipe: "test",
                        toolVersion: "test"
                    ),
                    observer: counting,
                    stop: StopRequest()
                )
                _ = try await session.run()
                // Of the four steps of an epoch those after the first have only a step between them.
                #expect(counting.reads.count == 8)
                #expect(Set(counting.reads[1..<4]) == [1], "\(method) \(texts): \(counting.reads)")
            }
        }
    }

    /// Counts what is read from the device between steps.
    private final class CountingReads: TrainingObserver {
        private(set) var reads: [Int] = []
        private var last = FakeDevice.readCount
        func didFinish(step: StepReport) {
            reads.append(FakeDevice.readCount - last)
            last = FakeDevice.readCount
        }
    }

    @Test(arguments: [TrainingMethod.supervised, .dino, .mim])
    func `the largest batch is found, and a larger one is explained`(
        method: TrainingMethod
    ) async throws {
        let policy = ComputePolicy.current
        defer { ComputePolicy.current = policy }
        try await withTemporaryFolder { folder in
            let tiny = TinySession(folder: folder)
            try await tiny.prepare()
            let fake = FakeDevice.device
            // What a step of four images takes, and a little less than what one of sixteen would.
            let texts: Texts = [("device", fake.description), ("val_fraction", "off")]
            fake.resetPeakMemory()
            let small = try await tiny.run(method, texts + [("batch", "4")], name: "small")
            let least = try #require(fake.peakMemory)
            fake.resetPeakMemory()
            _ = try await tiny.run(method, texts + [("batch", "16")], name: "large")
            let most = try #require(fake.peakMemory)
            #expect(most > least)
            let limit = least + (most - least) * 2 / 3
            let error = await FakeDevice.withMemory(of: limit) {
                await #expect(throws: TrainingError.self) {
                    _ = try await tiny.run(method, texts + [("batch", "16")], name: "too large")
                }
            }
            guard case .outOfMemory(_, 16, 1, let largest?) = error else {
                Issue.record("\(method): \(String(describing: error))")
                return
            }
            #expect((4..<16).contains(largest), "\(method): \(largest)")
            let sentence = error?.description ?? ""
            #expect(sentence.contains("--batch \(largest)") && sentence.contains("--accumulation"))
            try await FakeDevice.withMemory(of: limit) {
                let found = try await tiny.run(method, texts + [("batch", "auto")], name: "auto")
                #expect((4...largest + 2).contains(found.plan.options.batch), "\(method)")
                #expect(found.manifest.options.batch == found.plan.options.batch)
            }
            #expect(small.plan.options.batch == 4)
        }
    }

    @Test func `the memory of the CPU finds no batch`() async throws {
        try await withTemporaryFolder { folder in
            let tiny = TinySession(folder: folder)
            try await tiny.prepare()
            let error = await #expect(throws: OptionError.self) {
                _ = try await tiny.run(
                    .supervised,
                    [("device", "cpu"), ("batch", "auto")],
                    name: "auto"
                )
            }
            #expect(error?.description.contains("--batch auto") == true)
        }
    }

    private struct Silent: TrainingObserver {}

    /// Asks a run to stop after its first step.
    private final class Stopping: TrainingObserver {
        let stop = StopRequest()
        func didFinish(step: StepReport) { stop.request(signal: SIGTERM) }
    }

    private func stopped(_ tiny: TinySession, _ texts: Texts, name: String) async throws -> URL {
        let output = tiny.folder.appending(path: "runs/\(name)")
        let stopping = Stopping()
        let session = try RunSessions.make(
            RunRequest(
                options: try tiny.options(.supervised, texts, output: output),
                output: output.path,
                resuming: nil,
                recipe: "test",
                toolVersion: "test"
            ),
            observer: stopping,
            stop: stopping.stop
        )
        _ = try await session.run()
        return output
    }
}
