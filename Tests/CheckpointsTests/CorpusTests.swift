import Storage
import TestSupport
import Testing

@testable import Checkpoints

/// The configurations that fuzzing found worth keeping (`make fuzz`): a typed error or a value, never a trap.
@Suite struct CorpusTests {
    @Test func configurations() throws {
        let names = try Fixtures.names(in: "Corpus/config")
        #expect(names.count > 20)
        for name in names {
            let bytes = try Fixtures.bytes("Corpus/config/\(name)")
            guard let object = try? JSONValue.parse(bytes).objectValue else { continue }
            let fields = JSONFields(object: object, file: name)
            for parse: () throws -> Void in [
                { _ = try HuggingFaceConfiguration.decode(fields) },
                { _ = try TimmConfiguration.decode(fields) },
                { _ = try HuggingFaceProcessor.decode(fields, channels: 3) },
                { _ = try TimmProcessor.decode(fields, channels: 3) },
                { _ = try ShardIndex(object, file: name) },
            ] { try? parse() }
        }
    }
}
