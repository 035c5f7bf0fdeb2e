import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

/// Hidden states, attentions and masked modelling against transformers' `DeiTForMaskedImageModeling`.
@Suite("Outputs and masked modelling against transformers", .tags(.parity))
@ModelActor
struct MaskedParityTests {
    @Test("Reconstruction, loss, hidden states, attentions, gradients", arguments: kernels)
    func masked(kernel: ComputePolicy.Kernel) throws {
        try withKernel(kernel) {
            let expected = try fixture("masked")
            let model = try makeModel(.corrected)
            let (input, mask) = try (expected.tensor("input"), expected.labels("mask"))
            let request = OutputRequest(hiddenStates: true, attentions: true)
            let result = try model(input, mask: mask, request)
            try expectStage(result.reconstruction, expected, "reconstruction")
            try expectStage(result.outputs.tokens, expected, "tokens")
            #expect(result.outputs.hiddenStates.count == 3 && result.outputs.attentions.count == 2)
            for (index, state) in result.outputs.hiddenStates.enumerated() {
                try expectStage(state, expected, "hidden_states.\(index)")
            }
            for (index, weights) in result.outputs.attentions.enumerated() {
                try expectStage(weights, expected, "attentions.\(index)")
            }
            let loss = try model.loss(input, reconstruction: result.reconstruction, mask: mask)
            try expectStage(loss, expected, "loss")
            try loss.backward()
            for (name, parameter) in model.namedParameters()
            where name == "mask_token" || name == "decoder.0.weight" {
                let gradient = try parameter.tensor.gradient()
                try expectStage(#require(gradient), expected, "gradient.\(name)")
            }
        }
    }

    @Test("The legacy slice is the one that transformers had until it was corrected")
    func legacy() throws {
        let expected = try fixture("masked")
        let model = try makeModel(.legacy)
        let result = try model(expected.tensor("input"), mask: expected.labels("mask"))
        try expectStage(result.reconstruction, expected, "reconstruction_legacy")
    }

    @Test(
        "Images of another size, with positions resampled as transformers does",
        arguments: kernels
    )
    func otherSize(kernel: ComputePolicy.Kernel) throws {
        try withKernel(kernel) {
            let expected = try fixture("masked")
            let model = try makeModel(.corrected)
            let outputs = try model.network.outputs(expected.tensor("large"), resampling: .hf)
            try expectStage(outputs.tokens, expected, "tokens_large")
            #expect(outputs.grid == PatchGrid(height: 6, width: 3))
        }
    }

    private func makeModel(_ slice: MaskedTokenSlice) throws -> MaskedImageModel {
        let model = try MaskedImageModel(
            ViTConfiguration(
                imageHeight: 16,
                imageWidth: 16,
                patchSize: 4,
                inChannels: 2,
                embedDim: 32,
                depth: 2,
                numHeads: 2,
                isDistilled: true,
                layerNormEps: 1e-12
            ),
            slice: slice
        )
        try fixture("masked", "model.safetensors").load(into: model)
        model.eval()
        return model
    }
}
