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

    @Test("All 15 lists are there")
    func listsExist() {
        #expect(Self.presets.count == 15)
    }

    @Test("Keys, shapes, parameters", arguments: presets)
    func keys(name: String) throws {
        let file = fixtures.appending(path: "timm_keys").appending(path: "\(name).txt")
        var lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map(
            String.init
        )
        let count = try #require(Int(lines.removeFirst().drop { !$0.isNumber }))

        let model = try ModelRegistry.configuration(named: name).makeModel()
        #expect(model.parameterCount == count)
        let found = model.namedTensors().map { name, tensor in
            ([name] + tensor.shape.map(String.init)).joined(separator: " ")
        }
        #expect(Set(found).count == found.count, "a key occurs twice")
        #expect(found.sorted() == lines.sorted())
    }
}
