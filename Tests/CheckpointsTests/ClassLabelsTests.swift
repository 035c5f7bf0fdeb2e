import Checkpoints
import Foundation
import TestSupport
import Testing

@Suite struct ClassLabelsTests {
    func read(_ text: String) throws -> ClassLabels {
        let scratch = try Scratch()
        return try ClassLabels(contentsOf: scratch.write(Array(text.utf8), to: "labels.txt"))
    }

    @Test func synsetsBecomeIdentifiers() throws {
        let labels = try read("n01440764 tench, Tinca tinca\r\nn01443537 goldfish\n\n")
        #expect(labels.names == ["tench, Tinca tinca", "goldfish"])
        #expect(labels.identifiers == ["n01440764", "n01443537"])
        #expect(labels.index(of: "n01443537") == 1)
        #expect(labels.index(of: "goldfish") == 1)
        #expect(labels.index(of: "trout") == nil)
    }

    @Test func otherLinesAreNames() throws {
        #expect(try read("T-shirt top\nnovel thing\n").names == ["T-shirt top", "novel thing"])
        #expect(try read("n01440764\nn01443537").names == ["n01440764", "n01443537"])
    }

    @Test func ambiguousNamesMeanNoClass() {
        let labels = ClassLabels(names: ["crane", "dog", "crane"])
        #expect(labels.index(of: "crane") == nil)
        #expect(labels.index(of: "dog") == 1)
    }

    @Test func badFilesAreErrors() throws {
        #expect(throws: CheckpointError.self) { try read("\n \n") }
        #expect(throws: CheckpointError.self) { try ClassLabels(contentsOf: "/nonexistent") }
        #expect(throws: CheckpointError.self) { try ClassLabels(contentsOf: "/") }
        let scratch = try Scratch()
        let bad = try scratch.write([0xFF, 0xFE, 0x41], to: "bad.txt")
        #expect(throws: CheckpointError.self) { try ClassLabels(contentsOf: bad) }
    }
}
