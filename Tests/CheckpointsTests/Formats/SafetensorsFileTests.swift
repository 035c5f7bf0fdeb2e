import Checkpoints
import Foundation
import Storage
import TestSupport
import Testing

@Suite struct SafetensorsFileTests {
    static let sound =
        #"{"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"U8","shape":[],"data_offsets":[8,9]}}"#
    static let data: [UInt8] = [0, 0, 128, 63, 0, 0, 0, 64, 7]

    @Test func readsASoundFile() throws {
        let scratch = try Scratch()
        let path = try scratch.write(container(Self.sound, data: Self.data), to: "a.safetensors")
        let file = try SafetensorsFile(path: path)
        #expect(file.header.entries.map(\.name) == ["b", "a"])
        #expect(file.header.entries.map(\.shape) == [[2], []])
        #expect(file.header.metadata.isEmpty)
        #expect(try file.bytes(of: file.header.entries[0]) == Array(Self.data[..<8]))
        #expect(try file.bytes(of: file.header.entries[1]) == [7])
    }

    @Test func refusesEveryTruncation() throws {
        let scratch = try Scratch()
        let whole = container(Self.sound, data: Self.data)
        for count in 0..<whole.count {
            let path = try scratch.write(Array(whole[..<count]), to: "cut.safetensors")
            #expect(throws: CheckpointError.self, "cut to \(count) bytes") {
                try SafetensorsFile(path: path)
            }
        }
        let longer = try scratch.write(whole + [0], to: "long.safetensors")
        #expect(throws: CheckpointError.self) { try SafetensorsFile(path: longer) }
    }

    /// Flips every byte of the header to a few others: any outcome is fine but a trap.
    @Test func survivesEveryChangedByte() throws {
        let scratch = try Scratch()
        let whole = container(Self.sound, data: Self.data)
        var refused = 0
        for index in 0..<(whole.count - Self.data.count) {
            for byte: UInt8 in [0x22, 0x39, 0x5B, 0xFF] {
                var bytes = whole
                bytes[index] = byte
                let path = try scratch.write(bytes, to: "x.safetensors")
                do {
                    let file = try SafetensorsFile(path: path)
                    for entry in file.header.entries { _ = try file.bytes(of: entry) }
                } catch {
                    refused += 1
                }
            }
        }
        #expect(refused > 300)
    }

    @Test(arguments: [UInt64](arrayLiteral: 0, 1, 1 << 27, 1 << 31, 1 << 62, 1 << 63, .max))
    func refusesOddHeaderLengths(_ length: UInt64) throws {
        let scratch = try Scratch()
        let bytes = container(Self.sound, data: Self.data, length: length)
        let path = try scratch.write(bytes, to: "x.safetensors")
        #expect(throws: CheckpointError.self) { try SafetensorsFile(path: path) }
    }

    @Test(arguments: [
        // Not an object, or not only one.
        "[]", "null", " {}", "{}{}", "{\"a\":1}", "{\"a\":[]}", "{\"a\":{}}",
        // Types, shapes and offsets of the wrong kind.
        tensor(dtype: "F33"), tensor(dtype: "f32"), tensor(shape: "8"), tensor(shape: "[-1]"),
        tensor(shape: "[8.5]"), tensor(shape: "[\"8\"]"), tensor(shape: "[1e1]"),
        tensor(shape: "[NaN]"),
        tensor(shape: "[null]"), tensor(shape: "[9223372036854775807,4]"),
        tensor(shape: "[99999999999999999999]"),
        tensor(shape: "[9223372036854775807,9223372036854775807,0]"), tensor(shape: "[7]"),
        tensor(shape: "[9]"),
        tensor(offsets: "[0]"), tensor(offsets: "[0,8,8]"), tensor(offsets: "[8,0]"),
        tensor(offsets: "[-8,0]"),
        tensor(offsets: "[0,9]"), tensor(offsets: "[1,9]"), tensor(offsets: "[0,1e3]"),
        tensor(offsets: "null"),
        tensor(offsets: "[9223372036854775800,9223372036854775807]"),
        tensor(offsets: "[0,18446744073709551616]"),
        // Metadata that are no texts, and a name twice.
        "{\"__metadata__\":[]}", "{\"__metadata__\":{\"a\":1}}",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8]},\"a\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8]}}",
        // Overlap, gap, bytes that belong to nobody.
        pair("[0,4]", "[4]", "[0,4]", "[4]"), pair("[0,5]", "[5]", "[4,8]", "[4]"),
        pair("[0,3]", "[3]", "[4,8]", "[4]"), pair("[1,4]", "[3]", "[4,8]", "[4]"),
        pair("[0,3]", "[3]", "[3,7]", "[4]"), pair("[0,4]", "[4]", "[4,12]", "[8]"), "{}",
        // Deeper than any header is.
        tensor(shape: String(repeating: "[", count: 9) + String(repeating: "]", count: 9)),
        "{\"__metadata__\":" + String(repeating: "{\"a\":", count: 100_000),
    ])
    func refuses(_ header: String) throws {
        let scratch = try Scratch()
        let bytes = container(header, data: [UInt8](repeating: 1, count: 8))
        let path = try scratch.write(bytes, to: "bad.safetensors")
        let error = #expect(throws: CheckpointError.self) { try SafetensorsFile(path: path) }
        #expect(error.map { "\($0)".contains("bad.safetensors") } == true)
    }

    static func tensor(
        dtype: String = "U8",
        shape: String = "[8]",
        offsets: String = "[0,8]"
    ) -> String {
        "{\"a\":{\"dtype\":\"\(dtype)\",\"shape\":\(shape),\"data_offsets\":\(offsets)}}"
    }

    static func pair(_ first: String, _ shape: String, _ second: String, _ other: String) -> String
    {
        "{\"a\":{\"dtype\":\"U8\",\"shape\":\(shape),\"data_offsets\":\(first)},"
            + "\"b\":{\"dtype\":\"U8\",\"shape\":\(other),\"data_offsets\":\(second)}}"
    }

    @Test func acceptsEmptyTensorsAndMetadata() throws {
        let scratch = try Scratch()
        let header =
            #"{"__metadata__":{"format":"pt"},"e":{"dtype":"F32","shape":[0,3],"data_offsets":[0,0]},"f":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}   "#
        let path = try scratch.write(container(header, data: [1, 2]), to: "e.safetensors")
        let file = try SafetensorsFile(path: path)
        #expect(file.header.metadata == ["format": "pt"])
        #expect(file.header.entries.map(\.name) == ["e", "f"])
        #expect(try file.bytes(of: file.header.entries[0]).isEmpty)
    }

    @Test func missingFilesFoldersAndPipesAreErrors() throws {
        let scratch = try Scratch()
        #expect(throws: CheckpointError.self) { try SafetensorsFile(path: scratch.file("none")) }
        #expect(throws: CheckpointError.self) { try SafetensorsFile(path: scratch.path) }
        #expect(mkfifo(scratch.file("pipe"), 0o600) == 0)
        #expect(throws: CheckpointError.self) { try SafetensorsFile(path: scratch.file("pipe")) }
    }

    @Test func fileCutWhileOpenIsAnError() throws {
        let scratch = try Scratch()
        let path = try scratch.write(container(Self.sound, data: Self.data), to: "a.safetensors")
        let file = try SafetensorsFile(path: path)
        #expect(truncate(path, 100) == 0)
        #expect(throws: CheckpointError.self) { try file.bytes(of: file.header.entries[0]) }
    }
}
