import Checkpoints
import Foundation
import HuggingFace
import ImagePipeline
import Storage
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

/// The classes and `ModelDirectory` read each other's directories.
@ModelActor
@Suite(.tags(.unit)) struct DirectoryTests {
    private func configuration(isDistilled: Bool) -> ViTConfiguration {
        ViTConfiguration(
            imageHeight: 8,
            imageWidth: 12,
            patchSize: 4,
            numClasses: 3,
            embedDim: 12,
            depth: 2,
            isDistilled: isDistilled,
            layerNormEps: 1e-6
        )
    }

    @Test(arguments: [false, true]) func aTrainedModelIsOneOfTheClasses(
        isDistilled: Bool
    ) async throws {
        let configuration = configuration(isDistilled: isDistilled)
        let network = try VisionTransformer.make(configuration)
        let processor = try ImageProcessor.whole(
            height: 8,
            width: 12,
            channels: 3,
            mean: [0.1, 0.2, 0.3],
            std: [0.4, 0.5, 0.6]
        )
        let description = ModelDescription(
            configuration: .visionTransformer(configuration),
            processor: processor,
            labels: ClassLabels(names: ["a", "b", "c"])
        )
        let images = try Tensor.randn([2, 3, 8, 12])
        let expected = try withoutGradient { try network(images).floats() }
        try await withTemporaryFolder { root in
            let folder = root.appending(path: "model").path
            try ModelDirectory.save(network, description, to: folder)
            let (logits, labels) = try await read(folder, images, isDistilled: isDistilled)
            expectClose(logits, expected, tolerance: 1e-6)
            #expect(labels == ["a", "b", "c"])
            let read = try await ViTImageProcessor.fromPretrained(folder)
            #expect(read.imageMean == processor.mean && read.imageStd == processor.std)
            #expect(read.size == .exact(PixelSize(height: 8, width: 12)) && !read.doCenterCrop)
        }
    }

    private func read(
        _ folder: String,
        _ images: Tensor,
        isDistilled: Bool
    ) async throws -> ([Float], [String]?) {
        if isDistilled {
            let model = try await DeiTForImageClassificationWithTeacher.fromPretrained(folder)
            let output = try withoutGradient { try model(pixelValues: images) }
            return (try output.logits.floats(), model.config.labels)
        }
        let model = try await ViTForImageClassification.fromPretrained(folder)
        let output = try withoutGradient { try model(pixelValues: images) }
        return (try output.logits.floats(), model.config.labels)
    }

    @Test func aSavedModelCanBeTrainedOn() async throws {
        let name = "DeiTForImageClassificationWithTeacher-odd"
        let model = try await DeiTForImageClassificationWithTeacher.fromPretrained(
            Fixtures.path(name)
        )
        let expected = try Fixtures.tensors("\(name)/outputs.safetensors")
        try withTemporaryFolder { root in
            try model.savePretrained(to: root.path)
            var grey = DeiTImageProcessor()
            (grey.imageMean, grey.imageStd) = ([0.5], [0.5])
            try grey.savePretrained(to: root.path)
            let loaded = try ModelDirectory.load(root.path)
            let logits = try withoutGradient { try loaded.model(expected.tensor("images")) }
            expectClose(try logits.floats(), try expected.floats("logits"), tolerance: 1e-4)
        }
    }

    /// transformers drops the rows and columns beyond the last patch; the processor of a directory makes no such images.
    @Test func imagesOfNoWholePatchesAreForTheClassesAlone() async throws {
        let path = try Fixtures.path("DeiTModel-rest")
        let model = try await DeiTModel.fromPretrained(path)
        #expect(model.network.configuration.imageHeight == 20)
        let error = #expect(throws: CheckpointError.self) {
            try ModelDirectory.load(path, options: LoadOptions(relaxations: .noHead))
        }
        #expect(error.map { "\($0)".contains("22") } == true, "\(String(describing: error))")
    }

    /// One file, two readers: what `ModelDirectory` makes of it and what the class makes of it.
    @Test(
        arguments: [
            "deit_squash_crop", "deit_old_integers", "deit_shortest_edge", "vit_squash",
            "vit_old_integer", "vit_nearest", "vit_not_normalized", "vit_unscaled", "vit_factor",
            "DeiT",
            "ViT",
        ]
    )
    func bothReadersOfProcessorsAgree(name: String) async throws {
        let source = name.count <= 4 ? "\(name)/preprocessor_config" : name
        var json = try Fixtures.object("processors/\(source).json")
        let isDeiT = name.lowercased().hasPrefix("deit")
        if json["feature_extractor_type"] == nil {
            json["image_processor_type"] = .string(
                isDeiT ? "DeiTImageProcessor" : "ViTImageProcessor"
            )
        }
        let ours: ImageProcessor =
            isDeiT
            ? try DeiTImageProcessor(json: json).imageProcessor()
            : try ViTImageProcessor(json: json).imageProcessor()
        let model = try await ViTForImageClassification.fromPretrained(
            Fixtures.path("ViTForImageClassification-large_patch")
        )
        try withTemporaryFolder { root in
            try model.savePretrained(to: root.path)
            let path = root.appending(path: "preprocessor_config.json").path
            try AtomicFile.write(JSONValue.object(json).text().utf8, to: path)
            let theirs = try ModelDirectory.load(root.path).description.processor
            #expect(theirs.resize == ours.resize && theirs.interpolation == ours.interpolation)
            #expect(theirs.cropHeight == ours.cropHeight && theirs.cropWidth == ours.cropWidth)
            #expect(theirs.mean == ours.mean && theirs.std == ours.std)
        }
    }
}
