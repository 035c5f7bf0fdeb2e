import Checkpoints
import Foundation
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

/// Files with torchvision's and efficientnet-lite-pytorch's names, as the reference's lists have them.
@Suite("Other libraries' names of the teachers' tensors", .tags(.parity))
@ModelActor
struct TeacherNamesTests {
    struct Pair {
        let theirs: String
        let ours: String
        let shape: [Int]

        /// A tensor of that shape: a count, or uniform numbers.
        func makeTensor() throws -> Tensor {
            guard !shape.isEmpty else { return try .zeros([], dtype: .int64) }
            let tensor = try Tensor.zeros(shape)
            try tensor.fillUniform(low: 0.5, high: 1)
            return tensor
        }
    }

    private func pairs(_ name: String) throws -> [Pair] {
        let file = fixtures.appending(path: "teacher_names").appending(path: "\(name).txt")
        return try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map { line in
            let words = line.split(separator: " ").map(String.init)
            return Pair(
                theirs: words[0],
                ours: words[1],
                shape: words.dropFirst(2).compactMap(Int.init)
            )
        }
    }

    @Test(
        "A file with their names is the network, tensor by tensor",
        arguments: ["regnet_y_400mf", "efficientnet-lite0", "efficientnet-lite2"]
    )
    func theirNames(name: String) throws {
        let pairs = try pairs(name)
        try manualSeed(3)
        let tensors = try pairs.map { (name: $0.theirs, tensor: try $0.makeTensor()) }
        let loaded = try withTemporaryFolder { folder in
            let path = folder.appending(path: "weights.safetensors").path
            try Safetensors.write(tensors, to: path)
            return try ModelDirectory.load(path)
        }
        let found = Dictionary(
            uniqueKeysWithValues: loaded.model.namedTensors().map { ($0.name, $0.tensor) }
        )
        #expect(found.count == pairs.count)
        for (pair, (_, tensor)) in zip(pairs, tensors) {
            let other = try #require(found[pair.ours], "\(pair.ours)")
            #expect(other.shape == pair.shape)
            guard !pair.shape.isEmpty else { continue }
            #expect(try (other.detached() - tensor).abs().max().item() == 0, "\(pair.ours)")
        }
    }

    @Test("The names of the paper's teacher are torchvision's")
    func regNet16() throws {
        let pairs = try pairs("regnet_y_16gf")
        let timm = fixtures.appending(path: "timm_keys").appending(path: "regnety_160.txt")
        let lines = try String(contentsOf: timm, encoding: .utf8).split(separator: "\n").dropFirst()
        #expect(
            Set(pairs.map { ([$0.ours] + $0.shape.map(String.init)).joined(separator: " ") })
                == Set(lines.map(String.init))
        )
    }

    @Test("A tensor too few is told by name")
    func missing() throws {
        let pairs = try pairs("efficientnet-lite0").filter { $0.theirs != "_blocks.3._bn0.bias" }
        let error = try withTemporaryFolder { folder in
            let path = folder.appending(path: "weights.safetensors").path
            try Safetensors.write(
                pairs.map { (name: $0.theirs, tensor: try $0.makeTensor()) },
                to: path
            )
            return #expect(throws: CheckpointError.self) { try ModelDirectory.load(path) }
        }
        guard case .incompatible(_, let missing, let unexpected, _, _) = error else {
            Issue.record("another error: \(String(describing: error))")
            return
        }
        #expect(missing == ["blocks.2.0.bn1.bias"] && unexpected.isEmpty)
    }
}
