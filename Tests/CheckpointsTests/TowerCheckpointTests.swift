import Checkpoints
import Foundation
import ImagePipeline
import Storage
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

/// The image towers of transformers' CLIP and SigLIP, by themselves and from a model of images and texts; made by
/// Tools/parity/make_towers.py.
@ModelActor @Suite(.tags(.parity)) struct TowerCheckpointTests {
    /// The largest difference, as a fraction of the largest magnitude: the project's bound is 1e-4.
    static let tolerance: Float = 2e-5
    nonisolated static let towers = [
        "clip", "clip_gelu", "clip_projection", "clip_whole", "siglip", "siglip_no_head",
        "siglip_whole",
    ]

    let scratch: Scratch
    let loading = LoadOptions(relaxations: .noHead)

    init() throws { scratch = try Scratch() }

    func path(_ name: String) throws -> String { try Fixtures.path("Towers/\(name)") }

    @Test(arguments: towers) func hiddenStatesOnTwoGrids(name: String) throws {
        let loaded = try ModelDirectory.load(path(name), options: loading)
        try expectOutputs(of: loaded.model, name)
    }

    private func expectOutputs(of model: any ImageClassifier, _ name: String) throws {
        let probe = try Safetensors.read(path("\(name).probe.safetensors"))
        try ProbedOutputs.expect(model, probe, tolerance: Self.tolerance, name)
    }

    @Test(arguments: towers) func whatIsLeftOutIsTold(name: String) throws {
        let loaded = try ModelDirectory.load(path(name), options: loading)
        let vit = try #require(loaded.description.configuration.transformer)
        let isCLIP = name.hasPrefix("clip")
        #expect(vit.preNorm == isCLIP && vit.classToken == isCLIP)
        #expect(vit.layerNormEps == (isCLIP ? 1e-5 : 1e-6))
        let activation: Activation = name == "clip_gelu" ? .gelu : isCLIP ? .quickGELU : .geluTanh
        #expect(vit.activation == activation)
        let ignored = loaded.report.ignored
        let texts = ignored.filter { $0.hasPrefix("text_") }
        #expect(texts.isEmpty == !name.hasSuffix("whole"))
        let others = Set(ignored).subtracting(texts)
        switch name {
        case "clip_whole": #expect(others == ["logit_scale", "visual_projection.weight"])
        case "siglip_whole": #expect(others == ["logit_scale", "logit_bias"])
        case "clip_projection": #expect(others == ["visual_projection.weight"])
        default: #expect(others.isEmpty)
        }
        if name.hasSuffix("whole") {
            #expect(
                loaded.report.sentences.contains { $0.contains("tensors outside the network") }
            )
        }
        // By the processor beside it.
        let processor = loaded.description.processor
        #expect(
            processor.resize == (isCLIP ? .shortestSide(20) : .exact(height: 20, width: 20))
        )
        #expect(processor.interpolation == .bicubic && processor.cropHeight == (isCLIP ? 20 : nil))
        #expect(
            processor.mean == (isCLIP ? [0.48145466, 0.4578275, 0.40821073] : [0.5, 0.5, 0.5])
        )
        let diagnosis = try Diagnosis.examine(path(name))
        #expect(diagnosis.isSound, "\(diagnosis.findings)")
    }

    @Test(arguments: ["clip", "siglip"]) func withoutAProcessorTheClassSays(name: String) throws {
        let folder = scratch.file("bare")
        try FileManager.default.copyItem(atPath: path(name), toPath: folder)
        try FileManager.default.removeItem(atPath: "\(folder)/preprocessor_config.json")
        let processor = try ModelDirectory.description(of: folder, options: loading).processor
        let isCLIP = name == "clip"
        #expect(processor.resize == (isCLIP ? .shortestSide(20) : .exact(height: 20, width: 20)))
        #expect(processor.mean[0] == (isCLIP ? 0.48145466 : 0.5))
    }

    /// In old files one number is CLIP's shorter side, and SigLIP's square.
    @Test(arguments: ["clip", "siglip"]) func sizesOfOldFiles(name: String) throws {
        let folder = scratch.file("old")
        try FileManager.default.copyItem(atPath: path(name), toPath: folder)
        let text = #"{"feature_extractor_type": "FEATURES", "size": 18, "crop_size": 20}"#
            .replacing("FEATURES", with: name == "clip" ? "CLIPFeatureExtractor" : "SiglipX")
        try text.write(
            toFile: "\(folder)/preprocessor_config.json",
            atomically: true,
            encoding: .utf8
        )
        let processor = try ModelDirectory.description(of: folder, options: loading).processor
        #expect(
            processor.resize
                == (name == "clip" ? .shortestSide(18) : .exact(height: 18, width: 18))
        )
    }

    @Test(arguments: ["clip", "clip_whole", "siglip", "siglip_whole"])
    func bareWeights(name: String) throws {
        // A width of 32 is taken for one head.
        let bare = try ModelDirectory.load("\(path(name))/model.safetensors", options: loading)
        let folder = try ModelDirectory.load(path(name), options: loading)
        #expect(try contents(of: bare.model) == contents(of: folder.model))
        let vit = try #require(bare.description.configuration.transformer)
        #expect(vit.activation == (name.hasPrefix("clip") ? .quickGELU : .geluTanh))
        #expect(
            bare.report.assumptions.contains {
                $0.contains("activation \(vit.activation.rawValue)")
            }
        )
    }

    /// timm's form holds them, under its own names.
    @Test(arguments: towers) func asTimmsNetworks(name: String) throws {
        let folder = scratch.file("timm")
        let report = try Conversion.run(
            path(name),
            loading: loading,
            to: folder,
            saving: SaveOptions(form: .timm)
        )
        #expect(report.left.contains { $0.hasPrefix("text_") } == name.hasSuffix("whole"))
        let loaded = try ModelDirectory.load(folder, options: loading)
        try expectOutputs(of: loaded.model, name)
    }

    @Test(arguments: ["clip", "siglip"]) func transformersFormIsReadOnly(name: String) throws {
        let error = #expect(throws: CheckpointError.self) {
            try Conversion.run(
                path(name),
                loading: loading,
                to: scratch.file("hf"),
                saving: SaveOptions(form: .huggingFace(nil))
            )
        }
        #expect(error?.description.contains("use the timm format") == true)
    }

    @Test(arguments: ["clip_classifier", "siglip_classifier"])
    func classifiersOfTransformersAreRefused(name: String) throws {
        for path in [try path(name), "\(try path(name))/model.safetensors"] {
            let error = #expect(throws: CheckpointError.self) {
                try ModelDirectory.load(path, options: loading)
            }
            let text = error?.description ?? ""
            #expect(text.contains("ForImageClassification") && text.contains("mean"), "\(text)")
        }
    }

    @Test func aWholeModelWithoutItsImageHalf() throws {
        let folder = scratch.file("texts")
        try FileManager.default.copyItem(atPath: path("clip_whole"), toPath: folder)
        try #"{"model_type": "clip", "text_config": {}}"#.write(
            toFile: "\(folder)/config.json",
            atomically: true,
            encoding: .utf8
        )
        let error = #expect(throws: CheckpointError.self) {
            try ModelDirectory.load(folder, options: loading)
        }
        #expect(error?.description.contains("vision_config is missing") == true)
    }

    @Test func whatIsMissingHasTheFilesNames() throws {
        let folder = scratch.file("missing")
        try FileManager.default.copyItem(atPath: path("siglip_whole"), toPath: folder)
        let file = "\(folder)/model.safetensors"
        let kept = try Safetensors.read(file).filter {
            !$0.key.hasPrefix("vision_model.head.attention.in_proj_weight")
                && $0.key != "vision_model.encoder.layers.1.layer_norm1.weight"
        }
        try Safetensors.write(kept.map { ($0.key, $0.value) }, to: file)
        let error = #expect(throws: CheckpointError.self) {
            try ModelDirectory.load(folder, options: loading)
        }
        guard case .incompatible(_, let missing, let unexpected, _, _) = error else {
            Issue.record("another error: \(String(describing: error))")
            return
        }
        #expect(unexpected.isEmpty)
        #expect(
            missing == [
                "vision_model.encoder.layers.1.layer_norm1.weight",
                "vision_model.head.attention.in_proj.kv.weight",
                "vision_model.head.attention.in_proj.q.weight",
            ]
        )
    }
}
