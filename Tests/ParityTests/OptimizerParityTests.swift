import TestSupport
import Testing
import Torch
import TorchNN

/// Optimisers, averages, clipping and schedules against torch, timm and Hugging Face's formula.
@Suite("Optimisers and schedules against torch and timm", .tags(.parity))
@ModelActor
struct OptimizerParityTests {
    static let tolerance: Float = 1e-5

    @Test("AdamW, with a rate that changes and gradients of 0 and near epsilon")
    func adamW() throws {
        try expectTrace("adamw") { try AdamW($0) }
        try expectTrace("adamw_betas") { try AdamW($0, beta1: 0.8, beta2: 0.95, eps: 1e-6) }
    }

    @Test("SGD: plain, with momentum, Nesterov")
    func sgd() throws {
        try expectTrace("sgd") { try SGD($0, momentum: 0) }
        try expectTrace("sgd_momentum") { try SGD($0, momentum: 0.9) }
        try expectTrace("sgd_nesterov") { try SGD($0, momentum: 0.9, nesterov: true) }
    }

    @Test("LAMB: clipped as timm does by default, and not")
    func lamb() throws {
        try expectTrace("lamb") { try LAMB($0) }
        try expectTrace("lamb_unclipped") {
            try LAMB($0, beta1: 0.8, beta2: 0.95, eps: 1e-8, maxGradNorm: nil)
        }
    }

    @Test("Moving average")
    func movingAverage() throws {
        let expected = try fixture("optimizers")
        let model = try Weight(expected.tensor("weight"))
        let average = try ExponentialMovingAverage(of: model, decay: 0.9)
        let weights = try expected.tensor("adamw.weight")
        let averages = try expected.tensor("ema_decay_0.9")
        for step in 0..<weights.shape[0] {
            try withoutGradient { try model.weight.tensor.copy(from: weights.selected(0, step)) }
            try average.update()
            let found = average.namedTensors()
            #expect(found.map(\.name) == ["weight"])
            expectClose(
                try found[0].tensor.floats(),
                try averages.selected(0, step).floats(),
                tolerance: Self.tolerance,
                "average after \(step + 1) updates"
            )
        }
    }

    @Test("Clipping by the common norm")
    func clipping() throws {
        let expected = try fixture("optimizers")
        let first = try Parameter(Tensor([3, 4] as [Float], shape: [2]))
        let second = try Parameter(Tensor([12] as [Float], shape: [1, 1]))
        // The gradient of x²/2 is x.
        for parameter in [first, second] {
            try (parameter.tensor * parameter.tensor * 0.5).sum().backward()
        }
        let group = ParameterGroup(
            name: "all",
            parameters: [("first", first), ("second", second)],
            weightDecay: 0
        )
        let norm = try SGD([group]).clipGradients(maxNorm: 1)
        expectClose(
            [Float(norm)],
            try expected.floats("clip.norm"),
            tolerance: Self.tolerance,
            "norm"
        )
        for (name, parameter) in group.parameters {
            let found = try parameter.tensor.gradient()
            let gradient = try #require(found)
            expectClose(
                try gradient.floats(),
                try expected.floats("clip.\(name)"),
                tolerance: Self.tolerance,
                name
            )
        }
    }

    @Test(
        "Cosine with warm-up, one value an epoch",
        arguments: ["deit_300", "short_20", "no_warmup_10"]
    )
    func cosine(name: String) throws {
        let expected = try fixture("schedules")
        let lengths = try expected.integers("cosine.\(name).epochs_warmup")
        let rates = try expected.floats("cosine.\(name).lr_warmup_min").map(Double.init)
        let schedule = Schedule(
            shape: .cosine,
            base: rates[0],
            minimum: rates[2],
            warmupStart: rates[1],
            warmup: Double(lengths[1]),
            total: Double(lengths[0])
        )
        let values = (0..<Int(lengths[0])).map { Float(schedule.value(at: Double($0))) }
        expectClose(values, try expected.floats("cosine.\(name)"), tolerance: 1e-6, name)
    }

    @Test(
        "Linear with warm-up, one value a step, to 0 at the end and after it",
        arguments: ["finetune_50", "no_warmup_8", "warmup_only_6"]
    )
    func linear(name: String) throws {
        let expected = try fixture("schedules")
        let lengths = try expected.integers("linear.\(name).steps_warmup")
        let schedule = Schedule(
            shape: .linear,
            base: Double(try expected.floats("linear.\(name).lr")[0]),
            warmup: Double(lengths[1]),
            total: Double(lengths[0])
        )
        let values = (0..<Int(lengths[0]) + 2).map { Float(schedule.value(at: Double($0))) }
        expectClose(values, try expected.floats("linear.\(name)"), tolerance: 1e-6, name)
        if lengths[1] < lengths[0] {
            #expect(schedule.value(at: Double(lengths[0])) == 0)
            #expect(schedule.value(at: Double(lengths[0] - 1)) > 0)
        }
    }

    // MARK: - Helpers

    private final class Weight: Module {
        let weight: Parameter

        init(_ tensor: Tensor) throws {
            weight = try Parameter(tensor)
        }
    }

    /// Takes the fixture's steps with the fixture's gradients and compares both parameters after each.
    private func expectTrace(
        _ name: String,
        _ make: ([ParameterGroup]) throws -> any Optimizer
    ) throws {
        let expected = try fixture("optimizers")
        let weight = try Parameter(expected.tensor("weight"))
        let bias = try Parameter(expected.tensor("bias"))
        let optimizer = try make([
            ParameterGroup(name: "decay", parameters: [("weight", weight)], weightDecay: 0.05),
            ParameterGroup(name: "no decay", parameters: [("bias", bias)], weightDecay: 0),
        ])
        for (step, rate) in try expected.floats("learning_rates").enumerated() {
            try optimizer.clearGradients()
            for (key, parameter) in [("weight", weight), ("bias", bias)] {
                let gradient = try expected.tensor("\(key)_gradients").selected(0, step)
                try (parameter.tensor * gradient).sum().backward()
            }
            try optimizer.step(lr: Double(rate))
            for (key, parameter) in [("weight", weight), ("bias", bias)] {
                let values = try expected.tensor("\(name).\(key)").selected(0, step)
                expectClose(
                    try parameter.tensor.floats(),
                    try values.floats(),
                    tolerance: Self.tolerance,
                    "\(name): \(key) after step \(step + 1)"
                )
            }
        }
    }
}
