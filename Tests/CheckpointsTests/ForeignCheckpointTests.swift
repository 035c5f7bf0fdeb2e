import Checkpoints
import Foundation
import ImagePipeline
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

/// Checkpoints as other libraries write them give the numbers of those libraries; made by
/// Tools/parity/make_checkpoints.py.
@ModelActor @Suite struct ForeignCheckpointTests {
    func path(_ name: String) throws -> String { try Fixtures.path("Foreign/\(name)") }

    func probe(_ name: String) throws -> [String: Tensor] {
        try Safetensors.read(path("\(name).probe.safetensors"))
    }

    @Test(arguments: ["student", "teacher"]) func fullCheckpointsOfDINO(name: String) throws {
        let options = LoadOptions(relaxations: .noHead, stateDict: name)
        let loaded = try ModelDirectory.load(path("dino_full.pth"), options: options)
        let probe = try probe("dino_full")
        let images = try #require(probe["images"])
        #expect(loaded.model.numClasses == 0)
        try expectTensor(withoutGradient { try loaded.model(images) }, probe[name], name)
        let prefix = name == "student" ? "module." : ""
        let wanted =
            ["mlp.0", "mlp.2", "mlp.4"].flatMap { ["\($0).weight", "\($0).bias"] }
            + ["last_layer.weight_g", "last_layer.weight_v"]
        #expect(Set(loaded.report.ignored) == Set(wanted.map { "\(prefix)head.\($0)" }))
        #expect(loaded.report.notes.contains { $0.contains("\(prefix)backbone.") })
        #expect(loaded.report.replaced.isEmpty && loaded.report.dropped.isEmpty)
    }

    @Test func aBackboneIsNoClassifier() throws {
        let file = try path("dino_full.pth")
        let several = #expect(throws: CheckpointError.self) { try ModelDirectory.load(file) }
        #expect(several.map { "\($0)".contains("student") && "\($0)".contains("teacher") } == true)
        let error = #expect(throws: CheckpointError.self) {
            try ModelDirectory.load(file, options: LoadOptions(stateDict: "teacher"))
        }
        #expect(error.map { "\($0)".contains("no classifier") } == true)
        let labels = ClassLabels(names: ["a", "b", "c"])
        let fresh = try ModelDirectory.load(
            file,
            options: LoadOptions(
                relaxations: .replaceHead,
                labels: labels,
                stateDict: "teacher"
            )
        )
        #expect(fresh.model.numClasses == 3 && fresh.description.labels == labels)
        #expect(fresh.report.replaced.count == 2)
    }

    @Test func layerScaleByDeiTIIIsOwnNames() throws {
        let loaded = try ModelDirectory.load(path("deit3.pth"))
        let probe = try probe("deit3")
        let images = try #require(probe["images"])
        guard let vit = loaded.description.configuration.transformer else {
            Issue.record("another network")
            return
        }
        #expect(vit.noEmbedClass && vit.initValues != nil && vit.imageHeight == 8)
        #expect(loaded.report.notes.contains { $0.contains("gamma_1") })
        try expectTensor(withoutGradient { try loaded.model(images) }, probe["logits"], "logits")
    }

    @Test func foldersOfTimm() throws {
        let loaded = try ModelDirectory.load(path("timm"))
        let probe = try probe("timm")
        let images = try #require(probe["images"])
        #expect(loaded.report.sentences.isEmpty, "\(loaded.report.sentences)")
        #expect(loaded.description.configuration.isDistilled)
        // timm resizes to floor(8 / 0.9).
        #expect(loaded.description.processor.resize == .shortestSide(8))
        try expectTensor(withoutGradient { try loaded.model(images) }, probe["logits"], "logits")
    }

    @Test func baseModelInSeveralFiles() throws {
        let strict = #expect(throws: CheckpointError.self) {
            try ModelDirectory.load(path("deit_model"))
        }
        #expect(strict.map { "\($0)".contains("has no classifier") } == true)
        let loaded = try ModelDirectory.load(
            path("deit_model"),
            options: LoadOptions(relaxations: .noHead)
        )
        let probe = try probe("deit_model")
        let images = try #require(probe["images"])
        let network = try #require(loaded.model as? VisionTransformer)
        let tokens = try withoutGradient { try network.forwardFeatures(images) }
        try expectTensor(tokens, probe["tokens"], "tokens")
        let weight = try #require(try loaded.extraTensor(named: "pooler.dense.weight"))
        let bias = try #require(try loaded.extraTensor(named: "deit.pooler.dense.bias"))
        #expect(try loaded.extraTensor(named: "pre_logits.fc.weight")?.shape == [16, 16])
        #expect(try loaded.extraTensor(named: "nothing.weight") == nil)
        let pooled = try (tokens.selected(1, 0).matmul(weight.transposed(0, 1)) + bias).tanh()
        try expectTensor(pooled, probe["pooled"], "pooled")
    }

    @Test func oneClassifierBesideTwoTokens() throws {
        let whole = try ModelDirectory.load(path("deit_one_head"))
        #expect(whole.model is SingleHeadVisionTransformer)
        let loaded = try ModelDirectory.load(
            path("deit_one_head"),
            options: LoadOptions(relaxations: .dropHead)
        )
        #expect(Set(loaded.report.dropped) == ["classifier.weight", "classifier.bias"])
        let probe = try probe("deit_one_head")
        let images = try #require(probe["images"])
        let network = try #require(loaded.model as? VisionTransformer)
        let token = try withoutGradient { try network.forwardFeatures(images) }.selected(1, 0)
        let weight = try #require(try loaded.extraTensor(named: "classifier.weight"))
        let bias = try #require(try loaded.extraTensor(named: "classifier.bias"))
        let logits = try token.matmul(weight.transposed(0, 1)) + bias
        try expectTensor(logits, probe["logits"], "logits")
        try expectTensor(
            withoutGradient { try whole.model(images) },
            probe["logits"],
            "of the whole"
        )
    }

    @Test func maskTokenAndDecoderAreBesideTheNetwork() throws {
        let loaded = try ModelDirectory.load(
            path("deit_masked"),
            options: LoadOptions(relaxations: .noHead)
        )
        #expect(
            loaded.extraNames == [
                "decoder.0.bias", "decoder.0.weight", "deit.embeddings.mask_token",
            ]
        )
        #expect(try loaded.extraTensor(named: "embeddings.mask_token")?.shape == [1, 1, 16])
        #expect(try loaded.extraTensor(named: "decoder.0.weight")?.shape == [48, 16, 1, 1])
    }

    @Test func namesThatTransformers5HasInMemory() throws {
        let loaded = try ModelDirectory.load(path("vit_in_memory"))
        let probe = try probe("vit_in_memory")
        let images = try #require(probe["images"])
        try expectTensor(withoutGradient { try loaded.model(images) }, probe["logits"], "logits")
    }

    /// What any library wrote becomes any other form and comes back, bit by bit.
    @Test(arguments: [
        "dino_full.pth", "deit3.pth", "timm", "deit_model", "deit_one_head", "deit_masked",
        "vit_in_memory",
    ]) func everyFormHoldsEveryCheckpoint(name: String) throws {
        let scratch = try Scratch()
        let dict = name == "dino_full.pth" ? "teacher" : nil
        let loading = LoadOptions(stateDict: dict)
        let allowed = LoadOptions(relaxations: [.noHead], stateDict: dict)
        let original = try ModelDirectory.load(path(name), options: allowed)
        let forms: [(SaveOptions, String)] = [
            (SaveOptions(form: .huggingFace(nil)), "hf"), (SaveOptions(form: .timm), "timm"),
            (SaveOptions(form: .deit), "a.pth"), (SaveOptions(form: .bare), "a.safetensors"),
            (SaveOptions(form: .bare, container: .pytorch), "b.pth"),
        ]
        for (saving, file) in forms where name != "deit3.pth" || file != "hf" {
            let output = scratch.file(file)
            let report = try Conversion.run(
                path(name),
                loading: loading,
                to: output,
                saving: saving
            )
            let again = try ModelDirectory.load(
                output,
                options: LoadOptions(relaxations: .noHead)
            )
            // timm's network with a distillation token has no place for one classifier.
            let isDropped = name == "deit_one_head" && file == "timm"
            let expected =
                isDropped
                ? try ModelDirectory.load(path(name), options: LoadOptions(relaxations: .dropHead))
                : original
            let found = try contents(of: again.model)
            #expect(found == (try contents(of: expected.model)), "\(name) as \(file)")
            #expect(report.tensorCount == expected.model.namedTensors().count)
            guard file == "hf", report.extraCount > 0 else { continue }
            for extra in original.extraNames {
                let before = try #require(try original.extraTensor(named: extra))
                let after = try #require(try again.extraTensor(named: extra), "\(extra)")
                #expect(try before.floats() == after.floats(), "\(extra)")
            }
        }
        #expect(try scratch.names().allSatisfy { !$0.contains(".tmp-") })
    }

    @Test func whatAFormCannotHoldIsRefused() throws {
        let scratch = try Scratch()
        let error = #expect(throws: CheckpointError.self) {
            try Conversion.run(
                path("deit3.pth"),
                loading: LoadOptions(),
                to: scratch.file("hf"),
                saving: SaveOptions(form: .huggingFace(nil))
            )
        }
        #expect(error.map { "\($0)".contains("layer scale") } == true)
        #expect(try scratch.names().isEmpty)
    }
}
