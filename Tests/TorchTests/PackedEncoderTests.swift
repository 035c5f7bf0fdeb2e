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
    nonisolated static let dtypes = [DType.float32, .bfloat16, .int8].filter {
        PackedEncoder.kernels($0) != nil
    }

    @Test(
        "A kernel: product, normalise, queries, keys, values, GELU, SwiGLU, residual, scaled, softmax, GELU by tanh, quick GELU, heads normalised and turned; in 8 bits product, normalise, round",
        arguments: 0..<PackedEncoder.kernelCount,
        dtypes
    )
    func kernel(_ kernel: Int, dtype: DType) throws {
        for seed in UInt64(0)..<60 {
            let error = try PackedEncoder.error(ofKernel: kernel, dtype: dtype, seed: seed)
            #expect(error.found <= error.allowed, "seed \(seed)")
            // The last three are those of 8 bits. Rounding always leaves something, and so do sums in float32.
            let exists = kernel < PackedEncoder.kernelCount - 3 || dtype == .int8
            if !exists { #expect(error.found == 0) }
        }
        #expect(throws: TorchError.self) {
            try PackedEncoder.error(
                ofKernel: PackedEncoder.kernelCount,
                dtype: dtype,
                seed: 0
            )
        }
    }

    /// Widths, heads, tokens, hidden widths that exercise the padding of heads, panels and tokens.
    nonisolated static let shapes: [Shape] = [
        Shape(width: 32, heads: 1, tokens: 2, hidden: 32),
        Shape(width: 64, heads: 2, tokens: 17, hidden: 256),
        Shape(width: 96, heads: 3, tokens: 5, hidden: 100, hasLayerScale: true),
        Shape(width: 192, heads: 3, tokens: 198, hidden: 768, activation: .swiglu),
        Shape(width: 160, heads: 2, tokens: 50, hidden: 427, hasBias: false),
        Shape(
            width: 288,
            heads: 4,
            tokens: 33,
            hidden: 96,
            activation: .swiglu,
            hasLayerScale: true
        ),
        Shape(width: 384, heads: 6, tokens: 64, hidden: 1536, hasBias: false),
        Shape(width: 512, heads: 4, tokens: 47, hidden: 1000, activation: .swiglu),
        Shape(width: 1536, heads: 24, tokens: 21, hidden: 640, hasLayerScale: true),
        Shape(width: 64, heads: 1, tokens: 1400, hidden: 64),
        Shape(width: 192, heads: 3, tokens: 50, hidden: 300, activation: .geluTanh),
        Shape(width: 256, heads: 4, tokens: 50, hidden: 256, activation: .quickGELU),
        Shape(width: 192, heads: 4, tokens: 70, hidden: 128, normalizesHeads: true),
        Shape(width: 128, heads: 4, tokens: 67, hidden: 128, turned: 64),
        Shape(width: 384, heads: 3, tokens: 40, hidden: 96, normalizesHeads: true, turned: 40),
    ]

    struct Shape: CustomTestStringConvertible {
        var width: Int
        var heads: Int
        var tokens: Int
        var hidden: Int
        var activation = PackedEncoder.Activation.gelu
        var hasLayerScale = false
        var hasBias = true
        var normalizesHeads = false
        /// How many tokens at the end have rotary positions.
        var turned = 0

        var testDescription: String {
            "\(width) wide, \(heads) heads, \(tokens) tokens, \(hidden) hidden"
                + ", \(activation)" + (hasLayerScale ? ", layer scale" : "")
                + (hasBias ? "" : ", no bias")
                + (normalizesHeads ? ", normalised heads" : "")
                + (turned > 0 ? ", \(turned) turned" : "")
        }
    }

    @Test("Blocks of every shape", arguments: shapes, dtypes)
    func blocks(shape: Shape, dtype: DType) throws {
        try withoutGradient {
            let example = try Example(shape, dtype)
            let expected = try example.reference()
            let encoder = try example.encoder(dtype)
            let found = try encoder(example.tokens, rotary: example.rotary, lastBlocks: 2)
            #expect(found.shape == [2, 3, shape.tokens, shape.width])
            // bfloat16 keeps 8 bits of the operands of five products a block; in 8 bits inputs are rounded to 1/510 of
            // their row's range.
            let tolerance: Float = dtype == .float32 ? 4e-6 : dtype == .int8 ? 4e-2 : 2e-2
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
            let shape = Shape(width: 96, heads: 3, tokens: 101, hidden: 200)
            let example = try Example(shape, dtype)
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

    @Test(
        "An encoder serves calls with and without rotary positions, of any number of turned tokens"
    )
    func changingAngles() throws {
        try withoutGradient {
            let example = try Example(
                Shape(width: 128, heads: 4, tokens: 40, hidden: 64, turned: 36)
            )
            let encoder = try example.encoder(.float32)
            let plain = try encoder(example.tokens).floats()
            let turned = try encoder(example.tokens, rotary: example.rotary).floats()
            #expect(plain != turned)
            #expect(try encoder(example.tokens).floats() == plain)
            let image = try example.tokens.narrowed(0, 1..<2)
            let expected = try encoder(example.tokens, rotary: example.rotary)
                .narrowed(1, 1..<2).floats()
            for _ in 0..<4 {
                #expect(try encoder(image, rotary: example.rotary).floats() == expected)
            }
            let angles = try #require(example.rotary)
            let narrow = try angles.cosines.narrowed(1, 0..<8).contiguous()
            #expect(throws: TorchError.self) {
                try encoder(image, rotary: (narrow, angles.sines))
            }
        }
    }

    @Test("Not a number stays with its image", arguments: dtypes)
    func notANumber(dtype: DType) throws {
        try withoutGradient {
            let example = try Example(Shape(width: 64, heads: 2, tokens: 19, hidden: 64), dtype)
            let encoder = try example.encoder(dtype)
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
        #expect(throws: TorchError.self, "heads of 8") {
            try PackedEncoder(
                width: 64,
                heads: 8,
                eps: 1e-6,
                normalizesHeads: true,
                dtype: .float32
            )
        }
        if PackedEncoder.kernels(.int8) != nil {
            #expect(throws: TorchError.self, "no steps") {
                try Example(Shape(width: 64, heads: 2, tokens: 4, hidden: 64)).encoder(.int8)
            }
        }
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
        let rotary: (cosines: Tensor, sines: Tensor)?

        /// In 8 bits the weights are rounded to whole steps.
        init(_ shape: Shape, _ dtype: DType = .float32) throws {
            try manualSeed(7)
            self.shape = shape
            let (width, hidden) = (shape.width, shape.hidden)
            func norm() throws -> (weight: Tensor, bias: Tensor) {
                (try Tensor.randn([width]) * 0.1 + 1, try Tensor.randn([width]) * 0.1)
            }
            func steps(_ weight: Tensor) throws -> Tensor {
                try weight.abs().topK(1, dim: 1).values.reshaped([weight.shape[0]]) / 127
            }
            func linear(_ outputs: Int, _ inputs: Int) throws -> (weight: Tensor, bias: Tensor?) {
                let scale = 1 / Double(inputs).squareRoot()
                var weight = try Tensor.randn([outputs, inputs]) * scale
                if dtype == .int8 {
                    let steps = try steps(weight).unsqueezed(1)
                    weight = try (weight / steps + 0.5).floor() * steps
                }
                return (weight, shape.hasBias ? try Tensor.randn([outputs]) * 0.1 : nil)
            }
            func headNorm() throws -> (weight: Tensor, bias: Tensor)? {
                guard shape.normalizesHeads else { return nil }
                let headWidth = width / shape.heads
                return (
                    try Tensor.randn([headWidth]) * 0.3 + 1, try Tensor.randn([headWidth]) * 0.3
                )
            }
            func scale() throws -> Tensor? {
                shape.hasLayerScale ? try Tensor.randn([width]) : nil
            }
            tokens = try Tensor.randn([3, shape.tokens, width])
            let isGated = shape.activation == .swiglu
            blocks = try (0..<2).map { _ in
                var block = PackedEncoder.Block(
                    norm1: try norm(),
                    qkv: try linear(3 * width, width),
                    proj: try linear(width, width),
                    scale1: try scale(),
                    norm2: try norm(),
                    fc1: try linear(isGated ? 2 * hidden : hidden, width),
                    fc2: try linear(width, hidden),
                    scale2: try scale(),
                    qNorm: try headNorm(),
                    kNorm: try headNorm()
                )
                if dtype == .int8 {
                    block.steps = PackedEncoder.Steps(
                        qkv: try steps(block.qkv.weight),
                        proj: try steps(block.proj.weight),
                        fc1: try steps(block.fc1.weight),
                        fc2: try steps(block.fc2.weight)
                    )
                }
                return block
            }
            self.norm = try norm()
            guard shape.turned > 0 else {
                rotary = nil
                return
            }
            // Any angles do; their cosines and sines need not belong together.
            let angles = [shape.turned, width / shape.heads / 2]
            rotary = (try Tensor.randn(angles), try Tensor.randn(angles))
        }

        func encoder(_ dtype: DType) throws -> PackedEncoder {
            let encoder = try PackedEncoder(
                width: shape.width,
                heads: shape.heads,
                eps: 1e-6,
                activation: shape.activation,
                normalizesHeads: shape.normalizesHeads,
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
            func prepared(
                _ x: Tensor,
                _ norm: (weight: Tensor, bias: Tensor)?
            ) throws -> Tensor {
                let headWidth = shape.width / shape.heads
                var x = x
                if let norm {
                    x = try Functional.layerNorm(
                        x.contiguous(),
                        width: headWidth,
                        weight: norm.weight.to(.float64),
                        bias: norm.bias.to(.float64),
                        eps: 1e-6
                    )
                }
                guard let rotary else { return x }
                let still = shape.tokens - shape.turned
                let turned = try x.narrowed(2, still..<shape.tokens)
                let first = try turned.narrowed(3, 0..<(headWidth / 2))
                let second = try turned.narrowed(3, (headWidth / 2)..<headWidth)
                let (cosine, sine) = (
                    try rotary.cosines.to(.float64), try rotary.sines.to(.float64)
                )
                let halves = [
                    try first * cosine - second * sine, try second * cosine + first * sine,
                ]
                let all = try Tensor.cat(halves, dim: 3)
                return still == 0 ? all : try Tensor.cat([x.narrowed(2, 0..<still), all], dim: 2)
            }
            func activated(_ x: Tensor) throws -> Tensor {
                switch shape.activation {
                case .gelu: return try Functional.gelu(x)
                case .quickGELU: return try x * (x * 1.702).sigmoid()
                case .geluTanh:
                    let inner = try (x + x * x * x * 0.044715) * (2 / Double.pi).squareRoot()
                    return try x * (inner * 2).sigmoid()
                case .swiglu:
                    let gate = try x.narrowed(2, 0..<shape.hidden)
                    let value = try x.narrowed(2, shape.hidden..<(2 * shape.hidden))
                    return try gate * gate.sigmoid() * value
                }
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
                let queries = try prepared(parts.selected(0, 0), block.qNorm)
                let keys = try prepared(parts.selected(0, 1), block.kNorm)
                let scores = try queries.matmul(keys.transposed(2, 3))
                let weights = try Functional.softmax(
                    scores * (1 / Double(width / heads).squareRoot())
                )
                let attended = try weights.matmul(parts.selected(0, 2)).transposed(1, 2)
                    .reshaped([3, shape.tokens, width])
                x = try x + scaled(mapped(attended, block.proj), block.scale1)
                let hidden = try activated(mapped(normalized(x, block.norm2), block.fc1))
                x = try x + scaled(mapped(hidden, block.fc2), block.scale2)
                return try normalized(x, norm).to(.float32)
            }
        }
    }
}
