import TestSupport
import Testing
import Torch
import TorchNN

/// Normalisation by the batch in one function with a residual and the positive part equals libtorch's in float64.
@Suite(.tags(.unit)) @ModelActor struct BatchNormVectorsTests {
    struct Example: Sendable, CustomTestStringConvertible {
        var shape: [Int]
        var dtype = DType.float32
        var hasResidual = false
        var isPositive = false
        var mean = 0.0

        var testDescription: String {
            "\(shape), \(dtype)\(hasResidual ? ", residual" : "")\(isPositive ? ", positive" : ""), mean \(mean)"
        }
    }

    nonisolated static let examples = [
        Example(shape: [3, 16, 5, 7], isPositive: true),
        Example(shape: [2, 32, 7, 7], hasResidual: true, isPositive: true, mean: 100),
        Example(shape: [1, 48, 3, 3], hasResidual: true),
        Example(shape: [130, 16, 9, 9], mean: -3),
        Example(shape: [8, 64, 1, 1], hasResidual: true, isPositive: true),
        // libtorch's, as the channels are no multiple of 16.
        Example(shape: [3, 24, 5, 5], hasResidual: true, isPositive: true),
        Example(shape: [3, 16, 5, 7], dtype: .bfloat16, isPositive: true),
        Example(shape: [5, 32, 8, 8], dtype: .bfloat16, hasResidual: true, isPositive: true),
    ]

    private struct Layer {
        let x: Tensor
        let weight: Tensor
        let bias: Tensor
        let runningMean: Tensor
        let runningVar: Tensor
        let residual: Tensor?

        /// What the gradients are taken of, in order.
        var leaves: [Tensor] { [x, weight, bias] + (residual.map { [$0] } ?? []) }
    }

    /// The same numbers in the example's type, or all in float64.
    private func layer(_ example: Example, inFloat64: Bool) throws -> Layer {
        try manualSeed(7)
        let channels = [example.shape[1]]
        func maps(_ mean: Double) throws -> Tensor {
            try (Tensor.randn(example.shape) + mean).to(example.dtype)
                .to(inFloat64 ? .float64 : example.dtype).channelsLast()
        }
        func vector(_ low: Double, _ high: Double) throws -> Tensor {
            let tensor = try Tensor.zeros(channels)
            try tensor.fillUniform(low: low, high: high)
            return inFloat64 ? try tensor.to(.float64) : tensor
        }
        return Layer(
            x: try maps(example.mean),
            weight: try vector(0.5, 1.5),
            bias: try vector(-0.5, 0.5),
            runningMean: try vector(-1, 1),
            runningVar: try vector(0.5, 2),
            residual: example.hasResidual ? try maps(0) : nil
        )
    }

    private func reference(_ layer: Layer, _ example: Example) throws -> Tensor {
        var maps = try Functional.batchNorm(
            layer.x,
            weight: layer.weight,
            bias: layer.bias,
            runningMean: layer.runningMean,
            runningVar: layer.runningVar,
            isTraining: true,
            momentum: 0.1,
            eps: 1e-5
        )
        if let residual = layer.residual { maps = try maps + residual }
        return example.isPositive ? try Functional.relu(maps) : maps
    }

    private func ours(_ layer: Layer, _ example: Example) throws -> Tensor {
        try Functional.batchNormVectors(
            layer.x,
            weight: layer.weight,
            bias: layer.bias,
            runningMean: layer.runningMean,
            runningVar: layer.runningVar,
            adding: layer.residual,
            isPositive: example.isPositive,
            momentum: 0.1,
            eps: 1e-5
        )
    }

    /// The result, the gradients of a weighted sum of it, and the running statistics.
    private func everything(
        _ example: Example,
        inFloat64: Bool,
        _ function: (Layer, Example) throws -> Tensor
    ) throws -> [(name: String, values: Tensor)] {
        let layer = try layer(example, inFloat64: inFloat64)
        for leaf in layer.leaves { try leaf.setRequiresGradient(true) }
        let result = try function(layer, example)
        try manualSeed(8)
        let weights = try Tensor.randn(example.shape).to(example.dtype).to(result.dtype)
        try (result * weights).to(inFloat64 ? .float64 : .float32).sum().backward()
        var found = [(name: "result", values: try result.detached())]
        for (name, leaf) in zip(["x", "weight", "bias", "residual"], layer.leaves) {
            found.append((name, try #require(try leaf.gradient())))
        }
        return found + [("running mean", layer.runningMean), ("running var", layer.runningVar)]
    }

    @Test(arguments: examples) func `Equals libtorch in float64`(_ example: Example) throws {
        let expected = try everything(example, inFloat64: true, reference)
        let found = try everything(example, inFloat64: false, ours)
        #expect(found.map(\.name) == expected.map(\.name))
        for (found, expected) in zip(found, expected) {
            let isMap = found.values.rank == 4
            expectClose(
                shape: found.values.shape,
                try found.values.to(.float32).floats(),
                expectedShape: expected.values.shape,
                try expected.values.to(.float32).floats(),
                // Maps of bfloat16 have 8 bits.
                tolerance: example.dtype == .float32 ? 2e-5 : isMap ? 2e-2 : 1e-2
            )
        }
    }

    @Test func `A seed gives the same bits on any number of threads`() throws {
        let example = Example(
            shape: [64, 32, 16, 16],
            dtype: .bfloat16,
            hasResidual: true,
            isPositive: true
        )
        let threads = Libtorch.threadCount
        defer { try? Libtorch.setThreadCount(threads) }
        var runs: [[[Float]]] = []
        for count in [1, 2, 3] {
            try Libtorch.setThreadCount(count)
            runs.append(
                try everything(example, inFloat64: false, ours).map {
                    try $0.values.to(.float32).floats()
                }
            )
        }
        #expect(runs[0] == runs[1] && runs[0] == runs[2])
    }

    @Test func `What is not a number stays so`() throws {
        let example = Example(shape: [2, 16, 3, 3], isPositive: true)
        let layer = try layer(example, inFloat64: false)
        try layer.x.selected(0, 1).selected(0, 3).fill(.nan)
        let values = try ours(layer, example).floats()
        // Channel 3 of both images has no mean; the others have.
        for (place, value) in values.enumerated() {
            #expect(value.isNaN == (place / 9 % 16 == 3), "\(place)")
        }
    }

    @Test func `A layer in training uses it as the policy says`() throws {
        let previous = ComputePolicy.current
        defer { ComputePolicy.current = previous }
        var runs: [[Float]] = []
        for pointwise in ComputePolicy.Pointwise.allCases {
            ComputePolicy.current = ComputePolicy(pointwise: pointwise)
            try manualSeed(3)
            let conv = try Conv2d(16, 32, kernel: 3, padding: 1, bias: false)
            let norm = try BatchNorm2d(32)
            let step = ConvNorm(conv, norm, .relu)
            let x = try Tensor.randn([4, 16, 6, 6]).channelsLast()
            let residual = try Tensor.randn([4, 32, 6, 6]).channelsLast()
            let result = try step(x, adding: residual)
            try result.sum().backward()
            let gradient = try #require(try conv.weight.tensor.gradient())
            runs.append(
                try result.detached().floats() + gradient.floats()
                    + norm.runningMean.tensor.floats() + norm.runningVar.tensor.floats()
            )
            #expect(try norm.numBatchesTracked.tensor.to(.float32).item() == 1)
        }
        expectClose(
            shape: [runs[0].count],
            runs[0],
            expectedShape: [runs[1].count],
            runs[1],
            tolerance: 1e-5
        )
    }
}
