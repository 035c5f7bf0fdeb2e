import TestSupport
import Testing
import Torch

/// Our own loops compute what libtorch's compute, forward and backward, whatever the length.
@Suite("Vector kernels", .tags(.unit))
@ModelActor
struct VectorKernelTests {
    @Test("GELU: whole vectors, rests, all sizes of numbers", arguments: [1, 15, 16, 17, 4099])
    func gelu(count: Int) throws {
        try manualSeed(1)
        let x = try Tensor.randn([count]) * 3
        try compare(
            [x],
            { try Functional.geluVectors($0[0]) },
            { try Functional.gelu($0[0]) },
            tolerance: 2e-6
        )
    }

    @Test("GELU at the ends: nothing far below, all of it far above, not a number stays so")
    func geluEnds() throws {
        let ends: [Float] = [-1e30, -100, -6, -5.4, 0, 5.4, 6, 100, 1e30]
        let x = try leaf(Tensor(ends, shape: [9]))
        let y = try Functional.geluVectors(x)
        let found = try y.detached().floats()
        #expect(found.prefix(4).allSatisfy { abs($0) < 1e-6 })
        #expect(found[4] == 0)
        #expect(found.suffix(4) == ends.suffix(4))
        try y.sum().backward()
        let slopes = try #require(try x.gradient()).floats()
        expectClose(slopes, [0, 0, 0, 0, 0.5, 1, 1, 1, 1], tolerance: 2e-6)
        #expect(try Functional.geluVectors(Tensor([.nan], shape: [1])).floats()[0].isNaN)
    }

    @Test("GELU in bfloat16 is libtorch's, to its rounding")
    func geluShort() throws {
        try manualSeed(2)
        let x = try (Tensor.randn([1000]) * 2).to(.bfloat16)
        let found = try Functional.geluVectors(x)
        #expect(found.dtype == .bfloat16)
        let expected = try Functional.gelu(x.to(.float32)).floats()
        expectClose(try found.to(.float32).floats(), expected, tolerance: 4e-3)
    }

    @Test("GELU over its input only without a gradient, and only where that is allowed")
    func geluInPlace() throws {
        let numbers: [Float] = [-1, 0, 2]
        let expected = try Functional.gelu(Tensor(numbers, shape: [3])).floats()
        for (mayOverwrite, left) in [(true, expected), (false, numbers)] {
            let x = try Tensor(numbers, shape: [3])
            let y = try withoutGradient { () throws(TorchError) in
                try Functional.geluVectors(x, mayOverwrite: mayOverwrite)
            }
            expectClose(try y.floats(), expected, tolerance: 2e-6)
            expectClose(try x.floats(), left, tolerance: 2e-6)
        }
        let recorded = try leaf(Tensor(numbers, shape: [3]))
        _ = try Functional.geluVectors(recorded, mayOverwrite: true)
        #expect(try recorded.detached().floats() == numbers)
    }

    @Test(
        "A residual sum and its gradients, whole vectors and rests",
        arguments: [1, 16, 33, 40_000]
    )
    func branch(count: Int) throws {
        try manualSeed(4)
        let leaves = [try Tensor.randn([count]), try Tensor.randn([count])]
        try compare(
            leaves,
            { try Functional.addBranch($0[0], $0[1]) },
            { try $0[0] + $0[1] },
            tolerance: 0
        )
        let short = try leaf(leaves[1].to(.bfloat16))
        let sum = try Functional.addBranch(leaves[0], short)
        #expect(sum.dtype == .float32)
        let expected = try (leaves[0] + short.detached().to(.float32)).floats()
        #expect(try sum.detached().floats() == expected)
        try sum.sum().backward()
        #expect(try short.gradient()?.dtype == .bfloat16)
        #expect(throws: TorchError.self) {
            try Functional.addBranch(Tensor.ones([2]), Tensor.ones([3]))
        }
    }

    @Test("Layer normalisation and its three gradients", arguments: [5, 16, 192, 197, 768])
    func layerNorm(width: Int) throws {
        try manualSeed(3)
        // Rows enough for several of the blocks that the gradients are summed in.
        let x = try Tensor.randn([3, 100, width]) * 2 + 5
        let leaves = [x, try Tensor.randn([width]), try Tensor.randn([width])]
        try compare(
            leaves,
            {
                try Functional.layerNormVectors(
                    $0[0],
                    width: width,
                    weight: $0[1],
                    bias: $0[2],
                    eps: 1e-6,
                    isForProduct: false
                )
            },
            {
                try Functional.layerNorm(
                    $0[0],
                    width: width,
                    weight: $0[1],
                    bias: $0[2],
                    eps: 1e-6
                )
            },
            tolerance: 3e-5
        )
    }

    @Test("Under autocast the type of what follows, if a product follows; float32 otherwise")
    func layerNormTypes() throws {
        let x = try leaf(Tensor.randn([4, 48]))
        let (weight, bias) = (try leaf(Tensor.ones([48])), try Tensor.zeros([48]))
        for (isForProduct, expected) in [(true, DType.bfloat16), (false, .float32)] {
            let y = try withAutocast(.bfloat16) { () throws(TorchError) in
                try Functional.layerNormVectors(
                    x,
                    width: 48,
                    weight: weight,
                    bias: bias,
                    eps: 1e-6,
                    isForProduct: isForProduct
                )
            }
            #expect(y.dtype == expected)
            try y.to(.float32).sum().backward()
            #expect(try x.gradient()?.dtype == .float32)
            #expect(try weight.gradient()?.dtype == .float32)
        }
        let alone = try Functional.layerNormVectors(
            x,
            width: 48,
            weight: weight,
            bias: bias,
            eps: 1e-6,
            isForProduct: true
        )
        #expect(alone.dtype == .float32)
    }

    @Test("A width that does not fit is an error")
    func misfit() throws {
        #expect(throws: TorchError.self) {
            try Functional.layerNormVectors(
                Tensor.ones([2, 3]),
                width: 4,
                weight: Tensor.ones([4]),
                bias: Tensor.ones([4]),
                eps: 1e-6,
                isForProduct: false
            )
        }
    }

    @Test("Items side by side: their order, the caller's modes, the first error")
    func parallel() throws {
        let found = try withoutGradient { () throws(TorchError) in
            try parallelMap(37) { (item) throws(TorchError) in
                let isRecorded = isGradientEnabled ? 1.0 : 0.0
                return try Tensor.full(Double(item) + isRecorded, [1], dtype: .float32)
            }
        }
        #expect(try found.map { try $0.item() } == (0..<37).map(Double.init))
        #expect(try parallelMap(0) { (_) throws(TorchError) in try Tensor.ones([1]) }.isEmpty)
        let error = #expect(throws: TorchError.self) {
            try parallelMap(8) { (item) throws(TorchError) in
                guard item < 3 else { throw TorchError(operation: "test", message: "\(item)") }
                return try Tensor.ones([1])
            }
        }
        #expect(error?.message == "3")
    }

    private func leaf(_ tensor: Tensor) throws -> Tensor {
        let leaf = try tensor.clone()
        try leaf.setRequiresGradient(true)
        return leaf
    }

    /// Compares the outputs and the gradients of a weighted sum of them.
    private func compare(
        _ inputs: [Tensor],
        _ ours: @escaping ([Tensor]) throws -> Tensor,
        _ theirs: @escaping ([Tensor]) throws -> Tensor,
        tolerance: Float
    ) throws {
        let both = try [ours, theirs].map { body in
            let leaves = try inputs.map { try leaf($0) }
            let output = try body(leaves)
            let weights = try Tensor.arange(output.elementCount, dtype: .float32)
                .reshaped(output.shape)
            try (output * (weights / Double(output.elementCount))).sum().backward()
            return try [output.detached()] + leaves.map { try #require(try $0.gradient()) }
        }
        for index in both[0].indices {
            expectClose(
                shape: both[0][index].shape,
                try both[0][index].floats(),
                expectedShape: both[1][index].shape,
                try both[1][index].floats(),
                tolerance: tolerance,
                "result \(index)"
            )
        }
    }
}
