import Checkpoints
import Foundation
import HuggingFace
import TestSupport
import Testing
import Torch
import TorchNN

/// transformers loads what every class writes, with no key too few or too many, and computes the same.
@ModelActor
@Suite(
    .tags(.parity),
    .needsPeers("torch", "transformers>=5", "safetensors", "numpy", "pillow")
)
struct RoundTripParityTests {
    @Test func transformersLoadsEveryClass() async throws {
        try await withTemporaryFolder { root in
            var folders: [String] = []
            for (seed, name) in Cases.all.enumerated() {
                let folder = root.appending(path: name).path
                let loaded = try await Classes.load(name)
                try manualSeed(UInt64(seed))
                try write(
                    loaded,
                    inputs: Fixtures.tensors("\(name)/outputs.safetensors"),
                    to: folder
                )
                folders.append(folder)
            }
            let (status, text) = try Peers.run("check_huggingface.py", folders)
            #expect(status == 0, "\(text)")
            #expect(
                text.split(separator: "\n").count { $0.hasPrefix("ok") } == folders.count,
                "\(text)"
            )
        }
    }

    /// Writes a model whose every number was drawn here, with its outputs beside it.
    private func write(
        _ model: some PretrainedModel,
        inputs: Fixture,
        to folder: String
    ) throws {
        try withoutGradient {
            for (name, tensor) in try model.stateDict() {
                let isScale = tensor.rank == 1 && name.hasSuffix(".weight")
                try tensor.fillNormal(mean: isScale ? 1 : 0, std: 0.3)
            }
        }
        try model.savePretrained(to: folder)
        var inputs = try Inputs(inputs)
        inputs.other = nil
        let outputs = try Runner.outputs(of: model, inputs)
        try Safetensors.write(inputs.named + outputs.tensors, to: "\(folder)/probe.safetensors")
    }
}
