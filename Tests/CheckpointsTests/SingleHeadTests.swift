import Checkpoints
import ImagePipeline
import Storage
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

/// Transformers with a distillation token and one head, on the class token.
@ModelActor @Suite struct SingleHeadTests {
    private func made() throws -> (model: any ImageClassifier, description: ModelDescription) {
        try manualSeed(9)
        let configuration = ModelConfiguration.visionTransformer(
            ViTConfiguration(
                imageHeight: 32,
                imageWidth: 32,
                patchSize: 8,
                numClasses: 3,
                embedDim: 64,
                depth: 2,
                numHeads: 1,
                isDistilled: true,
                layerNormEps: 1e-6,
                singleHead: true
            )
        )
        let model = try configuration.makeModel()
        model.eval()
        return (
            model,
            ModelDescription(
                configuration: configuration,
                processor: try .deit(size: 32),
                labels: ClassLabels(names: ["a", "b", "c"])
            )
        )
    }

    private func expectSame(
        _ path: String,
        _ model: any ImageClassifier,
        _ description: ModelDescription
    ) throws {
        let loaded = try ModelDirectory.load(path)
        #expect(loaded.description.configuration == description.configuration)
        #expect(loaded.model is SingleHeadVisionTransformer)
        let images = try Tensor.full(0.3, [2] + model.inputShape)
        let (before, after) = try withoutGradient {
            (try model(images).floats(), try loaded.model(images).floats())
        }
        #expect(before.count == 6 && before == after)
    }

    @Test func itIsHuggingFacesDeiTForImageClassification() throws {
        let (model, description) = try made()
        #expect(model is SingleHeadVisionTransformer)
        #expect(description.configuration.parameterCount == model.parameterCount)
        let scratch = try Scratch()
        try ModelDirectory.save(model, description, to: scratch.file("m"))
        let file = try SafetensorsFile(path: scratch.file("m/model.safetensors"))
        let keys = Set(file.header.entries.map(\.name))
        #expect(keys.contains("classifier.weight"))
        #expect(keys.contains("deit.embeddings.distillation_token"))
        #expect(!keys.contains { $0.hasPrefix("distillation_classifier") })
        try expectSame(scratch.file("m"), model, description)
    }

    @Test func bareWeightsTellItByTheirNames() throws {
        let (model, description) = try made()
        let scratch = try Scratch()
        let file = scratch.file("m.safetensors")
        try ModelDirectory.save(
            model,
            description,
            to: file,
            options: SaveOptions(form: .bare)
        )
        try expectSame(file, model, description)
    }

    @Test func timmHasNoSuchNetwork() throws {
        let (model, description) = try made()
        let scratch = try Scratch()
        let error = #expect(throws: CheckpointError.self) {
            try ModelDirectory.save(
                model,
                description,
                to: scratch.file("m"),
                options: SaveOptions(form: .timm)
            )
        }
        #expect(error?.description.contains("two heads") == true)
        #expect(try scratch.names().isEmpty)
    }
}
