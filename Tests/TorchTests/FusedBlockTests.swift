import TestSupport
import Testing
import Torch

/// A block with its gradient: every number against plain loops in double precision, and against finite differences.
@Suite(
    "Fused block",
    .tags(.unit),
    .enabled(if: FusedBlock.kernels(.float32) != nil, "no kernels for this processor")
)
@ModelActor
struct FusedBlockTests {
    nonisolated static let dtypes = [DType.float32, .bfloat16].filter {
        FusedBlock.kernels($0) != nil
    }

    @Test(
        "Output and all gradients of random shapes: padded heads and hidden units, dropped branches, no biases",
        arguments: dtypes
    )
    func doublePrecision(dtype: DType) throws {
        for seed in UInt64(0)..<24 {
            let error = try FusedBlock.error(dtype: dtype, seed: seed)
            #expect(error.found <= error.allowed, "seed \(seed)")
        }
    }

    @Test("Gradients along a direction are differences of the sum")
    func finiteDifferences() throws {
        let example = try Example(images: 3, tokens: 11, width: 64, heads: 2, hidden: 96)
        let wanted = try Tensor.randn([3, 11, 64])
        func sum() throws -> Double {
            try withoutGradient {
                let out = try example.run().to(.float64) * wanted.to(.float64)
                return Double(try out.sum().to(.float32).floats()[0])
            }
        }
        try (example.run() * wanted).sum().backward()
        for (index, tensor) in ([example.x] + example.tensors).enumerated() {
            let gradient = try #require(try tensor.gradient())
            let direction = try Tensor.randn(tensor.shape)
            let slope = try (gradient * direction).sum().floats()[0]
            let start = try tensor.detached().clone()
            func shifted(_ step: Double) throws -> Double {
                try withoutGradient { try tensor.copy(from: start + direction * step) }
                return try sum()
            }
            let step = 2e-3
            let difference = Float((try shifted(step) - shifted(-step)) / (2 * step))
            _ = try shifted(0)
            let scale = try (gradient * gradient).sum().floats()[0].squareRoot()
            #expect(abs(slope - difference) <= 0.02 * scale + 0.02, "tensor \(index)")
        }
    }

    @Test(
        "The same bits again, on any number of threads, and for an image in another batch",
        arguments: dtypes
    )
    func invariance(dtype: DType) throws {
        let threads = Libtorch.threadCount
        defer { try? Libtorch.setThreadCount(threads) }
        let example = try Example(images: 9, tokens: 13, width: 96, heads: 3, hidden: 160)
        func bits() throws -> [[Float]] {
            for tensor in [example.x] + example.tensors { try tensor.clearGradient() }
            let out = try withAutocast(dtype == .float32 ? nil : dtype) { () throws(TorchError) in
                try example.run()
            }
            try (out * out).sum().backward()
            return try [out.detached().floats()]
                + ([example.x] + example.tensors).map { try #require(try $0.gradient()).floats() }
        }
        let expected = try bits()
        for threads in [1, 2, 3, 5] {
            try Libtorch.setThreadCount(threads)
            #expect(try bits() == expected, "\(threads) threads")
        }
        let some = try withoutGradient {
            try withAutocast(dtype == .float32 ? nil : dtype) { () throws(TorchError) in
                try example.run(images: 4..<9)
            }.floats()
        }
        #expect(some == Array(expected[0].suffix(some.count)))
    }

    @Test("A branch whose factor is 0 passes its input and gives its weights no gradient")
    func droppedBranches() throws {
        let example = try Example(images: 2, tokens: 5, width: 32, heads: 1, hidden: 64)
        let zeros = try Tensor.zeros([2, 1, 1])
        let out = try example.run(attention: zeros, feedForward: zeros)
        #expect(try out.detached().floats() == example.x.detached().floats())
        try (out * 3).sum().backward()
        #expect(try #require(try example.x.gradient()).floats().allSatisfy { $0 == 3 })
        for tensor in example.tensors {
            #expect(try #require(try tensor.gradient()).floats().allSatisfy { $0 == 0 })
        }
    }

    @Test("Only the gradients that are wanted, the same as with all the others")
    func frozenWeights() throws {
        let example = try Example(images: 2, tokens: 5, width: 32, heads: 1, hidden: 64)
        try example.run().sum().backward()
        let all = try example.tensors.map { try #require(try $0.gradient()).floats() }
        for (index, tensor) in example.tensors.enumerated() {
            try tensor.clearGradient()
            try tensor.setRequiresGradient(index % 3 == 0)
        }
        try example.run().sum().backward()
        for (index, tensor) in example.tensors.enumerated() {
            let gradient = try tensor.gradient()
            #expect(try gradient?.floats() == (index % 3 == 0 ? all[index] : nil), "\(index)")
        }
    }

    @Test("Not a number stays with its image, and the memory is not spoilt")
    func notANumber() throws {
        let example = try Example(images: 2, tokens: 7, width: 64, heads: 2, hidden: 64)
        let expected = try example.run().detached()
        let broken = try example.x.detached().clone()
        try broken.narrowed(0, 1..<2).fill(.nan)
        let found = try FusedBlock.apply(broken, example.block, heads: 2, eps: 1e-6).detached()
        #expect(try found.selected(0, 0).floats() == expected.selected(0, 0).floats())
        #expect(try found.selected(0, 1).floats().allSatisfy(\.isNaN))
        #expect(try example.run().detached().floats() == expected.floats())
    }

    @Test("Shapes and types that do not fit are errors")
    func refusals() throws {
        let example = try Example(images: 2, tokens: 4, width: 64, heads: 2, hidden: 64)
        #expect(FusedBlock.kernels(.float16) == nil)
        #expect(try !FusedBlock.serves(Tensor.zeros([64, 4, 40])))
        #expect(try !FusedBlock.serves(Tensor.zeros([64, 4, 32], dtype: .bfloat16)))
        #expect(try !FusedBlock.serves(Tensor.zeros([64, 32])))
        #expect(try FusedBlock.serves(Tensor.zeros([64, 4, 32])))
        func apply(_ x: Tensor, heads: Int = 2, factors: Tensor? = nil) throws {
            _ = try FusedBlock.apply(
                x,
                example.block,
                heads: heads,
                eps: 1e-6,
                attentionFactors: factors
            )
        }
        #expect(throws: TorchError.self) { try apply(Tensor.zeros([1, 4, 32])) }
        #expect(throws: TorchError.self) { try apply(Tensor.zeros([4, 64])) }
        #expect(throws: TorchError.self) { try apply(example.x, heads: 3) }
        #expect(throws: TorchError.self) { try apply(example.x, factors: Tensor.ones([3])) }
    }

    /// A block with random weights and images' tokens, all of which want gradients.
    private struct Example {
        let x: Tensor
        let block: PackedEncoder.Block
        let heads: Int

        init(images: Int, tokens: Int, width: Int, heads: Int, hidden: Int) throws {
            try manualSeed(11)
            func wanting(_ tensor: Tensor) throws -> Tensor {
                try tensor.setRequiresGradient(true)
                return tensor
            }
            func norm() throws -> (weight: Tensor, bias: Tensor) {
                (
                    try wanting(Tensor.randn([width]) * 0.1 + 1),
                    try wanting(Tensor.randn([width]) * 0.1)
                )
            }
            func linear(_ outputs: Int, _ inputs: Int) throws -> (weight: Tensor, bias: Tensor?) {
                (
                    try wanting(
                        Tensor.randn([outputs, inputs]) * (1 / Double(inputs).squareRoot())
                    ),
                    try wanting(Tensor.randn([outputs]) * 0.1)
                )
            }
            self.heads = heads
            x = try wanting(Tensor.randn([images, tokens, width]))
            block = try PackedEncoder.Block(
                norm1: norm(),
                qkv: linear(3 * width, width),
                proj: linear(width, width),
                scale1: wanting(Tensor.randn([width])),
                norm2: norm(),
                fc1: linear(hidden, width),
                fc2: linear(width, hidden),
                scale2: wanting(Tensor.randn([width]))
            )
        }

        var tensors: [Tensor] {
            [
                block.norm1.weight, block.norm1.bias, block.qkv.weight, block.qkv.bias,
                block.proj.weight, block.proj.bias, block.scale1, block.norm2.weight,
                block.norm2.bias, block.fc1.weight, block.fc1.bias, block.fc2.weight,
                block.fc2.bias, block.scale2,
            ].compactMap { $0 }
        }

        func run(
            images: Range<Int>? = nil,
            attention: Tensor? = nil,
            feedForward: Tensor? = nil
        ) throws(TorchError) -> Tensor {
            try FusedBlock.apply(
                images.map { (images) throws(TorchError) in try x.narrowed(0, images) } ?? x,
                block,
                heads: heads,
                eps: 1e-6,
                attentionFactors: attention,
                feedForwardFactors: feedForward
            )
        }
    }
}
