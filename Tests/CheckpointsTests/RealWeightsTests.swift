import Checkpoints
import Foundation
import Storage
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

/// DeiT-Tiny's published weights, and the logits that timm 1.0.31 computes with them.
@ModelActor
@Suite(.needsShared("data/deit_tiny_patch16_224.safetensors", "data/golden/deit_tiny_logits.npy"))
struct RealWeightsTests {
    func shared(_ name: String) throws -> URL { try #require(Checkout.sharedFile("data/\(name)")) }

    @Test func logitsAreTimms() throws {
        let path = try shared("deit_tiny_patch16_224.safetensors").path
        let loaded = try ModelDirectory.load(path)
        #expect(
            try loaded.description.configuration
                == ModelRegistry.configuration(named: "deit_tiny_patch16_224")
        )
        #expect(loaded.model.parameterCount == 5_717_416)
        let expected = try NumPyArray(contentsOf: shared("golden/deit_tiny_logits.npy"))
        #expect(expected.shape == [3, 1000])
        for (index, best) in [285, 207, 949].enumerated() {
            let input = try NumPyArray(contentsOf: shared("golden/\(index).npy"))
            #expect(input.shape == [1, 3, 224, 224])
            let logits = try withoutGradient {
                try loaded.model(Tensor(input.values, shape: input.shape)).floats()
            }
            let row = Array(expected.values[(index * 1000)..<((index + 1) * 1000)])
            expectClose(logits, row, tolerance: 1e-5, "logits of image \(index)")
            #expect(logits.indices.max { logits[$0] < logits[$1] } == best)
        }
    }

    @Test func timmToHuggingFaceAndBackIsBitEqual() throws {
        let path = try shared("deit_tiny_patch16_224.safetensors").path
        let scratch = try Scratch()
        let loaded = try ModelDirectory.load(path)
        try ModelDirectory.save(loaded.model, loaded.description, to: scratch.file("hf"))
        let again = try ModelDirectory.load(scratch.file("hf"))
        #expect(again.description.configuration == loaded.description.configuration)
        try Safetensors.write(again.model.namedTensors(), to: scratch.file("timm.safetensors"))
        let original = try SafetensorsFile(path: path)
        let copy = try SafetensorsFile(path: scratch.file("timm.safetensors"))
        #expect(original.header.entries.count == 152)
        let entries = Dictionary(uniqueKeysWithValues: copy.header.entries.map { ($0.name, $0) })
        #expect(entries.count == 152)
        for entry in original.header.entries {
            let other = try #require(entries[entry.name])
            #expect(other.shape == entry.shape && other.dtype == entry.dtype)
            #expect(try copy.bytes(of: other) == original.bytes(of: entry), "\(entry.name)")
        }
    }

    @Test(arguments: ["hf", "timm", "a.pth", "b.pth", "c.safetensors"])
    func everyFormAndBackIsBitEqual(name: String) throws {
        let path = try shared("deit_tiny_patch16_224.safetensors").path
        let scratch = try Scratch()
        var saving = SaveOptions(form: .bare)
        switch name {
        case "hf": saving.form = .huggingFace(nil)
        case "timm": saving.form = .timm
        case "a.pth": saving.form = .deit
        case "b.pth": saving.container = .pytorch
        default: break
        }
        let report = try Conversion.run(
            path,
            loading: LoadOptions(),
            to: scratch.file(name),
            saving: saving
        )
        #expect(report.tensorCount == 152 && report.left.isEmpty && report.dtype == "float32")
        let back = scratch.file("back.safetensors")
        _ = try Conversion.run(
            scratch.file(name),
            loading: LoadOptions(),
            to: back,
            saving: SaveOptions(form: .bare)
        )
        let original = try SafetensorsFile(path: path)
        let copy = try SafetensorsFile(path: back)
        let entries = Dictionary(uniqueKeysWithValues: copy.header.entries.map { ($0.name, $0) })
        #expect(entries.count == 152)
        for entry in original.header.entries {
            let other = try #require(entries[entry.name])
            #expect(other.shape == entry.shape && other.dtype == entry.dtype)
            #expect(try copy.bytes(of: other) == original.bytes(of: entry), "\(entry.name)")
        }
    }
}
