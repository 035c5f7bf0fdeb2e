import Checkpoints
import Datasets
import Foundation
import ImagePipeline
import TestSupport
import Testing
import Torch
import TorchNN

@testable import Training

/// A trainer as a Swift program builds it: a module, loaders, a loss and a plan of its own.
@ModelActor @Suite(.serialized) struct TrainerTests {
    /// Grey images of 2×2 pixels, bright for class 1.
    private struct Images: ImageDataset {
        let count = 24
        let classNames = ["dark", "bright"]
        func label(at index: Int) -> Int { index % 2 }
        func name(at index: Int) -> String { "image \(index)" }
        func image(at index: Int) throws(ImageError) -> Image {
            try Image(
                height: 2,
                width: 2,
                channels: 1,
                pixels: [UInt8](repeating: UInt8(index % 2 == 0 ? index : 255 - index), count: 4)
            )
        }
    }

    private final class Network: Module {
        let first: Linear
        let drop: Dropout
        let head: Linear

        init(classes: Int) throws {
            try manualSeed(1)
            first = try Linear(4, 8)
            drop = try Dropout(0.2)
            head = try Linear(8, classes)
            super.init()
        }

        func callAsFunction(_ images: Tensor) throws(TorchError) -> Tensor {
            try head(drop(Functional.relu(first(images.flattened(from: 1)))))
        }
    }

    private final class Reports: TrainingObserver {
        var losses: [Double] = []
        var epochs: [EpochReport] = []
        let stop = StopRequest()
        private let last: Int

        init(stopsAt last: Int = .max) { self.last = last }

        func didFinish(step: StepReport) {
            losses.append(step.loss)
            if step.step == last { stop.request(signal: 2) }
        }
        func didFinish(epoch: EpochReport) { epochs.append(epoch) }
    }

    private func loader(batch: Int, shuffles: Bool) throws -> DataLoader {
        let images = Images()
        return try DataLoader(
            dataset: images,
            transform: ImageProcessor.whole(
                height: 2,
                width: 2,
                channels: 1,
                mean: [0.5],
                std: [0.5]
            ),
            plan: EpochPlan(
                count: images.count,
                batchSize: batch,
                seed: 3,
                shuffles: shuffles,
                dropsLast: shuffles
            ),
            workers: 1
        )
    }

    private nonisolated func plan(_ change: (inout TrainingPlan) -> Void = { _ in }) -> TrainingPlan
    {
        var plan = TrainingPlan(epochs: 3, learningRate: .cosine(0.05, warmup: 0.1))
        change(&plan)
        return plan
    }

    private func trainer(
        _ model: Network,
        _ plan: TrainingPlan,
        _ reports: Reports
    ) throws -> Trainer {
        try Trainer(
            model,
            training: loader(batch: 4, shuffles: true),
            validation: loader(batch: 8, shuffles: false),
            plan: plan,
            observer: reports,
            stop: reports.stop
        ) { model, images, targets in
            let logits = try model(images)
            return TaskResult(
                loss: try Loss.crossEntropy(logits, labels: targets.labels, smoothing: 0.1),
                prediction: logits
            )
        }
    }

    private func weights(_ model: Module) throws -> [[Float]] {
        try model.namedTensors().map { try $0.tensor.floats() }
    }

    @Test func learnsWithoutAFolder() async throws {
        let reports = Reports()
        let trainer = try trainer(Network(classes: 2), plan(), reports)
        #expect(trainer.totalSteps == 18)
        guard case .finished(let best) = try await trainer.run() else {
            Issue.record("did not finish")
            return
        }
        #expect(best?.top1 == 1)
        #expect(reports.losses.count == 18)
        #expect(reports.epochs.last?.validation?.count == 24)
        #expect(reports.epochs.last?.scoresLabels == true)
    }

    /// A run that is stopped in the middle of an epoch and set up again equals one that never stopped.
    ///
    /// In a process of its own: other tests change the kernels and the number of threads, and with them the last bits.
    @Test func goesOnToTheBit() async throws {
        await #expect(processExitsWith: .success) {
            try await TrainerTests().compareAWholeRunWithTwoParts()
        }
    }

    private func compareAWholeRunWithTwoParts() async throws {
        try await withTemporaryFolder { folder in
            func settings(_ name: String) -> TrainingPlan {
                plan {
                    $0.output = folder.appending(path: name).path
                    $0.average = TrainingPlan.WeightAverage(decay: 0.9)
                    $0.clipGradient = 0.5
                    $0.accumulation = 2
                    $0.logInterval = 2
                }
            }
            let whole = try Network(classes: 2)
            let reports = Reports()
            _ = try await trainer(whole, settings("whole"), reports).run()
            do {
                let stopped = Reports(stopsAt: 8)
                let outcome = try await trainer(
                    Network(classes: 2),
                    settings("parts"),
                    stopped
                ).run()
                guard case .stopped(_, checkpoint: "step-8") = outcome else {
                    throw Difference(what: "it did not stop: \(outcome)")
                }
            }
            let resumed = try Network(classes: 2)
            let rest = Reports()
            let second = try trainer(resumed, settings("parts"), rest)
            try require(second.stepsTaken == 8, "the step")
            _ = try await second.run()
            try require(try weights(resumed) == weights(whole), "the weights")
            try require(rest.losses == Array(reports.losses.dropFirst(8)), "the losses")
            try require(rest.epochs.last?.average != nil, "the average is missing")
            try require(rest.epochs.last?.average == reports.epochs.last?.average, "the average")
            let folders = ["whole", "parts"].map {
                folder.appending(path: "\($0)/checkpoints/best")
            }
            let stored = try folders.map {
                try Data(contentsOf: $0.appending(path: "model.safetensors"))
            }
            try require(stored[0] == stored[1], "the best checkpoint")
        }
    }

    private struct Difference: Error { let what: String }

    private func require(_ condition: Bool, _ what: String) throws {
        if !condition { throw Difference(what: what) }
    }

    @Test func anAverageThatIsBestIsSavedAsSuch() async throws {
        try await withTemporaryFolder { folder in
            let model = try Network(classes: 2)
            let before = try weights(model)
            // A rate that spoils the weights, and an average that stays where they were.
            var plan = plan {
                $0.output = folder.appending(path: "run").path
                $0.average = TrainingPlan.WeightAverage(decay: 1)
            }
            plan.learningRate = .constant(0)
            _ = try await trainer(model, plan, Reports()).run()
            #expect(try weights(model) == before)
            let stored = try Safetensors.read(
                folder.appending(path: "run/checkpoints/best/model.safetensors").path
            )
            #expect(Set(stored.keys) == Set(model.namedTensors().map(\.name)))
        }
    }

    /// A loss without classes: what counts is the loss itself.
    @Test func aLossNeedsNoPrediction() async throws {
        let reports = Reports()
        let trainer = try Trainer(
            Network(classes: 4),
            training: loader(batch: 4, shuffles: true),
            validation: loader(batch: 8, shuffles: false),
            plan: plan(),
            observer: reports
        ) { model, images, _ in
            let difference = try model(images) - images.flattened(from: 1)
            return TaskResult(loss: try (difference * difference).mean())
        }
        guard case .finished(nil) = try await trainer.run() else {
            Issue.record("a best score without one")
            return
        }
        let losses = reports.epochs.compactMap(\.validationLoss)
        #expect(losses.count == 3 && losses[2] < losses[0])
        #expect(reports.epochs.allSatisfy { $0.validation == nil && !$0.scoresLabels })
    }

    @Test func whatCannotBeIsRefused() throws {
        let model = try Network(classes: 2)
        let changes: [(inout TrainingPlan) -> Void] = [
            { $0.epochs = 0 }, { $0.accumulation = 0 }, { $0.clipGradient = .nan },
            { $0.average = TrainingPlan.WeightAverage(decay: 2) }, { $0.weightDecay = -1 },
            { $0.logInterval = 0 }, { $0.keepLast = 0 }, { $0.checkpointInterval = 0 },
            { $0.augmentationEpochs = 0 },
        ]
        for change in changes {
            #expect(throws: TrainingError.self) { try trainer(model, plan(change), Reports()) }
        }
        try withTemporaryFolder { folder in
            let path = folder.path
            try Data("notes".utf8).write(to: folder.appending(path: "notes.txt"))
            #expect(throws: RunError.notEmpty(path: path, isRun: false)) {
                try trainer(model, plan { $0.output = path }, Reports())
            }
            // A run of the command is gone on from by the command.
            try Data().write(to: folder.appending(path: "run.yaml"))
            try Data().write(to: folder.appending(path: "metrics.jsonl"))
            #expect(throws: RunError.notEmpty(path: path, isRun: true)) {
                try trainer(model, plan { $0.output = path }, Reports())
            }
        }
    }

    @Test func ratesOfACosine() {
        let rate = LearningRate.cosine(1, warmup: 0.1)
        let rates = (0..<100).map { rate.value(step: $0, of: 100) }
        #expect(rates[0] == 0.1)
        #expect(rates[9] < 1 && rates[10] > rates[9] && rates[11] < rates[10])
        #expect(rates[99] > 0 && rates[99] < 0.01)
        #expect(LearningRate.cosine(1, minimum: 0.5).value(step: 0, of: 10) == 1)
        #expect(LearningRate.constant(2).value(step: 7, of: 10) == 2)
    }
}
