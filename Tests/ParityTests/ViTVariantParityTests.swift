import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

/// The variants by the names of their fixtures.
enum ViTVariants {
    // The arguments of `VARIANTS` in Tools/parity/make_vit_variants.py.
    static let variants: [String: @Sendable (inout ViTConfiguration) -> Void] = [
        "reg": { $0.regTokens = 3 },
        "reg_no_embed": {
            $0.regTokens = 4
            $0.noEmbedClass = true
            $0.initValues = 1e-5
        },
        "reg_gap": {
            $0.classToken = false
            $0.regTokens = 1
            $0.globalPool = .avg
            $0.fcNorm = true
            $0.initValues = 1e-5
            $0.noEmbedClass = true
        },
        "gap": {
            $0.classToken = false
            $0.globalPool = .avg
            $0.qkvBias = false
            $0.initValues = 1e-6
        },
        "avg_with_class": {
            $0.globalPool = .avg
            $0.fcNorm = true
        },
        "avg_with_prefix": {
            $0.globalPool = .avg
            $0.fcNorm = true
            $0.poolIncludePrefix = true
        },
        "map": {
            $0.classToken = false
            $0.globalPool = .map
            $0.activation = .geluTanh
        },
        "map_reg": {
            $0.classToken = false
            $0.regTokens = 4
            $0.globalPool = .map
            $0.mlpRatio = 2.572
        },
        "clip": {
            $0.preNorm = true
            $0.layerNormEps = 1e-5
        },
        "clip_quickgelu": {
            $0.preNorm = true
            $0.layerNormEps = 1e-5
            $0.activation = .quickGELU
        },
        "qk_norm": { $0.qkNorm = true },
        "swiglu": {
            $0.mlpRatio = 2.66667 * 2
            $0.mlpLayer = .swiglu
            $0.initValues = 1e-5
        },
        "res_post": {
            $0.blockType = .resPost
            $0.initValues = 1e-5
            $0.qkvBias = false
        },
        "parallel": {
            $0.blockType = .parallelScaling
            $0.initValues = 1e-5
        },
        "parallel_qk_norm": {
            $0.blockType = .parallelScaling
            $0.initValues = 1e-5
            $0.qkvBias = false
            $0.qkNorm = true
        },
        "no_final_norm": {
            $0.regTokens = 7
            $0.noEmbedClass = true
            $0.finalNorm = false
        },
        "no_pool": {
            $0.globalPool = .none
            $0.numClasses = 0
        },
        "dinov3": rotary,
        "dinov3_qkvb": {
            rotary(&$0)
            $0.qkvBias = true
        },
        "dinov3_plus": {
            rotary(&$0)
            $0.mlpLayer = .swiglu
            // Gate and value have the usual width each.
            $0.mlpRatio = 2 * 4
        },
    ]

    private static let rotary: @Sendable (inout ViTConfiguration) -> Void = {
        $0.rotaryTemperature = 100
        $0.regTokens = 4
        $0.initValues = 1e-5
        $0.qkvBias = false
        $0.layerNormEps = 1e-5
    }

    /// The names in order.
    static let names = variants.keys.sorted()

    /// The small network of a variant for images of a size.
    static func configuration(_ name: String, height: Int, width: Int) -> ViTConfiguration? {
        var configuration = plain(height: height, width: width)
        guard let change = variants[name] else { return nil }
        change(&configuration)
        return configuration
    }

    /// The network that all of them differ from.
    static func plain(height: Int, width: Int) -> ViTConfiguration {
        ViTConfiguration(
            imageHeight: height,
            imageWidth: width,
            patchSize: 4,
            numClasses: 5,
            embedDim: 32,
            depth: 2,
            numHeads: 2,
            layerNormEps: 1e-6
        )
    }
}

/// Registers, poolings, pre-norm, gates and other blocks: every variant of timm's `VisionTransformer` on two grids.
@Suite("Variants of the vision transformer against timm", .tags(.parity))
@ModelActor
struct ViTVariantParityTests {
    @Test("Stages and gradients on two grids", arguments: ViTVariants.names, kernels)
    func variant(name: String, kernel: ComputePolicy.Kernel) throws {
        try withKernel(kernel) {
            let expected = try fixture("vit_variants", "\(name).safetensors")
            for (grid, size) in [ImageSide(12, 8), ImageSide(8, 16)].enumerated() {
                let configuration = try #require(
                    ViTVariants.configuration(name, height: size.height, width: size.width)
                )
                let model = try VisionTransformer.make(configuration)
                try load(expected, into: model, positions: "\(grid).pos_embed")
                try expectStages(of: model, expected, "\(grid)")
                try expectGradients(of: model, expected, "\(grid)")
                #expect(Double(model.parameterCount) == configuration.networkSize.parameters)
            }
        }
    }

    @Test("DINOv2's classifiers on one block and on several", arguments: [1, 2])
    func tokenAvg(blocks: Int) throws {
        let expected = try fixture("vit_variants", "token_avg.safetensors")
        var configuration = ViTVariants.plain(height: 12, width: 8)
        configuration.initValues = 1e-5
        configuration.globalPool = .tokenAvg
        configuration.headBlocks = blocks
        let model = try VisionTransformer.make(configuration)
        try withoutGradient {
            for (name, tensor) in model.namedTensors() {
                let key =
                    name.hasPrefix("head.")
                    ? "head\(blocks)." + name.dropFirst("head.".count) : "weight.\(name)"
                let shape = try expected.shape(key)
                try #require(tensor.shape == shape, "\(name)")
                try tensor.copy(from: expected.tensor(key))
            }
            model.eval()
            let input = try expected.tensor("input")
            try expectStage(model(input), expected, "logits\(blocks)")
            guard blocks > 1 else { return }
            // The last tokens alone are not what such a classifier reads.
            #expect(throws: TorchError.self) { try model.forwardHead(model.forwardFeatures(input)) }
        }
    }

    private struct ImageSide {
        let (height, width): (Int, Int)

        init(_ height: Int, _ width: Int) { (self.height, self.width) = (height, width) }
    }

    private func load(_ expected: Fixture, into model: Module, positions: String) throws {
        let tensors = model.namedTensors()
        #expect(
            Set(tensors.map(\.name).filter { $0 != "pos_embed" })
                == Set(
                    expected.names.filter { $0.hasPrefix("weight.") }.map {
                        String($0.dropFirst(7))
                    }
                )
        )
        try withoutGradient {
            for (name, tensor) in tensors {
                let key = name == "pos_embed" ? positions : "weight.\(name)"
                let shape = try expected.shape(key)
                try #require(tensor.shape == shape, "\(name)")
                try tensor.copy(from: expected.tensor(key))
            }
        }
    }

    private func expectStages(
        of model: VisionTransformer,
        _ expected: Fixture,
        _ grid: String
    ) throws {
        let input = try expected.tensor("\(grid).input")
        let outputs = try model.outputs(input, OutputRequest(hiddenStates: true))
        try expectStage(outputs.hiddenStates[0], expected, "\(grid).stage.embedding")
        try expectStage(outputs.hiddenStates[1], expected, "\(grid).stage.blocks.0")
        try expectStage(outputs.hiddenStates[2], expected, "\(grid).stage.blocks.1")
        try expectStage(outputs.tokens, expected, "\(grid).stage.tokens")
        // Attention's weights are computed another way and must lead to the same tokens.
        let attentive = try model.outputs(input, OutputRequest(attentions: true))
        try expectStage(attentive.tokens, expected, "\(grid).stage.tokens")
        // In evaluation the batch goes through in parts, with packed weights.
        try withoutGradient {
            model.eval()
            defer { model.train() }
            try expectStage(model.forwardFeatures(input), expected, "\(grid).stage.tokens")
            try expectStage(model(input), expected, "\(grid).stage.head")
        }
    }

    private func expectGradients(
        of model: VisionTransformer,
        _ expected: Fixture,
        _ grid: String
    ) throws {
        let logits = try model(expected.tensor("\(grid).input"))
        try expectStage(logits, expected, "\(grid).stage.head")
        try logits.tanh().mean().backward()
        let limit = Int(try expected.setting("sample_limit"))
        for (name, parameter) in model.namedParameters() {
            let gradient = try #require(try parameter.tensor.gradient(), "\(name)")
            if name.hasSuffix("k_norm.bias") {
                // A constant added to all keys changes no softmax.
                #expect(try gradient.abs().max().item() < 1e-6)
                continue
            }
            guard expected.names.contains("\(grid).gradient.\(name)") else {
                #expect(name.hasSuffix("qkv.bias"), "\(name)")
                continue
            }
            try expected.expectSamples(
                gradient,
                "\(grid).gradient.\(name)",
                limit: limit,
                tolerance: 1e-4
            )
        }
    }
}
