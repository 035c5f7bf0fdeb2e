import Checkpoints
import Foundation
import ImagePipeline
import Storage
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

/// Checkpoints of DINOv2 and of masked autoencoders give the numbers of their authors' code; made by
/// Tools/parity/make_dinov2.py.
@ModelActor @Suite(.tags(.parity)) struct DINOv2CheckpointTests {
    /// The largest difference, as a fraction of the largest magnitude: the project's bound is 1e-4.
    static let tolerance: Float = 2e-5
    nonisolated static let models = ["plain", "reg4", "swiglu_reg4"]

    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    func path(_ name: String) throws -> String { try Fixtures.path("DINOv2/\(name)") }

    func probe(_ name: String) throws -> [String: Tensor] {
        try Safetensors.read(path("\(name).probe.safetensors"))
    }

    func expect(
        _ found: Tensor,
        _ expected: Tensor?,
        _ name: String,
        location: SourceLocation = #_sourceLocation
    ) throws {
        try expectTensor(found, expected, name, tolerance: Self.tolerance, location: location)
    }

    func load(
        _ path: String,
        _ options: LoadOptions = LoadOptions(relaxations: .noHead)
    ) throws
        -> LoadedModel
    {
        try ModelDirectory.load(path, options: options)
    }

    @Test(arguments: models) func hiddenStatesOnTwoGrids(name: String) throws {
        let loaded = try load(path("\(name).pth"))
        let network = try #require(loaded.model as? VisionTransformer)
        let probe = try probe(name)
        for prefix in ["", "other."] {
            let outputs = try withoutGradient {
                try network.outputs(
                    try #require(probe["\(prefix)images"]),
                    OutputRequest(hiddenStates: true),
                    resampling: .dinov2
                )
            }
            try expect(
                Tensor.stack(outputs.hiddenStates),
                probe["\(prefix)hidden_states"],
                "\(name) \(prefix)hidden states"
            )
            try expect(outputs.tokens, probe["\(prefix)tokens"], "\(name) \(prefix)tokens")
            try expect(outputs.tokens.selected(1, 0), probe["\(prefix)cls"], "\(name) \(prefix)cls")
        }
        let images = try #require(probe["images"])
        // Without a classifier the feature is the class token.
        try expect(withoutGradient { try loaded.model(images) }, probe["cls"], "\(name) feature")
    }

    @Test(arguments: models) func filesSayWhatTheyAre(name: String) throws {
        let loaded = try ModelDirectory.load(
            path("\(name).pth"),
            options: LoadOptions(relaxations: .noHead)
        )
        let vit = try #require(loaded.description.configuration.transformer)
        #expect(vit.regTokens == (name == "plain" ? 0 : 4))
        #expect(vit.noEmbedClass == (name != "plain") && vit.initValues != nil)
        #expect(vit.mlpLayer == (name == "swiglu_reg4" ? .swiglu : .mlp))
        #expect(vit.mlpDim == (name == "swiglu_reg4" ? 128 : 96))
        #expect(loaded.report.ignored == ["mask_token"])
        let diagnosis = try Diagnosis.examine(path("\(name).pth"))
        #expect(diagnosis.isSound)
        #expect(diagnosis.facts.contains { $0.name == "names" && $0.value == "DINOv2's" })
        #expect(
            diagnosis.facts.contains { $0.name == "resampling" && $0.value.hasPrefix("dinov2,") }
        )
    }

    @Test(arguments: models) func timmsTensorsAreOurs(name: String) throws {
        let file =
            try name == "swiglu_reg4"
            ? path("\(name).timm.safetensors") : path("\(name).timm/model.safetensors")
        let loaded = try ModelDirectory.load(
            path("\(name).pth"),
            options: LoadOptions(relaxations: .noHead)
        )
        let timm = try Safetensors.read(file)
        let ours = loaded.model.namedTensors()
        #expect(Set(ours.map(\.name)) == Set(timm.keys))
        for (name, tensor) in ours {
            #expect(try tensor.floats() == timm[name]?.floats(), "\(name)")
        }
    }

    @Test(arguments: models, [1, 4]) func publishedLinearHeads(name: String, blocks: Int) throws {
        var options = LoadOptions()
        options.linearHead = try path("\(name)_linear\(blocks).pth")
        options.imageSize = .init(height: 20, width: 20)
        let loaded = try load(path("\(name).pth"), options)
        let vit = try #require(loaded.description.configuration.transformer)
        #expect(vit.globalPool == .tokenAvg && vit.headBlocks == blocks && vit.numClasses == 7)
        let probe = try probe(name)
        let images = try #require(probe["images"])
        try expect(
            withoutGradient { try loaded.model(images) },
            probe["linear\(blocks)"],
            "\(name) \(blocks)"
        )
    }

    @Test func aLinearHeadIsForImagesOf224() throws {
        var options = LoadOptions()
        options.linearHead = try path("plain_linear1.pth")
        let loaded = try ModelDirectory.load(path("plain.pth"), options: options)
        #expect(loaded.description.configuration.imageSize == (224, 224))
        #expect(loaded.description.processor == (try .deit(size: 224)))
        #expect(loaded.report.resampling?.variant == .dinov2)
        #expect(loaded.report.resampling?.from == PatchGrid(height: 5, width: 5))
        #expect(loaded.report.resampling?.to == PatchGrid(height: 56, width: 56))
    }

    @Test func theStateDictOfAWholeClassifier() throws {
        let loaded = try load(path("whole.pth"), LoadOptions())
        let probe = try probe("reg4")
        let images = try #require(probe["images"])
        try expect(withoutGradient { try loaded.model(images) }, probe["linear1"], "whole")
    }

    @Test(arguments: ["training.pth", "teacher_checkpoint.pth"])
    func trainingCheckpoints(name: String) throws {
        let loaded = try load(path(name))
        let network = try #require(loaded.model as? VisionTransformer)
        let probe = try probe("training")
        let images = try #require(probe["images"])
        try expect(withoutGradient { try network.forwardFeatures(images) }, probe["tokens"], name)
    }

    // MARK: - Forms

    @Test(arguments: models) func bitEqualThroughEveryForm(name: String) throws {
        let source = try path("\(name).pth")
        let loading = LoadOptions(relaxations: .noHead)
        let original = try contents(of: ModelDirectory.load(source, options: loading).model)
        let (hf, dinov2) = (scratch.file("hf"), scratch.file("dinov2.pth"))
        let (timm, again) = (scratch.file("timm"), scratch.file("again"))
        func convert(_ from: String, _ form: SaveOptions.Form, _ to: String) throws {
            _ = try Conversion.run(
                from,
                loading: loading,
                to: to,
                saving: SaveOptions(form: form)
            )
            let found = try contents(of: ModelDirectory.load(to, options: loading).model)
            #expect(found == original, "\(to)")
        }
        try convert(source, .huggingFace(nil), hf)
        try convert(hf, .dinov2, dinov2)
        try convert(hf, .timm, timm)
        try convert(timm, .huggingFace(nil), again)
        // DINOv2's own tensors come back, the class token's position among them.
        let (before, after) = (try tensors(source), try tensors(dinov2))
        #expect(Set(before.keys) == Set(after.keys))
        for (key, tensor) in before {
            #expect(tensor.shape == after[key]?.shape, "\(key)")
            #expect(try tensor.floats() == after[key]?.floats(), "\(key)")
        }
    }

    private func tensors(_ file: String) throws -> [String: Tensor] {
        let archive = try WeightsArchive.open(file)
        var result: [String: Tensor] = [:]
        for tensor in archive.tensors { result[tensor.name] = try archive.read(tensor) }
        return result
    }

    /// A state dict that somebody saved himself has the names of transformers 5 in memory, gate and value apart.
    @Test(arguments: models) func transformersNamesInMemory(name: String) throws {
        let (hf, memory) = (scratch.file("hf"), scratch.file("memory"))
        let loading = LoadOptions(relaxations: .noHead)
        _ = try Conversion.run(
            path("\(name).pth"),
            loading: loading,
            to: hf,
            saving: SaveOptions(form: .huggingFace(nil))
        )
        var renamed: [(name: String, tensor: Tensor)] = []
        for (key, tensor) in try Safetensors.read("\(hf)/model.safetensors") {
            if key.contains(".mlp.weights_in.") {
                let rows = tensor.shape[0] / 2
                for (part, own) in ["gate_proj", "up_proj"].enumerated() {
                    let half = try tensor.narrowed(0, part * rows..<(part + 1) * rows)
                    renamed.append((key.replacing("weights_in", with: own), try half.contiguous()))
                }
                continue
            }
            let pairs = [
                ("attention.attention.query", "attention.q_proj"),
                ("attention.attention.key", "attention.k_proj"),
                ("attention.attention.value", "attention.v_proj"),
                ("attention.output.dense", "attention.o_proj"), ("weights_out", "down_proj"),
            ]
            renamed.append((pairs.reduce(key) { $0.replacing($1.0, with: $1.1) }, tensor))
        }
        try FileManager.default.createDirectory(
            atPath: memory,
            withIntermediateDirectories: false
        )
        try Safetensors.write(renamed, to: "\(memory)/model.safetensors")
        try FileManager.default.copyItem(
            atPath: "\(hf)/config.json",
            toPath: "\(memory)/config.json"
        )
        #expect(
            try contents(of: ModelDirectory.load(memory, options: loading).model)
                == contents(of: ModelDirectory.load(hf, options: loading).model)
        )
    }

    @Test(arguments: models) func halfTypesComeBack(name: String) throws {
        let folder = scratch.file("half")
        let loading = LoadOptions(relaxations: .noHead)
        _ = try Conversion.run(
            path("\(name).pth"),
            loading: loading,
            to: folder,
            saving: SaveOptions(form: .huggingFace(nil), dtype: .bfloat16)
        )
        // bf16 holds all of these numbers but the sum of the class token and its position.
        let report = try Conversion.run(
            folder,
            loading: loading,
            to: scratch.file("half.pth"),
            saving: SaveOptions(form: .dinov2)
        )
        #expect(report.dtype == "bfloat16" && report.names == "DINOv2's")
        #expect(report.left.isEmpty)
    }

    @Test func dinov2sFormHoldsBackbonesOnly() throws {
        let error = #expect(throws: CheckpointError.self) {
            try ModelDirectory.save(
                Example.plain.makeModel(),
                Example.plain.description,
                to: scratch.file("a.pth"),
                options: SaveOptions(form: .dinov2)
            )
        }
        #expect(error?.description.contains("no classifier") == true)
        let plain = scratch.file("plain")
        try ModelDirectory.save(Example.plain.makeModel(), Example.plain.description, to: plain)
        let other = #expect(throws: CheckpointError.self) {
            try Conversion.run(
                plain,
                loading: LoadOptions(),
                to: scratch.file("b.pth"),
                saving: SaveOptions(form: .dinov2)
            )
        }
        #expect(other?.description.contains("have layer scale") == true)
    }

    @Test func aClassifierOfFourBlocksIsHeldByOurOwnForms() throws {
        var loading = LoadOptions()
        loading.linearHead = try path("reg4_linear4.pth")
        let source = try path("reg4.pth")
        let error = #expect(throws: CheckpointError.self) {
            try Conversion.run(
                source,
                loading: loading,
                to: scratch.file("hf"),
                saving: SaveOptions(form: .huggingFace(nil))
            )
        }
        let text = error?.description ?? ""
        #expect(text.contains("the last 4") && text.contains("safetensors"), "\(text)")
        let file = scratch.file("four.safetensors")
        _ = try Conversion.run(
            source,
            loading: loading,
            to: file,
            saving: SaveOptions(form: .bare)
        )
        let vit = try #require(
            ModelDirectory.load(file).description.configuration.transformer
        )
        #expect(vit.headBlocks == 4 && vit.globalPool == .tokenAvg)
    }

    // MARK: - Masked autoencoders

    @Test func aFinetunedMAEPoolsThePatches() throws {
        let loaded = try load(path("mae_finetuned.pth"), LoadOptions())
        let vit = try #require(loaded.description.configuration.transformer)
        #expect(vit.globalPool == .avg && vit.fcNorm)
        let probe = try probe("mae_finetuned")
        let images = try #require(probe["images"])
        try expect(withoutGradient { try loaded.model(images) }, probe["logits"], "logits")
    }

    @Test(arguments: ["mae_pretrain", "vit_mae"]) func encodersAlone(name: String) throws {
        let file = try name == "vit_mae" ? path(name) : path("\(name).pth")
        let loaded = try load(file)
        let network = try #require(loaded.model as? VisionTransformer)
        let probe = try probe(name)
        let images = try #require(probe["images"])
        try expect(withoutGradient { try network.forwardFeatures(images) }, probe["tokens"], name)
        let whole = try ModelDirectory.load(file, options: LoadOptions(relaxations: .noHead))
        #expect(whole.report.ignored.contains { $0.hasPrefix("decoder") })
        #expect(whole.report.sentences.contains { $0.hasPrefix("not used: decoder") })
    }

    /// facebookresearch/mae evaluates as DeiT up to 224 pixels, without a margin above; timm's weights have `crop_pct` 0.9.
    @Test func publishedMAEsSeeImagesAsTheirAuthorsHaveIt() throws {
        let authors = try #require(ModelFamilies.model(named: "mae_finetuned_vit_base"))
        let timm = try #require(ModelFamilies.model(named: "vit_base_patch16_224.mae"))
        #expect(authors.fullName == timm.fullName && authors.isAuthors && !timm.isAuthors)
        let family = try #require(ModelFamilies.family(of: authors.configuration))
        func processor(_ model: NamedModel, _ side: Int) throws -> ImageProcessor? {
            try family.processor(for: model, size: ImageSize(height: side, width: side))
        }
        #expect(try processor(authors, 224) == .deit(size: 224))
        #expect(try processor(authors, 448)?.resize == .shortestSide(448))
        #expect(try processor(timm, 224)?.resize == .shortestSide(248))
    }

    // MARK: - Names of published files

    @Test(
        arguments: [
            ("dinov2_vits14_pretrain", "vit_small_patch14_dinov2.lvd142m"),
            ("dinov2_vitb14_reg4_pretrain", "vit_base_patch14_reg4_dinov2.lvd142m"),
            ("dinov2_vitg14_pretrain", "vit_giant_patch14_dinov2.lvd142m"),
            ("dinov2-with-registers-large", "vit_large_patch14_reg4_dinov2.lvd142m"),
            ("dinov2-base", "vit_base_patch14_dinov2.lvd142m"),
            ("dinov2_vits14_linear_head", nil), ("dinov2_vitx14_pretrain", nil), ("vit", nil),
        ] as [(String, String?)]
    )
    func namesOfPublishedFiles(file: String, timm: String?) {
        #expect(DINOv2Names.timmName(of: file) == timm)
    }

    // MARK: - Bad input

    @Test func registersAndNoneDoNotMix() throws {
        let plain = scratch.file("plain")
        let registers = scratch.file("registers")
        for (name, folder) in [("plain", plain), ("reg4", registers)] {
            _ = try Conversion.run(
                path("\(name).pth"),
                loading: LoadOptions(relaxations: .noHead),
                to: folder,
                saving: SaveOptions(form: .timm)
            )
        }
        for (of, into, word) in [
            (plain, registers, "no register"), (registers, plain, "has register"),
        ] {
            let folder = scratch.file(UUID().uuidString)
            try FileManager.default.createDirectory(
                atPath: folder,
                withIntermediateDirectories: false
            )
            for (from, file) in [(of, "model.safetensors"), (into, "config.json")] {
                try FileManager.default.copyItem(
                    atPath: "\(from)/\(file)",
                    toPath: "\(folder)/\(file)"
                )
            }
            let error = #expect(throws: CheckpointError.self) {
                try ModelDirectory.load(folder, options: LoadOptions(relaxations: .noHead))
            }
            #expect(error?.description.contains(word) == true, "\(error?.description ?? "")")
        }
    }

    @Test func aHeadWithoutItsBackbone() throws {
        let error = #expect(throws: CheckpointError.self) {
            try ModelDirectory.load(path("plain_linear4.pth"))
        }
        let text = error?.description ?? ""
        #expect(text.contains("without its backbone") && text.contains("--head"), "\(text)")
    }

    @Test func headsThatAreNoneOfTheBackbone() throws {
        func message(_ backbone: String, _ head: String) throws -> String {
            var options = LoadOptions()
            options.linearHead = try path(head)
            let source = try path(backbone)
            let error = #expect(throws: CheckpointError.self) {
                try ModelDirectory.load(source, options: options)
            }
            return error?.description ?? ""
        }
        #expect(try message("plain.pth", "reg4.pth").contains("no linear classifier"))
        #expect(try message("whole.pth", "reg4_linear1.pth").contains("it has a classifier"))
        let narrow = scratch.file("narrow.safetensors")
        try Safetensors.write(
            [("weight", Tensor.zeros([7, 50])), ("bias", Tensor.zeros([7]))],
            to: narrow
        )
        var options = LoadOptions()
        options.linearHead = narrow
        let error = #expect(throws: CheckpointError.self) {
            try ModelDirectory.load(path("plain.pth"), options: options)
        }
        #expect(error?.description.contains("reads 50 values") == true)
    }

    @Test(arguments: [("mlp.w12", [129, 24]), ("mlp.w3", [24, 63])])
    func aGatedLayerWhoseWidthDoesNotDivide(name: String, shape: [Int]) throws {
        var tensors = try tensors(path("swiglu_reg4.pth"))
        for block in 0..<5 { tensors["blocks.\(block).\(name).weight"] = try Tensor.zeros(shape) }
        let file = scratch.file("odd.safetensors")
        try Safetensors.write(tensors.map { ($0.key, $0.value) }, to: file)
        let error = #expect(throws: CheckpointError.self) {
            try ModelDirectory.load(file, options: LoadOptions(relaxations: .noHead))
        }
        #expect(error?.description.contains("SwiGLU") == true, "\(error?.description ?? "")")
    }

    @Test func anUnknownPooling() throws {
        let folder = scratch.file("pooling")
        try FileManager.default.copyItem(atPath: path("plain.timm"), toPath: folder)
        let text = try String(contentsOfFile: "\(folder)/config.json", encoding: .utf8)
        try text.replacingOccurrences(of: "\"token\"", with: "\"median\"")
            .write(toFile: "\(folder)/config.json", atomically: true, encoding: .utf8)
        let error = #expect(throws: CheckpointError.self) { try ModelDirectory.load(folder) }
        let message = error?.description ?? ""
        #expect(message.contains("median") && message.contains("token, avg"), "\(message)")
    }

    @Test func aSizeThatThePatchDoesNotDivide() throws {
        var options = LoadOptions(relaxations: .noHead, positionResampling: .dinov2)
        options.imageSize = .init(height: 30, width: 28)
        let source = try path("plain.pth")
        let error = #expect(throws: ConfigurationError.self) {
            try ModelDirectory.load(source, options: options)
        }
        let text = error?.description ?? ""
        #expect(text.contains("28 and 32") && text.contains("patch size 4"), "\(text)")
    }
}
