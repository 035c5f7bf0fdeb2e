import Checkpoints
import Foundation
import ImagePipeline
import Storage
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

/// Checkpoints of DINOv3 give the numbers of their authors' code, of timm and of transformers, and become each other; made by
/// Tools/parity/make_dinov3.py.
@ModelActor @Suite(.tags(.parity)) struct DINOv3CheckpointTests {
    /// The largest difference, as a fraction of the largest magnitude: the project's bound is 1e-4.
    static let tolerance: Float = 2e-5
    nonisolated static let models = ["plain", "qkvb", "plus"]

    /// The files of the three libraries, and transformers' names in memory.
    nonisolated static let files =
        models.flatMap { ["\($0).pth", "\($0).timm", "\($0).hf"] }

    let scratch: Scratch
    let loading = LoadOptions(relaxations: .noHead)

    init() throws { scratch = try Scratch() }

    func path(_ name: String) throws -> String { try Fixtures.path("DINOv3/\(name)") }

    func probe(_ name: String) throws -> [String: Tensor] {
        let stem = name.hasSuffix(".pth") ? String(name.dropLast(4)) : name
        return try Safetensors.read(path("\(stem).probe.safetensors"))
    }

    /// A bare file does not say the size of images, nor does rotary position depend on it.
    func load(_ path: String) throws -> LoadedModel {
        var options = loading
        if path.hasSuffix(".pth") { options.imageSize = .init(height: 20, width: 20) }
        return try ModelDirectory.load(path, options: options)
    }

    @Test(arguments: files) func hiddenStatesOnTwoGrids(name: String) throws {
        let model = try load(path(name)).model
        try ProbedOutputs.expect(model, probe(name), tolerance: Self.tolerance, name)
    }

    @Test(arguments: files) func filesSayWhatTheyAre(name: String) throws {
        let loaded = try load(path(name))
        let vit = try #require(loaded.description.configuration.transformer)
        let isGated = name.hasPrefix("plus")
        #expect(vit.regTokens == 4 && vit.rotaryTemperature == 100 && vit.layerNormEps == 1e-5)
        #expect(vit.mlpLayer == (isGated ? .swiglu : .mlp))
        #expect(vit.mlpDim == (isGated ? 256 : 128))
        #expect(vit.qkvBias == !name.hasPrefix("plain"))
        #expect(vit.keyBias == name.hasPrefix("plain"))
        #expect(vit.globalPool == (name.hasSuffix("timm") ? .avg : .token))
        let ignored = loaded.report.ignored
        if name.hasSuffix(".pth") {
            #expect(ignored.contains("rope_embed.periods") && ignored.contains("mask_token"))
            #expect(ignored.contains("local_cls_norm.weight") && ignored.count == 4)
        } else {
            #expect(ignored == (name.hasSuffix("hf") ? ["embeddings.mask_token"] : []))
        }
        let diagnosis = try Diagnosis.examine(path(name))
        #expect(diagnosis.isSound, "\(diagnosis.findings)")
        let names =
            name.hasSuffix(".pth") ? "DINOv3's" : name.hasSuffix("hf") ? "Hugging Face's" : "timm's"
        #expect(diagnosis.facts.contains { $0.name == "names" && $0.value == names })
    }

    @Test func transformersNamesInMemory() throws {
        let bare = try load(path("plus.memory.safetensors"))
        let folder = try load(path("plus.hf"))
        #expect(try contents(of: bare.model) == contents(of: folder.model))
    }

    // MARK: - Forms

    @Test(arguments: files) func bitEqualThroughEveryForm(name: String) throws {
        var loading = loading
        // Neither DINOv3's form nor transformers' has classifiers.
        loading.relaxations.insert(.dropHead)
        if name.hasSuffix(".pth") { loading.imageSize = .init(height: 20, width: 20) }
        let source = try path(name)
        let original = try contents(of: ModelDirectory.load(source, options: loading).model)
        let forms: [(form: SaveOptions.Form, name: String)] = [
            (.huggingFace(nil), "hf"), (.timm, "timm"), (.dinov3, "dinov3.pth"), (.timm, "again"),
            (.bare, "bare.safetensors"), (.huggingFace(nil), "last"),
        ]
        var from = source
        for (form, name) in forms {
            let to = scratch.file(name)
            _ = try Conversion.run(
                from,
                loading: loading,
                to: to,
                saving: SaveOptions(form: form)
            )
            let found = try contents(of: ModelDirectory.load(to, options: loading).model)
            #expect(found == original, "\(from) as \(to)")
            from = to
        }
        let pairs = try [("hf", "hf"), ("again", "timm"), ("dinov3.pth", "pth")].map {
            (try tensors(scratch.file($0)), $1)
        }
        guard let (after, _) = pairs.first(where: { name.hasSuffix($0.1) }) else { return }
        // The library's own tensors come back under its own names.
        let before = try tensors(source).filter { name, _ in
            // Of training alone, or of the classifier that was dropped.
            !name.hasPrefix("local_cls_norm.") && !name.hasPrefix("head.")
        }
        #expect(Set(before.keys) == Set(after.keys))
        for (key, tensor) in before where !(name.hasSuffix(".pth") && key.hasSuffix("qkv.bias")) {
            // Written anew, as transformers and DINOv3's code begin with it, where timm has none.
            guard !key.hasSuffix("mask_token") else { continue }
            #expect(tensor.shape == after[key]?.shape, "\(key)")
            #expect(try tensor.floats() == after[key]?.floats(), "\(key)")
        }
    }

    private func tensors(_ path: String) throws -> [String: Tensor] {
        var isFolder: ObjCBool = false
        _ = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        return try WeightsArchive.open(isFolder.boolValue ? "\(path)/model.safetensors" : path)
            .readAll()
    }

    @Test func theMaskTokenIsCarriedOn() throws {
        let (file, folder) = (scratch.file("own.pth"), scratch.file("hf"))
        _ = try Conversion.run(
            path("qkvb.hf"),
            loading: loading,
            to: file,
            saving: SaveOptions(form: .dinov3)
        )
        let report = try Conversion.run(
            file,
            loading: loading,
            to: folder,
            saving: SaveOptions(form: .huggingFace(nil))
        )
        #expect(report.architecture == .dinov3ViTModel && report.left == ["rope_embed.periods"])
        let (before, after) = (try tensors(path("qkvb.hf")), try tensors(folder))
        let name = "embeddings.mask_token"
        #expect(after[name]?.shape == [1, 1, 32])
        #expect(try before[name]?.floats() == after[name]?.floats())
    }

    /// No gradient reaches the bias of the keys, which the three libraries do not have: a trained network can be written.
    @Test func trainingLeavesTheKeysWithoutABias() throws {
        let loaded = try load(path("qkvb.timm"))
        let network = try #require(loaded.model as? VisionTransformer)
        network.train()
        defer { network.eval() }
        let images = try #require(try probe("qkvb.timm")["images"])
        let logits = try network(images)
        try expectTensor(
            logits,
            probe("qkvb.timm")["pooled"],
            "training's forward pass",
            tolerance: Self.tolerance
        )
        try (logits * logits).sum().backward()
        for block in network.blocks {
            let bias = try #require((block as? Block)?.attn.qkv.bias)
            let gradient = try #require(try bias.tensor.gradient()).floats()
            #expect(gradient[32..<64].allSatisfy { $0 == 0 })
            #expect(gradient[..<32].contains { $0 != 0 } && gradient[64...].contains { $0 != 0 })
        }
    }

    // MARK: - Names of published files

    @Test(
        arguments: [
            ("dinov3_vits16_pretrain_lvd1689m", "vit_small_patch16_dinov3_qkvb.lvd1689m"),
            ("dinov3_vits16plus_pretrain_lvd1689m", "vit_small_plus_patch16_dinov3_qkvb.lvd1689m"),
            ("dinov3-vitl16-pretrain-sat493m", "vit_large_patch16_dinov3_qkvb.sat493m"),
            ("dinov3_vit7b16_pretrain_lvd1689m", "vit_7b_patch16_dinov3.lvd1689m"),
            ("dinov3_convnext_tiny_pretrain_lvd1689m", nil), ("dinov3_vits16_head", nil),
        ] as [(String, String?)]
    )
    func namesOfPublishedFiles(file: String, timm: String?) throws {
        #expect(DINOv3Names.timmName(of: file) == timm)
        guard let timm else { return }
        let model = try #require(ModelFamilies.model(named: file))
        #expect(model.fullName == timm && model.isAuthors)
        #expect(ModelRegistry.preset(named: timm) != nil)
    }

    @Test func theAuthorsResizeBothSides() throws {
        let model = try #require(ModelFamilies.model(named: "dinov3_vitl16_pretrain_sat493m"))
        let family = try #require(ModelFamilies.family(of: model.configuration))
        let size = ImageSize(height: 256, width: 256)
        let processor = try #require(try family.processor(for: model, size: size))
        #expect(processor.resize == .exact(height: 256, width: 256))
        #expect(processor.interpolation == .bilinear && processor.mean == [0.43, 0.411, 0.296])
    }

    // MARK: - Bad input

    /// A copy of a folder whose `config.json` says something else.
    private func changed(_ name: String, _ old: String, _ new: String) throws -> String {
        let folder = scratch.file(UUID().uuidString)
        try FileManager.default.copyItem(atPath: path(name), toPath: folder)
        let file = "\(folder)/config.json"
        let text = try String(contentsOfFile: file, encoding: .utf8)
        #expect(text.contains(old))
        try text.replacing(old, with: new).write(toFile: file, atomically: true, encoding: .utf8)
        return folder
    }

    private func message(_ load: () throws -> Void) -> String {
        let error = #expect(throws: (any Error).self) { try load() }
        return error.map { "\($0)" } ?? ""
    }

    @Test(
        arguments: [
            (#""value_bias": true"#, #""value_bias": false"#, "value_bias differs from query_bias"),
            (#""proj_bias": true"#, #""proj_bias": false"#, "proj_bias is false"),
            (#""hidden_act": "gelu""#, #""hidden_act": "relu""#, "relu"),
            (#""rope_theta": 100.0"#, #""rope_theta": -1"#, "temperature of rotary positions"),
        ]
    )
    func configurationsThatAreNotBuilt(old: String, new: String, word: String) throws {
        let folder = try changed("qkvb.hf", old, new)
        let text = message { _ = try load(folder) }
        #expect(text.contains(word), "\(text)")
    }

    @Test func otherPeriodsAreRefused() throws {
        var changed = try tensors(path("qkvb.pth"))
        changed["rope_embed.periods"] = try Tensor([1, 2, 3, 4, 5, 6, 7, 8], shape: [8])
        let file = scratch.file("periods.safetensors")
        try Safetensors.write(changed.map { ($0.key, $0.value) }, to: file)
        let text = message { _ = try load(file) }
        #expect(text.contains("rope_embed.periods are not those"), "\(text)")
    }

    @Test func aBiasOfTheKeysHasNoPlaceInTimm() throws {
        // Without its mask the bias is one of the keys too, which transformers' form can hold.
        let stored = try tensors(path("qkvb.pth")).filter { !$0.key.hasSuffix("bias_mask") }
        let file = scratch.file("bias.safetensors")
        try Safetensors.write(stored.map { ($0.key, $0.value) }, to: file)
        var options = loading
        options.imageSize = .init(height: 20, width: 20)
        let loaded = try ModelDirectory.load(file, options: options)
        #expect(loaded.description.configuration.transformer?.keyBias == true)
        let text = message {
            _ = try Conversion.run(
                file,
                loading: options,
                to: scratch.file("timm"),
                saving: SaveOptions(form: .timm)
            )
        }
        #expect(text.contains("no bias of the keys"), "\(text)")
        let hf = scratch.file("hf")
        _ = try Conversion.run(
            file,
            loading: options,
            to: hf,
            saving: SaveOptions(form: .huggingFace(nil))
        )
        #expect(
            try contents(of: ModelDirectory.load(hf, options: loading).model)
                == contents(of: loaded.model)
        )
    }

    @Test func aChangedBiasOfTheKeysIsNotLeftOut() throws {
        let loaded = try load(path("qkvb.timm"))
        let network = try #require(loaded.model as? VisionTransformer)
        let bias = try #require((network.blocks[1] as? Block)?.attn.qkv.bias)
        try withoutGradient { try bias.tensor.narrowed(0, 40..<41).fill(.nan) }
        let text = message {
            try ModelDirectory.save(
                network,
                loaded.description,
                to: scratch.file("timm"),
                options: SaveOptions(form: .timm)
            )
        }
        #expect(text.contains("blocks.1.attn.qkv.bias") && text.contains("no bias"), "\(text)")
    }

    @Test func missingPartsAreNamedAsTheFileNamesThem() throws {
        let stored = try tensors(path("plus.timm")).filter {
            $0.key != "blocks.1.attn.v_bias" && $0.key != "blocks.0.mlp.fc1_x.weight"
        }
        let folder = scratch.file("missing")
        try FileManager.default.copyItem(atPath: path("plus.timm"), toPath: folder)
        try Safetensors.write(
            stored.map { ($0.key, $0.value) },
            to: "\(folder)/model.safetensors"
        )
        let error = #expect(throws: CheckpointError.self) {
            try ModelDirectory.load(folder, options: loading)
        }
        guard case .incompatible(_, let missing, let unexpected, _, _) = error else {
            Issue.record("another error: \(String(describing: error))")
            return
        }
        #expect(missing == ["blocks.0.mlp.fc1_x.weight", "blocks.1.attn.v_bias"])
        #expect(unexpected.isEmpty)
    }

    @Test func aClassifierHasNoPlaceInTransformers() throws {
        let text = message {
            _ = try Conversion.run(
                path("plain.timm"),
                loading: loading,
                to: scratch.file("hf"),
                saving: SaveOptions(form: .huggingFace(nil))
            )
        }
        #expect(text.contains("no class of DINOv3 with a classifier"), "\(text)")
        let own = message {
            try ModelDirectory.save(
                Example.plain.makeModel(),
                Example.plain.description,
                to: scratch.file("a.pth"),
                options: SaveOptions(form: .dinov3)
            )
        }
        #expect(own.contains("DINOv3's form cannot hold this model"), "\(own)")
    }
}
