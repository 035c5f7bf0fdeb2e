import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

@testable import Training

/// What stays as it is in fine-tuning: by patterns, and as a function while the rest is trained.
@ModelActor @Suite struct FrozenWeightsTests {
    private func options(freeze: Freezing) -> TrainingOptions {
        var options = TrainingOptions()
        options.data = "data"
        options.finetune = "checkpoint"
        options.freeze = freeze
        return options
    }

    private func transformer(isDistilled: Bool = false) throws -> VisionTransformer {
        try manualSeed(5)
        return try .make(
            ViTConfiguration(
                imageHeight: 8,
                imageWidth: 8,
                patchSize: 4,
                numClasses: 3,
                embedDim: 16,
                depth: 3,
                numHeads: 2,
                isDistilled: isDistilled,
                layerNormEps: 1e-6,
                dropRate: 0.3,
                dropPathRate: 0.5
            )
        )
    }

    private func trained(_ module: Module) -> Set<String> {
        Set(module.namedParameters().filter { $0.parameter.requiresGradient }.map(\.name))
    }

    // MARK: - Patterns

    @Test(arguments: [
        ("blocks.1", "blocks.1.mlp.fc1.bias", true), ("blocks.1", "blocks.10.norm1.weight", false),
        ("blocks.*.mlp", "blocks.7.mlp.fc2.weight", true),
        ("blocks.*.mlp", "blocks.7.attn.proj.weight", false), ("*.bias", "norm.bias", true),
        ("*.bias", "bias_of.weight", false), ("patch_embed", "patch_embed.proj.weight", true),
        ("pos_embed", "pos_embed", true), ("pos_embed", "patch_embed.proj.weight", false),
        ("*", "head.weight", true), ("blocks.?", "blocks.3.norm1.bias", true),
        ("blocks.?", "blocks.11.norm1.bias", false), ("head", "head_dist.weight", false),
        ("head*", "head_dist.weight", true), ("*qkv*", "blocks.0.attn.qkv.weight", true),
        ("b*b*b", "bob.b", true), ("norm.weight.x", "norm.weight", false),
        ("**", "cls_token", true), ("weight", "norm.weight", false),
    ])
    nonisolated func patterns(text: String, name: String, isMeant: Bool) {
        #expect(WeightPattern(text).matches(name) == isMeant)
    }

    @Test nonisolated func whatIsNoPattern() {
        for text in ["", "1.5", "-blocks", "a b", "blocks.[0-5]", ".weight", "blocks/0"] {
            #expect(!WeightPattern.isWellFormed(text), "\(text)")
        }
        #expect(Freezing(rawValue: "patch_embed, blocks.0") == .names(["patch_embed", "blocks.0"]))
        for text in ["patch_embed,", "0", "-1", "1001", "1,2"] {
            #expect(Freezing(rawValue: text) == nil, "\(text)")
        }
        for freezing in [Freezing.none, .backbone, .blocks(3), .names(["*.bias", "pos_embed"])] {
            #expect(Freezing(rawValue: freezing.rawValue) == freezing)
        }
    }

    @Test func patternsFreezeWhatTheyMeanAndTellHowMuch() throws {
        let network = try transformer()
        let all = trained(network)
        let sentence = try FrozenWeights.apply(
            options(freeze: .names(["blocks.*.mlp", "pos_embed"])),
            to: network
        )
        let stays = all.subtracting(trained(network))
        #expect(stays.count == 13)
        #expect(stays.allSatisfy { $0.contains(".mlp.") || $0 == "pos_embed" })
        #expect(sentence?.contains("(blocks.*.mlp means 12, pos_embed means 1)") == true)
        #expect(sentence?.contains("of \(all.count) weights") == true)
    }

    @Test(arguments: [
        (["blocks.*.mpl"], "\"blocks.*.mlp\""), (["pos_embed", "cls_tokn"], "\"cls_token\""),
        (["al"], "\"all\""), (["blocks.9"], "blocks.9"), (["*"], "nothing would be trained"),
    ])
    func patternsThatCannotBe(patterns: [String], word: String) throws {
        let network = try transformer()
        let error = #expect(throws: OptionError.self) {
            try FrozenWeights.apply(options(freeze: .names(patterns)), to: network)
        }
        #expect(error?.description.contains(word) == true, "\(String(describing: error))")
        #expect(trained(network).count == network.namedParameters().count)
    }

    @Test func whatIsFreshIsTrained() throws {
        let network = try transformer(isDistilled: true)
        let fresh: Set = ["head.weight", "head.bias", "dist_token"]
        let error = #expect(throws: OptionError.self) {
            try FrozenWeights.apply(options(freeze: .names(["head"])), to: network, fresh: fresh)
        }
        #expect(error?.description.contains("head.weight and head.bias") == true)
        // What the checkpoint has may stay, a head too.
        _ = try FrozenWeights.apply(options(freeze: .names(["head"])), to: network)
        #expect(!trained(network).contains("head.weight"))
        let other = try transformer(isDistilled: true)
        _ = try FrozenWeights.apply(options(freeze: .backbone), to: other, fresh: fresh)
        #expect(
            trained(other)
                == ["head.weight", "head.bias", "head_dist.weight", "head_dist.bias", "dist_token"]
        )
    }

    @Test func whatHasNoAttentionIsNotTrainedByItAlone() throws {
        var options = options(freeze: .none)
        options.attnOnly = true
        let network = try ModelRegistry.configuration(named: "resnet20_cifar").makeModel()
        let error = #expect(throws: OptionError.self) {
            try FrozenWeights.apply(options, to: network)
        }
        #expect(error?.description.contains("no attention") == true)
    }

    // MARK: - As a function

    @Test func whatIsFrozenIsTheSameFunctionInEveryStep() throws {
        let network = try transformer()
        _ = try FrozenWeights.apply(options(freeze: .blocks(2)), to: network)
        network.trainUnfrozen(true)
        let norm = try #require(network.norm)
        #expect(network.isTraining && network.blocks[2].isTraining && norm.isTraining)
        #expect(!network.patchEmbed.isTraining && !network.posDrop.isTraining)
        let block = try #require(network.blocks[1] as? Block)
        #expect(!network.blocks[0].isTraining && !block.mlp.isTraining)
        network.trainUnfrozen(false)
        #expect(!network.isTraining && !norm.isTraining)

        let images = try Tensor.randn([2, 3, 8, 8])
        network.trainUnfrozen(true)
        func tokens() throws -> [Float] {
            var x = try network.embed(network.patchEmbed(images))
            for block in network.blocks.prefix(2) { x = try block(x, rotary: nil) }
            #expect(!x.requiresGradient)
            return try x.floats()
        }
        #expect(try tokens() == tokens())
        network.train()
        #expect(try tokens() != tokens())
    }

    @Test func runningStatisticsOfFrozenStagesStay() throws {
        let network = try ModelRegistry.configuration(named: "resnet20_cifar").makeModel()
        _ = try FrozenWeights.apply(options(freeze: .blocks(1)), to: network)
        network.trainUnfrozen(true)
        func statistics() throws -> [String: [Float]] {
            var found: [String: [Float]] = [:]
            for (name, buffer) in network.namedBuffers() where name.hasSuffix("running_mean") {
                found[name] = try buffer.tensor.floats()
            }
            return found
        }
        let before = try statistics()
        let logits = try network(Tensor.randn([4] + network.inputShape))
        try logits.sum().backward()
        for (name, values) in try statistics() {
            let isFrozen = name.hasPrefix("bn1") || name.hasPrefix("layer1")
            #expect((values == before[name]) == isFrozen, "\(name)")
        }
    }

    @Test(arguments: [false, true])
    func aProbeHasNoGraphBeforeItsHead(isDistilled: Bool) throws {
        let network = try transformer(isDistilled: isDistilled)
        _ = try FrozenWeights.apply(options(freeze: .backbone), to: network)
        network.trainUnfrozen(true)
        #expect(!network.isTraining)
        let forward = ClassifierFactory.forward(network, dtype: nil)
        let images = try Tensor.randn([2, 3, 8, 8])
        let logits = try forward(images)
        let expected = try withoutGradient { () throws(TorchError) in try network(images).floats() }
        #expect(try logits.averaged().floats() == expected)
        #expect(logits.cls.requiresGradient && (logits.dist != nil) == isDistilled)
        try logits.averaged().sum().backward()
        for (name, parameter) in network.namedParameters() {
            let gradient = try parameter.tensor.gradient()
            #expect((gradient != nil) == LayerOrder.isHead(name), "\(name)")
        }
    }

    // MARK: - Layer-wise rates

    @Test func layersHaveTheirRates() throws {
        let network = try transformer()
        var options = options(freeze: .blocks(1))
        options.layerDecay = 0.5
        _ = try FrozenWeights.apply(options, to: network)
        let groups = options.parameterGroups(network)
        var scales: [String: Double] = [:]
        for group in groups {
            for (name, _) in group.parameters { scales[name] = group.lrScale }
        }
        // Layers: the embedding, three blocks, the head; the last norm goes with the last block.
        #expect(scales["head.weight"] == 1 && scales["norm.bias"] == 0.5)
        #expect(scales["blocks.2.attn.qkv.weight"] == 0.5)
        #expect(scales["blocks.1.norm1.weight"] == 0.25)
        #expect(scales["blocks.0.norm1.weight"] == nil && scales["pos_embed"] == nil)
        let listing = GroupListing(network, groups: groups)
        #expect(listing.groups.last?.lrScale == 0)
        #expect(listing.groups.dropLast().map(\.lrScale) == groups.map(\.lrScale))
    }
}
