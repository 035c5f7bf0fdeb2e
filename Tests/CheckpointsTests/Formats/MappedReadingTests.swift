import Checkpoints
import Foundation
import Storage
import TestSupport
import Testing
import Torch

@Suite struct MappedReadingTests {
    // Many pages, so that one beyond a new end is certain to be touched.
    static func file(_ scratch: Scratch, size: Int) throws -> String {
        let path = scratch.file("large.safetensors")
        let tensor = ArchivedTensor(name: "w", dtype: .uint8, shape: [size])
        try SafetensorsWriter.write([tensor], to: path) { _, sink throws(CheckpointError) in
            try CheckpointError.of(try sink.write([UInt8](repeating: 7, count: size)))
        }
        return path
    }

    /// Both ways of copying: from the mapping (small), and by the system (large).
    @ModelActor @Test(arguments: [1 << 17, 1 << 20])
    func fileCutWhileMappedIsAnErrorEveryTime(_ size: Int) throws {
        let scratch = try Scratch()
        let path = try Self.file(scratch, size: size)
        let archive = try WeightsArchive.open(path)
        let tensor = try #require(archive.tensors.first)
        let whole = try archive.read(tensor)
        #expect(try whole.withBytes { $0.allSatisfy { $0 == 7 } })
        #expect(truncate(path, 4096) == 0)
        for _ in 0..<3 {
            let error = #expect(throws: CheckpointError.self) { try archive.read(tensor) }
            #expect(error?.description.contains("large.safetensors") == true)
            #expect(error?.description.contains("has become shorter while it was read") == true)
        }
        #expect(throws: CheckpointError.self) { try archive.copy(tensor, into: whole) }
    }

    @Test func manyThreadsMeetTheCutAtOnce() async throws {
        let scratch = try Scratch()
        let path = try Self.file(scratch, size: 1 << 17)
        let file = try SafetensorsFile(path: path)
        #expect(truncate(path, 8192) == 0)
        let failures = await withTaskGroup(of: Bool.self, returning: Int.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    do {
                        _ = try file.bytes(of: file.header.entries[0])
                        return false
                    } catch { return true }
                }
            }
            var failures = 0
            for await failed in group where failed { failures += 1 }
            return failures
        }
        #expect(failures == 8)
    }

    @ModelActor @Test func copiesIntoTensorsOfAnyFormAndRefusesOtherShapes() throws {
        let scratch = try Scratch()
        let path = scratch.file("a.safetensors")
        let values = try Tensor([1.5, -2, 3, 0.25, 5, 6], shape: [2, 3])
        try Safetensors.write([(name: "a", tensor: values)], to: path)
        let archive = try WeightsArchive.open(path)
        let tensor = try #require(archive.tensors.first)
        #expect(tensor == ArchivedTensor(name: "a", dtype: .float32, shape: [2, 3]))
        #expect(archive.metadata == ["format": "pt"])

        let same = try Tensor.zeros([2, 3])
        try archive.copy(tensor, into: same)
        let half = try Tensor.zeros([2, 3], dtype: .float16)
        try archive.copy(tensor, into: half)
        let strided = try Tensor.zeros([3, 2]).transposed(0, 1)
        try archive.copy(tensor, into: strided)
        for target in [same, half, strided] {
            #expect(try target.floats() == [1.5, -2, 3, 0.25, 5, 6])
        }

        let other = try Tensor.zeros([3, 2])
        #expect(throws: CheckpointError.self) { try archive.copy(tensor, into: other) }
        #expect(try other.floats() == [Float](repeating: 0, count: 6))
        let foreign = ArchivedTensor(name: "a", dtype: .float32, shape: [3, 2])
        #expect(throws: CheckpointError.self) { try archive.read(foreign) }
        let absent = ArchivedTensor(name: "b", dtype: .float32, shape: [2, 3])
        #expect(throws: CheckpointError.self) { try archive.read(absent) }
    }

    @ModelActor @Test func unsupportedTypesFailOnlyWhenRead() throws {
        let scratch = try Scratch()
        let header =
            #"{"u":{"dtype":"U64","shape":[1],"data_offsets":[0,8]},"f":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[8,10]},"x":{"dtype":"U8","shape":[1],"data_offsets":[10,11]}}"#
        let path = try scratch.write(
            container(header, data: [UInt8](repeating: 3, count: 11)),
            to: "u.safetensors"
        )
        let archive = try WeightsArchive.open(path)
        for (name, type) in [("u", "U64"), ("f", "F8_E4M3")] {
            let tensor = try #require(archive.tensors.first { $0.name == name })
            let error = #expect(throws: CheckpointError.self) { try archive.read(tensor) }
            #expect(error?.description.contains(type) == true)
        }
        let sound = try #require(archive.tensors.first { $0.name == "x" })
        #expect(try archive.read(sound).int64s() == [3])
    }
}
