import Checkpoints
import Foundation
import HuggingFace
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

/// What a model does with its configuration and its inputs.
@ModelActor
@Suite(.tags(.unit)) struct ModelTests {
    private func config<Family>(
        labels: Int = 3,
        _ change: (inout PretrainedConfig<Family>) -> Void = { _ in }
    ) -> PretrainedConfig<Family> {
        var config = PretrainedConfig<Family>(
            hiddenSize: 12,
            numHiddenLayers: 2,
            numAttentionHeads: 3,
            intermediateSize: 20,
            imageSize: 8,
            patchSize: 4,
            encoderStride: 4,
            numLabels: labels
        )
        change(&config)
        return config
    }

    @Test func freshWeightsAreDrawnAsTransformersDrawsThem() throws {
        try manualSeed(7)
        var wide = ViTConfig(
            hiddenSize: 96,
            numHiddenLayers: 1,
            numAttentionHeads: 3,
            initializerRange: 0.5,
            imageSize: 64
        )
        wide.poolerOutputSize = 48
        let vit = try ViTModel(wide)
        for (name, tensor) in try vit.stateDict() {
            let values = try tensor.floats()
            if name.hasSuffix(".bias") {
                #expect(values.allSatisfy { $0 == 0 }, "\(name)")
            } else if name.contains("norm") {
                #expect(values.allSatisfy { $0 == 1 }, "\(name)")
            } else {
                let std = try tensor.pow(2).mean().item().squareRoot()
                #expect(abs(std - 0.5) < 0.1, "\(name): \(std)")
            }
        }
        let deit = try DeiTForMaskedImageModeling(config())
        let zero = ["cls_token", "distillation_token", "mask_token", "position_embeddings"]
            .map { "deit.embeddings.\($0)" }
        let embeddings = try deit.stateDict().filter { zero.contains($0.name) }
        #expect(Set(embeddings.map(\.name)) == Set(zero))
        for (name, tensor) in embeddings {
            #expect(try tensor.floats().allSatisfy { $0 == 0 }, "\(name)")
        }
    }

    @Test func statesAndAttentionsAreThereWhereAskedFor() throws {
        let images = try Tensor.randn([1, 3, 8, 8])
        let silent = try ViTModel(config())
        var output = try silent(pixelValues: images)
        #expect(output.hiddenStates == nil && output.attentions == nil)
        let talking = try ViTModel(
            config {
                $0.outputHiddenStates = true
                $0.outputAttentions = true
            }
        )
        output = try talking(pixelValues: images)
        #expect(output.hiddenStates?.map(\.shape) == Array(repeating: [1, 5, 12], count: 3))
        #expect(output.attentions?.map(\.shape) == Array(repeating: [1, 3, 5, 5], count: 2))
        // The last state is not normalised; the tokens are.
        let last = try #require(output.hiddenStates?.last)
        expectClose(
            try talking.network.normalized(last).floats(),
            try output.lastHiddenState.floats(),
            tolerance: 1e-6
        )
        for attention in try #require(output.attentions) {
            let sums = try attention.sum([3]).floats()
            expectClose(sums, Array(repeating: 1, count: sums.count), tolerance: 1e-5)
        }
        output = try talking(
            pixelValues: images,
            outputHiddenStates: false,
            outputAttentions: false
        )
        #expect(output.hiddenStates == nil && output.attentions == nil)
    }

    @Test func withoutClassesTheTokensThemselvesComeOut() throws {
        let images = try Tensor.randn([2, 3, 8, 8])
        let plain = try DeiTForImageClassification(config(labels: 0))
        #expect(plain.classifier == nil)
        #expect(try plain(pixelValues: images).logits.shape == [2, 12])
        let both = try DeiTForImageClassificationWithTeacher(config(labels: 0))
        let output = try both(pixelValues: images)
        let base = try both.network.forwardFeatures(images)
        #expect(
            try output.distillationLogits.floats() == base.selected(1, 1).floats()
        )
        #expect(try output.clsLogits.floats() == base.selected(1, 0).floats())
    }

    @Test func theMeanOfBothHeadsIsThePrediction() throws {
        let model = try DeiTForImageClassificationWithTeacher(config())
        let images = try Tensor.randn([2, 3, 8, 8])
        let output = try model(pixelValues: images)
        let ours = try model.network.logits(images)
        expectClose(try output.clsLogits.floats(), try ours.cls.floats(), tolerance: 1e-6)
        let dist = try #require(ours.dist)
        expectClose(try output.distillationLogits.floats(), try dist.floats(), tolerance: 1e-6)
        expectClose(try output.logits.floats(), try model.network(images).floats(), tolerance: 1e-6)
    }

    /// Scores that are known: the classifier's bias alone.
    private func scored(
        _ scores: [Float],
        _ problem: ProblemType? = nil
    ) throws -> ViTForImageClassification {
        let model = try ViTForImageClassification(
            config(labels: scores.count) { $0.problemType = problem }
        )
        try withoutGradient {
            let classifier = try #require(model.classifier)
            try classifier.weight.tensor.fill(0)
            let bias = try #require(classifier.bias)
            try bias.tensor.copy(from: Tensor(scores, shape: [scores.count]))
        }
        return model
    }

    private func loss(
        _ scores: [Float],
        _ labels: Tensor,
        _ problem: ProblemType? = nil,
        batch: Int = 2
    ) throws -> Double {
        let images = try Tensor.randn([batch, 3, 8, 8])
        let output = try scored(scores, problem)(pixelValues: images, labels: labels)
        return try #require(output.loss).item()
    }

    @Test func theLossIsOfTheKindThatIsAskedForOrFollows() throws {
        func integers(_ values: [Int64]) throws -> Tensor {
            try Tensor(values, shape: [values.count])
        }
        let (a, b) = (0.5, -1.25)
        let scores = [Float(a), Float(b)]
        let logSum = log(exp(a) + exp(b))
        // Integers: cross-entropy; -100 does not count.
        #expect(abs(try loss(scores, integers([0, 1])) - (logSum - (a + b) / 2)) < 1e-6)
        #expect(abs(try loss(scores, integers([-100, 1])) - (logSum - b)) < 1e-6)
        #expect(abs(try loss(scores, integers([1, 1]).to(.int32)) - (logSum - b)) < 1e-6)
        // Numbers for several classes: each by itself.
        let targets = try Tensor([1, 0, 1, 1] as [Float], shape: [2, 2])
        let binary =
            (log(1 + exp(-a)) + log(1 + exp(b)) + log(1 + exp(-a)) + log(1 + exp(-b))) / 4
        #expect(abs(try loss(scores, targets) - binary) < 1e-6)
        // One class: squared difference, of integers too.
        let one = try loss([0.5], Tensor([1, -1] as [Float], shape: [2]))
        #expect(abs(one - (0.25 + 2.25) / 2) < 1e-6)
        #expect(abs(try loss([0.5], integers([1, -1])) - 1.25) < 1e-6)
        #expect(
            abs(try loss([0.5], Tensor([1, -1] as [Float], shape: [2, 1])) - 1.25) < 1e-6
        )
        // What the configuration says wins.
        let squared = ((a - 1) * (a - 1) + b * b + (a - 1) * (a - 1) + (b - 1) * (b - 1)) / 4
        #expect(abs(try loss(scores, targets, .regression) - squared) < 1e-6)
        let whole = try Tensor([1, 0, 1, 1] as [Int64], shape: [2, 2])
        #expect(abs(try loss(scores, whole, .multiLabelClassification) - binary) < 1e-6)
        // Scores far from zero do not overflow.
        let far = try loss([200, -200], Tensor([0, 1] as [Float], shape: [1, 2]), batch: 1)
        #expect(abs(far - 200) < 1e-3)
    }

    @Test func labelsThatDoNotFitAreRefused() throws {
        let integers = try Tensor([0, 1, 1] as [Int64], shape: [3])
        #expect(throws: PretrainedError.self) { try loss([1, 2], integers) }
        let numbers = try Tensor([0, 1] as [Float], shape: [2])
        #expect(throws: PretrainedError.self) { try loss([1, 2], numbers) }
        #expect(throws: PretrainedError.self) {
            try loss([1, 2], numbers, .singleLabelClassification)
        }
        #expect(throws: PretrainedError.self) { try loss([1, 2], numbers, .regression) }
        let beyond = try Tensor([0, 2] as [Int64], shape: [2])
        #expect(throws: TorchError.self) { try loss([1, 2], beyond) }
    }

    @Test(arguments: [[1, 3, 8], [1, 1, 8, 8], [1, 3, 8, 9], [1, 3, 12, 12], [0, 3, 8, 8]])
    func imagesOfAnotherShapeAreRefused(shape: [Int]) throws {
        let model = try DeiTModel(config())
        let error = #expect(throws: PretrainedError.self) {
            try model(pixelValues: Tensor.zeros(shape))
        }
        #expect(error.map { "\($0)".contains("\(shape[0])") || "\($0)".contains("×") } == true)
    }

    @Test func anySizeOfAtLeastAPatchGoesWithInterpolation() throws {
        let model = try DeiTModel(config())
        for (height, width, tokens) in [(4, 4, 3), (9, 13, 8), (8, 8, 6), (40, 4, 12)] {
            let output = try model(
                pixelValues: Tensor.randn([1, 3, height, width]),
                interpolatePosEncoding: true
            )
            #expect(output.lastHiddenState.shape == [1, tokens, 12])
        }
        #expect(throws: PretrainedError.self) {
            try model(pixelValues: Tensor.zeros([1, 3, 3, 8]), interpolatePosEncoding: true)
        }
    }

    @Test func aMaskHidesPatchesFromTheModel() throws {
        let model = try DeiTForMaskedImageModeling(config())
        try withoutGradient {
            for (_, tensor) in try model.stateDict() { try tensor.fillNormal(mean: 0, std: 0.3) }
            let images = try Tensor.randn([1, 3, 8, 8])
            let others = try images.clone()
            // The first patch is masked and the only one that differs.
            try others.narrowed(2, 0..<4).narrowed(3, 0..<4).fill(3)
            let mask = try Tensor([1, 0, 0, 0] as [Int64], shape: [1, 4])
            let (a, b) = try (
                model(pixelValues: images, boolMaskedPos: mask),
                model(pixelValues: others, boolMaskedPos: mask.to(.bool))
            )
            #expect(try a.reconstruction.floats() == b.reconstruction.floats())
            #expect(try #require(a.loss).item() != #require(b.loss).item())
            let open = try model(pixelValues: images)
            #expect(open.loss == nil)
            #expect(try open.reconstruction.floats() != a.reconstruction.floats())
        }
        #expect(throws: (any Error).self) {
            try model(
                pixelValues: Tensor.zeros([1, 3, 8, 8]),
                boolMaskedPos: Tensor.zeros([1, 5])
            )
        }
    }

    @Test func whatMakesNoModelIsRefused() {
        #expect(throws: ConfigurationError.self) { try ViTModel(config { $0.poolerAct = "swish" }) }
        #expect(throws: ConfigurationError.self) {
            try ViTModel(config { $0.poolerOutputSize = -1 })
        }
        #expect(throws: ConfigurationError.self) {
            try DeiTForMaskedImageModeling(config { $0.encoderStride = 0 })
        }
        #expect(throws: ConfigurationError.self) {
            try DeiTForImageClassification(config { $0.hiddenAct = "relu" })
        }
    }
}
