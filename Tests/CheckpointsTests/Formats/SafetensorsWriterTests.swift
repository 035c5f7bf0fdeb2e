import Checkpoints
import Foundation
import Storage
import TestSupport
import Testing

@Suite struct SafetensorsWriterTests {
    typealias Description = ArchivedTensor

    @Test func writesWhatItReads() throws {
        let scratch = try Scratch()
        let path = scratch.file("w.safetensors")
        let content: [String: [UInt8]] = [
            "z.bool": [1], "a.half": [1, 2, 3, 4], "é \"quoted\"": [9, 9, 9, 9, 9, 9, 9, 9],
            "empty": [],
        ]
        let tensors = [
            Description(name: "z.bool", dtype: .bool, shape: []),
            Description(name: "a.half", dtype: .float16, shape: [2]),
            Description(name: "é \"quoted\"", dtype: .int64, shape: [1, 1]),
            Description(name: "empty", dtype: .float32, shape: [0, 5]),
        ]
        try SafetensorsWriter.write(tensors, metadata: ["format": "pt", "a": "ü\n"], to: path) {
            tensor,
            sink throws(CheckpointError) in
            try CheckpointError.of(try sink.write(content[tensor.name] ?? []))
        }
        let file = try SafetensorsFile(path: path)
        #expect(file.header.metadata == ["format": "pt", "a": "ü\n"])
        #expect(file.header.entries.count == 4)
        for entry in file.header.entries {
            #expect(try file.bytes(of: entry) == content[entry.name])
            #expect(
                entry.range.lowerBound % entry.dtype.byteSize == 0,
                "\(entry.name) is not aligned"
            )
        }
        #expect(try scratch.names() == ["w.safetensors"])
    }

    @Test func headerIsSortedAndPadded() throws {
        let scratch = try Scratch()
        let path = scratch.file("w.safetensors")
        let tensors = ["c", "a", "b"].map { Description(name: $0, dtype: .uint8, shape: [1]) }
        try SafetensorsWriter.write(tensors, to: path) { tensor, sink throws(CheckpointError) in
            try CheckpointError.of(try sink.write(Array(tensor.name.utf8)))
        }
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        let size = bytes[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
        #expect(size % 8 == 0)
        let header = String(decoding: bytes[8..<8 + size], as: UTF8.self)
        let json = header.trimmingCharacters(in: [" "])
        #expect(try JSONValue.parse(Array(json.utf8)).objectValue?.keys == ["a", "b", "c"])
        #expect(Array(bytes[(8 + size)...]) == Array("abc".utf8))
    }

    @Test func wrongByteCountsAndNamesAreErrorsAndLeaveTheOldFile() throws {
        let scratch = try Scratch()
        let path = try scratch.write([1, 2, 3], to: "old.safetensors")
        let tensors = [Description(name: "a", dtype: .float32, shape: [2])]
        for count in [0, 7, 9] {
            #expect(throws: CheckpointError.self) {
                try SafetensorsWriter.write(tensors, to: path) { _, sink throws(CheckpointError) in
                    try CheckpointError.of(
                        try sink.write([UInt8](repeating: 0, count: count))
                    )
                }
            }
        }
        let impossible: [[Description]] = [
            tensors + tensors, [Description(name: "__metadata__", dtype: .bool, shape: [])],
            [Description(name: "n", dtype: .bool, shape: [-1])],
            [Description(name: "h", dtype: .float32, shape: [.max])],
        ]
        for tensors in impossible {
            #expect(throws: CheckpointError.self) {
                try SafetensorsWriter.write(tensors, to: path) { _, _ throws(CheckpointError) in }
            }
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data([1, 2, 3]))
        #expect(try scratch.names() == ["old.safetensors"])
    }
}
