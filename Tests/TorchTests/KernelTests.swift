import TestSupport
import Testing
import Torch

/// oneDNN's kernels compute what libtorch's compute, forward and backward.
@Suite(
    "oneDNN kernels",
    .tags(.unit),
    .enabled(if: Libtorch.hasOneDNN, "this libtorch has no oneDNN")
)
@ModelActor
struct KernelTests {
    @Test(
        "Linear, with and without a bias, of any rank",
        arguments: [[5, 12], [2, 7, 12], [2, 3, 4, 12]],
        [true, false]
    )
    func linear(shape: [Int], hasBias: Bool) throws {
        try manualSeed(3)
        let x = try leaf(Tensor.randn(shape))
        let weight = try leaf(Tensor.randn([8, 12]))
        let bias = hasBias ? try leaf(Tensor.randn([8])) : nil
        let leaves = [x, weight] + [bias].compactMap { $0 }
        let expected = try results(leaves) { () throws(TorchError) in
            try Functional.linear(x, weight, bias)
        }
        let found = try results(leaves) { () throws(TorchError) in
            try Functional.linearOneDNN(x, weight, bias)
        }
        try compare(found, expected)
    }

    @Test("Attention", arguments: [1, 3])
    func attention(heads: Int) throws {
        try manualSeed(4)
        let (batch, tokens, width) = (2, 7, 6 * heads)
        let qkv = try leaf(Tensor.randn([batch, tokens, 3 * width]))
        let expected = try results([qkv]) { () throws(TorchError) in
            let split = try qkv.reshaped([batch, tokens, 3, heads, 6]).permuted([2, 0, 3, 1, 4])
            return try Functional.scaledDotProductAttention(
                query: split.selected(0, 0),
                key: split.selected(0, 1),
                value: split.selected(0, 2)
            ).transposed(1, 2).reshaped([batch, tokens, width])
        }
        let found = try results([qkv]) { () throws(TorchError) in
            try Functional.fusedAttentionOneDNN(qkv: qkv, heads: heads)
        }
        try compare(found, expected)
    }

    @Test(
        "Attention's softmax: any row length, huge scores, both types",
        arguments: [1, 17, 50, 197]
    )
    func softmax(tokens: Int) throws {
        try manualSeed(6)
        // Scores of some hundreds: a softmax that forgets the largest would overflow.
        let qkv = try leaf(Tensor.randn([1, tokens, 48]) * 20)
        let expected = try results([qkv]) { () throws(TorchError) in
            let split = try qkv.reshaped([1, tokens, 3, 1, 16]).permuted([2, 0, 3, 1, 4])
            let scores = try split.selected(0, 0).matmul(split.selected(0, 1).transposed(2, 3)) / 4
            return try Functional.softmax(scores).matmul(split.selected(0, 2)).reshaped([
                1, tokens, 16,
            ])
        }
        let found = try results([qkv]) { () throws(TorchError) in
            try Functional.fusedAttentionOneDNN(qkv: qkv, heads: 1)
        }
        try compare(found, expected)
        let short = try withAutocast(.bfloat16) { () throws(TorchError) in
            try Functional.fusedAttentionOneDNN(qkv: qkv / 20, heads: 1)
        }
        let reference = try Functional.fusedAttentionOneDNN(qkv: qkv / 20, heads: 1)
        #expect(short.dtype == .bfloat16)
        let difference = try (short.to(.float32) - reference).abs().max().item()
        #expect(
            difference <= 2e-2 * (try reference.abs().max().item()),
            "bfloat16 is off by \(difference)"
        )
    }

    @Test("What is not a number stays so", arguments: [DType.float32, .bfloat16])
    func notANumber(dtype: DType) throws {
        var values = [Float](repeating: 0.5, count: 3 * 12)
        values[13] = .nan
        let attended = try Functional.fusedAttentionOneDNN(
            qkv: Tensor(values, shape: [1, 3, 12]).to(dtype),
            heads: 1
        )
        #expect(try attended.floats().contains { $0.isNaN })
    }

    @Test("Autocast reaches them, and gradients stay in float32")
    func autocast() throws {
        let x = try Tensor.ones([4, 16])
        let weight = try leaf(Tensor.ones([16, 16]))
        let product = try withAutocast(.bfloat16) { () throws(TorchError) in
            try Functional.linearOneDNN(x, weight, nil)
        }
        #expect(product.dtype == .bfloat16)
        try product.to(.float32).sum().backward()
        #expect(try weight.gradient()?.dtype == .float32)
        #expect(try weight.gradient()?.floats() == [Float](repeating: 4, count: 256))
    }

    @Test("An image smaller than a filter has the gradients of float32 in bfloat16")
    func gradientsBeyondTheEdge() throws {
        try manualSeed(8)
        let x = try leaf(Tensor.randn([32, 128, 1, 1]))
        let weight = try leaf(Tensor.randn([256, 128, 3, 3]))
        func gradients(_ dtype: DType?) throws -> [Tensor] {
            try results([x, weight]) { () throws(TorchError) in
                try withAutocast(dtype) { () throws(TorchError) in
                    try Functional.conv2d(
                        x,
                        weight,
                        nil,
                        stride: (2, 2),
                        padding: (1, 1),
                        groups: 1
                    )
                    .to(.float32)
                }
            }
        }
        let expected = try gradients(nil)
        for _ in 0..<20 {
            // What a kernel forgets to write must not happen to be zero.
            for _ in 0..<8 { _ = try Tensor.full(.nan, [256, 128, 3, 3]) }
            for (found, wanted) in zip(try gradients(.bfloat16), expected) {
                let largest = try wanted.abs().max().item()
                #expect(try (found - wanted).abs().max().item() <= 2e-2 * largest)
            }
        }
    }

    @Test("Shapes that do not fit are an error")
    func misfits() throws {
        #expect(throws: TorchError.self) {
            try Functional.linearOneDNN(Tensor.ones([2, 3]), Tensor.ones([4, 5]), nil)
        }
        #expect(throws: TorchError.self) {
            try Functional.fusedAttentionOneDNN(qkv: Tensor.ones([2, 3, 10]), heads: 2)
        }
        #expect(throws: TorchError.self) {
            try Functional.fusedAttentionOneDNN(qkv: Tensor.ones([2, 3, 12]), heads: 0)
        }
    }

    private func leaf(_ tensor: Tensor) throws -> Tensor {
        try tensor.setRequiresGradient(true)
        return tensor
    }

    /// The output and the gradients of a weighted sum of it.
    private func results(
        _ leaves: [Tensor],
        _ body: () throws(TorchError) -> Tensor
    ) throws -> [Tensor] {
        for leaf in leaves { try leaf.clearGradient() }
        let output = try body()
        let weights = try Tensor.arange(output.elementCount, dtype: .float32).reshaped(output.shape)
        try (output * (weights / Double(output.elementCount))).sum().backward()
        return try [output.detached()] + leaves.map { try #require(try $0.gradient()).clone() }
    }

    private func compare(_ found: [Tensor], _ expected: [Tensor]) throws {
        try #require(found.count == expected.count)
        for index in found.indices {
            #expect(found[index].shape == expected[index].shape)
            let difference = try (found[index] - expected[index]).abs().max().item()
            let scale = try expected[index].abs().max().item()
            #expect(difference <= 1e-5 * scale, "result \(index): off by \(difference) of \(scale)")
        }
    }
}
