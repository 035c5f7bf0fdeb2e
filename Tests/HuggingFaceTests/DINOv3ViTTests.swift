import Checkpoints
import Foundation
import HuggingFace
import Storage
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

/// DINOv3's class gives what transformers' gives; the folders are those of Tools/parity/make_dinov3.py.
@ModelActor
@Suite(.tags(.parity)) struct DINOv3ViTTests {
    nonisolated static let models = ["plain", "qkvb", "plus"]

    private func path(_ name: String) -> String {
        Checkout.root.appending(path: "Tests/CheckpointsTests/Fixtures/DINOv3/\(name)").path
    }

    private func expect(_ found: Tensor, _ expected: Tensor?, _ name: String) throws {
        let expected = try #require(expected)
        expectClose(
            shape: found.shape,
            try found.floats(),
            expectedShape: expected.shape,
            try expected.floats(),
            tolerance: 2e-5,
            name
        )
    }

    @Test(arguments: models) func allOutputsOnTwoGrids(name: String) async throws {
        let model = try await DINOv3ViTModel.fromPretrained(path("\(name).hf"))
        let probe = try Safetensors.read(path("\(name).hf.probe.safetensors"))
        for prefix in ["", "other."] {
            let images = try #require(probe["\(prefix)images"])
            let output = try withoutGradient {
                try model(pixelValues: images, outputHiddenStates: true)
            }
            let states = try Tensor.stack(#require(output.hiddenStates))
            try expect(states, probe["\(prefix)hidden_states"], "\(prefix)hidden states")
            try expect(output.lastHiddenState, probe["\(prefix)tokens"], "\(prefix)tokens")
            try expect(#require(output.poolerOutput), probe["\(prefix)pooled"], "\(prefix)pooled")
        }
    }

    @Test(arguments: models) func savedAsItWasLoaded(name: String) async throws {
        let folder = path("\(name).hf")
        let (model, info) = try await DINOv3ViTModel.fromPretrainedWithLoadingInfo(folder)
        #expect(info.isComplete, "\(info)")
        try withTemporaryFolder { root in
            let saved = root.appending(path: "saved").path
            try model.savePretrained(to: saved)
            let texts = try [folder, saved].map {
                try String(contentsOfFile: "\($0)/config.json", encoding: .utf8)
            }
            #expect(texts[0] == texts[1])
            let before = try Safetensors.read("\(folder)/model.safetensors")
            let after = try Safetensors.read("\(saved)/model.safetensors")
            #expect(Set(before.keys) == Set(after.keys))
            for (key, tensor) in before {
                #expect(tensor.shape == after[key]?.shape, "\(key)")
                #expect(try tensor.floats() == after[key]?.floats(), "\(key)")
            }
        }
    }

    @Test func timmsFolder() async throws {
        // With a classifier no class holds it; its backbone is transformers' network.
        let error = await #expect(throws: CheckpointError.self) {
            try await DINOv3ViTModel.fromPretrained(path("plain.timm"))
        }
        #expect(error?.description.contains("no class of DINOv3 with a classifier") == true)
    }

    @Test func defaultsAreHuggingFaces() throws {
        let config = DINOv3ViTConfig()
        #expect(config.hiddenSize == 384 && config.numAttentionHeads == 6)
        #expect(config.intermediateSize == 1536 && config.layerNormEps == 1e-5)
        #expect(config.qkvBias && !config.keyBias && config.ropeTheta == 100)
        #expect(config.numRegisterTokens == 0 && config.patchSize == 16 && config.imageSize == 224)
        #expect(try DINOv3ViTConfig(json: [:]) == config)
        let model = try DINOv3ViTModel(
            DINOv3ViTConfig(
                hiddenSize: 16,
                numHiddenLayers: 1,
                numAttentionHeads: 2,
                intermediateSize: 24,
                imageSize: 8,
                patchSize: 4,
                numRegisterTokens: 2
            )
        )
        #expect(model.pooler == nil && model.maskToken?.tensor.shape == [1, 1, 16])
        #expect(!(try model.stateDict().contains { $0.name.hasSuffix("k_proj.bias") }))
    }
}
