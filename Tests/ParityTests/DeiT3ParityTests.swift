import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

/// DeiT-III's way (scaled branches, no position for the class token) and networks without a classifier, against timm.
@Suite("DeiT-III and backbones against timm", .tags(.parity))
@ModelActor
struct DeiT3ParityTests {
    @Test("Stages and gradients of a small DeiT-III", arguments: kernels)
    func deit3(kernel: ComputePolicy.Kernel) throws {
        try withKernel(kernel) {
            let expected = try fixture("deit3_mini")
            var configuration = configuration(classes: 5)
            configuration.initValues = 1e-6
            configuration.noEmbedClass = true
            let model = try VisionTransformer.make(configuration)
            try fixture("deit3_mini", "model.safetensors").load(into: model)
            let input = try expected.tensor("input")

            let outputs = try model.outputs(input, OutputRequest(hiddenStates: true))
            try expectStage(outputs.hiddenStates[0], expected, "stage.position_sum")
            try expectStage(outputs.hiddenStates[1], expected, "stage.blocks.0")
            try expectStage(outputs.hiddenStates[2], expected, "stage.blocks.1")
            try expectStage(outputs.tokens, expected, "stage.norm")
            let logits = try model(input)
            try expectStage(logits, expected, "stage.head")

            try Loss.crossEntropy(logits, labels: expected.labels("labels")).backward()
            let limit = Int(try expected.setting("sample_limit"))
            let named = model.namedParameters()
            #expect(named.contains { $0.name == "blocks.1.ls2.gamma" })
            for (name, parameter) in named {
                let gradient = try parameter.tensor.gradient()
                try expected.expectSamples(
                    #require(gradient),
                    "gradient.\(name)",
                    limit: limit,
                    tolerance: 1e-4
                )
            }
        }
    }

    @Test(
        "Without a classifier the token itself; the tokens of the last blocks",
        arguments: kernels,
        [false, true]
    )
    func headless(kernel: ComputePolicy.Kernel, isDistilled: Bool) throws {
        try withKernel(kernel) {
            let expected = try fixture("headless")
            let name = isDistilled ? "deit" : "vit"
            var configuration = configuration(classes: 0)
            configuration.isDistilled = isDistilled
            let model = try VisionTransformer.make(configuration)
            let tensors = model.namedTensors()
            #expect(
                Set(tensors.map { "\(name).\($0.name)" })
                    == Set(expected.names.filter { $0.hasPrefix("\(name).") })
            )
            try withoutGradient {
                for (key, tensor) in tensors {
                    try tensor.copy(from: expected.tensor("\(name).\(key)"))
                }
                model.eval()
                let input = try expected.tensor("input")
                try expectStage(model(input), expected, "\(name)_output")
                let outputs = try model.outputs(input, OutputRequest(lastBlocks: 2))
                #expect(outputs.blockTokens.count == 2)
                try expectStage(outputs.blockTokens[0], expected, "\(name)_block.0")
                try expectStage(outputs.blockTokens[1], expected, "\(name)_block.1")
            }
        }
    }

    private func configuration(classes: Int) -> ViTConfiguration {
        ViTConfiguration(
            imageHeight: 12,
            imageWidth: 8,
            patchSize: 4,
            numClasses: classes,
            embedDim: 32,
            depth: 2,
            numHeads: 2,
            layerNormEps: 1e-6
        )
    }
}

/// Expects a tensor to be the file's of that name within 1e-5 of its largest element.
@ModelActor
func expectStage(_ tensor: Tensor, _ expected: Fixture, _ name: String) throws {
    expectClose(
        shape: tensor.shape,
        try tensor.floats(),
        expectedShape: try expected.shape(name),
        try expected.floats(name),
        tolerance: 1e-5,
        name
    )
}
