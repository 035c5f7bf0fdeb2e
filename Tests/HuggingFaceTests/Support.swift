import Checkpoints
import Foundation
import Storage
import TestSupport
import Testing

/// The folder of what transformers wrote (`Tools/parity/make_huggingface.py`).
enum Fixtures {
    static func path(_ name: String) throws -> String {
        let root = try #require(Bundle.module.resourceURL).appending(path: "Fixtures")
        return root.appending(path: name).path
    }

    static func tensors(_ name: String) throws -> Fixture {
        try Fixture(URL(filePath: path(name)))
    }

    static func object(_ name: String) throws -> JSONObject {
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: path(name))))
        return try #require(JSONValue.parse(bytes).objectValue)
    }

    static func text(_ name: String) throws -> String {
        try String(contentsOfFile: path(name), encoding: .utf8)
    }
}

/// Parses an object of a test.
func object(_ text: String) throws -> JSONObject {
    try #require(JSONValue.parse([UInt8](text.utf8)).objectValue)
}
