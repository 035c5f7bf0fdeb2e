import TestSupport
import Testing
import Torch

/// Every kernel of the fused encoder against plain loops in double precision, and whole blocks against libtorch's
/// operators in every shape that is served.
@Suite(
    "Packed encoder",
    .tags(.unit),
    .enabled(if: PackedEncoder.kernels(.float32) != nil, "no kernels for this processor")
)
@ModelActor
struct PackedEncoderTests {
    nonisolated static let dtypes = [DType.float32, .bfloat16].filter {
        PackedEncoder.kernels($0) != nil
    }

    @Test(
        "A kernel: product, normalise, queries, keys, values, GELU, SwiGLU, residual, scaled, softmax",
        arguments: 0..<10,
        dtypes
    )
    func kernel(_ kernel: Int, dtype: DType) throws {
        for seed in UInt64(0)..<60 {
            let error = try PackedEncoder.error(ofKernel: kernel, dtype: dtype, seed: seed)
            #expect(error.found <= error.allowed, "seed \(seed)")
        }
        #expect(throws: TorchError.self) {
            try PackedEncoder.error(ofKernel: 10, dtype: dtype, seed: 0)
        }
    }

    /// Widths, heads, tokens, hidden widths that exercise the padding of heads, panels and tokens.
    nonisolated static let shapes: [Shape] = [
        Shape(width: 32, heads: 1, tokens: 2, hidden: 32),
        Shape(width: 64, heads: 2, tokens: 17, hidden: 256),
        Shape(width: 96, heads: 3, tokens: 5, hidden: 100, hasLayerScale: true),
        Shape(width: 192, heads: 3, tokens: 198, hidden: 768, isGated: true),
        Shape(width: 160, heads: 2, tokens: 50, hidden: 427, hasBias: false),
        Shape(width: 288, heads: 4, tokens: 33, hidden: 96, isGated: true, hasLayerScale: true),
        Shape(width: 384, heads: 6, tokens: 64, hidden: 1536, hasBias: false),
        Shape(width: 512, heads: 4, tokens: 47, hidden: 1000, isGated: true),
        Shape(width: 1536, heads: 24, tokens: 21, hidden: 640, hasLayerScale: true),
        Shape(width: 64, heads: 1, tokens: 1400, hidden: 64),
    ]

    struct Shape: CustomTestStringConvertible {
        var width: Int
        var heads: Int
        var tokens: Int
        var hidden: Int
        var isGated = false
        var hasLayerScale = false
        var hasBias = true

        var testDescription: String {
            "\(width) wide, \(heads) heads, \(tokens) tokens, \(hidden) hidden"
                + (isGated ? ", gated" : "") + (hasLayerScale ? ", layer scale" : "")
                + (hasBias ? "" : ", no bias")
        }
    }

    @Test("Blocks of every shape", arguments: shapes, dtypes)
    func blocks(shape: Shape, dtype: DType) throws {
        try withoutGradient {
            let example = try Example(shape)
            let expected = try example.reference()
            let encoder = try example.encoder(dtype)
            let found = try encoder(example.tokens, lastBlocks: 2)
            #expect(found.shape == [2, 3, shape.tokens, shape.width])
            // bfloat16 keeps 8 bits of the operands of five products a block.
            let tolerance: Float = dtype == .float32 ? 4e-6 : 2e-2
            for index in 0..<2 {
                try expectClose(
                    found.selected(0, index).floats(),
                    expected[index].floats(),
                    tolerance: tolerance,
                    "block \(index)"
                )
            }
        }
    }

    @Test(
        "A token's result is the same alone, in a batch, on one thread, and where others are not wanted",
        arguments: dtypes
    )
    func invariance(dtype: DType) throws {
        let threads = Libtorch.threadCount
        defer { try? Libtorch.setThreadCount(threads) }
        try withoutGradient {
            let example = try Example(Shape(width: 96, heads: 3, tokens: 101, hidden: 200))
            let encoder = try example.encoder(dtype)
            let all = try encoder(example.tokens)
            for threads in [1, 2, 3, 5] {
                try Libtorch.setThreadCount(threads)
                let values = try all.floats()
                #expect(try encoder(example.tokens).floats() == values, "\(threads) threads")
                let image = try example.tokens.narrowed(0, 1..<2)
                let expected = try all.narrowed(1, 1..<2).floats()
                // A single image is tried split and whole in turn.
                for _ in 0..<4 { #expect(try encoder(image).floats() == expected) }
                for wanted in [1, 2, 40] {
                    let some = try all.narrowed(1, 1..<2).narrowed(2, 0..<wanted).floats()
                    for _ in 0..<2 { #expect(try encoder(image, wanted: wanted).floats() == some) }
                }
            }
        }
    }

    @Test("Another number of tokens, and the first again")
    func changingTokens() throws {
        try withoutGradient {
            let long = try Example(Shape(width: 64, heads: 2, tokens: 90, hidden: 64))
            let encoder = try long.encoder(.float32)
            let expected = try encoder(long.tokens).floats()
            let short = try long.tokens.narrowed(1, 0..<33)
            let alone = try encoder(short.clone()).floats()
            #expect(try encoder(long.tokens).floats() == expected)
            #expect(try encoder(short).floats() == alone, "a view that is not contiguous")
        }
    }

    @Test("Not a number stays with its image")
    func notANumber() throws {
        try withoutGradient {
            let example = try Example(Shape(width: 64, heads: 2, tokens: 19, hidden: 64))
            let encoder = try example.encoder(.float32)
            let expected = try encoder(example.tokens).selected(1, 0).floats()
            let broken = try example.tokens.clone()
            try broken.narrowed(0, 1..<2).fill(.nan)
            let found = try encoder(broken)
            #expect(try found.selected(1, 0).floats() == expected)
            #expect(try found.selected(1, 1).floats().allSatisfy(\.isNaN))
            #expect(try encoder(example.tokens).selected(1, 0).floats() == expected)
        }
    }

    @Test("Shapes and types that do not fit are errors")
    func refusals() throws {
        #expect(!PackedEncoder.serves(width: 40))
        #expect(throws: TorchError.self) {
            try PackedEncoder(width: 40, heads: 1, eps: 1e-6, dtype: .float32)
        }
        #expect(throws: TorchError.self) {
            try PackedEncoder(width: 64, heads: 1, eps: 1e-6, dtype: .float16)
        }
        #expect(PackedEncoder.kernels(.float16) == nil)
        let example = try Example(Shape(width: 64, heads: 2, tokens: 4, hidden: 64))
        let encoder = try example.encoder(.float32)
        #expect(throws: TorchError.self) { try encoder(Tensor.zeros([1, 4, 32])) }
        #expect(throws: TorchError.self) { try encoder(Tensor.zeros([1, 4, 64]), wanted: 5) }
        #expect(throws: TorchError.self) { try encoder(Tensor.zeros([1, 4, 64]), lastBlocks: 3) }
        #expect(throws: TorchError.self) {
            var block = example.blocks[0]
            block.fc2.weight = try Tensor.zeros([32, 64])
            try encoder.add(block)
        }
    }

    /// Two blocks and a normalisation with random weights, and three images' tokens.
    private struct Example {
        let shape: Shape
        let tokens: Tensor
        let blocks: [PackedEncoder.Block]
        let norm: (weight: Tensor, bias: Tensor)

        init(_ shape: Shape) throws {
            try manualSeed(7)
            self.shape = shape
            let (width, hidden) = (shape.width, shape.hidden)
            func norm() throws -> (weight: Tensor, bias: Tensor) {
                (try Tensor.randn([width]) * 0.1 + 1, try Tensor.randn([width]) * 0.1)
            }
            func linear(_ outputs: Int, _ inputs: Int) throws -> (weight: Tensor, bias: Tensor?) {
                let scale = 1 / Double(inputs).squareRoot()
                return (
                    try Tensor.randn([outputs, inputs]) * scale,
                    shape.hasBias ? try Tensor.randn([outputs]) * 0.1 : nil
                )
            }
            func scale() throws -> Tensor? {
                shape.hasLayerScale ? try Tensor.randn([width]) : nil
            }
            tokens = try Tensor.randn([3, shape.tokens, width])
            blocks = try (0..<2).map { _ in
                PackedEncoder.Block(
                    norm1: try norm(),
                    qkv: try linear(3 * width, width),
                    proj: try linear(width, width),
                    scale1: try scale(),
                    norm2: try norm(),
                    fc1: try linear(shape.isGated ? 2 * hidden : hidden, width),
                    fc2: try linear(width, hidden),
                    scale2: try scale()
                )
            }
            self.norm = try norm()
        }

        func encoder(_ dtype: DType) throws -> PackedEncoder {
            let encoder = try PackedEncoder(
                width: shape.width,
                heads: shape.heads,
                eps: 1e-6,
                isGated: shape.isGated,
                dtype: dtype
            )
            for block in blocks { try encoder.add(block) }
            try encoder.setNorm(weight: norm.weight, bias: norm.bias)
            return encoder
        }

        /// The normalised tokens after each block, by libtorch's operators in double precision.
        func reference() throws -> [Tensor] {
            func normalized(_ x: Tensor, _ norm: (weight: Tensor, bias: Tensor)) throws -> Tensor {
                try Functional.layerNorm(
                    x,
                    width: shape.width,
                    weight: norm.weight.to(.float64),
                    bias: norm.bias.to(.float64),
                    eps: 1e-6
                )
            }
            func mapped(_ x: Tensor, _ linear: (weight: Tensor, bias: Tensor?)) throws -> Tensor {
                try Functional.linear(
                    x,
                    linear.weight.to(.float64),
                    linear.bias.map { try $0.to(.float64) }
                )
            }
            func scaled(_ x: Tensor, _ scale: Tensor?) throws -> Tensor {
                try scale.map { try x * $0.to(.float64) } ?? x
            }
            var x = try tokens.to(.float64)
            return try blocks.map { block in
                let (width, heads) = (shape.width, shape.heads)
                let parts = try mapped(normalized(x, block.norm1), block.qkv)
                    .reshaped([3, shape.tokens, 3, heads, width / heads])
                    .permuted([2, 0, 3, 1, 4])
                let scores = try parts.selected(0, 0).matmul(parts.selected(0, 1).transposed(2, 3))
                let weights = try Functional.softmax(
                    scores * (1 / Double(width / heads).squareRoot())
                )
                let attended = try weights.matmul(parts.selected(0, 2)).transposed(1, 2)
                    .reshaped([3, shape.tokens, width])
                x = try x + scaled(mapped(attended, block.proj), block.scale1)
                var hidden = try mapped(normalized(x, block.norm2), block.fc1)
                if shape.isGated {
                    let gate = try hidden.narrowed(2, 0..<shape.hidden)
                    let value = try hidden.narrowed(2, shape.hidden..<(2 * shape.hidden))
                    hidden = try gate * gate.sigmoid() * value
                } else {
                    hidden = try Functional.gelu(hidden)
                }
                x = try x + scaled(mapped(hidden, block.fc2), block.scale2)
                return try normalized(x, norm).to(.float32)
            }
        }
    }
}
