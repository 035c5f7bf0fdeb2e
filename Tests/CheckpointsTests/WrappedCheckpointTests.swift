import Checkpoints
import Foundation
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

/// Networks that a trainer wrapped, or saved beside other parts, are found; what is not clear is asked for.
@ModelActor @Suite struct WrappedCheckpointTests {
    typealias Named = [(name: String, tensor: Tensor)]

    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    func network(_ example: Example = .plain, seed: UInt64 = 1) throws -> Named {
        try example.makeModel(seed: seed).namedTensors()
    }

    func backbone(_ example: Example = .plain, seed: UInt64 = 1) throws -> Named {
        let heads = ["head.", "fc.", "classifier."]
        return try network(example, seed: seed).filter { named in
            !heads.contains { named.name.hasPrefix($0) }
        }
    }

    func under(_ prefix: String, _ tensors: Named) -> Named {
        tensors.map { (prefix + $0.name, $0.tensor) }
    }

    /// The classifier's tensors under another name.
    func linear(_ name: String, of example: Example = .plain) throws -> Named {
        let heads = ["head", "fc", "classifier"]
        return try network(example).compactMap { named in
            heads.first { named.name.hasPrefix("\($0).") }
                .map { (name + named.name.dropFirst($0.count), named.tensor) }
        }
    }

    func projector(_ prefix: String) throws -> Named {
        [("\(prefix)0.weight", try .zeros([16, 64])), ("\(prefix)2.bias", try .zeros([16]))]
    }

    func load(_ tensors: Named, _ options: LoadOptions = LoadOptions()) throws -> LoadedModel {
        let file = scratch.file("w.pth")
        try PyTorchWriter.write(tensors, to: file)
        let again = scratch.file("w.safetensors")
        try Safetensors.write(tensors, to: again)
        let loaded = try ModelDirectory.load(file, options: options)
        let other = try ModelDirectory.load(again, options: options)
        #expect(try contents(of: loaded.model) == contents(of: other.model))
        return loaded
    }

    func expectNetwork(
        _ loaded: LoadedModel,
        _ example: Example = .plain,
        seed: UInt64 = 1,
        hasHead: Bool = true,
        location: SourceLocation = #_sourceLocation
    ) throws {
        let wanted = try hasHead ? network(example, seed: seed) : backbone(example, seed: seed)
        let found = try contents(of: loaded.model)
        #expect(Set(found.keys) == Set(wanted.map(\.name)), sourceLocation: location)
        for (name, tensor) in wanted {
            let bytes = try tensor.withBytes { [UInt8]($0) }
            #expect(
                found[name] == bytes,
                "\(name)",
                sourceLocation: location
            )
        }
    }

    @Test(arguments: [
        "module.", "model.", "_orig_mod.", "module._orig_mod.", "net.", "student.", "ema_model.",
        "timm_model.", "0.", "module.model.backbone.",
    ])
    func whatStandsBeforeAllNamesIsRemoved(prefix: String) throws {
        try expectNetwork(load(under(prefix, network())))
        try expectNetwork(load(under(prefix, network(.cifar))), .cifar)
    }

    @Test func wrappersOfSingleLayersAreRemoved() throws {
        let tensors = try network().map { name, tensor in
            (
                name.replacing("blocks.0.", with: "blocks.0._checkpoint_wrapped_module.")
                    .replacing("blocks.1.", with: "blocks.1._orig_mod."),
                tensor
            )
        }
        try expectNetwork(load(under("_fsdp_wrapped_module.", tensors)))
    }

    @Test(arguments: ["module.", ""]) func countersOfAveragedModelsAreNoWeights(
        prefix: String
    ) throws {
        let counter = ("n_averaged", try Tensor.zeros([]))
        let loaded = try load([counter] + under(prefix, network()))
        try expectNetwork(loaded)
        #expect(loaded.report.ignored == ["n_averaged"])
        #expect(loaded.report.notes.contains { $0.contains("n_averaged") })
    }

    @Test(arguments: [Example.plain, .cifar])
    func aLinearClassifierBesideABackboneIsItsHead(example: Example) throws {
        for (prefix, name) in [
            ("backbone.", "classifier"), ("model.backbone.", "model.fc"),
            ("model.encoder.", "head"),
        ] {
            let loaded = try load(
                under(prefix, backbone(example)) + linear(name, of: example)
                    + projector("projector.")
            )
            try expectNetwork(loaded, example)
            #expect(loaded.report.assumptions.contains { $0.hasPrefix(name) })
            #expect(loaded.report.notes.contains { $0.contains("projector.0.weight") })
        }
    }

    @Test func momentumNetworksStayBeside() throws {
        let tensors =
            try under("backbone.", backbone()) + linear("classifier")
            + under("momentum_backbone.", backbone(seed: 2)) + projector("momentum_projector.")
        let loaded = try load(tensors)
        try expectNetwork(loaded)
        #expect(
            loaded.report.notes.contains { $0.contains("--state-dict momentum_backbone") },
            "\(loaded.report.notes)"
        )
        let options = LoadOptions(relaxations: .noHead, stateDict: "momentum_backbone")
        try expectNetwork(load(tensors, options), seed: 2, hasHead: false)
    }

    @Test(arguments: [
        ("module.base_encoder.", "module.momentum_encoder."),
        ("module.encoder_q.", "module.encoder_k."), ("online_encoder.", "target_encoder."),
        ("online_model.", "ema_model."), ("model.", "teacher."), ("", "teacher."),
    ])
    func theNetworkThatLearnsIsTaken(first: String, copy: String) throws {
        let tensors = try under(first, backbone()) + under(copy, backbone(seed: 2))
        // Without a prefix, whatever stands beside the network could be a part of it.
        let head = try projector(first + "head.") + (first.isEmpty ? [] : projector("predictor."))
        let loaded = try load(tensors + head, LoadOptions(relaxations: .noHead))
        try expectNetwork(loaded, hasHead: false)
        let options = LoadOptions(relaxations: .noHead, stateDict: String(copy.dropLast()))
        try expectNetwork(load(tensors + head, options), seed: 2, hasHead: false)
    }

    @Test(arguments: [
        ("student.", "teacher."), ("left.", "right."), ("student.backbone.", "teacher.backbone."),
    ])
    func whereSeveralCouldBeMeantTheFlagIsNamed(one: String, other: String) throws {
        let tensors = try under(one, network()) + under(other, network(seed: 2))
        let error = #expect(throws: CheckpointError.self) { try load(tensors) }
        #expect(error?.description.contains("--state-dict \(one.dropLast())") == true)
        for (prefix, seed) in [(one, UInt64(1)), (other, 2)] {
            let options = LoadOptions(stateDict: String(prefix.dropLast()))
            try expectNetwork(load(tensors, options), seed: seed)
        }
        let absent = #expect(throws: CheckpointError.self) {
            try load(tensors, LoadOptions(stateDict: "nothing"))
        }
        #expect(absent?.description.contains("\"nothing") == true)
    }

    @Test func dictionariesInDictionariesAreFound() throws {
        func state(_ tensors: Named) -> PyTorchValue { .stateDict(tensors) }
        let plain = try network()
        let file = scratch.file("n.pth")
        func load(_ value: PyTorchValue, _ name: String? = nil) throws -> LoadedModel {
            try PyTorchWriter.write(value, to: file)
            return try ModelDirectory.load(file, options: LoadOptions(stateDict: name))
        }
        let averaged = try network(seed: 2)
        let both: PyTorchValue = .dictionary([("net", state(plain)), ("net_ema", state(averaged))])
        try expectNetwork(load(both))
        try expectNetwork(load(both, "net_ema"), seed: 2)
        try expectNetwork(load(.dictionary([("state_dict_ema", state(plain))])))
        try expectNetwork(load(.dictionary([("ckpt", .dictionary([("model", state(plain))]))])))
        let center: Named = [("center", try .zeros([3]))]
        try expectNetwork(
            load(.dictionary([("criterion", state(center)), ("weights", state(plain))]))
        )
        let pair = under("model.", plain) + under("teacher.", averaged)
        let nested: PyTorchValue = .dictionary([("state_dict", state(pair)), ("b", state(center))])
        try expectNetwork(load(nested))
        try expectNetwork(load(nested, "teacher"), seed: 2)
        try expectNetwork(load(nested, "state_dict.teacher"), seed: 2)
        let two: PyTorchValue = .dictionary([("a", state(plain)), ("b", state(averaged))])
        let error = #expect(throws: CheckpointError.self) { try load(two) }
        #expect(error?.description.contains("--state-dict a") == true)
    }

    @Test func theDoctorSaysWhatTheCommandsDo() throws {
        let file = scratch.file("d.pth")
        let tensors = try under("backbone.", backbone()) + linear("classifier")
        try PyTorchWriter.write(tensors, under: "state_dict", to: file)
        let diagnosis = try Diagnosis.examine(file)
        #expect(diagnosis.isSound, "\(diagnosis.findings)")
        #expect(diagnosis.facts.contains { $0.name == "classes" && $0.value.hasPrefix("5") })
        #expect(diagnosis.assumptions.contains { $0.hasPrefix("classifier is") })
    }

    @Test(arguments: [
        ("blocks.0.attn.relative_position_bias_table", [27, 2], "relative positions"),
        ("blocks.0.mlp.fc1_g.weight", [256, 64], "gated feed-forward"),
        ("blocks.0.attn.qkv.lora_A.weight", [4, 64], "LoRA"),
    ])
    func partsOfOtherNetworksAreNamed(key: String, shape: [Int], words: String) throws {
        let tensors = try network() + [(key, .zeros(shape))]
        let error = #expect(throws: CheckpointError.self) { try load(tensors) }
        let text = error?.description ?? ""
        #expect(text.contains(words) && text.contains(key), "\(text)")
    }

    @Test func anOblongGridNeedsItsSize() throws {
        let tensors = try network(.grayOblong)
        let error = #expect(throws: CheckpointError.self) { try load(tensors) }
        let text = error?.description ?? ""
        #expect(text.contains("square grid") && text.contains("32x48 or 48x32"), "\(text)")
        let options = LoadOptions(imageSize: .init(height: 32, width: 48))
        try expectNetwork(load(tensors, options), .grayOblong)
    }
}
