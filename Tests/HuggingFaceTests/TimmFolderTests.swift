import Checkpoints
import Foundation
import Hub
import ImagePipeline
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

@testable import HuggingFace

/// The classes of transformers take folders in timm's form, and timm's names of published weights.
@ModelActor
@Suite(.tags(.unit)) struct TimmFolderTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func timm(_ name: String) throws -> String {
        let folder = scratch.file("timm")
        _ = try Conversion.run(
            Fixtures.path(name),
            loading: LoadOptions(relaxations: .noHead),
            to: folder,
            saving: SaveOptions(form: .timm)
        )
        return folder
    }

    private func expectSame(
        _ model: some PretrainedModel,
        _ other: some PretrainedModel
    ) throws {
        let (before, after) = (try model.stateDict(), try other.stateDict())
        try #require(before.map(\.name) == after.map(\.name))
        for (index, (name, tensor)) in before.enumerated() where !name.hasSuffix("mask_token") {
            #expect(try tensor.floats() == after[index].tensor.floats(), "\(name)")
        }
    }

    @Test func aClassifierOfTimm() async throws {
        let name = "ViTForImageClassification-wide"
        let folder = try timm(name)
        let (own, other) = try await (
            ViTForImageClassification.fromPretrained(Fixtures.path(name)),
            ViTForImageClassification.fromPretrained(folder)
        )
        try expectSame(own, other)
        #expect(own.config.labels == other.config.labels)
        #expect(own.config.layerNormEps == other.config.layerNormEps)
        let processor = try await ViTImageProcessor.fromPretrained(folder)
        let description = try ModelDirectory.description(of: folder)
        #expect(processor.imageMean == description.processor.mean)
        let error = await #expect(throws: CheckpointError.self) {
            try await DeiTForImageClassification.fromPretrained(folder)
        }
        #expect(error?.description.contains("model_type") == true, "\(error?.description ?? "")")
    }

    @Test func aDistilledNetworkOfTimm() async throws {
        let name = "DeiTForImageClassificationWithTeacher-wide"
        let folder = try timm(name)
        try expectSame(
            try await DeiTForImageClassificationWithTeacher.fromPretrained(Fixtures.path(name)),
            try await DeiTForImageClassificationWithTeacher.fromPretrained(folder)
        )
    }

    @Test func aBackboneWithRegistersOfTimm() async throws {
        // timm has no place for the mask token and for the class token's position.
        let name = "Dinov2WithRegistersModel-swiglu"
        let folder = try timm(name)
        let options = PretrainedOptions(newlyInitialized: .maskedImageModeling)
        let own = try await Dinov2WithRegistersModel.fromPretrained(Fixtures.path(name))
        let other = try await Dinov2WithRegistersModel.fromPretrained(folder, options: options)
        #expect(own.config.mlpRatio == other.config.mlpRatio && other.config.useSwigluFFN)
        let size = own.config.imageSize
        let images = try Tensor.randn([2, own.config.numChannels, size.height, size.width])
        let (a, b) = try withoutGradient {
            (try own(pixelValues: images), try other(pixelValues: images))
        }
        expectClose(
            shape: b.lastHiddenState.shape,
            try b.lastHiddenState.floats(),
            expectedShape: a.lastHiddenState.shape,
            try a.lastHiddenState.floats(),
            tolerance: 1e-6,
            name
        )
    }

    @Test func aNetworkThatNoClassHolds() async throws {
        var vit = ViTConfiguration(embedDim: 32, depth: 1, numHeads: 2, layerNormEps: 1e-6)
        (vit.imageHeight, vit.imageWidth, vit.qkNorm, vit.numClasses) = (32, 32, true, 2)
        let folder = scratch.file("qk")
        try ModelDirectory.save(
            VisionTransformer.make(vit),
            ModelDescription(
                configuration: .visionTransformer(vit),
                processor: .deit(size: 32),
                labels: ClassLabels(names: ["a", "b"])
            ),
            to: folder,
            options: SaveOptions(form: .timm)
        )
        let error = await #expect(throws: CheckpointError.self) {
            try await ViTForImageClassification.fromPretrained(folder)
        }
        #expect(
            error?.description.contains("no class of transformers can hold the network") == true
        )
    }

    /// transformers has gate and value of a SwiGLU layer apart in memory.
    @Test func namesInMemory() async throws {
        let name = "Dinov2Model-swiglu"
        let folder = scratch.file("memory")
        try FileManager.default.copyItem(atPath: Fixtures.path(name), toPath: folder)
        let file = "\(folder)/model.safetensors"
        var renamed: [(name: String, tensor: Tensor)] = []
        for (key, tensor) in try Safetensors.read(file) {
            guard key.contains(".mlp.weights_in.") else {
                renamed.append((key.replacing("weights_out", with: "down_proj"), tensor))
                continue
            }
            let rows = tensor.shape[0] / 2
            for (part, own) in ["gate_proj", "up_proj"].enumerated() {
                let half = try tensor.narrowed(0, part * rows..<(part + 1) * rows)
                renamed.append((key.replacing("weights_in", with: own), try half.contiguous()))
            }
        }
        try Safetensors.write(renamed, to: file)
        try expectSame(
            try await Dinov2Model.fromPretrained(Fixtures.path(name)),
            try await Dinov2Model.fromPretrained(folder)
        )
    }

    @Test func publishedNames() {
        func published(_ name: String) -> String? { PretrainedLocation.published(name) }
        #expect(
            published("vit_tiny_patch16_224.augreg_in21k_ft_in1k")
                == "timm/vit_tiny_patch16_224.augreg_in21k_ft_in1k"
        )
        #expect(published("deit_tiny_patch16_224") == "facebook/deit-tiny-patch16-224")
        #expect(published("facebook/deit-tiny-patch16-224") == nil && published("nothing") == nil)
    }
}
