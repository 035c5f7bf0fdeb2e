import Checkpoints
import Foundation
import HuggingFace
import Storage
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

/// Loading is strict, what is allowed is told, and what is written is read.
@ModelActor
@Suite(.tags(.unit)) struct LoadingTests {
    private let teacher = "DeiTForImageClassificationWithTeacher-odd"
    private let classifier = "DeiTForImageClassification-odd"

    @Test func everyClassLoadsItsOwnWithoutRemainder() async throws {
        for name in Cases.all {
            let path = try Fixtures.path(name)
            let info: LoadingInfo =
                switch Cases.className(name) {
                case "DeiTModel": try await DeiTModel.fromPretrainedWithLoadingInfo(path).info
                case "ViTModel": try await ViTModel.fromPretrainedWithLoadingInfo(path).info
                case "DeiTForImageClassification":
                    try await DeiTForImageClassification.fromPretrainedWithLoadingInfo(path).info
                case "ViTForImageClassification":
                    try await ViTForImageClassification.fromPretrainedWithLoadingInfo(path).info
                case "DeiTForMaskedImageModeling":
                    try await DeiTForMaskedImageModeling.fromPretrainedWithLoadingInfo(path).info
                case "Dinov2Model": try await Dinov2Model.fromPretrainedWithLoadingInfo(path).info
                case "Dinov2ForImageClassification":
                    try await Dinov2ForImageClassification.fromPretrainedWithLoadingInfo(path).info
                case "Dinov2WithRegistersModel":
                    try await Dinov2WithRegistersModel.fromPretrainedWithLoadingInfo(path).info
                case "Dinov2WithRegistersForImageClassification":
                    try await Dinov2WithRegistersForImageClassification
                        .fromPretrainedWithLoadingInfo(path).info
                default:
                    try await DeiTForImageClassificationWithTeacher
                        .fromPretrainedWithLoadingInfo(path).info
                }
            #expect(info.isComplete, "\(name): \(info)")
        }
    }

    @Test func whatIsWrittenIsWhatWasRead() async throws {
        for name in Cases.all {
            let model = try await Classes.load(name)
            try withTemporaryFolder { folder in
                try expectSameFiles(model, name, folder)
            }
        }
    }

    private func expectSameFiles(
        _ model: some PretrainedModel,
        _ name: String,
        _ folder: URL
    ) throws {
        try model.savePretrained(to: folder.path)
        let text = try String(contentsOf: folder.appending(path: "config.json"), encoding: .utf8)
        #expect(text == (try Fixtures.text("\(name)/config.json")), "\(name)")
        let file = folder.appending(path: "model.safetensors")
        let (old, new) = (try Fixtures.tensors("\(name)/model.safetensors"), try Fixture(file))
        try #require(new.names == old.names, "\(name)")
        for key in old.names {
            #expect(try new.shape(key) == old.shape(key), "\(name) \(key)")
            #expect(try new.floats(key) == old.floats(key), "\(name) \(key)")
        }
        #expect(new.metadata["format"] == "pt")
    }

    @Test func loadedModelsAreInEvaluationModeAndWantGradients() async throws {
        let model = try await ViTForImageClassification.fromPretrained(
            Fixtures.path("ViTForImageClassification-odd")
        )
        #expect(!model.isTraining && !model.network.isTraining)
        #expect(model.namedParameters().allSatisfy { $0.parameter.requiresGradient })
        let output = try model(
            pixelValues: Tensor.randn([2, 1, 21, 21]),
            labels: Tensor([1, 4] as [Int64], shape: [2])
        )
        try #require(output.loss).backward()
        for (name, parameter) in model.namedParameters() {
            let gradient = try #require(try parameter.tensor.gradient(), "\(name)")
            #expect(try gradient.norm().item() > 0, "\(name)")
        }
    }

    @Test func aPoolerThatTheFileLacksIsAskedFor() async throws {
        let path = try Fixtures.path(teacher)
        let error = await #expect(throws: CheckpointError.self) {
            try await DeiTModel.fromPretrained(path)
        }
        let sentence = try #require(error).description
        #expect(sentence.contains("pooler.dense.weight"), "\(sentence)")
        #expect(sentence.contains("addPoolingLayer"), "\(sentence)")
        #expect(!sentence.contains("classifier"), "\(sentence)")

        let (fresh, info) = try await DeiTModel.fromPretrainedWithLoadingInfo(
            path,
            options: PretrainedOptions(newlyInitialized: .pooler)
        )
        #expect(fresh.pooler != nil)
        #expect(info.missingKeys == ["pooler.dense.bias", "pooler.dense.weight"])
        #expect(
            info.unexpectedKeys == [
                "cls_classifier.bias", "cls_classifier.weight", "distillation_classifier.bias",
                "distillation_classifier.weight",
            ]
        )
        let plain = try await DeiTModel.fromPretrained(path, addPoolingLayer: false)
        #expect(plain.pooler == nil)
        // The transformer is the file's: its tokens are those that the heads were given.
        let expected = try Fixtures.tensors("\(teacher)/outputs.safetensors")
        let output = try withoutGradient {
            try plain(pixelValues: expected.tensor("images"), outputHiddenStates: true)
        }
        #expect(output.poolerOutput == nil && output.attentions == nil)
        let states = try Tensor.stack(try #require(output.hiddenStates))
        expectClose(
            try states.floats(),
            try expected.floats("hidden_states"),
            tolerance: 1e-4
        )
    }

    @Test func anotherClassesHeadIsNotTaken() async throws {
        let path = try Fixtures.path(teacher)
        let error = await #expect(throws: CheckpointError.self) {
            try await DeiTForImageClassification.fromPretrained(path)
        }
        #expect(try #require(error).description.contains("newlyInitialized"))
        let (model, info) = try await DeiTForImageClassification.fromPretrainedWithLoadingInfo(
            path,
            options: PretrainedOptions(newlyInitialized: .classifier)
        )
        #expect(info.missingKeys == ["classifier.bias", "classifier.weight"])
        #expect(info.unexpectedKeys.count == 4)
        // Fresh: the bias is zero, where every one of the file's is not.
        let bias = try #require(model.classifier?.bias).tensor.floats()
        #expect(bias == Array(repeating: 0, count: 5))
    }

    @Test func otherClassesAreAskedFor() async throws {
        let path = try Fixtures.path(classifier)
        var config = try await DeiTConfig.fromPretrained(path)
        config.setLabels(["a", "b", "c"])
        let error = await #expect(throws: CheckpointError.self) {
            try await DeiTForImageClassification.fromPretrained(path, config: config)
        }
        let sentence = try #require(error).description
        #expect(sentence.contains("classifier.weight is [5, 12], the model has [3, 12]"))
        #expect(sentence.contains("ignoreMismatchedSizes"))
        let (model, info) = try await DeiTForImageClassification.fromPretrainedWithLoadingInfo(
            path,
            config: config,
            options: PretrainedOptions(ignoreMismatchedSizes: true)
        )
        #expect(info.mismatchedKeys.map(\.key) == ["classifier.bias", "classifier.weight"])
        try withTemporaryFolder { folder in
            try model.savePretrained(to: folder.path)
            let written = try DeiTConfig(
                json: object(
                    String(
                        contentsOf: folder.appending(path: "config.json"),
                        encoding: .utf8
                    )
                )
            )
            #expect(written.labels == ["a", "b", "c"])
        }
    }

    @Test func theTransformerItselfMustFit() async throws {
        let path = try Fixtures.path(classifier)
        var config = try await DeiTConfig.fromPretrained(path)
        config.imageSize = 28
        let everything = PretrainedOptions(
            newlyInitialized: [.classifier, .pooler, .maskedImageModeling],
            ignoreMismatchedSizes: true
        )
        let size = await #expect(throws: CheckpointError.self) {
            try await DeiTForImageClassification.fromPretrained(
                path,
                config: config,
                options: everything
            )
        }
        #expect(try #require(size).description.contains("other images"))
        config.imageSize = 21
        config.numHiddenLayers = 3
        let layer = await #expect(throws: CheckpointError.self) {
            try await DeiTForImageClassification.fromPretrained(
                path,
                config: config,
                options: everything
            )
        }
        #expect(try #require(layer).description.contains("encoder.layer.2"))
        config.numHiddenLayers = 1
        await #expect(throws: CheckpointError.self) {
            try await DeiTForImageClassification.fromPretrained(
                path,
                config: config,
                options: everything
            )
        }
    }

    @Test func theOtherFamilyIsRefused() async throws {
        let path = try Fixtures.path(classifier)
        let error = await #expect(throws: CheckpointError.self) {
            try await ViTModel.fromPretrained(path)
        }
        #expect(try #require(error).description.contains("the ViT classes are for \"vit\""))
    }

    @Test func baseModelsFilesAndHeadsFilesAreReadAlike() async throws {
        // The names in a base model's file have no prefix.
        let (model, info) = try await DeiTForMaskedImageModeling.fromPretrainedWithLoadingInfo(
            Fixtures.path("DeiTModel-odd"),
            options: PretrainedOptions(newlyInitialized: .maskedImageModeling)
        )
        #expect(
            info.missingKeys == [
                "decoder.0.bias", "decoder.0.weight", "deit.embeddings.mask_token",
            ]
        )
        #expect(info.unexpectedKeys == ["pooler.dense.bias", "pooler.dense.weight"])
        let expected = try Fixtures.tensors("DeiTModel-odd/outputs.safetensors")
        let states = try withoutGradient {
            try model(pixelValues: expected.tensor("images"), outputHiddenStates: true).hiddenStates
        }
        expectClose(
            try Tensor.stack(try #require(states)).floats(),
            try expected.floats("hidden_states"),
            tolerance: 1e-4
        )
    }

    @Test(arguments: ["DeiTForImageClassification-wide", "DeiTForImageClassification-odd"])
    func oneClassifierBesideADistillationTokenIsAClassifierEverywhere(name: String) throws {
        let loaded = try ModelDirectory.load(Fixtures.path(name))
        #expect(loaded.model is SingleHeadVisionTransformer)
        let expected = try Fixtures.tensors("\(name)/outputs.safetensors")
        let logits = try withoutGradient { () throws in
            try loaded.model(expected.tensor("images")).floats()
        }
        expectClose(logits, try expected.floats("logits"), tolerance: 1e-4)
    }

    /// The other containers that a folder may have its weights in.
    enum Container: String, CaseIterable { case pytorch, shards, half, version5 }

    @Test(arguments: Container.allCases) func otherContainersAreRead(
        container: Container
    ) async throws {
        let name = "DeiTForImageClassification-large_patch"
        let model = try await DeiTForImageClassification.fromPretrained(Fixtures.path(name))
        let expected = try Fixtures.tensors("\(name)/outputs.safetensors")
        try await withTemporaryFolder { folder in
            try FileManager.default.copyItem(
                atPath: Fixtures.path("\(name)/config.json"),
                toPath: folder.appending(path: "config.json").path
            )
            try write(model.stateDict(), as: container, to: folder.path)
            let (again, info) = try await DeiTForImageClassification.fromPretrainedWithLoadingInfo(
                folder.path
            )
            #expect(info.isComplete)
            let output = try withoutGradient {
                try again(pixelValues: expected.tensor("images"))
            }
            // The fixture's weights are exact in bfloat16.
            expectClose(try output.logits.floats(), try expected.floats("logits"), tolerance: 1e-4)
        }
    }

    private func write(
        _ tensors: [(name: String, tensor: Tensor)],
        as container: Container,
        to folder: String
    ) throws {
        switch container {
        case .pytorch:
            try PyTorchWriter.write(tensors, under: nil, to: "\(folder)/pytorch_model.bin")
        case .half:
            let half = try tensors.map { ($0.name, try $0.tensor.to(.bfloat16)) }
            try Safetensors.write(half, to: "\(folder)/model.safetensors")
        case .shards:
            var map = JSONObject()
            for (index, part) in [tensors.prefix(9), tensors.dropFirst(9)].enumerated() {
                let file = "model-0000\(index + 1)-of-00002.safetensors"
                try Safetensors.write(Array(part), to: "\(folder)/\(file)")
                for (name, _) in part { map[name] = .string(file) }
            }
            let index: JSONValue = ["metadata": ["total_size": 0], "weight_map": .object(map)]
            try AtomicFile.write(
                index.text().utf8,
                to: "\(folder)/model.safetensors.index.json"
            )
        case .version5:
            try Safetensors.write(
                tensors.map { (inMemoryName($0.name), $0.tensor) },
                to: "\(folder)/model.safetensors"
            )
        }
    }

    /// The name that transformers 5 has in memory, and so in a state dict that somebody saves himself.
    private func inMemoryName(_ name: String) -> String {
        var name = name.replacing("encoder.layer.", with: "layers.")
        for (old, new) in [
            ("attention.attention.query", "attention.q_proj"),
            ("attention.attention.key", "attention.k_proj"),
            ("attention.attention.value", "attention.v_proj"),
            ("attention.output.dense", "attention.o_proj"),
            ("intermediate.dense", "mlp.fc1"), (".output.dense", ".mlp.fc2"),
        ] { name = name.replacing(old, with: new) }
        return name
    }

    @Test func sentencesNameWhatIsMissingOrDamaged() async throws {
        try await withTemporaryFolder { folder in
            let config = folder.appending(path: "config.json")
            var error = await #expect(throws: CheckpointError.self) {
                try await DeiTModel.fromPretrained(folder.path)
            }
            #expect(error.map { "\($0)".contains("config.json") } == true)
            try Data("{}".utf8).write(to: config)
            error = await #expect(throws: CheckpointError.self) {
                try await DeiTModel.fromPretrained(folder.path)
            }
            #expect(error.map { "\($0)".contains("model.safetensors") } == true)
            // A network that the file cannot fill is refused before memory is taken for it.
            let weights = try Fixtures.path("\(teacher)/model.safetensors")
            let target = folder.appending(path: "model.safetensors").path
            try FileManager.default.copyItem(atPath: weights, toPath: target)
            for text in [
                #"{"hidden_size": 999936, "num_attention_heads": 12}"#,
                #"{"hidden_size": 12, "num_attention_heads": 3, "pooler_output_size": 9223372036854775807}"#,
                #"{"image_size": 9007199254740993, "patch_size": 1}"#,
                #"{"num_hidden_layers": 1000000}"#,
            ] {
                try Data(text.utf8).write(to: config)
                await #expect(throws: (any Error).self, "\(text)") {
                    try await DeiTModel.fromPretrained(folder.path)
                }
            }
        }
    }

    /// `ModelDirectory` and the classes refuse the same numbers.
    @Test func weightsThatAreNoNumbersAreRefused() async throws {
        let name = "DeiTForImageClassification-odd"
        let model = try await DeiTForImageClassification.fromPretrained(Fixtures.path(name))
        try #require(model.classifier?.bias).tensor.fill(.nan)
        try await withTemporaryFolder { folder in
            try model.savePretrained(to: folder.path)
            let first = await #expect(throws: CheckpointError.self) {
                try await DeiTForImageClassification.fromPretrained(folder.path)
            }
            let second = #expect(throws: CheckpointError.self) {
                try ModelDirectory.load(folder.path)
            }
            #expect(first == second)
            #expect(first.map { "\($0)".contains("classifier.bias") } == true)
        }
    }

    @Test func nothingLeaks() throws {
        try withTensorLeakCheck {
            let config = DeiTConfig(
                hiddenSize: 12,
                numHiddenLayers: 1,
                numAttentionHeads: 3,
                intermediateSize: 5,
                imageSize: 8,
                patchSize: 4,
                encoderStride: 4
            )
            let images = try Tensor.randn([1, 3, 8, 8])
            _ = try DeiTModel(config)(pixelValues: images, outputAttentions: true)
            _ = try DeiTForMaskedImageModeling(config)(
                pixelValues: images,
                boolMaskedPos: Tensor([0, 1, 0, 1] as [Int64], shape: [1, 4])
            )
            _ = try DeiTForImageClassificationWithTeacher(config)(
                pixelValues: images,
                outputHiddenStates: true
            )
        }
    }
}
