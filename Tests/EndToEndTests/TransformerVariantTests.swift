import Checkpoints
import Foundation
import ImagePipeline
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

/// The commands with transformers of every kind: registers, no class token, pre-norm, gates, classifiers on several
/// blocks.
@Suite(.serialized, .tags(.endToEnd)) struct TransformerVariantTests {
    enum Variant: String, CaseIterable, CustomTestStringConvertible {
        /// DINOv2's ViT-g with registers.
        case registers
        /// SigLIP with registers: no class token, pooling by attention.
        case pooled
        /// OpenAI's CLIP.
        case clip
        /// DINOv2's classifier on the last two blocks.
        case several
        /// Attention and feed-forward layers side by side, the mean of the patches.
        case parallel
        /// DINOv3 with SwiGLU, and biases of queries and values.
        case rotary

        var testDescription: String { rawValue }

        var configuration: ViTConfiguration {
            var vit = ViTConfiguration(
                imageHeight: 8,
                imageWidth: 8,
                patchSize: 2,
                inChannels: 1,
                numClasses: 5,
                embedDim: 16,
                depth: 3,
                numHeads: 2,
                layerNormEps: 1e-6
            )
            switch self {
            case .registers:
                (vit.regTokens, vit.noEmbedClass, vit.initValues) = (4, true, 1)
                (vit.mlpLayer, vit.mlpRatio) = (.swiglu, 5)
            case .pooled:
                (vit.classToken, vit.regTokens, vit.globalPool) = (false, 2, .map)
                vit.activation = .geluTanh
            case .clip: (vit.preNorm, vit.activation, vit.layerNormEps) = (true, .quickGELU, 1e-5)
            case .several: (vit.globalPool, vit.headBlocks, vit.initValues) = (.tokenAvg, 2, 1)
            case .parallel:
                (vit.blockType, vit.qkNorm, vit.qkvBias) = (.parallelScaling, true, false)
                (vit.classToken, vit.globalPool, vit.fcNorm) = (false, .avg, true)
            case .rotary:
                (vit.rotaryTemperature, vit.regTokens, vit.initValues) = (100, 4, 1)
                (vit.keyBias, vit.mlpLayer, vit.layerNormEps) = (false, .swiglu, 1e-5)
                vit.globalPool = .avg
            }
            return vit
        }
    }

    @Test(arguments: Variant.allCases) func everyCommandTakesIt(variant: Variant) async throws {
        try await withTemporaryFolder { folder in
            let weights = try await save(variant, in: folder)
            try TinyData.writeFolders(
                to: folder.appending(path: "data"),
                classes: ["a", "b", "c", "d", "e"],
                train: 4,
                validation: 2
            )
            func deit(_ arguments: String...) async throws -> CommandResult {
                let result = try await DeitCommand.run(arguments, in: folder)
                #expect(
                    result.code == 0,
                    "deit \(arguments.joined(separator: " ")): \(result.errors)"
                )
                return result
            }
            let image = "data/val/a/0.png"
            let token = variant.configuration.classToken ? "cls" : "mean"
            _ = try await deit("classify", "model", image)
            for extra in [[], ["--knn"], ["--linear"]] {
                let result = try await DeitCommand.run(
                    ["evaluate", "model", "--data", "data"] + extra,
                    in: folder
                )
                #expect(
                    result.code == 0 && result.output.contains("%"),
                    "\(extra): \(result.output)\(result.errors)"
                )
            }
            let features = try await deit(
                "features",
                "model",
                image,
                "--tokens",
                "\(token),patch",
                "--output",
                "f.safetensors"
            )
            #expect(!features.output.isEmpty)
            // 16 by 24 pixels are another grid than the model's: registers must not be taken for patches.
            _ = try await deit("attention", "model", image, "--size", "16x24", "--output", "maps")
            _ = try await deit("segment", "model", image, "--size", "16x24", "--output", "masks")
            _ = try await deit("index", "model", "--data", "data", "--output", "index")
            #expect(try await deit("doctor", "model").output.contains("transformer"))
            _ = try await deit("convert", "model", "--to", "pth", "--output", "copy.pth")
            _ = try await deit(
                "finetune",
                "model",
                "--data",
                "data",
                "--output",
                "tuned",
                "--size",
                "12",
                "--layer-decay",
                "0.7",
                "--epochs",
                "1",
                "--batch",
                "8",
                "--dtype",
                "fp32",
                "--threads",
                "1"
            )
            _ = try await deit("classify", "tuned", image)
            if variant == .rotary {
                // timm's form has no bias of the keys, which training must have left at 0.
                _ = try await deit("convert", "tuned", "--to", "timm", "--output", "timm")
            }
            // What came back is what was written.
            let again = try await Self.tensors(of: folder.appending(path: "model").path)
            #expect(again.mapValues(\.count) == weights.mapValues(\.count))
            #expect(again == weights)
        }
    }

    /// Writes a network with random weights, and returns them.
    @ModelActor
    private func save(_ variant: Variant, in folder: URL) throws -> [String: [Float]] {
        try manualSeed(5)
        let configuration = ModelConfiguration.visionTransformer(variant.configuration)
        let model = try configuration.makeModel()
        for (_, parameter) in model.namedParameters() {
            try parameter.tensor.fillNormal(mean: 0, std: 0.3)
        }
        if !variant.configuration.keyBias, let network = model as? VisionTransformer {
            for case let block as Block in network.blocks {
                try withoutGradient { try block.attn.qkv.bias?.tensor.narrowed(0, 16..<32).fill(0) }
            }
        }
        let description = ModelDescription(
            configuration: configuration,
            processor: try .whole(height: 8, width: 8, channels: 1, mean: [0.5], std: [0.25]),
            labels: ClassLabels(names: ["a", "b", "c", "d", "e"])
        )
        try ModelDirectory.save(model, description, to: folder.appending(path: "model").path)
        return try Self.values(of: model)
    }

    @ModelActor
    private static func tensors(of path: String) throws -> [String: [Float]] {
        try values(of: ModelDirectory.load(path).model)
    }

    @ModelActor
    private static func values(of model: Module) throws -> [String: [Float]] {
        var values: [String: [Float]] = [:]
        for (name, tensor) in model.namedTensors() { values[name] = try tensor.floats() }
        return values
    }
}
