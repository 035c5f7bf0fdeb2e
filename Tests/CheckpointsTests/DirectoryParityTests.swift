import Checkpoints
import Foundation
import ImagePipeline
import Storage
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

/// Python's libraries load what we write and compute what we compute.
@ModelActor
@Suite(.needsPeers("torch", "transformers>=5", "timm", "safetensors", "numpy", "pillow"))
struct DirectoryParityTests {
    @Test func transformersAndTimmLoadEveryKind() throws {
        let scratch = try Scratch()
        var paths = Example.allCases.map { scratch.file($0.rawValue) }
        for example in Example.allCases { try write(example, to: scratch.file(example.rawValue)) }
        for example in [Example.plain, .distilled, .grayOblong] {
            // Transformers in timm's form, and bare weights beside them.
            let folder = scratch.file("timm-\(example.rawValue)")
            try write(example, to: folder, options: SaveOptions(form: .timm))
            paths.append(folder)
            for (form, container, name) in [
                (SaveOptions.Form.deit, SaveOptions.Container.pytorch, "deit.pth"),
                (.bare, .pytorch, "bare.pth"), (.bare, .safetensors, "bare.safetensors"),
            ] {
                let file = "\(folder)/\(name)"
                try ModelDirectory.save(
                    example.makeModel(),
                    example.description,
                    to: file,
                    options: SaveOptions(form: form, container: container)
                )
                paths.append(file)
            }
        }
        for container in SaveOptions.Container.allCases {
            // In parts; and PyTorch's container, which from_pretrained still reads.
            let folder = scratch.file("parts-\(container.rawValue)")
            try write(
                .distilled,
                to: folder,
                options: SaveOptions(container: container, maxShardSize: 100_000)
            )
            paths.append(folder)
        }
        let (status, text) = try Peers.run("check_directories.py", paths)
        print(text)
        #expect(status == 0, "\(text)")
        #expect(
            text.split(separator: "\n").count { $0.hasPrefix("ok") } >= 2 * paths.count - 9
        )
    }

    /// Small networks of the parts of timm's, in timm's words: timm's own network computes the same.
    @Test func timmLoadsEveryVariant() throws {
        let scratch = try Scratch()
        let names = [
            "vit_small_patch14_reg4_dinov2", "vit_giant_patch14_dinov2",
            "vit_base_patch16_clip_quickgelu_224", "vit_large_patch16_siglip_512",
            "vit_so400m_patch14_siglip_gap_224", "vit_little_patch16_reg4_gap_256",
            "vit_pwee_patch16_reg1_gap_256", "vit_base_patch16_rpn_224",
            "vit_base_patch16_radio_v3", "vit_so150m2_patch16_reg1_gap_256",
            "vit_small_patch16_dinov3", "vit_small_patch16_dinov3_qkvb",
            "vit_small_plus_patch16_dinov3_qkvb", "vit_7b_patch16_dinov3",
            "vit_giant_patch16_lingbot",
        ]
        var paths: [String] = []
        for (index, name) in names.enumerated() {
            var vit = try #require(try ModelRegistry.configuration(named: name).transformer)
            (vit.imageHeight, vit.imageWidth, vit.patchSize) = (32, 32, 8)
            (vit.embedDim, vit.depth, vit.numHeads, vit.numClasses) = (48, 2, 2, 5)
            // Both with the name that the network came with and by its parts alone.
            for name in index < 4 ? [name, nil] : [nil] {
                let path = scratch.file("timm-\(index)-\(name == nil ? "parts" : "named")")
                try manualSeed(UInt64(index))
                let model = try VisionTransformer.make(vit)
                for (_, parameter) in model.namedParameters() {
                    try parameter.tensor.fillNormal(mean: 0.02, std: 0.05)
                }
                if !vit.keyBias { try clearKeyBias(model) }
                model.eval()
                let description = ModelDescription(
                    configuration: .visionTransformer(vit),
                    processor: try .deit(size: 32),
                    labels: ClassLabels(names: ["a", "b", "c", "d", "e"]),
                    name: name
                )
                try write(model, description, to: path, options: SaveOptions(form: .timm))
                let loaded = try ModelDirectory.load(path)
                #expect(
                    ModelFamilies.family(of: .visionTransformer(vit))?
                        .isPreset(.visionTransformer(vit), loaded.description.configuration)
                        == true,
                    "\(loaded.description.configuration) is not \(vit)"
                )
                #expect(try contents(of: loaded.model) == contents(of: model))
                paths.append(path)
            }
        }
        let (status, text) = try Peers.run("check_directories.py", paths)
        #expect(status == 0, "\(text)")
        let passed = text.split(separator: "\n").filter { $0.hasPrefix("ok") }
        #expect(passed.count { $0.contains("logits of timm,") } == paths.count, "\(text)")
    }

    /// DINOv3, of which transformers has the backbone alone: plain and gated, without biases and with those that it has.
    @Test func transformersLoadsDINOv3() throws {
        let scratch = try Scratch()
        var paths: [String] = []
        let names = [
            "vit_small_patch16_dinov3", "vit_small_patch16_dinov3_qkvb",
            "vit_small_plus_patch16_dinov3_qkvb",
        ]
        for (index, name) in names.enumerated() {
            var vit = try #require(try ModelRegistry.configuration(named: name).transformer)
            (vit.imageHeight, vit.imageWidth, vit.patchSize) = (32, 32, 8)
            (vit.embedDim, vit.depth, vit.numHeads, vit.globalPool) = (48, 2, 2, .token)
            // Keys may have a bias in transformers' form.
            if index == 1 { vit.keyBias = true }
            try manualSeed(UInt64(index))
            let model = try VisionTransformer.make(vit)
            for (_, parameter) in model.namedParameters() {
                try parameter.tensor.fillNormal(mean: 0.02, std: 0.05)
            }
            if !vit.keyBias { try clearKeyBias(model) }
            model.eval()
            let description = ModelDescription(
                configuration: .visionTransformer(vit),
                processor: try .whole(
                    height: 32,
                    width: 32,
                    channels: 3,
                    mean: [0.4, 0.5, 0.6],
                    std: [0.2, 0.3, 0.25]
                ),
                labels: ClassLabels(placeholders: 0)
            )
            let path = scratch.file(name)
            try write(model, description, to: path, options: SaveOptions(form: .huggingFace(nil)))
            paths.append(path)
        }
        let (status, text) = try Peers.run("check_directories.py", paths)
        #expect(status == 0, "\(text)")
        let passed = text.split(separator: "\n").filter { $0.hasPrefix("ok") }
        #expect(
            passed.count { $0.contains("feature of transformers' DINOv3ViTModel,") } == paths.count,
            "\(text)"
        )
    }

    /// Zeros for the keys' rows of a bias that the network does not have.
    private func clearKeyBias(_ model: VisionTransformer) throws {
        let width = model.configuration.embedDim
        for block in model.blocks {
            guard let bias = (block as? Block)?.attn.qkv.bias?.tensor else { continue }
            try withoutGradient { try bias.narrowed(0, width..<(2 * width)).fill(0) }
        }
    }

    private func write(
        _ example: Example,
        to path: String,
        options: SaveOptions = SaveOptions()
    ) throws {
        try write(example.makeModel(), example.description, to: path, options: options)
    }

    private func write(
        _ model: any ImageClassifier,
        _ description: ModelDescription,
        to path: String,
        options: SaveOptions
    ) throws {
        try ModelDirectory.save(model, description, to: path, options: options)
        let images = try Tensor.randn([2] + model.inputShape)
        var probe = [(name: "images", tensor: images)]
        try withoutGradient {
            probe.append(("logits", try model(images)))
            if let distilled = model as? DistilledVisionTransformer {
                let logits = try distilled.logits(images)
                probe += [("cls", logits.cls), ("dist", try #require(logits.dist))]
            }
        }
        let image = try image(channels: description.processor.channels)
        let pixels = try description.processor(image)
        let shape = [1, description.processor.channels, pixels.height, pixels.width]
        probe.append(("pixels", try Tensor(pixels.values, shape: shape)))
        let bytes = try image.pixels.withUnsafeBytes {
            try Tensor(
                bytes: $0,
                dtype: .uint8,
                shape: [image.height, image.width, image.channels]
            )
        }
        probe.append(("image", bytes))
        try Safetensors.write(probe, to: "\(path)/probe.safetensors")
        let names = JSONValue.array(description.classNames.map(JSONValue.string))
        try AtomicFile.write(names.text().utf8, to: "\(path)/names.json")
    }

    private func image(channels: Int) throws -> Image {
        let (height, width) = (61, 47)
        let pixels = (0..<(height * width * channels)).map {
            UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7 ^ $0)
        }
        return try Image(height: height, width: width, channels: channels, pixels: pixels)
    }
}
