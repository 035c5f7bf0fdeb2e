import TestSupport
import Testing
import Torch
import VisionModels

@Suite("Resampling of position embeddings", .tags(.unit))
@ModelActor
struct PositionEmbeddingTests {
    @Test("Equal grids change nothing", arguments: PositionEmbeddingResampling.allCases)
    func identity(way: PositionEmbeddingResampling) throws {
        let grid = PatchGrid(height: 2, width: 3)
        let embedding = try Tensor.randn([1, 8, 4])
        let result = try way.resample(embedding, prefixTokens: 2, from: grid, to: grid)
        #expect(try result.floats() == embedding.floats())
    }

    @Test(
        "The tokens before the patches stay, and a constant stays constant",
        arguments: PositionEmbeddingResampling.allCases,
        [0, 1, 2]
    )
    func prefix(way: PositionEmbeddingResampling, tokens: Int) throws {
        let (old, new) = (PatchGrid(height: 3, width: 4), PatchGrid(height: 5, width: 2))
        let prefix = try Tensor.randn([1, tokens, 4])
        let patches = try Tensor.full(0.75, [1, 12, 4])
        let embedding = try tokens == 0 ? patches : Tensor.cat([prefix, patches], dim: 1)
        let result = try way.resample(embedding, prefixTokens: tokens, from: old, to: new)
        #expect(result.shape == [1, tokens + 10, 4])
        #expect(try result.narrowed(1, 0..<tokens).floats() == prefix.floats())
        expectClose(
            try result.narrowed(1, tokens..<tokens + 10).floats(),
            Array(repeating: 0.75, count: 40),
            tolerance: 1e-6
        )
    }

    @Test("Half precision stays half precision", arguments: PositionEmbeddingResampling.allCases)
    func types(way: PositionEmbeddingResampling) throws {
        let embedding = try Tensor.randn([1, 5, 4]).to(.bfloat16)
        let (old, new) = (PatchGrid(height: 2, width: 2), PatchGrid(height: 3, width: 3))
        let result = try way.resample(embedding, prefixTokens: 1, from: old, to: new)
        #expect(result.dtype == .bfloat16 && result.shape == [1, 10, 4])
    }

    @Test(
        "What does not fit is refused in one sentence",
        arguments: PositionEmbeddingResampling.allCases
    )
    func refused(way: PositionEmbeddingResampling) throws {
        let (old, new) = (PatchGrid(height: 2, width: 2), PatchGrid(height: 3, width: 3))
        for shape in [[1, 6, 4], [1, 4, 4], [2, 5, 4], [5, 4], [1, 5, 0], []] {
            let embedding = try Tensor.zeros(shape)
            let error = #expect(throws: TorchError.self) {
                try way.resample(embedding, prefixTokens: 1, from: old, to: new)
            }
            #expect(error?.message.contains("\(shape)") == true)
        }
        let embedding = try Tensor.zeros([1, 5, 4])
        for (prefix, grid) in [
            (-1, new), (.max, new), (1, PatchGrid(height: 0, width: 3)),
            (1, PatchGrid(height: -3, width: -3)), (1, PatchGrid(height: .max, width: .max)),
        ] {
            #expect(throws: TorchError.self) {
                try way.resample(embedding, prefixTokens: prefix, from: old, to: grid)
            }
        }
        #expect(throws: TorchError.self) {
            try way.resample(embedding.to(.int64), prefixTokens: 1, from: old, to: new)
        }
    }
}
