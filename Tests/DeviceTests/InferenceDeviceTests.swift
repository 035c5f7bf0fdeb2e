import Checkpoints
import Datasets
import Foundation
import ImagePipeline
import Inference
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

@testable import Evaluation

/// A model that is asked on the fake device: classes, features, neighbours, probes, attention.
@ModelActor @Suite(.serialized) struct InferenceDeviceTests {
    private func load(_ network: SmallNetwork, _ folder: URL) throws -> LoadedModel {
        let path = folder.appending(path: "model-\(UUID().uuidString)").path
        let labels = ClassLabels(names: (0..<5).map { "class \($0)" })
        let description = ModelDescription(
            configuration: network.configuration,
            processor: try .whole(
                height: 16,
                width: 16,
                channels: 3,
                mean: [0.5, 0.5, 0.5],
                std: [0.5, 0.5, 0.5]
            ),
            labels: labels
        )
        try ModelDirectory.save(network.configuration.makeModel(), description, to: path)
        return try ModelDirectory.load(path)
    }

    private func image(_ height: Int = 16, _ width: Int = 16) throws -> Image {
        let pixels = (0..<(height * width * 3)).map { UInt8(truncatingIfNeeded: $0 * 7919) }
        return try Image(height: height, width: width, channels: 3, pixels: pixels)
    }

    @Test(arguments: SmallNetwork.all)
    func `classes, logits and features`(network: SmallNetwork) throws {
        try withTemporaryFolder { folder in
            try Compared.onBoth { device in
                let predictor = try Predictor(load(network, folder), isPacked: device == .cpu)
                #expect(predictor.loaded.model.device == device)
                let classes = try predictor.classify(image())
                // Images of the CPU are taken too.
                let logits = try predictor.logits(predictor.pixels(of: image()))
                return [
                    ("scores", classes.map { Float($0.score) }),
                    ("classes", classes.map { Float($0.index) }),
                    ("logits", try logits.averaged().floats()),
                    ("features", try predictor.features(of: image()).flatMap { $0 }),
                ]
            }
        }
    }

    @Test func `neighbours and a linear probe`() throws {
        var generator = SplitMix64(seed: 3)
        let values = (0..<(2100 * 6)).map { _ in Float(generator.uniform(-1, 1)) }
        let labels = (0..<2100).map { $0 % 3 }
        try Compared.onBoth { _ in
            let bank = try FeatureSet(values, width: 6, labels: labels, classCount: 3)
            let queries = try FeatureSet(
                Array(values.prefix(300 * 6)),
                width: 6,
                labels: Array(labels.prefix(300)),
                classCount: 3
            )
            let found = try bank.nearest(5, to: queries)
            let top1 = try KNNClassifier(bank).accuracies(of: queries, k: [1, 20]).map(\.top1)
            let features = LabelledFeatures(
                values: Array(values.prefix(90 * 6)),
                width: 6,
                labels: Array(labels.prefix(90)),
                classNames: ["a", "b", "c"]
            )
            let probe = try LogisticRegression(features, .init(tolerance: 1e-6))
            #expect(probe.isConverged)
            return [
                ("places", found.places.map(Float.init)),
                ("similarities", found.similarities),
                ("accuracy", top1.map(Float.init)),
                ("probabilities", try probe.probabilities(of: Array(values.prefix(60)))),
            ]
        }
    }

    @Test(arguments: [SmallNetwork.all[0], SmallNetwork.all[1], SmallNetwork.all[4]])
    func `attention, rollout and keys`(network: SmallNetwork) throws {
        try withTemporaryFolder { folder in
            try Compared.onBoth { device in
                let loaded = try load(network, folder)
                try loaded.model.to(device)
                let reader = try AttentionReader(loaded)
                let reading = try reader(Tensor.ones([1, 3, 24, 16]))
                #expect(reading.features.device == .cpu && reading.keys.device == .cpu)
                return [
                    ("maps", reading.tokens.flatMap { $0.mean.values }),
                    ("rollout", reading.tokens.flatMap { $0.rollout?.values ?? [] }),
                    ("features", try reading.features.floats()),
                    ("keys", try reading.keys.floats()), ("logits", reading.logits),
                ]
            }
        }
    }

    @Test
    func `workers send batches to the device, and the batch's own memory may change afterwards`()
        async throws
    {
        let device = FakeDevice.device
        let data = LevelDataset(levels: (0..<24).map { $0 * 10 }, labels: (0..<24).map { $0 % 3 })
        let loader = try DataLoader(
            dataset: data,
            transform: ImageProcessor.whole(
                height: 8,
                width: 8,
                channels: 1,
                mean: [0.5],
                std: [0.5]
            ),
            plan: EpochPlan(count: 24, batchSize: 4, shuffles: false),
            workers: 2
        )
        #expect(loader.staged(on: .cpu).stage == nil)
        var (plain, sent): ([[Float]], [[Float]]) = ([], [])
        var unsent = loader.batches().makeAsyncIterator()
        while let batch = try await unsent.next(isolation: #isolation) {
            plain.append(batch.pixels)
        }
        var last: Tensor?
        var batches = loader.staged(on: device).batches().makeAsyncIterator()
        while let batch = try await batches.next(isolation: #isolation) {
            #expect(batch.staged != nil)
            let tensor = try batch.tensor(on: device)
            #expect(tensor.device == device && tensor.shape == [4, 1, 8, 8])
            // The batch before has gone, and its memory may be used again.
            if let last { sent.append(try last.floats()) }
            last = tensor
            #expect(try batch.tensor(on: .cpu).device == .cpu)
        }
        if let last { sent.append(try last.floats()) }
        #expect(sent == plain && sent.count == 6)
    }

    @Test func `a benchmark's step and pass`() throws {
        let previous = ComputePolicy.current
        defer { ComputePolicy.current = previous }
        ComputePolicy.current = ComputePolicy(device: FakeDevice.device)
        let configuration = SmallNetwork.all[1].configuration
        let training = try Throughput.training("small", configuration, batch: 2, seconds: 0)
        #expect(training.imagesPerSecond > 0)
        let inference = try Throughput.inference("small", configuration, batch: 2, seconds: 0)
        #expect(inference.imagesPerSecond > 0)
        let taught = try Throughput.training(
            "small",
            configuration,
            teacher: ("teacher", SmallNetwork.all[0].configuration),
            batch: 2,
            seconds: 0
        )
        #expect(taught.teacher != nil)
    }
}
