import Checkpoints
import Datasets
import Evaluation
import Foundation
import ImagePipeline
import Inference
import Storage
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

@ModelActor @Suite struct EvaluatorTests {
    func makeModel(isDistilled: Bool) throws -> LoadedModel {
        try manualSeed(3)
        let configuration = ModelConfiguration.visionTransformer(
            ViTConfiguration(
                imageHeight: 8,
                imageWidth: 8,
                patchSize: 4,
                inChannels: 1,
                numClasses: 3,
                embedDim: 16,
                depth: 1,
                numHeads: 2,
                isDistilled: isDistilled,
                layerNormEps: 1e-6
            )
        )
        let description = ModelDescription(
            configuration: configuration,
            processor: try .whole(height: 8, width: 8, channels: 1, mean: [0.5], std: [0.25]),
            labels: ClassLabels(names: ["c", "a", "b"])
        )
        let model = try configuration.makeModel()
        for (_, parameter) in model.namedParameters() {
            try parameter.tensor.fillNormal(mean: 0, std: 0.5)
        }
        let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
            .path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try ModelDirectory.save(model, description, to: path)
        return try ModelDirectory.load(path)
    }

    func loader(
        _ data: LevelDataset,
        _ loaded: LoadedModel,
        batch: Int,
        limit: Int = 10
    ) throws -> DataLoader {
        try DataLoader(
            dataset: data,
            transform: loaded.description.processor,
            plan: EpochPlan(count: data.count, batchSize: batch, shuffles: false),
            workers: 2,
            policy: .drop(limit: limit)
        )
    }

    /// The scores that the model gives to a level, head by head.
    func expected(_ level: UInt8, _ loaded: LoadedModel) throws -> (cls: [Float], dist: [Float]) {
        let value = (Float(level) / 255 - 0.5) / 0.25
        let images = try Tensor(Array(repeating: value, count: 64), shape: [1, 1, 8, 8])
        return try withoutGradient {
            guard let distilled = loaded.model as? DistilledVisionTransformer else {
                let logits = try loaded.model(images).floats()
                return (logits, logits)
            }
            let logits = try distilled.logits(images)
            return (try logits.cls.floats(), try #require(logits.dist).floats())
        }
    }

    @Test(arguments: [false, true]) func measuresWhatTheModelPredicts(
        isDistilled: Bool
    ) async throws {
        let loaded = try makeModel(isDistilled: isDistilled)
        let data = LevelDataset(
            levels: [0, 30, 60, 255, 90, 120, 180, 250],
            labels: [0, 1, 2, 0, 1, 2, 0, 1]
        )
        let mapping = try ClassMapping(of: data.classNames, in: loaded.description.labels)
        #expect(mapping.indices == [1, 2, 0])
        let report = try await Evaluator.evaluate(
            Predictor(loaded),
            on: loader(data, loaded, batch: 3),
            mapping: mapping
        )
        var right = (whole: 0.0, cls: 0.0, dist: 0.0)
        var loss = 0.0
        for (level, label) in zip(data.levels, data.labels) where level < 255 {
            let heads = try expected(level, loaded)
            let whole = heads.cls.indices.map { (heads.cls[$0] + heads.dist[$0]) / 2 }
            let target = mapping.indices[label]
            func isRight(_ scores: [Float]) -> Double { scores.max() == scores[target] ? 1 : 0 }
            right.whole += isRight(whole)
            right.cls += isRight(heads.cls)
            right.dist += isRight(heads.dist)
            let largest = Double(whole.max() ?? 0)
            let sum = whole.reduce(0) { $0 + exp(Double($1) - largest) }
            loss += largest + log(sum) - Double(whole[target])
        }
        #expect(report.count == 7)
        #expect(report.skipped.count == 1)
        #expect(report.top1 == right.whole / 7)
        #expect(report.top5 == 1)
        #expect(abs(report.loss - loss / 7) < 1e-4)
        #expect(report.clsTop1 == (isDistilled ? right.cls / 7 : nil))
        #expect(report.distTop1 == (isDistilled ? right.dist / 7 : nil))
        let json = report.json(classNames: data.classNames)
        let plain: Set = [
            "top1", "top5", "loss", "count", "images_per_second", "balanced_accuracy", "macro_f1",
            "ece", "classes",
        ]
        let two: Set = ["cls_top1", "dist_top1", "cls_dist_agreement"]
        #expect(
            Set(json.objectValue?.keys ?? []) == (isDistilled ? plain.union(two) : plain)
        )
        let classes = try #require(json["classes"]?.arrayValue)
        #expect(classes.map { $0["class"]?.stringValue } == ["a", "b", "c"])
        #expect(classes.map { $0["support"]?.doubleValue } == [2, 3, 2])
        // What is known of each image adds up to the same; the one that cannot be read is missing.
        #expect(report.outcomes.map(\.index) == [0, 1, 2, 4, 5, 6, 7])
        #expect(report.outcomes.count(where: \.isRight) == Int(right.whole))
        #expect(report.confusion.counts.flatMap { $0 }.reduce(0, +) == 7)
        #expect(report.calibration.bins.reduce(0) { $0 + $1.count } == 7)
        #expect((report.headAgreement == nil) == !isDistilled)
    }

    @Test func nothingReadableIsAnError() async throws {
        let loaded = try makeModel(isDistilled: false)
        let data = LevelDataset(levels: [255, 255], labels: [0, 1])
        let mapping = try ClassMapping(of: data.classNames, in: loaded.description.labels)
        let error = await #expect(throws: InferenceError.self) {
            try await Evaluator.evaluate(
                Predictor(loaded),
                on: loader(data, loaded, batch: 2),
                mapping: mapping
            )
        }
        guard case .nothingToMeasure(let skipped) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(skipped.count == 2 && error?.description.contains("level-0") == true)
        await #expect(throws: DatasetError.self) {
            try await Evaluator.evaluate(
                Predictor(loaded),
                on: loader(data, loaded, batch: 2, limit: 1),
                mapping: mapping
            )
        }
    }

    @Test func otherSizesAreForConvolutionsOnly() throws {
        let vit = try makeModel(isDistilled: false).description
        #expect(try Evaluator.processor(size: 8, for: vit) == vit.processor)
        #expect(throws: EvaluationError.fixedSize(height: 8, width: 8, asked: 16)) {
            try Evaluator.processor(size: 16, for: vit)
        }
        let resNet = ModelDescription(
            configuration: try ModelRegistry.configuration(named: "resnet18"),
            processor: try .deit(size: 224),
            labels: ClassLabels(placeholders: 1000)
        )
        let larger = try Evaluator.processor(size: 448, for: resNet)
        #expect(larger.resize == .shortestSide(512))
        #expect(larger.cropHeight == 448 && larger.cropWidth == 448)
    }
}
