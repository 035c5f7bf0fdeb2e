import TestSupport
import Testing
import Torch
import TorchNN

/// Convolution, normalisation and activation in one step equal the three layers, whatever changes between calls.
@Suite(.tags(.unit)) @ModelActor struct ConvNormTests {
    private func withOneDNN<R>(_ body: () throws -> R) rethrows -> R {
        let previous = ComputePolicy.current
        defer { ComputePolicy.current = previous }
        ComputePolicy.current = ComputePolicy(linear: .oneDNN)
        return try body()
    }

    private func made(
        _ channels: (Int, Int),
        groups: Int,
        stride: Int,
        isSame: Bool,
        bias: Bool
    ) throws -> (conv: Conv2d, norm: BatchNorm2d) {
        try manualSeed(5)
        let conv = try Conv2d(
            channels.0,
            channels.1,
            kernel: 3,
            stride: stride,
            padding: 1,
            isSame: isSame,
            groups: groups,
            bias: bias
        )
        let norm = try BatchNorm2d(channels.1, eps: 1e-3)
        try norm.weight.tensor.fillUniform(low: 0.5, high: 1.5)
        try norm.bias.tensor.fillUniform(low: -0.5, high: 0.5)
        try norm.runningMean.tensor.fillUniform(low: -0.5, high: 0.5)
        try norm.runningVar.tensor.fillUniform(low: 0.5, high: 1.5)
        norm.eval()
        return (conv, norm)
    }

    @Test(
        .enabled(if: Libtorch.hasOneDNN, "libtorch has no oneDNN"),
        arguments: [
            (8, 12, 1, 1, false, true), (8, 8, 8, 2, true, false), (8, 16, 4, 2, false, false),
            (3, 5, 1, 2, true, true),
        ]
    )
    func equalsTheLayers(
        inputs: Int,
        outputs: Int,
        groups: Int,
        stride: Int,
        isSame: Bool,
        bias: Bool
    ) throws {
        let (conv, norm) = try made(
            (inputs, outputs),
            groups: groups,
            stride: stride,
            isSame: isSame,
            bias: bias
        )
        for activation in [Functional.Activation.none, .relu, .relu6] {
            let step = ConvNorm(conv, norm, activation)
            for (height, width) in [(10, 10), (9, 12), (9, 9)] {
                let x = try (Tensor.randn([2, inputs, height, width]) * 4).channelsLast()
                try withoutGradient {
                    let expected = try activation(norm(conv(x)))
                    let found = try withOneDNN { try step(x) }
                    expectClose(
                        shape: found.shape,
                        try found.floats(),
                        expectedShape: expected.shape,
                        try expected.floats(),
                        tolerance: 1e-5
                    )
                }
            }
        }
    }

    @Test(.enabled(if: Libtorch.hasOneDNN, "libtorch has no oneDNN"))
    func followsChangesAndTraining() throws {
        let (conv, norm) = try made((4, 6), groups: 1, stride: 1, isSame: false, bias: false)
        let step = ConvNorm(conv, norm, .relu)
        let x = try Tensor.randn([2, 4, 6, 6])
        func check() throws {
            try withoutGradient {
                let expected = try Functional.relu(norm(conv(x))).floats()
                expectClose(try withOneDNN { try step(x) }.floats(), expected, tolerance: 1e-5)
            }
        }
        try check()
        for change in [
            conv.weight.tensor, norm.weight.tensor, norm.bias.tensor, norm.runningMean.tensor,
            norm.runningVar.tensor,
        ] {
            try change.fillUniform(low: 0.5, high: 1)
            try check()
        }
        // A step of an optimiser counts, also of layers in evaluation mode, and so do statistics that a batch moves.
        for makeOptimizer in [
            { try SGD(ParameterGroup.decaying(conv, weightDecay: 0)) },
            { try AdamW(ParameterGroup.decaying(conv, weightDecay: 0)) },
        ] as [() throws -> any Optimizer] {
            let optimizer = try makeOptimizer()
            let before = try #require(conv.weight.tensor.version)
            try optimizer.clearGradients()
            try step(x).sum().backward()
            try optimizer.step(lr: 0.1)
            let after = try #require(conv.weight.tensor.version)
            #expect(after > before)
            try check()
        }
        // With gradients, and in training, it is the layers themselves.
        let recorded = try withOneDNN { try step(x) }
        try recorded.sum().backward()
        #expect(try conv.weight.tensor.gradient() != nil)
        norm.train()
        _ = try withOneDNN { try step(x) }
        #expect(try norm.numBatchesTracked.tensor.int64s() == [1])
        norm.eval()
        try check()
    }

    @Test func aListHasTheKeysThatItsReferenceHas() throws {
        let list = ModuleList(
            [try Linear(2, 3), try Linear(3, 2, bias: false)],
            prefix: "b",
            first: 1
        )
        #expect(list.namedParameters().map(\.name) == ["b1.weight", "b1.bias", "b2.weight"])
        #expect(list.namedChildren().map(\.name) == ["b1", "b2"])
    }
}
