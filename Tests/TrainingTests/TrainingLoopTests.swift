import Checkpoints
import Datasets
import Foundation
import ImagePipeline
import Synchronization
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

@testable import Training

/// The loop's behaviour when losses are not finite, on a model of one layer.
@ModelActor @Suite(.serialized) struct TrainingLoopTests {
    /// Grey images of 2×2 pixels, bright for class 1.
    private struct Images: ImageDataset {
        let count = 16
        let classNames = ["dark", "bright"]
        func label(at index: Int) -> Int { index % 2 }
        func name(at index: Int) -> String { "image \(index)" }
        func image(at index: Int) throws(ImageError) -> Image {
            try Image(
                height: 2,
                width: 2,
                channels: 1,
                pixels: [UInt8](repeating: index % 2 == 0 ? 10 : 240, count: 4)
            )
        }
    }

    private final class Model: Module {
        let head: Linear
        /// Counts the steps, as a batch normalisation's running mean would move with them.
        let seen: Buffer
        init(classes: Int) throws {
            head = try Linear(4, classes)
            seen = Buffer(try Tensor.zeros([1]))
            super.init()
        }
    }

    /// Cross-entropy whose loss is not a number at the calls told.
    private struct FaultyTask: TrainingTask {
        let forward: ClassifierForward
        let faults: Set<Int>
        let calls: Counter
        let seen: Tensor

        func callAsFunction(
            pixels: Tensor,
            targets: TrainingTargets
        ) throws(TorchError) -> TaskResult {
            calls.value += 1
            let logits = try forward(pixels).cls
            let loss = try Loss.crossEntropy(logits, labels: targets.labels)
            try seen.copy(from: faults.contains(calls.value) ? seen * Double.nan : seen + 1)
            return TaskResult(
                loss: faults.contains(calls.value) ? try loss * Double.nan : loss,
                prediction: try logits.detached()
            )
        }
    }

    private final class Counter { var value = 0 }

    private final class Notes: TrainingObserver {
        var notices: [String] = []
        var epochs: [EpochReport] = []
        func didNotice(_ sentence: String) { notices.append(sentence) }
        func didFinish(epoch: EpochReport) { epochs.append(epoch) }
    }

    private struct Rig {
        let loop: Trainer
        let notes: Notes
        let model: Model
        let folder: String
    }

    /// A loop of 2 epochs of 4 steps whose task fails at some calls.
    private func rig(
        _ folder: URL,
        faults: Set<Int>,
        interval: Int? = nil,
        limit: Double? = nil
    ) throws -> Rig {
        var options = TrainingOptions()
        options.epochs = 2
        options.batch = 4
        options.lr = 0.1
        options.lrScaling = false
        options.warmupEpochs = 0
        options.ema = nil
        options.checkpointInterval = interval
        options.clipGrad = limit
        try manualSeed(1)
        let model = try Model(classes: 2)
        let forward: ClassifierForward = { pixels throws(TorchError) in
            ClassifierLogits(cls: try model.head(pixels.reshaped([pixels.shape[0], 4])))
        }
        let student = TrainableClassifier(
            module: model,
            forward: forward,
            save: { folder, _ in
                try Safetensors.write(model.namedTensors(), to: folder + "/model.safetensors")
            },
            load: { folder in
                let stored = try Safetensors.read(folder + "/model.safetensors")
                for (name, tensor) in model.namedTensors() {
                    try tensor.copy(from: #require(stored[name]))
                }
            },
            firstNonFiniteLayer: { _ in nil }
        )
        let images = Images()
        let processor = try ImageProcessor.whole(
            height: 2,
            width: 2,
            channels: 1,
            mean: [0.5],
            std: [0.5]
        )
        let plan = RunPlan(
            options: options,
            trainCount: images.count,
            imagesPerEpoch: images.count,
            validationCount: images.count,
            classNames: images.classNames,
            parameterCount: model.parameterCount,
            policy: ComputePolicy(),
            workers: 1
        )
        let parts = TrainingParts(
            plan: plan,
            student: student,
            average: nil,
            task: FaultyTask(
                forward: forward,
                faults: faults,
                calls: Counter(),
                seen: model.seen.tensor
            ),
            optimizer: try AdamW(ParameterGroup.decaying(model, weightDecay: 0)),
            ema: nil,
            trainingLoader: { attempt in
                try DataLoader(
                    dataset: images,
                    transform: processor,
                    plan: EpochPlan(
                        count: images.count,
                        batchSize: 4,
                        seed: UInt64(attempt),
                        dropsLast: true
                    )
                )
            },
            validationLoader: try DataLoader(
                dataset: images,
                transform: processor,
                plan: EpochPlan(count: images.count, batchSize: 8, shuffles: false)
            ),
            run: try RunDirectory(path: folder.appending(path: "run").path, resume: false)
        )
        let notes = Notes()
        return Rig(
            loop: try Trainer(
                parts,
                state: TrainerState(),
                observer: notes,
                stop: StopRequest()
            ),
            notes: notes,
            model: model,
            folder: folder.appending(path: "run").path
        )
    }

    @Test func trainsAndKeepsTheBest() async throws {
        try await withTemporaryFolder { folder in
            let rig = try rig(folder, faults: [])
            guard case .finished(let best) = try await rig.loop.run() else {
                Issue.record("did not finish")
                return
            }
            #expect(best?.top1 == 1)
            #expect(rig.notes.epochs.map(\.epoch) == [1, 2])
            #expect(rig.notes.notices.isEmpty)
        }
    }

    @Test func oneBadLossSkipsItsStepOnly() async throws {
        try await withTemporaryFolder { folder in
            let rig = try rig(folder, faults: [3])
            _ = try await rig.loop.run()
            #expect(rig.loop.state.skippedSteps == 1)
            #expect(rig.loop.state.optimizerSteps == 7)
            #expect(rig.loop.state.step == 8)
            #expect(rig.notes.notices.count == 1)
            let text = try String(contentsOfFile: rig.folder + "/metrics.jsonl", encoding: .utf8)
            #expect(text.contains(#""event":"skipped""#) && text.contains(#""train_loss":"nan""#))
            #expect(try rig.model.seen.tensor.floats() == [7])
            for (_, tensor) in rig.model.namedTensors() {
                #expect(try tensor.floats().allSatisfy(\.isFinite))
            }
        }
    }

    @Test func severalBadLossesGoBackToTheLastCheckpointOnce() async throws {
        try await withTemporaryFolder { folder in
            let rig = try rig(folder, faults: [6, 7, 8])
            _ = try await rig.loop.run()
            #expect(rig.loop.state.rollbacks == 1)
            #expect(rig.loop.state.step == 8)
            #expect(rig.loop.state.skippedSteps == 3)
            let text = try String(contentsOfFile: rig.folder + "/metrics.jsonl", encoding: .utf8)
            #expect(text.contains(#""back_to":4"#))
        }
    }

    @Test func aSecondTimeStopsWithADiagnosis() async throws {
        try await withTemporaryFolder { folder in
            let rig = try rig(folder, faults: Set(5...100))
            let error = await #expect(throws: TrainingError.self) { _ = try await rig.loop.run() }
            guard case .diverged(let step, let diagnosis) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(step == 7)
            #expect(diagnosis == "the gradient of head.bias is not finite")
            // What was saved before is still there.
            #expect(
                FileManager.default.fileExists(
                    atPath: rig.folder + "/checkpoints/last/model.safetensors"
                )
            )
        }
    }

    @Test func withoutACheckpointItStopsAtOnce() async throws {
        try await withTemporaryFolder { folder in
            let rig = try rig(folder, faults: [1, 2, 3])
            await #expect(throws: TrainingError.self) { _ = try await rig.loop.run() }
        }
    }

    @Test func theDiagnosisNamesWeights() async throws {
        try await withTemporaryFolder { folder in
            let rig = try rig(folder, faults: [], limit: 1)
            try rig.model.head.weight.tensor.fill(.infinity)
            let error = await #expect(throws: TrainingError.self) { _ = try await rig.loop.run() }
            #expect(
                error?.description.contains("the weights of head.weight are not finite") == true
            )
        }
    }

    @Test func stepSeedsDifferAndRepeat() {
        var seen: Set<UInt64> = []
        for seed in 0..<3 {
            for epoch in 0..<3 {
                for step in 0..<3 {
                    for attempt in 0..<2 {
                        seen.insert(
                            StepRandomness.seed(seed, epoch: epoch, step: step, attempt: attempt)
                        )
                    }
                }
            }
        }
        #expect(seen.count == 54)
        #expect(
            StepRandomness.seed(1, epoch: 2, step: 3) == StepRandomness.seed(1, epoch: 2, step: 3)
        )
    }
}
