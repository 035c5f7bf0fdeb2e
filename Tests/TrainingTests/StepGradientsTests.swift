import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

@testable import Training

/// A batch in parts gives the gradients of the whole batch.
@ModelActor @Suite struct StepGradientsTests {
    private func network() throws -> VisionTransformer {
        try manualSeed(3)
        let configuration = ViTConfiguration(
            imageHeight: 8,
            imageWidth: 8,
            patchSize: 4,
            numClasses: 5,
            embedDim: 16,
            depth: 2,
            numHeads: 2,
            layerNormEps: 1e-6
        )
        return try VisionTransformer(configuration)
    }

    private func input(soft: Bool) throws -> StepInput {
        try manualSeed(4)
        let labels = try Tensor([0, 1, 2, 3, 4, 0, 1] as [Int64], shape: [7])
        let shares = soft ? try Functional.softmax(Tensor.randn([7, 5])) : nil
        return StepInput(
            pixels: try Tensor.randn([7, 3, 8, 8]),
            targets: TrainingTargets(labels: labels, soft: shares)
        )
    }

    private func gradients(
        parts: Int,
        soft: Bool,
        loss: ClassificationLoss
    ) throws -> (StepNumbers, [(name: String, values: [Float])]) {
        let network = try network()
        let task = SupervisedTask(
            student: { pixels throws(TorchError) in ClassifierLogits(cls: try network(pixels)) },
            loss: loss
        )
        let numbers = try StepGradients.add(
            task,
            input(soft: soft),
            parts: parts,
            norm: SGD(ParameterGroup.decaying(network, weightDecay: 0))
        )
        var found: [(name: String, values: [Float])] = []
        for (name, parameter) in network.namedParameters() {
            let gradient = try parameter.tensor.gradient()
            found.append((name, try #require(gradient).floats()))
        }
        return (numbers, found)
    }

    @Test(arguments: [2, 3, 7, 100], [false, true])
    func partsAddUpToTheWholeBatch(parts: Int, soft: Bool) throws {
        for loss in [ClassificationLoss(smoothing: 0.1), ClassificationLoss(isBinary: true)] {
            let (whole, expected) = try gradients(parts: 1, soft: soft, loss: loss)
            let (numbers, found) = try gradients(parts: parts, soft: soft, loss: loss)
            #expect(abs(numbers.loss - whole.loss) < 1e-5)
            #expect(numbers.correct == whole.correct)
            let norm = try #require(numbers.gradientNorm)
            let wholeNorm = try #require(whole.gradientNorm)
            #expect(abs(norm - wholeNorm) < 1e-4 * wholeNorm)
            #expect(found.map(\.name) == expected.map(\.name))
            for index in expected.indices {
                expectClose(
                    found[index].values,
                    expected[index].values,
                    tolerance: 2e-6,
                    scale: 1
                )
            }
        }
    }

    @Test func partsDifferByOneAtMost() throws {
        let input = try input(soft: true)
        #expect(try input.divided(into: 3).map(\.count) == [2, 2, 3])
        #expect(try input.divided(into: 1).map(\.count) == [7])
        #expect(try input.divided(into: 9).map(\.count) == [1, 1, 1, 1, 1, 1, 1])
        let parts = try input.divided(into: 3)
        #expect(parts.map(\.targets.soft?.shape) == [[2, 5], [2, 5], [3, 5]])
        #expect(try parts[2].targets.labels.int64s() == [4, 0, 1])
    }

    @Test func aPartWithoutAFiniteLossMakesTheStepUnfit() throws {
        let task = SupervisedTask(
            student: { pixels throws(TorchError) in
                // One image's logits are not a number.
                ClassifierLogits(cls: try pixels.flattened(from: 1).narrowed(1, 0..<5).log())
            },
            loss: ClassificationLoss()
        )
        let pixels = try Tensor.ones([4, 3, 8, 8])
        try pixels.setRequiresGradient(true)
        try pixels.selected(0, 3).detached().fill(-1)
        let labels = try Tensor([0, 1, 2, 3] as [Int64], shape: [4])
        let numbers = try StepGradients.add(
            task,
            StepInput(pixels: pixels, targets: TrainingTargets(labels: labels)),
            parts: 4
        )
        #expect(!numbers.areFinite)
    }
}
