import Checkpoints
import Datasets
import Evaluation
import Foundation
import Inference
import TestSupport
import Testing
import Torch

/// DeiT-Tiny's published weights on real images.
@ModelActor
@Suite(
    .needsShared(
        "data/deit_tiny_patch16_224.safetensors",
        "data/imagenet-500",
        "data/imagenet_synsets.txt"
    )
)
struct RealEvaluationTests {
    func load() throws -> LoadedModel {
        let labels = try ClassLabels(
            contentsOf: #require(Checkout.sharedFile("data/imagenet_synsets.txt")).path
        )
        let path = try #require(Checkout.sharedFile("data/deit_tiny_patch16_224.safetensors")).path
        return try ModelDirectory.load(path, options: LoadOptions(labels: labels))
    }

    /// The whole set, for which timm and Pillow give 399 and 473, takes a minute: every tenth image here.
    @Test func accuracyOnEveryTenthImage() async throws {
        let loaded = try load()
        let folder = try #require(Checkout.sharedFile("data/imagenet-500")).path
        let whole = try ImageFolder(path: folder)
        let data = try Subset(of: whole, indices: Array(stride(from: 0, to: 500, by: 10)))
        let mapping = try ClassMapping(of: data.classNames, in: loaded.description.labels)
        let loader = try DataLoader(
            dataset: data,
            transform: loaded.description.processor,
            plan: EpochPlan(count: 50, batchSize: 25, shuffles: false),
            policy: .fail
        )
        let report = try await Evaluator.evaluate(Predictor(loaded), on: loader, mapping: mapping)
        #expect(report.count == 50)
        // timm 1.0.31 and Pillow 11.3 give 42, 48 and a loss of 0.84549.
        #expect((report.top1 * 50).rounded() == 42)
        #expect((report.top5 * 50).rounded() == 48)
        #expect(abs(report.loss - 0.84549) < 0.005)
    }

    @Test func classifiesAImage() async throws {
        let loaded = try load()
        let file = try #require(
            Checkout.sharedFile("data/imagenet-500/n01440764/n01440764_tench.JPEG")
        ).path
        func classify(_ files: [String], top: Int) async throws -> [ImageResult] {
            try await Predictor(loaded).classify(ImageFileList(paths: files), top: top)
        }
        let missing = file + ".none"
        let results = try await classify([missing, file, missing, file], top: 3)
        try #require(results.count == 4)
        #expect(results[0] == results[2] && results[1] == results[3])
        guard case .failure(missing, let reason) = results[0],
            case .prediction(let prediction) = results[1]
        else {
            Issue.record("\(results)")
            return
        }
        #expect(reason.contains("no such file"))
        let best = try #require(prediction.predictions.first)
        #expect(prediction.predictions.count == 3)
        #expect(best.label == "tench, Tinca tinca" && best.index == 0)
        #expect(best.score > 0.5 && best.score < 1)
        guard case .prediction(let all) = try await classify([file], top: 5000).first else {
            Issue.record("no prediction")
            return
        }
        #expect(all.predictions.count == 1000)
        #expect(abs(all.predictions.reduce(0) { $0 + $1.score } - 1) < 1e-9)
        #expect(try await classify([], top: 1).isEmpty)
    }
}
