import Checkpoints
import Foundation
import ImagePipeline
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

/// Folders as other libraries write them, of today and of 2021.
@ModelActor @Suite struct ForeignDirectoryTests {
    let scratch: Scratch
    let path: String

    init() throws {
        scratch = try Scratch()
        path = scratch.file("m")
    }

    func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
    }

    func processor(_ text: String, of example: Example = .plain) throws -> ImageProcessor {
        try ModelDirectory.save(example.makeModel(), example.description, to: path)
        try write(text, to: "preprocessor_config.json")
        return try ModelDirectory.description(of: path).processor
    }

    @Test func processorsOfAllAges() throws {
        let imageNet = Normalization.imageNet
        let half: [Float] = [0.5, 0.5, 0.5]
        #expect(
            try processor(
                """
                {"do_center_crop": true, "crop_size": 224, "size": 256, "resample": 3, "do_normalize": true,
                 "feature_extractor_type": "DeiTFeatureExtractor", "image_mean": [0.485, 0.456, 0.406],
                 "image_std": [0.229, 0.224, 0.225]}
                """
            )
                == ImageProcessor(
                    resize: .exact(height: 256, width: 256),
                    cropHeight: 224,
                    cropWidth: 224,
                    mean: imageNet.mean,
                    std: imageNet.std
                )
        )
        #expect(
            try processor(#"{"feature_extractor_type": "DeiTFeatureExtractor"}"#)
                == ImageProcessor(
                    resize: .exact(height: 256, width: 256),
                    cropHeight: 224,
                    cropWidth: 224,
                    mean: imageNet.mean,
                    std: imageNet.std
                )
        )
        #expect(
            try processor(
                #"{"image_processor_type": "ViTImageProcessor", "size": 224, "resample": 2}"#
            )
                == ImageProcessor(
                    resize: .exact(height: 224, width: 224),
                    interpolation: .bilinear,
                    mean: half,
                    std: half
                )
        )
        #expect(
            try processor(
                #"{"image_processor_type": "DeiTImageProcessorFast", "size": {"shortest_edge": 248}, "do_normalize": false}"#
            )
                == ImageProcessor(
                    resize: .shortestSide(248),
                    cropHeight: 224,
                    cropWidth: 224,
                    mean: [0, 0, 0],
                    std: [1, 1, 1]
                )
        )
        #expect(
            try processor(
                #"{"do_resize": false, "crop_size": {"height": 32, "width": 16}, "do_center_crop": true}"#
            )
                == ImageProcessor(
                    resize: .none,
                    interpolation: .bilinear,
                    cropHeight: 32,
                    cropWidth: 16,
                    mean: half,
                    std: half
                )
        )
    }

    /// transformers' `AutoImageProcessor` takes the class of the model where the file names none.
    @Test func aProcessorWithoutAClassIsTheModels() throws {
        let half: [Float] = [0.5, 0.5, 0.5]
        #expect(
            try processor("{}")
                == ImageProcessor(
                    resize: .exact(height: 224, width: 224),
                    interpolation: .bilinear,
                    mean: half,
                    std: half
                )
        )
        let deit = try ImageProcessor(
            resize: .exact(height: 256, width: 256),
            cropHeight: 224,
            cropWidth: 224,
            mean: half,
            std: half
        )
        #expect(try processor("{}", of: .distilled) == deit)
        #expect(try processor(#"{"image_processor_type": "DeiTImageProcessor"}"#) == deit)
    }

    /// The factor of the rescale goes into mean and deviation.
    @Test func otherRescalesAreFollowed() throws {
        let whole = try processor(
            #"{"do_rescale": false, "image_mean": [127.5], "image_std": [255]}"#
        )
        #expect(whole.mean == [0.5, 0.5, 0.5] && whole.std == [1, 1, 1])
        let half = try processor(
            #"{"rescale_factor": 0.00784313725490196, "image_mean": [1, 1, 1], "image_std": [1, 1, 1]}"#
        )
        #expect(half.mean == [0.5, 0.5, 0.5] && half.std == [0.5, 0.5, 0.5])
        #expect(throws: CheckpointError.self) { try processor(#"{"rescale_factor": 0}"#) }
    }

    @Test func timmsFolderOfATransformer() throws {
        let configuration = try ModelRegistry.configuration(named: "deit_nano_distilled_patch7_28")
        let model = try configuration.makeModel()
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try Safetensors.write(model.namedTensors(), to: "\(path)/model.safetensors")
        try write(
            """
            {"architecture": "deit_nano_distilled_patch7_28", "num_classes": 1000, "pretrained_cfg":
             {"input_size": [3, 28, 28], "crop_pct": 0.9, "interpolation": "bicubic", "crop_mode": "center",
              "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25], "first_conv": "patch_embed.proj"}}
            """,
            to: "config.json"
        )
        let loaded = try ModelDirectory.load(path)
        #expect(loaded.description.configuration == configuration)
        #expect(loaded.description.labels == ClassLabels(placeholders: 1000))
        #expect(loaded.description.processor.resize == .shortestSide(31))
        #expect(loaded.description.processor.cropHeight == 28)
        #expect(try contents(of: loaded.model) == contents(of: model))
        try ModelDirectory.save(loaded.model, loaded.description, to: scratch.file("n"))
        let again = try ModelDirectory.load(scratch.file("n"))
        #expect(again.description.configuration == configuration)
        #expect(again.description.processor == loaded.description.processor)
    }

    /// DINOv3 in timm's form (eva.py), whose layer scales are called otherwise; what is written is read here again.
    @Test func timmsFolderOfDINOv3() throws {
        var vit = try #require(
            try ModelRegistry.configuration(named: "vit_small_patch16_dinov3").transformer
        )
        (vit.imageHeight, vit.imageWidth, vit.numClasses) = (64, 64, 3)
        (vit.embedDim, vit.depth, vit.numHeads) = (32, 2, 2)
        let model = try VisionTransformer.make(vit)
        let stored = model.namedTensors().map {
            (
                name: $0.name.replacing("ls1.gamma", with: "gamma_1")
                    .replacing("ls2.gamma", with: "gamma_2"),
                tensor: $0.tensor
            )
        }
        try #require(!stored.contains { $0.name == "pos_embed" || $0.name.contains("ls1") })
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try Safetensors.write(stored, to: "\(path)/model.safetensors")
        try write(
            """
            {"architecture": "vit_small_patch16_dinov3", "num_classes": 3, "global_pool": "avg",
             "model_args": {"embed_dim": 32, "depth": 2, "num_heads": 2},
             "pretrained_cfg": {"input_size": [3, 64, 64], "crop_pct": 1.0}}
            """,
            to: "config.json"
        )
        let loaded = try ModelDirectory.load(path)
        #expect(loaded.description.configuration == .visionTransformer(vit))
        #expect(try contents(of: loaded.model) == contents(of: model))

        try ModelDirectory.save(loaded.model, loaded.description, to: scratch.file("n"))
        let again = try ModelDirectory.load(scratch.file("n"))
        #expect(again.description.configuration == loaded.description.configuration)
        #expect(try contents(of: again.model) == contents(of: model))
        // timm's names again, whether or not the form was asked for.
        let written = try Safetensors.read("\(scratch.file("n"))/model.safetensors")
        #expect(Set(written.keys) == Set(stored.map(\.name)))

        let options = LoadOptions(imageSize: LoadOptions.ImageSize(height: 32, width: 64))
        let bare = try ModelDirectory.load("\(path)/model.safetensors", options: options)
        let found = try #require(bare.description.configuration.transformer)
        #expect(
            found.rotaryTemperature == 100 && found.regTokens == 4 && found.layerNormEps == 1e-5
        )
        #expect((found.imageHeight, found.imageWidth) == (32, 64))
        #expect(bare.report.assumptions.contains { $0.contains("rotary") })
        #expect(try contents(of: bare.model) == contents(of: model))
    }

    @Test func theWrapperOfTransformersPutsAPrefixBeforeNames() throws {
        let model = try Example.resNet.makeModel()
        try ModelDirectory.save(model, Example.resNet.description, to: path)
        let prefixed = model.namedTensors().map {
            (name: "timm_model.\($0.name)", tensor: $0.tensor)
        }
        try Safetensors.write(prefixed, to: "\(path)/model.safetensors")
        #expect(try contents(of: ModelDirectory.load(path).model) == contents(of: model))
        try Safetensors.write(Array(prefixed.dropFirst()), to: "\(path)/model.safetensors")
        let error = #expect(throws: CheckpointError.self) { try ModelDirectory.load(path) }
        guard case .incompatible(_, let missing, let unexpected, _, _) = error else {
            Issue.record("another error: \(String(describing: error))")
            return
        }
        #expect(missing == ["timm_model.conv1.weight"] && unexpected.isEmpty)
    }

    @Test(arguments: [
        (#""architecture": "resnet_swift_deit""#, #""architecture": "resnet19""#),
        (#""num_classes": 5"#, #""num_classes": 6"#),
        (#""num_classes": 5"#, #""num_classes": -5"#), (#""crop_pct": 1.0"#, #""crop_pct": 0"#),
        (#""crop_mode": "squash""#, #""crop_mode": "fill""#),
        (#""block": "basic""#, #""block": "odd""#),
        (#""image_size": 28"#, #""image_size": 0"#),
        (#""interpolation": "bicubic""#, #""interpolation": "lanczos""#),
        (#""label_names": ["#, #""label_names": [ "more","#),
        (#""in_chans": 1"#, #""in_chans": 0"#),
    ])
    func badTimmConfigurationsAreTypedErrors(old: String, new: String) throws {
        try ModelDirectory.save(Example.cifar.makeModel(), Example.cifar.description, to: path)
        try FileManager.default.removeItem(atPath: "\(path)/preprocessor_config.json")
        let url = URL(fileURLWithPath: "\(path)/config.json")
        let text = try String(contentsOf: url, encoding: .utf8)
        #expect(text.contains(old))
        var changed = text.replacingOccurrences(of: old, with: new)
        if old.contains("architecture") {
            // Without our own layers the name has to tell them.
            changed = changed.replacingOccurrences(of: "\"layers\"", with: "\"former_layers\"")
        }
        try changed.write(to: url, atomically: true, encoding: .utf8)
        #expect(throws: CheckpointError.self) { try ModelDirectory.load(path) }
    }
}
