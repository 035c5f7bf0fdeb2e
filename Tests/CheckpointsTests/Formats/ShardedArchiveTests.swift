import Checkpoints
import Foundation
import Storage
import TestSupport
import Testing
import Torch

@ModelActor @Suite struct ShardedArchiveTests {
    static func index(_ map: String) -> [UInt8] {
        Array("{\"metadata\": {\"total_size\": 24}, \"weight_map\": {\(map)}}".utf8)
    }

    nonisolated static let sound =
        #""a": "m-00001-of-00002.safetensors", "b": "m-00002-of-00002.bin""#

    /// Two files of two kinds.
    static func folder() throws -> Scratch {
        let scratch = try Scratch()
        try Safetensors.write(
            [("a", try Tensor([1, 2], shape: [2]))],
            to: scratch.file("m-00001-of-00002.safetensors")
        )
        try PyTorchWriter.write(
            [("b", try Tensor([3, 4, 5, 6], shape: [2, 2]))],
            to: scratch.file("m-00002-of-00002.bin")
        )
        return scratch
    }

    @Test func readsTheTensorsOfAllFiles() throws {
        let scratch = try Self.folder()
        let path = try scratch.write(Self.index(Self.sound), to: "m.index.json")
        let archive = try WeightsArchive.open(path)
        #expect((archive as? ShardedArchive)?.files.count == 2)
        #expect(archive.tensors.map(\.name) == ["a", "b"])
        #expect(archive.tensors.map(\.shape) == [[2], [2, 2]])
        #expect(archive.metadata["total_size"] == "24")
        #expect(archive.metadata["format"] == "pt")
        let tensors = try archive.readAll()
        #expect(try tensors["a"]?.floats() == [1, 2])
        #expect(try tensors["b"]?.floats() == [3, 4, 5, 6])
        let target = try Tensor.zeros([2, 2])
        try archive.copy(archive.tensors[1], into: target)
        #expect(try target.floats() == [3, 4, 5, 6])
    }

    @Test(arguments: [
        (#""a": "m-00001-of-00002.safetensors", "b": "absent.bin""#, "absent.bin"),
        (#""a": "../m-00001-of-00002.safetensors""#, "outside the directory"),
        (#""a": "/etc/passwd""#, "outside the directory"),
        (#""a": "x/../../y""#, "outside the directory"),
        (#""a": """#, "outside the directory"), (#""a": 1"#, "not a string"), ("", "weight_map"),
        (#""a": "m-00002-of-00002.bin""#, "tensor b"),
        (Self.sound + #", "c": "m-00002-of-00002.bin""#, "tensor c"),
        (#""b": "m-00001-of-00002.safetensors", "a": "m-00002-of-00002.bin""#, "tensor a"),
        (#""a": "m.index.json""#, "index within an index"),
        (Self.sound + #", "a": "m-00002-of-00002.bin""#, "twice"),
    ])
    func refusesAnIndexThatDoesNotFit(_ map: String, _ fault: String) throws {
        let scratch = try Self.folder()
        let path = try scratch.write(Self.index(map), to: "m.index.json")
        let error = #expect(throws: CheckpointError.self) { try WeightsArchive.open(path) }
        #expect(error?.description.contains(fault) == true, "\(String(describing: error))")
    }

    @Test func aTensorInTwoFilesIsAnError() throws {
        let scratch = try Self.folder()
        let twice = [("b", try Tensor.ones([1])), ("a", try Tensor.ones([1]))]
        try PyTorchWriter.write(twice, to: scratch.file("m-00002-of-00002.bin"))
        let path = try scratch.write(Self.index(Self.sound), to: "m.index.json")
        let error = #expect(throws: CheckpointError.self) { try WeightsArchive.open(path) }
        #expect(error?.description.contains("tensor a") == true)
    }
}
