import TestSupport
import Testing
import Torch
import VisionModels

/// Position embeddings on other grids, against what timm, transformers and the code of DeiT, DINO and DINOv2 make of them.
@Suite("Position embeddings against their five sources", .tags(.parity))
@ModelActor
struct PositionParityTests {
    static let tolerance: Float = 1e-6

    /// A way as the fixture calls it.
    struct Way: CustomTestStringConvertible, Sendable {
        let name: String
        let way: PositionEmbeddingResampling
        var hasRegisters = false
        var cases = 30
        var testDescription: String { name }
    }

    nonisolated static let ways = [
        Way(name: "deit", way: .deit), Way(name: "timm", way: .timm),
        Way(name: "hf", way: .hf, cases: 12), Way(name: "hf_dinov2", way: .hf, cases: 6),
        Way(name: "hf_reg", way: .hf, hasRegisters: true, cases: 6),
        Way(name: "dino", way: .dino), Way(name: "dinov2", way: .dinov2),
        Way(name: "dinov2_reg", way: .dinov2, hasRegisters: true),
    ]

    @Test("Up, down, across, behind 0, 1 and 2 tokens", arguments: ways)
    func resampled(way: Way) throws {
        let expected = try fixture("positions")
        let names = expected.names.filter { $0.hasPrefix("\(way.name).") }
        #expect(names.count == way.cases)
        for name in names {
            // WAY.PREFIX.HxW.hxw
            let parts = name.split(separator: ".").map(String.init)
            try #require(parts.count == 4)
            let prefix = try #require(Int(parts[1]))
            let (old, new) = (try grid(parts[2]), try grid(parts[3]))
            let source = try expected.tensor("source.\(parts[1]).\(parts[2])")
            let result = try way.way.resample(
                source,
                prefixTokens: prefix,
                from: old,
                to: new,
                hasRegisters: way.hasRegisters
            )
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

    @Test(
        "Those that compute in float32 do so for half types",
        arguments: ways.filter { ["timm", "hf_reg", "dinov2", "dinov2_reg"].contains($0.name) }
    )
    func half(way: Way) throws {
        let expected = try fixture("positions")
        let result = try way.way.resample(
            expected.tensor("source.1.7x7").to(.bfloat16),
            prefixTokens: 1,
            from: PatchGrid(height: 7, width: 7),
            to: PatchGrid(height: 4, width: 4),
            hasRegisters: way.hasRegisters
        )
        #expect(result.dtype == .bfloat16)
        #expect(
            try result.to(.float32).floats() == expected.floats("half.\(way.name).1.7x7.4x4")
        )
    }

    @Test("The ways differ where they should, and coincide where the table says so")
    func different() throws {
        let expected = try fixture("positions")
        func shrunk(_ way: String) throws -> [Float] { try expected.floats("\(way).1.7x7.4x4") }
        let pairs = [
            ("deit", "hf"), ("hf", "hf_dinov2"), ("dino", "dinov2"), ("timm", "hf_reg"),
            ("timm", "dinov2_reg"),
        ]
        for (a, b) in pairs {
            #expect(
                try describeDifference(shrunk(a), shrunk(b), tolerance: 1e-6) == nil,
                "\(a) \(b)"
            )
        }
        for (a, b) in [("deit", "timm"), ("deit", "dino"), ("dinov2", "dinov2_reg")] {
            #expect(
                try describeDifference(shrunk(a), shrunk(b), tolerance: 1e-2) != nil,
                "\(a) \(b)"
            )
        }
    }

    private func grid(_ text: String) throws -> PatchGrid {
        let sides = text.split(separator: "x").compactMap { Int($0) }
        try #require(sides.count == 2)
        return PatchGrid(height: sides[0], width: sides[1])
    }
}
