import Checkpoints
import Datasets
import Foundation
import ImagePipeline
import Inference
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
            { $0.augmentationEpochs = 0 }, { $0.patience = 0 }, { $0.time = 0 },
            { $0.time = .nan },
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

    // MARK: - Best, patience, time

    @Test func theBestIsThatOfTheMetric() async throws {
        // Mean average precision is of images with several labels.
        for metric in BestMetric.allCases where metric != .map {
            let reports = Reports()
            let plan = plan { $0.bestMetric = metric }
            let outcome = try await trainer(Network(classes: 2), plan, reports).run()
            guard case .finished(let best) = outcome else {
                Issue.record("did not finish: \(outcome)")
                return
            }
            let values = reports.epochs.compactMap { $0.validation?.value(metric) }
            try #require(values.count == 3)
            #expect(best?.value == (metric == .loss ? values.min() : values.max()))
            #expect(best?.metric == (metric == .top1 ? nil : metric))
            // The first of equal ones.
            let first = values.firstIndex(of: best?.value ?? .nan).map { 6 * ($0 + 1) }
            #expect(best?.step == first)
            let classes = try #require(reports.epochs.last?.validation?.classes)
            #expect(classes.map(\.support) == [12, 12])
            let right = classes.reduce(0) { $0 + $1.right }
            #expect(Double(right) / 24 == reports.epochs.last?.validation?.top1)
        }
    }

    /// A run of up to six epochs whose weights never change, and so are never better than after the first.
    private func run(
        patience: Int,
        _ folder: URL
    ) async throws -> (outcome: Trainer.Outcome, epochs: [Int]) {
        let reports = Reports()
        let plan = plan {
            $0.epochs = 6
            $0.learningRate = .constant(0)
            $0.patience = patience
            $0.output = folder.path
        }
        let outcome = try await trainer(Network(classes: 2), plan, reports).run()
        return (outcome, reports.epochs.map(\.epoch))
    }

    @Test func patience() async throws {
        try await withTemporaryFolder { folder in
            let place = folder.appending(path: "run")
            let (ended, epochs) = try await run(patience: 2, place)
            guard case .ended(let reason, let best) = ended else {
                Issue.record("did not end: \(ended)")
                return
            }
            #expect(reason == "no better top-1 on the validation images in 2 epochs (--patience)")
            #expect(epochs == [1, 2, 3] && best?.step == 6)
            // It is at its end, unless it gets more patience.
            let (again, none) = try await run(patience: 2, place)
            guard case .ended = again else {
                Issue.record("went on: \(again)")
                return
            }
            #expect(none.isEmpty)
            let (further, rest) = try await run(patience: 3, place)
            guard case .ended = further else {
                Issue.record("did not end: \(further)")
                return
            }
            #expect(rest == [4])
            // At the last epoch a run is finished, not ended.
            let (outcome, all) = try await run(patience: 5, folder.appending(path: "whole"))
            guard case .finished = outcome else {
                Issue.record("did not finish: \(outcome)")
                return
            }
            #expect(all == [1, 2, 3, 4, 5, 6])
        }
    }

    /// A run with a time keeps the plan that it began with, and equals one that was never stopped.
    ///
    /// In a process of its own, as above.
    @Test func aRunWithATimeGoesOnToTheBit() async throws {
        await #expect(processExitsWith: .success) {
            try await TrainerTests().compareTwoWaysThroughATime()
        }
    }

    private func compareTwoWaysThroughATime() async throws {
        try await withTemporaryFolder { folder in
            func settings(_ name: String) -> TrainingPlan {
                plan {
                    $0.output = folder.appending(path: name).path
                    $0.average = TrainingPlan.WeightAverage(decay: 0.9, warmup: .timm)
                    $0.epochs = 100_000
                    $0.time = 20
                    $0.checkpointInterval = 5
                }
            }
            let start = try Network(classes: 2)
            let fresh = try weights(start)
            let place = folder.appending(path: "one").path
            let stopped = Reports(stopsAt: 3)
            do {
                let first = try trainer(start, settings("one"), stopped)
                guard case .stopped(_, checkpoint: "step-3") = try await first.run() else {
                    throw Difference(what: "it did not stop")
                }
            }
            // Fewer steps than were measured, and the last one in the middle of an epoch of 6, whatever the machine's speed.
            guard var planned = try TimePlan.read(in: place) else {
                throw Difference(what: "there is no plan")
            }
            try require(planned.time == 20 && planned.steps > 3, "the plan")
            planned.steps = 40
            try JSONEncoder().encode(planned).write(
                to: URL(filePath: place).appending(path: TimePlan.fileName)
            )
            // The measured steps left no trace: the first loss is that of fresh weights.
            let plain = Reports(stopsAt: 1)
            let untimed = try Network(classes: 2)
            try require(try weights(untimed) == fresh, "the fresh weights")
            _ = try await trainer(untimed, plan(), plain).run()
            try require(stopped.losses.first == plain.losses.first, "the first loss")

            try FileManager.default.copyItem(
                at: folder.appending(path: "one"),
                to: folder.appending(path: "two")
            )
            let (one, two) = (try Network(classes: 2), try Network(classes: 2))
            let whole = Reports()
            var steps = 0
            // A trainer locks its folder as long as it lives.
            do {
                let trainer = try trainer(one, settings("one"), whole)
                _ = try await trainer.run()
                try require(trainer.stepsTaken == trainer.totalSteps, "the end")
                steps = trainer.totalSteps
            }
            try require(steps == 40 && whole.epochs.map(\.epoch) == Array(1...7), "the epochs")
            let middle = 21
            do {
                let part = Reports(stopsAt: middle)
                _ = try await trainer(Network(classes: 2), settings("two"), part).run()
            }
            let rest = Reports()
            _ = try await trainer(two, settings("two"), rest).run()
            try require(try weights(one) == weights(two), "the weights")
            try require(rest.losses == whole.losses.suffix(rest.losses.count), "the losses")
            try require(rest.losses.count == steps - middle, "the number of steps")
            let plans = ["one", "two"].map { folder.appending(path: "\($0)/time-plan.json") }
            try require(
                try Data(contentsOf: plans[0]) == Data(contentsOf: plans[1]),
                "the plans"
            )
            // At its end it stays, and without its plan it does not go on.
            let again = Reports()
            guard case .finished = try await trainer(one, settings("one"), again).run() else {
                throw Difference(what: "it did not stay at its end")
            }
            try require(again.losses.isEmpty, "more steps")
            try FileManager.default.removeItem(at: plans[0])
            do {
                _ = try await trainer(one, settings("one"), again).run()
                throw Difference(what: "it went on without its plan")
            } catch RunError.unreadable {}
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
