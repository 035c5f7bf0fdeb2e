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

/// One model asked in every way that `Predictor` has.
@ModelActor @Suite struct PredictorTests {
    private func load(
        isDistilled: Bool = false,
        classes: Int = 3,
        in folder: URL
    ) throws -> LoadedModel {
        try manualSeed(11)
        let configuration = ModelConfiguration.visionTransformer(
            ViTConfiguration(
                imageHeight: 16,
                imageWidth: 16,
                patchSize: 8,
                inChannels: 3,
                numClasses: classes,
                embedDim: 32,
                depth: 2,
                numHeads: 2,
                isDistilled: isDistilled,
                layerNormEps: 1e-6
            )
        )
        let model = try configuration.makeModel()
        for (_, parameter) in model.namedParameters() {
            try parameter.tensor.fillNormal(mean: 0, std: 0.3)
        }
        let path = folder.appending(path: "model").path
        try ModelDirectory.save(
            model,
            ModelDescription(
                configuration: configuration,
                processor: .whole(
                    height: 16,
                    width: 16,
                    channels: 3,
                    mean: [0.5, 0.5, 0.5],
                    std: [0.5, 0.5, 0.5]
                ),
                labels: ClassLabels(names: (0..<classes).map { "class \($0)" })
            ),
            to: path
        )
        return try ModelDirectory.load(path, options: LoadOptions(relaxations: .noHead))
    }

    private func image(_ seed: UInt64) throws -> Image {
        var generator = SplitMix64(seed: seed)
        let pixels = (0..<(20 * 30 * 3)).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
        return try Image(height: 20, width: 30, channels: 3, pixels: pixels)
    }

    /// A file, its bytes, the decoded image, a list and a batch get the same answer.
    @Test func everyKindOfInputGetsTheSameAnswer() async throws {
        try await withTemporaryFolder { folder in
            let predictor = try Predictor(load(isDistilled: true, in: folder))
            let image = try image(1)
            let bytes = try image.encodedPNG()
            let path = folder.appending(path: "image.bin").path
            try Data(bytes).write(to: URL(filePath: path))
            let expected = try predictor.classify(image, top: 9)
            #expect(Set(expected.map(\.index)) == [0, 1, 2])
            #expect(expected.map(\.label) == expected.map { "class \($0.index)" })
            #expect(abs(expected.reduce(0) { $0 + $1.score } - 1) < 1e-6)
            #expect(expected.map(\.score) == expected.map(\.score).sorted(by: >))
            let others = [
                try await predictor.classify(path, top: 9),
                try await predictor.classify(encoded: bytes, top: 9),
            ]
            for other in others { expectSame(other, expected) }
            let list = ImageFileList([.file(path), .file(path + ".none"), .bytes(bytes, name: "b")])
            let results = try await predictor.classify(list, top: 2)
            guard case .prediction(let first) = results[0], case .failure(let file, _) = results[1],
                case .prediction(let last) = results[2]
            else {
                Issue.record("\(results)")
                return
            }
            expectSame(first.predictions, Array(expected.prefix(2)))
            #expect(first.file == path && file == path + ".none" && last.file == "b")
            #expect(last.predictions == first.predictions)
            let loader = try DataLoader(
                dataset: list,
                transform: predictor.description.processor,
                plan: EpochPlan(count: 3, batchSize: 3, shuffles: false),
                workers: 1,
                policy: .drop(limit: 3)
            )
            var batches = loader.batches().makeAsyncIterator()
            let batch = try #require(try await batches.next(isolation: #isolation))
            let rows = try predictor.classify(batch, top: 1)
            try #require(rows.count == 2)
            for row in rows { expectSame(row, [expected[0]]) }
        }
    }

    private func expectSame(
        _ one: [ImagePrediction.Class],
        _ other: [ImagePrediction.Class],
        _ location: SourceLocation = #_sourceLocation
    ) {
        #expect(one.map(\.index) == other.map(\.index), sourceLocation: location)
        for (a, b) in zip(one, other) {
            #expect(abs(a.score - b.score) < 1e-6, sourceLocation: location)
        }
    }

    @Test func anImageThatCannotBeReadIsAnErrorThatNamesIt() async throws {
        try await withTemporaryFolder { folder in
            let predictor = try Predictor(load(in: folder))
            let error = await #expect(throws: InferenceError.self) {
                try await predictor.classify(encoded: [1, 2, 3], named: "three bytes")
            }
            #expect(error?.description.contains("three bytes") == true)
        }
    }

    @Test func logitsHaveBothHeadsIn32Bits() throws {
        for isDistilled in [false, true] {
            try withTemporaryFolder { folder in
                let loaded = try load(isDistilled: isDistilled, in: folder)
                let pixels = try Predictor(loaded).pixels(of: image(2))
                let whole = try withoutGradient { () throws(TorchError) in
                    try loaded.model.logits(pixels)
                }
                let logits = try Predictor(loaded).logits(pixels)
                #expect(try logits.cls.floats() == whole.cls.floats())
                #expect((logits.dist == nil) == !isDistilled)
                if let dist = logits.dist, let other = whole.dist {
                    #expect(try dist.floats() == other.floats())
                    let mean = try zip(logits.cls.floats(), dist.floats()).map { ($0 + $1) / 2 }
                    #expect(try logits.averaged().floats() == mean)
                }
                #expect(!logits.cls.requiresGradient)
                let half = try Predictor(loaded, dtype: .bfloat16).logits(pixels)
                #expect(half.cls.dtype == .float32)
                #expect(try half.cls.floats() != logits.cls.floats())
                #expect(try isClose(half.cls.floats(), logits.cls.floats(), within: 0.1))
            }
        }
    }

    private func isClose(_ one: [Float], _ other: [Float], within tolerance: Float) -> Bool {
        let largest = other.map(abs).max() ?? 0
        return zip(one, other).allSatisfy { abs($0 - $1) <= tolerance * max(largest, 1) }
    }

    /// A program loads a model by its path: kernels are chosen, weights packed, answers the same.
    @Test func aPathIsEnough() throws {
        let policy = ComputePolicy.current
        defer { ComputePolicy.current = policy }
        try withTemporaryFolder { folder in
            let loaded = try load(in: folder)
            let image = try image(3)
            let expected = try Predictor(loaded).logits(of: image).cls.floats()
            let predictor = try Predictor(contentsOf: folder.appending(path: "model").path)
            #expect(predictor.description.labels.names == ["class 0", "class 1", "class 2"])
            #expect(try isClose(predictor.logits(of: image).cls.floats(), expected, within: 1e-4))
        }
    }

    @Test func aModelWithoutClassifierHasFeatures() throws {
        try withTemporaryFolder { folder in
            let predictor = try Predictor(load(classes: 0, in: folder))
            #expect(throws: InferenceError.self) { try predictor.classify(image(4)) }
            let features = try predictor.features(
                of: image(4),
                FeatureRequest(tokens: [.cls, .mean])
            )
            #expect(features.map(\.count) == [32, 32])
            #expect(try features[0] == predictor.logits(of: image(4)).cls.floats())
        }
    }
}

/// The model's actor is the predictor's affair: a program only awaits.
@Test func aPredictorIsUsedFromAnywhere() async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: folder) }
    let predictor = try await makePredictor(in: folder)
    let image = try Image(height: 8, width: 8, channels: 1, pixels: .init(repeating: 7, count: 64))
    let classes = try await predictor.classify(image, top: 1)
    #expect(classes.count == 1 && predictor.description.labels.names.count == 2)
}

@ModelActor private func makePredictor(in folder: URL) throws -> Predictor {
    let configuration = ModelConfiguration.visionTransformer(
        ViTConfiguration(
            imageHeight: 8,
            imageWidth: 8,
            patchSize: 4,
            inChannels: 1,
            numClasses: 2,
            embedDim: 16,
            depth: 1,
            numHeads: 2,
            layerNormEps: 1e-6
        )
    )
    let description = ModelDescription(
        configuration: configuration,
        processor: try .whole(height: 8, width: 8, channels: 1, mean: [0.5], std: [0.5]),
        labels: ClassLabels(placeholders: 2)
    )
    try ModelDirectory.save(configuration.makeModel(), description, to: folder.path)
    return try Predictor(ModelDirectory.load(folder.path))
}
