import Checkpoints
import Foundation
import Storage
import TestSupport
import Testing
import Torch

/// Files that torch.save wrote give the tensors that torch.load gives.
@ModelActor @Suite struct PyTorchFileTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let file: String
        let expected: String
        var stateDict: String?
        var testDescription: String { "\(file) \(stateDict ?? "")" }
    }

    nonisolated static let cases = [
        Case(file: "flat", expected: "state"), Case(file: "flat_old", expected: "state"),
        Case(file: "flat_protocol3", expected: "state"),
        Case(file: "flat_protocol4", expected: "state"),
        Case(file: "flat_protocol5", expected: "state"),
        Case(file: "views", expected: "views"), Case(file: "views_old", expected: "views"),
        Case(file: "full", expected: "full_model"),
        Case(file: "full", expected: "full_model", stateDict: "model"),
        Case(file: "full", expected: "full_model_ema", stateDict: "model_ema"),
        Case(file: "full_old", expected: "full_model"),
        Case(file: "dino", expected: "dino_student", stateDict: "student"),
        Case(file: "dino", expected: "dino_teacher", stateDict: "teacher"),
        Case(file: "state_dict", expected: "full_model"), Case(file: "beside", expected: "beside"),
    ]

    @Test(arguments: cases) func readsWhatTorchReads(_ example: Case) throws {
        let path = try Fixtures.path("PyTorch/\(example.file).pth")
        let archive = try WeightsArchive.open(path, stateDict: example.stateDict)
        #expect(archive is PyTorchFile)
        let expected = try SafetensorsFile(
            path: Fixtures.path("PyTorch/\(example.expected).safetensors")
        )
        let order = try #require(expected.metadata["order"])
        #expect(
            try JSONValue.parse(Array(order.utf8)).arrayValue?.compactMap(\.stringValue)
                == archive.tensors.map(\.name)
        )
        let found = try contents(of: archive)
        let wanted = try contents(of: expected)
        #expect(found.count == wanted.count && wanted.count >= 5)
        for (name, tensor) in wanted { #expect(found[name] == tensor, "\(name)") }
    }

    @Test func copiesViewsIntoTensorsOfAnyForm() throws {
        let archive = try WeightsArchive.open(Fixtures.path("PyTorch/views.pth"))
        for tensor in archive.tensors {
            let expected = try archive.read(tensor)
            let same = try Tensor.full(-1, tensor.shape)
            try archive.copy(tensor, into: same)
            #expect(try TensorContents(same) == TensorContents(expected), "\(tensor.name)")
            let wide = try Tensor.full(-1, tensor.shape, dtype: .float64)
            try archive.copy(tensor, into: wide)
            #expect(try wide.floats() == expected.floats(), "\(tensor.name)")
        }
    }

    @Test func tellsWhatStandsBesideTheWeights() throws {
        let file = try PyTorchFile(path: Fixtures.path("PyTorch/full.pth"))
        #expect(file.stateDictNames == ["model", "model_ema"])
        #expect(file.notes.contains { $0.contains("\"model\"") && $0.contains("model_ema") })
        #expect(file.metadata["epoch"] == "299")
        #expect(file.metadata["best_acc"] == "72.25")
        #expect(file.arguments["model"] == "deit_tiny_patch16_224")
        #expect(file.arguments["lr"] == "0.0005")
        #expect(file.arguments["distributed"] == "True")
        #expect(file.arguments["output_dir"] == "/out/run")
        #expect(file.arguments["opt_betas"] == "None")
        #expect(file.arguments["color"] == "[0.4, 0.5]")
        let beside = try PyTorchFile(path: Fixtures.path("PyTorch/beside.pth"))
        #expect(beside.notes.contains { $0.contains("epoch") && $0.contains("name") })
        #expect(beside.stateDictNames.isEmpty)
    }

    @Test func neverGuessesAmongSeveral() throws {
        let path = try Fixtures.path("PyTorch/dino.pth")
        let both = #expect(throws: CheckpointError.self) { try PyTorchFile(path: path) }
        #expect(both?.description.contains("student, teacher") == true)
        let absent = #expect(throws: CheckpointError.self) {
            try PyTorchFile(path: path, stateDict: "model_ema")
        }
        #expect(absent?.description.contains("\"model_ema\"") == true)
        #expect(throws: CheckpointError.self) {
            try WeightsArchive.open(Fixtures.path("PyTorch/state.safetensors"), stateDict: "model")
        }
    }

    @Test(arguments: [
        ("bad_os", "posix.system"),
        ("bad_os_old", "posix.system"), ("bad_eval", "__builtin__.eval"),
        ("bad_module", "modules.linear.Linear"),
        ("bad_complex", "torch.ComplexFloatStorage"),
        ("bad_list", "a list"), ("bad_plain", "torch.save"), ("bad_compressed", "compressed"),
        ("bad_order", "big-endian"), ("bad_numpy", "NumPy"), ("bad_script", "TorchScript"),
    ])
    func refusesInOneSentence(_ name: String, _ fault: String) throws {
        let path = try Fixtures.path("PyTorch/\(name).pth")
        let error = #expect(throws: CheckpointError.self) { try WeightsArchive.open(path) }
        let text = try #require(error).description
        #expect(text.contains("\(name).pth") && text.contains(fault), "\(text)")
        #expect(!text.contains("\n") && text.count < 500)
        #expect(!FileManager.default.fileExists(atPath: "/tmp/deit-was-here"))
    }
}
