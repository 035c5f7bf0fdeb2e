import Checkpoints
import Foundation
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

@testable import Training

/// The distillation token that a plain checkpoint gets, and what is said of tokens.
@ModelActor @Suite struct FreshTokenTests {
    private func model(_ name: String, noEmbedClass: Bool = false) throws -> any ImageClassifier {
        guard var configuration = try ModelRegistry.configuration(named: name).transformer else {
            throw TorchError(operation: "test", message: "no transformer")
        }
        configuration.numClasses = 3
        configuration.noEmbedClass = noEmbedClass
        return try ModelConfiguration.visionTransformer(configuration).makeModel()
    }

    private func tensors(_ model: any ImageClassifier) -> [String: Tensor] {
        Dictionary(
            model.namedTensors().map { ($0.name, $0.tensor) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    @Test(arguments: TokenInitialization.allCases, [false, true])
    func aPlainModelGetsTokenPositionAndHead(
        start: TokenInitialization,
        noEmbedClass: Bool
    ) throws {
        try manualSeed(3)
        let plain = try model("deit_nano_patch7_28", noEmbedClass: noEmbedClass)
        let distilled = try model("deit_nano_distilled_patch7_28", noEmbedClass: noEmbedClass)
        var stored = tensors(plain)
        let (old, fresh) = (stored, tensors(distilled))
        let sentence = try FreshToken.complete(
            &stored,
            from: distilled.namedTensors(),
            start: start
        )
        #expect(sentence.contains("new distillation token") && sentence.contains("head_dist"))
        let targets = distilled.namedTensors()
        try StoredTensors.check(stored, fit: targets, file: "test", hint: "")

        func floats(_ tensors: [String: Tensor], _ name: String) throws -> [Float] {
            try #require(tensors[name]).floats()
        }
        for name in ["cls_token", "head.weight", "blocks.3.attn.qkv.weight"] {
            #expect(try floats(stored, name) == floats(old, name))
        }
        for name in ["head_dist.weight", "head_dist.bias"] {
            #expect(try floats(stored, name) == floats(fresh, name))
        }
        let source = start == .cls ? try floats(old, "cls_token") : try floats(fresh, "dist_token")
        #expect(try floats(stored, "dist_token") == source)
        let (before, after) = (try floats(old, "pos_embed"), try floats(stored, "pos_embed"))
        guard !noEmbedClass else { return #expect(before == after) }
        let width = 64
        #expect(after.count == before.count + width)
        #expect(after.prefix(width) == before.prefix(width))
        #expect(after.dropFirst(2 * width) == before.dropFirst(width))
        let place =
            start == .cls
            ? before.prefix(width) : try floats(fresh, "pos_embed").dropFirst(width).prefix(width)
        #expect(Array(after.dropFirst(width).prefix(width)) == Array(place))
    }

    @Test func aTokenThatBeginsAsTheClassTokenSeesWhatItSees() throws {
        try manualSeed(4)
        let plain = try model("deit_nano_patch7_28")
        let distilled = try #require(
            try model("deit_nano_distilled_patch7_28") as? DistilledVisionTransformer
        )
        var stored = tensors(plain)
        _ = try FreshToken.complete(&stored, from: distilled.namedTensors(), start: .cls)
        try StoredTensors.copy(stored, into: distilled.namedTensors())
        distilled.eval()
        let tokens = try withoutGradient { () throws(TorchError) in
            try distilled.forwardFeatures(Tensor.randn([2, 3, 28, 28]))
        }
        expectClose(
            try tokens.selected(1, 1).floats(),
            try tokens.selected(1, 0).floats(),
            tolerance: 1e-5
        )
    }

    private func description(_ name: String) throws -> ModelDescription {
        try ClassifierFactory.description(
            {
                var options = TrainingOptions()
                options.model = name
                return options
            }(),
            classNames: ["a", "b"]
        )
    }

    @Test func theDescriptionIsThatOfTheDistilledModel() throws {
        var found = try description("deit_tiny_patch16_224")
        try FreshToken.add(to: &found, TrainingOptions())
        #expect(found == (try description("deit_tiny_distilled_patch16_224")))
        var options = TrainingOptions()
        options.tokenInit = .normal
        options.freeze = .backbone
        #expect(throws: OptionError.self) { try FreshToken.add(to: &found, options) }
        options.tokenInit = .cls
        #expect(throws: Never.self) { try FreshToken.add(to: &found, options) }
    }

    private func check(_ yaml: String, _ model: String) throws -> String? {
        var options = TrainingOptions()
        try options.apply(Recipe(name: "mine", yaml: yaml))
        return try DistillationToken.check(options, description(model))
    }

    @Test(arguments: [
        ("distillation_token: on", "deit_nano_patch4_28", "deit_nano_distilled_patch4_28"),
        ("distillation_token: on", "resnet8_cifar", "deit_tiny_distilled_patch16_224"),
        ("distillation_token: off", "deit_nano_distilled_patch4_28", "--model deit_nano_patch4_28"),
        (
            "distillation: hard\ndistillation_alpha: 0", "deit_nano_distilled_patch4_28",
            "distillation head"
        ),
        (
            "distillation: hard\ndistillation_alpha: 1", "deit_nano_distilled_patch4_28",
            "class head"
        ),
    ])
    func tokensThatDoNotFitAreRefused(yaml: String, model: String, word: String) throws {
        let error = #expect(throws: OptionError.self) { try check(yaml, model) }
        #expect(error?.description.contains(word) == true, "\(String(describing: error))")
    }

    @Test func aStudentWithoutTheTokenIsTold() throws {
        let note = try check("distillation: hard", "deit_nano_patch4_28")
        #expect(note?.contains("--model deit_nano_distilled_patch4_28") == true)
        #expect(try check("distillation: hard", "deit_nano_distilled_patch4_28") == nil)
        #expect(try check("distillation: none", "deit_nano_patch4_28") == nil)
        #expect(try check("distillation: hard\ndistillation_alpha: 1", "resnet8_cifar") != nil)
    }

    /// A token that no checkpoint has trained learns at the head's rate, in a resumed run too.
    @Test func aFreshTokenTakesTheHeadsRateUnderALayerDecay() async throws {
        try await withTemporaryFolder { folder in
            let tiny = TinySession(folder: folder)
            try await tiny.prepare()
            let options = [
                ("finetune", "{teacher}"), ("model", "checkpoint"), ("distillation_token", "on"),
                ("layer_decay", "0.5"),
            ]
            let fresh = try await tiny.run(.supervised, options, name: "fresh")
            #expect(fresh.manifest.freshWeights == ["dist_token"])
            let groups = try GroupListing(fresh.plan.options).groups
            func rate(_ name: String) -> Double? {
                groups.first { $0.weights.contains { $0.name == name } }?.lrScale
            }
            #expect(rate("dist_token") == 1 && rate("head_dist.weight") == 1)
            #expect(rate("cls_token") ?? 1 < 0.5 && rate("pos_embed") ?? 1 < 0.5)

            let request = RunRequest(
                options: fresh.plan.options,
                output: fresh.run.path,
                resuming: fresh.manifest,
                recipe: "test",
                toolVersion: "test"
            )
            let network = try Network(request, classNames: fresh.plan.classNames)
            #expect(try network.make(dtype: nil) { _ in }.fresh == ["dist_token"])

            // One that a checkpoint has trained lies in the first layer.
            try FileManager.default.moveItem(
                at: fresh.run.appending(path: "checkpoints/step-4"),
                to: folder.appending(path: "distilled")
            )
            let trained = try await tiny.run(
                .supervised,
                [("finetune", "{distilled}")] + options.dropFirst(),
                name: "trained"
            )
            #expect(trained.manifest.freshWeights == [])
            let others = try GroupListing(trained.plan.options).groups
            let group = others.first { $0.weights.contains { $0.name == "dist_token" } }
            #expect(group?.lrScale ?? 1 < 0.5)
        }
    }
}
