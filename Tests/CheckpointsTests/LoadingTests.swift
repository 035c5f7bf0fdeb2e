import Checkpoints
import Foundation
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

/// What does not fit, what may differ, and what a path may mean.
@ModelActor @Suite struct LoadingTests {
    let scratch: Scratch
    let path: String

    init() throws {
        scratch = try Scratch()
        path = scratch.file("m")
        try ModelDirectory.save(
            Example.distilled.makeModel(),
            Example.distilled.description,
            to: path
        )
    }

    /// Rewrites the weights file of the model directory.
    func change(_ body: (inout [String: Tensor]) throws -> Void) throws {
        let file = "\(path)/model.safetensors"
        var tensors = try Safetensors.read(file)
        try body(&tensors)
        try Safetensors.write(tensors.map { (name: $0.key, tensor: $0.value) }, to: file)
    }

    /// Replaces text in one of the JSON files.
    func replace(_ old: String, _ new: String, in name: String = "config.json") throws {
        let url = URL(fileURLWithPath: "\(path)/\(name)")
        let text = try String(contentsOf: url, encoding: .utf8)
        #expect(text.contains(old))
        try text.replacingOccurrences(of: old, with: new).write(
            to: url,
            atomically: true,
            encoding: .utf8
        )
    }

    @Test func allDifferencesAreToldAtOnce() throws {
        try change { tensors in
            tensors["deit.layernorm.weight"] = nil
            tensors["deit.encoder.layer.0.attention.attention.key.bias"] = nil
            tensors["deit.embeddings.position_embeddings"] = try Tensor.zeros([1, 7, 64])
            tensors["cls_classifier.weight"] = try Tensor.zeros([9, 64])
            tensors["surplus"] = try Tensor.zeros([1])
        }
        let error = #expect(throws: CheckpointError.self) { try ModelDirectory.load(path) }
        guard
            case .incompatible(let file, let missing, let unexpected, let shapes, let hint) = error
        else {
            Issue.record("another error: \(String(describing: error))")
            return
        }
        #expect(file == "\(path)/model.safetensors")
        #expect(
            missing == [
                "deit.encoder.layer.0.attention.attention.key.bias", "deit.layernorm.weight",
            ]
        )
        #expect(unexpected == ["surplus"])
        #expect(
            shapes == [
                .init(key: "cls_classifier.weight", expected: [5, 64], found: [9, 64]),
                .init(
                    key: "deit.embeddings.position_embeddings",
                    expected: [1, 18, 64],
                    found: [1, 7, 64]
                ),
            ]
        )
        #expect(!hint.isEmpty)
        let text = error.map { "\($0)" } ?? ""
        for key in missing + unexpected + shapes.map(\.key) { #expect(text.contains(key)) }
    }

    @Test func replacingTheHeadIsExplicitAndTold() throws {
        let labels = ClassLabels(names: ["x", "y", "z"])
        #expect(throws: CheckpointError.self) {
            try ModelDirectory.load(path, options: LoadOptions(labels: labels))
        }
        let options = LoadOptions(relaxations: .replaceHead, labels: labels)
        let loaded = try ModelDirectory.load(path, options: options)
        #expect(loaded.model.numClasses == 3)
        #expect(loaded.description.labels == labels)
        #expect(
            Set(loaded.report.replaced) == [
                "cls_classifier.weight", "cls_classifier.bias", "distillation_classifier.weight",
                "distillation_classifier.bias",
            ]
        )
        let old = try contents(of: Example.distilled.makeModel())
        for (key, bytes) in try contents(of: loaded.model) where !key.hasPrefix("head") {
            #expect(bytes == old[key], "\(key)")
        }
    }

    @Test func sameNumberOfOtherClassesGetsAFreshHeadToo() throws {
        let old = try contents(of: Example.distilled.makeModel())
        let other = LoadOptions(
            relaxations: .replaceHead,
            labels: ClassLabels(names: ["1", "2", "3", "4", "5"])
        )
        let loaded = try ModelDirectory.load(path, options: other)
        #expect(loaded.report.replaced.count == 4)
        #expect(try contents(of: loaded.model)["head.weight"] != old["head.weight"])
        let same = LoadOptions(
            relaxations: .replaceHead,
            labels: try Example.distilled.description.labels
        )
        let kept = try ModelDirectory.load(path, options: same)
        #expect(kept.report.replaced.isEmpty)
        #expect(try contents(of: kept.model)["head.weight"] == old["head.weight"])
    }

    @Test func aModelWithoutHeadNeedsTheRelaxation() throws {
        try change { tensors in
            for key in tensors.keys where key.contains("classifier") { tensors[key] = nil }
        }
        let error = #expect(throws: CheckpointError.self) { try ModelDirectory.load(path) }
        #expect(error.map { "\($0)".contains("has no classifier") } == true)
        let loaded = try ModelDirectory.load(path, options: LoadOptions(relaxations: .replaceHead))
        #expect(loaded.report.replaced.count == 4)
    }

    @Test func partsThatClassificationDoesNotUseAreIgnoredAndTold() throws {
        try change { tensors in
            tensors["deit.pooler.dense.weight"] = try Tensor.zeros([64, 64])
            tensors["deit.embeddings.mask_token"] = try Tensor.zeros([1, 1, 64])
        }
        let report = try ModelDirectory.load(path).report
        #expect(Set(report.ignored) == ["deit.pooler.dense.weight", "deit.embeddings.mask_token"])
    }

    @Test(arguments: [
        ("\"hidden_size\": 64", "\"hidden_size\": 1e400"),
        ("\"hidden_size\": 64", "\"hidden_size\": -64"),
        ("\"hidden_size\": 64", "\"hidden_size\": 9223372036854775807"),
        ("\"hidden_size\": 64", "\"hidden_size\": \"64\""),
        ("\"hidden_size\": 64", "\"hidden_size\": 64.5"),
        ("\"patch_size\": 8", "\"patch_size\": 0"), ("\"patch_size\": 8", "\"patch_size\": [8, 4]"),
        ("\"patch_size\": 8", "\"patch_size\": 7"), ("\"image_size\": 32", "\"image_size\": [32]"),
        ("\"intermediate_size\": 256", "\"intermediate_size\": 0"),
        ("\"layer_norm_eps\": 1e-06", "\"layer_norm_eps\": -1"),
        ("\"model_type\": \"deit\"", "\"model_type\": \"swin\""),
        ("\"hidden_act\": \"gelu\"", "\"hidden_act\": \"relu\""),
        ("\"0\": \"T-shirt\"", "\"zero\": \"T-shirt\""),
        ("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3"), ("{", "{{"),
        ("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1000000"),
        ("\"image_size\": 32", "\"image_size\": 800000"),
        ("\"num_channels\": 3", "\"num_channels\": 999999"),
        ("\"num_attention_heads\": 2", "\"num_attention_heads\": 3"),
    ])
    func badConfigurationsAreTypedErrors(old: String, new: String) throws {
        try replace(old, new)
        #expect(throws: CheckpointError.self) { try ModelDirectory.load(path) }
    }

    @Test(arguments: [
        ("\"resample\": 3", "\"resample\": 1"),
        ("\"size\": {", "\"size\": {\"shortest_edge\": 8, \"longest_edge\": 9,"),
        ("\"image_mean\": [", "\"image_mean\": [0.1,"), ("\"height\": 32", "\"height\": -32"),
        ("\"height\": 32", "\"height\": 99999999999999999999"),
        ("\"rescale_factor\": 0.0", "\"rescale_factor\": -1.0"),
    ])
    func badProcessorsAreTypedErrors(old: String, new: String) throws {
        try replace(old, new, in: "preprocessor_config.json")
        #expect(throws: CheckpointError.self) { try ModelDirectory.load(path) }
    }

    /// Changes bytes of every file at random places: any outcome is fine but a trap.
    @Test(arguments: ["config.json", "preprocessor_config.json", "model.safetensors"])
    func survivesChangedBytes(name: String) throws {
        let file = "\(path)/\(name)"
        let original = [UInt8](try Data(contentsOf: URL(fileURLWithPath: file)))
        var state: UInt64 = 1
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        var refused = 0
        for _ in 0..<150 {
            var bytes = original
            // The weights' header is where structure is.
            let reach = min(bytes.count, 3000)
            for _ in 0...random(2) {
                bytes[random(reach)] = Array("0159-.eE\"[]{},: n".utf8)[random(17)]
            }
            try Data(bytes).write(to: URL(fileURLWithPath: file))
            do { _ = try ModelDirectory.load(path) } catch { refused += 1 }
        }
        #expect(refused > 20)
    }

    @Test func pathsThatHoldNoModelSayWhatIsExpected() throws {
        for (name, word) in [
            ("none", "neither a file or directory nor a Hub model ID"), ("", "neither a model"),
        ] {
            let error = #expect(throws: CheckpointError.self) {
                try ModelDirectory.load(scratch.file(name))
            }
            #expect(error.map { "\($0)".contains(word) } == true)
        }
        let pth = try scratch.write([1], to: "a.pth")
        #expect(throws: CheckpointError.self) { try ModelDirectory.load(pth) }
        try FileManager.default.removeItem(atPath: "\(path)/model.safetensors")
        #expect(throws: CheckpointError.self) { try ModelDirectory.load(path) }
        let text = try scratch.write(
            Array("hello, this is no weights file".utf8),
            to: "a.safetensors"
        )
        #expect(throws: CheckpointError.self) { try ModelDirectory.load(text) }
    }

    @Test func runsGiveTheirBestElseLastElseNewestCheckpoint() throws {
        let checkpoints = scratch.file("run/checkpoints")
        try FileManager.default.createDirectory(
            atPath: checkpoints,
            withIntermediateDirectories: true
        )
        let empty = #expect(throws: CheckpointError.self) {
            try CheckpointLocation(resolving: scratch.file("run"))
        }
        #expect(empty.map { "\($0)".contains("no checkpoint yet") } == true)
        for step in ["step-9", "step-10", "step-8", "step-11-ema"] {
            try FileManager.default.copyItem(atPath: path, toPath: "\(checkpoints)/\(step)")
        }
        func found() throws -> CheckpointLocation {
            try CheckpointLocation(resolving: scratch.file("run"))
        }
        #expect(try found() == .directory("\(checkpoints)/step-10"))
        try FileManager.default.createSymbolicLink(
            atPath: "\(checkpoints)/last",
            withDestinationPath: "step-9"
        )
        #expect(try found() == .directory("\(checkpoints)/last"))
        try FileManager.default.createSymbolicLink(
            atPath: "\(checkpoints)/best",
            withDestinationPath: "step-8"
        )
        #expect(try found() == .directory("\(checkpoints)/best"))
        try FileManager.default.removeItem(atPath: "\(checkpoints)/step-8")
        #expect(try found() == .directory("\(checkpoints)/last"))
        #expect(try ModelDirectory.load(scratch.file("run")).model.numClasses == 5)
    }

    @Test(arguments: Example.allCases) func bareWeightsTellTheirModel(example: Example) throws {
        let model = try example.makeModel()
        let file = scratch.file("bare.safetensors")
        try Safetensors.write(model.namedTensors(), to: file)
        guard example != .grayOblong else {
            // A grid that is not square cannot be told from the number of tokens.
            #expect(throws: CheckpointError.self) { try ModelDirectory.load(file) }
            return
        }
        var loaded = try ModelDirectory.load(file)
        #expect(!loaded.report.assumptions.isEmpty)
        #expect(loaded.description.labels == ClassLabels(placeholders: 5))
        #expect(try contents(of: loaded.model) == contents(of: model))
        #expect(loaded.model.namedTensors().count == model.namedTensors().count)
        let labels = ClassLabels(names: ["a", "b", "c", "d", "e"])
        loaded = try ModelDirectory.load(file, options: LoadOptions(labels: labels))
        #expect(loaded.description.labels == labels)
    }

    @Test func aPresetOverrulesWhatShapesTell() throws {
        let file = scratch.file("bare.safetensors")
        try Safetensors.write(Example.plain.makeModel().namedTensors(), to: file)
        let error = #expect(throws: CheckpointError.self) {
            try ModelDirectory.load(file, options: LoadOptions(preset: "deit_tiny_patch16_224"))
        }
        guard case .incompatible = error else {
            Issue.record("another error: \(String(describing: error))")
            return
        }
        #expect(throws: ConfigurationError.self) {
            try ModelDirectory.load(file, options: LoadOptions(preset: "deit_tinny"))
        }
        let needless = #expect(throws: CheckpointError.self) {
            try ModelDirectory.load(path, options: LoadOptions(preset: "deit_tiny_patch16_224"))
        }
        #expect(needless.map { "\($0)".contains("leave out the preset") } == true)
    }
}
