import TestSupport
import Testing
import Torch
import TorchNN

@Suite("Optimisers, schedules, averages", .tags(.unit))
@ModelActor
struct OptimizerTests {
    private final class Toy: Module {
        let clsToken: Parameter
        let layer: Linear

        init(width: Int) throws {
            self.clsToken = try Parameter(Tensor.ones([1, 1, width]))
            self.layer = try Linear(width, width)
        }
    }

    @Test("Vectors and named embeddings do not decay; frozen parameters are in no group")
    func groups() throws {
        let model = try Toy(width: 2)
        let groups = ParameterGroup.decaying(model, weightDecay: 0.05)
        #expect(groups.map(\.weightDecay) == [0.05, 0])
        #expect(
            groups.map { $0.parameters.map(\.name) } == [
                ["layer.weight"], ["cls_token", "layer.bias"],
            ]
        )
        try model.layer.setRequiresGradient(false)
        #expect(ParameterGroup.decaying(model, weightDecay: 0.05).map(\.name) == ["no decay"])
    }

    @Test("SGD with momentum, by hand, one step each time")
    func sgd() throws {
        let model = try Toy(width: 2)
        let tensor = model.clsToken.tensor
        let optimizer = try SGD(ParameterGroup.decaying(model, weightDecay: 0), momentum: 0.5)
        for _ in 0..<3 {
            try optimizer.clearGradients()
            try (tensor * 2).sum().backward()  // a gradient of 2
            try optimizer.step(lr: 0.1)
        }
        // Momentum buffers 2, 3, 3.5: 1 - 0.1 · 8.5.
        expectClose(try tensor.floats(), [0.15, 0.15], tolerance: 1e-6, scale: 1)
    }

    @Test("AdamW's first step moves by the learning rate, after the decay")
    func adamW() throws {
        let model = try Toy(width: 2)
        let before = try model.layer.weight.tensor.floats()
        let optimizer = try AdamW(ParameterGroup.decaying(model, weightDecay: 0.5))
        try model.layer.weight.tensor.sum().backward()
        try optimizer.step(lr: 0.01)
        expectClose(
            try model.layer.weight.tensor.floats(),
            before.map { $0 * (1 - 0.01 * 0.5) - 0.01 },
            tolerance: 1e-5,
            scale: 1
        )
        #expect(
            try optimizer.namedState().first { $0.name == "step.layer.weight" }?.tensor.item() == 1
        )
        #expect(
            try optimizer.namedState().first { $0.name == "step.cls_token" }?.tensor.item() == 0
        )
    }

    @Test("LAMB leaves a parameter of zeros its plain step, and scales none that does not decay")
    func lamb() throws {
        let model = try Toy(width: 2)
        try model.layer.weight.tensor.fill(0)
        let optimizer = try LAMB(
            ParameterGroup.decaying(model, weightDecay: 0.5),
            eps: 0,
            maxGradNorm: nil
        )
        try (model.layer.weight.tensor.sum() + model.clsToken.tensor.sum()).backward()
        try optimizer.step(lr: 0.01)
        // The first step of Adam is 1; the norm of zeros is 0, so nothing is scaled by it.
        expectClose(
            try model.layer.weight.tensor.floats(),
            [-0.01, -0.01, -0.01, -0.01],
            tolerance: 1e-5,
            scale: 0.01
        )
        expectClose(try model.clsToken.tensor.floats(), [0.99, 0.99], tolerance: 1e-6, scale: 1)
        #expect(try optimizer.namedState().first { $0.name == "step.decay" }?.tensor.item() == 1)
    }

    @Test("Clipping leaves small gradients alone and scales large ones to the norm")
    func clipping() throws {
        let model = try Toy(width: 2)
        let optimizer = try AdamW(ParameterGroup.decaying(model, weightDecay: 0))
        try (model.clsToken.tensor * Tensor([3, 4], shape: [1, 1, 2])).sum().backward()
        #expect(try optimizer.clipGradients(maxNorm: 10) == 5)
        expectClose(
            try #require(try model.clsToken.tensor.gradient()).floats(),
            [3, 4],
            tolerance: 1e-6
        )
        try optimizer.clipGradients(maxNorm: 1)
        expectClose(
            try #require(try model.clsToken.tensor.gradient()).floats(),
            [0.6, 0.8],
            tolerance: 1e-5
        )
    }

    @Test("Schedules at their corners")
    func schedules() {
        let cosine = Schedule(
            shape: .cosine,
            base: 1,
            minimum: 0.1,
            warmupStart: 0.2,
            warmup: 4,
            total: 20
        )
        #expect(cosine.value(at: 0) == 0.2)
        #expect(abs(cosine.value(at: 2) - 0.6) < 1e-12)
        // The curve is computed on t itself, so that it does not start at the base value.
        #expect(abs(cosine.value(at: 4) - (0.1 + 0.45 * (1 + 0.809_016_994_374_947_5))) < 1e-12)
        #expect(abs(cosine.value(at: 10) - 0.55) < 1e-12)
        #expect(cosine.value(at: 20) == 0.1)
        #expect(cosine.value(at: 99) == 0.1)
        let linear = Schedule(shape: .linear, base: 1, warmup: 2, total: 10)
        #expect([0, 1, 2, 6, 10].map { linear.value(at: $0) } == [0, 0.5, 1, 0.5, 0])
        let constant = Schedule(shape: .constant, base: 0.3, total: 5)
        #expect([0, 4, 50].map { constant.value(at: $0) } == [0.3, 0.3, 0.3])
        // As timm's StepLRScheduler: the intervals are counted from 0, through the warm-up, and go on after the end.
        let step = Schedule(
            shape: .step,
            base: 1,
            minimum: 0.4,
            warmup: 2,
            total: 10,
            decayInterval: 3,
            decayRate: 0.5
        )
        #expect(
            [0, 1, 2, 3, 6, 8, 9, 12].map { step.value(at: $0) } == [
                0, 0.5, 1, 0.5, 0.25, 0.25, 0.125, 0.0625,
            ]
        )
    }

    @Test("The average follows the weights; exchanging it is undone, after an error too")
    func average() throws {
        struct Failure: Error {}
        let model = try Toy(width: 2)
        let average = try ExponentialMovingAverage(of: model, decay: 0.75)
        try model.clsToken.tensor.fill(5)
        try average.update()
        #expect(try average.withAverages { try model.clsToken.tensor.floats() } == [2, 2])
        #expect(try model.clsToken.tensor.floats() == [5, 5])
        #expect(throws: Failure.self) { try average.withAverages { throw Failure() } }
        #expect(try model.clsToken.tensor.floats() == [5, 5])
        let warm = try ExponentialMovingAverage(of: model, decay: 0.9999, warmup: .tensorflow)
        try model.clsToken.tensor.fill(0)
        try warm.update()
        let kept = try #require(warm.namedTensors().first { $0.name == "cls_token" }).tensor
        expectClose(try kept.floats(), [0.5, 0.5], tolerance: 1e-6)
    }

    @Test("The average forgets its start by the formula that is named, up to the decay")
    func averageWarmup() {
        let counts = [0, 1, 7, 999, 1_000_000]
        func shares(_ warmup: ExponentialMovingAverage.Warmup) -> [Double] {
            counts.map { warmup.decay(0.99, after: $0) }
        }
        #expect(shares(.off) == [0.99, 0.99, 0.99, 0.99, 0.99])
        #expect(shares(.tensorflow) == [0.1, 2.0 / 11, 8.0 / 17, 0.99, 0.99])
        // timm's ModelEmaV3(decay=0.99, use_warmup=True).get_decay(n + 1).
        let timm = [0, 0.370_039_475_052_563_4, 0.75, 0.99, 0.99]
        for (found, expected) in zip(shares(.timm), timm) { #expect(abs(found - expected) < 1e-12) }
    }
}
