import Checkpoints
import Foundation
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

/// Every preset that timm has as well: its keys, shapes and number of parameters.
@Suite("Keys of timm's models", .tags(.parity))
@ModelActor
struct KeyParityTests {
    nonisolated static let presets: [String] = {
        let folder = fixtures.appending(path: "timm_keys")
        let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
        return (names ?? []).filter { $0.hasSuffix(".txt") }.map { String($0.dropLast(4)) }.sorted()
    }()

    @Test("All 47 lists are there")
    func listsExist() {
        #expect(Self.presets.count == 47)
    }

    @Test("Keys, shapes, parameters", arguments: presets)
    func keys(name: String) throws {
        let file = fixtures.appending(path: "timm_keys").appending(path: "\(name).txt")
        var lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map(
            String.init
        )
        let count = try #require(Int(lines.removeFirst().drop { !$0.isNumber }))
        var configuration = try ModelRegistry.configuration(named: name)
        #expect(configuration.parameterCount == count)
        // Two blocks stand for all where the network is large: filling the largest would take minutes and gigabytes.
        let isLarge = count > 30_000_000
        if isLarge, var vit = configuration.transformer {
            let depth = vit.depth
            vit.depth = 2
            configuration = .visionTransformer(vit)
            lines = try twoBlocks(of: lines, depth: depth)
        }
        let model = try configuration.makeModel()
        #expect(isLarge || model.parameterCount == count)
        let found = model.namedTensors().map { name, tensor in
            ([name] + tensor.shape.map(String.init)).joined(separator: " ")
        }
        #expect(Set(found).count == found.count, "a key occurs twice")
        #expect(found.sorted() == lines.sorted())
    }

    /// The lines of blocks 0 and 1, after checking that all later blocks have those of block 1.
    private func twoBlocks(of lines: [String], depth: Int) throws -> [String] {
        let second = lines.filter { $0.hasPrefix("blocks.1.") }.map { $0.dropFirst(9) }
        try #require(!second.isEmpty)
        for block in 2..<depth {
            let prefix = "blocks.\(block)."
            #expect(
                lines.filter { $0.hasPrefix(prefix) }.map { $0.dropFirst(prefix.count) } == second
            )
        }
        #expect(!lines.contains { $0.hasPrefix("blocks.\(depth).") })
        return lines.filter { line in
            !line.hasPrefix("blocks.") || line.hasPrefix("blocks.0.") || line.hasPrefix("blocks.1.")
        }
    }
}
