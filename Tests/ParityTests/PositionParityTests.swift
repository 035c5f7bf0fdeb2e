import TestSupport
import Testing
import Torch
import VisionModels

/// Position embeddings on other grids, against what timm, transformers and the code of DeiT and DINO make of them.
@Suite("Position embeddings against their four sources", .tags(.parity))
@ModelActor
struct PositionParityTests {
    static let tolerance: Float = 1e-6

    @Test(
        "Up, down, across, behind 0, 1 and 2 tokens",
        arguments: PositionEmbeddingResampling.allCases
    )
    func resampled(way: PositionEmbeddingResampling) throws {
        let expected = try fixture("positions")
        let names = expected.names.filter { $0.hasPrefix("\(way.rawValue).") }
        #expect(names.count == (way == .hf ? 12 : 30))
        for name in names {
            // WAY.PREFIX.HxW.hxw
            let parts = name.split(separator: ".").map(String.init)
            try #require(parts.count == 4)
            let prefix = try #require(Int(parts[1]))
            let (old, new) = (try grid(parts[2]), try grid(parts[3]))
            let source = try expected.tensor("source.\(parts[1]).\(parts[2])")
            let result = try way.resample(source, prefixTokens: prefix, from: old, to: new)
            expectClose(
                shape: result.shape,
                try result.floats(),
                expectedShape: try expected.shape(name),
                try expected.floats(name),
                tolerance: Self.tolerance,
                name
            )
        }
    }

    @Test("The four ways differ where they should")
    func different() throws {
        let expected = try fixture("positions")
        let shrunk = try PositionEmbeddingResampling.allCases.map {
            try expected.floats("\($0.rawValue).1.7x7.4x4")
        }
        let (deit, timm, hf, dino) = (shrunk[0], shrunk[1], shrunk[2], shrunk[3])
        #expect(describeDifference(deit, hf, tolerance: 1e-6) == nil)
        #expect(describeDifference(deit, timm, tolerance: 1e-2) != nil)
        #expect(describeDifference(deit, dino, tolerance: 1e-2) != nil)
    }

    private func grid(_ text: String) throws -> PatchGrid {
        let sides = text.split(separator: "x").compactMap { Int($0) }
        try #require(sides.count == 2)
        return PatchGrid(height: sides[0], width: sides[1])
    }
}
