import Checkpoints
import Foundation
import Storage
import TestSupport
import Testing
import Torch

@ModelActor @Suite struct PyTorchWriterTests {
    /// Tensors of every type, in alphabetical order of their names.
    static func examples() throws -> [(name: String, tensor: Tensor)] {
        var examples: [(name: String, tensor: Tensor)] = []
        for dtype in DType.allCases {
            examples.append(
                (dtype.rawValue, try Tensor([0, 1, 1, 0, 1, 3], shape: [2, 3]).to(dtype))
            )
        }
        examples.append(("x.empty", try Tensor.zeros([0, 3])))
        examples.append(("x.one", try Tensor.full(2.5, [])))
        examples.append(("x.transposed", try Tensor.randn([3, 300]).transposed(0, 1)))
        examples.append(("y.ä", try Tensor.full(.nan, [2])))
        return examples.sorted { $0.name < $1.name }
    }

    @Test(arguments: [nil, "model"]) func comesBackAsItWas(_ key: String?) throws {
        let scratch = try Scratch()
        let path = scratch.file("w.pth")
        let tensors = try Self.examples()
        try PyTorchWriter.write(tensors, under: key, to: path)
        let archive = try PyTorchFile(path: path)
        #expect(archive.tensors.map(\.name) == tensors.map(\.name))
        #expect(archive.stateDictNames == (key.map { [$0] } ?? []))
        let found = try contents(of: archive)
        for (name, tensor) in tensors { #expect(try found[name] == TensorContents(tensor)) }
        #expect(try scratch.names() == ["w.pth"])
    }

    @Test func refusesOneNameTwiceAndLeavesTheOldFile() throws {
        let scratch = try Scratch()
        let path = try scratch.write([1, 2, 3], to: "w.pth")
        let one = try Tensor.ones([1])
        #expect(throws: CheckpointError.self) {
            try PyTorchWriter.write([("a", one), ("a", one)], to: path)
        }
        #expect(throws: CheckpointError.self) {
            try PyTorchWriter.write([("a", one)], to: scratch.file("none/w.pth"))
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data([1, 2, 3]))
        #expect(try scratch.names() == ["w.pth"])
    }

    @Test(
        .needsPeers("torch", "safetensors"),
        arguments: [nil, "model"]
    )
    func torchLoadsWeightsOnly(_ key: String?) throws {
        let scratch = try Scratch()
        let tensors = try Self.examples()
        try PyTorchWriter.write(tensors, under: key, to: scratch.file("w.pth"))
        try Safetensors.write(tensors, to: scratch.file("w.safetensors"))
        let (status, text) = try Peers.run(
            "check_pytorch.py",
            [scratch.file("w.pth"), scratch.file("w.safetensors")] + (key.map { [$0] } ?? [])
        )
        #expect(status == 0 && text.contains("ok \(tensors.count)"), "\(text)")
    }
}
