import Checkpoints
import Foundation
import ImagePipeline
import Storage
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

@ModelActor @Suite struct ModelDirectoryTests {
    @Test(arguments: Example.allCases) func roundTripIsBitEqual(example: Example) throws {
        let scratch = try Scratch()
        let model = try example.makeModel()
        let description = try example.description
        try ModelDirectory.save(model, description, to: scratch.file("m"))
        let loaded = try ModelDirectory.load(scratch.file("m"))
        #expect(loaded.description.configuration == description.configuration)
        #expect(loaded.description.processor == description.processor)
        #expect(loaded.description.labels == description.labels)
        // transformers' class with registers has a mask token always.
        let isKnown = loaded.report.sentences.allSatisfy { $0.hasSuffix("embeddings.mask_token") }
        #expect(example == .dinov2Gated ? isKnown : loaded.report == LoadReport())
        #expect(!loaded.model.isTraining)
        #expect(try contents(of: loaded.model) == contents(of: model))
        let images = try Tensor.full(0.3, [2] + model.inputShape)
        let (before, after) = try withoutGradient {
            (try model(images).floats(), try loaded.model(images).floats())
        }
        #expect(before == after)
    }

    @Test func namesOfFilesAndKeys() throws {
        let scratch = try Scratch()
        let example = Example.distilled
        try ModelDirectory.save(example.makeModel(), example.description, to: scratch.file("m"))
        let names = try FileManager.default.contentsOfDirectory(atPath: scratch.file("m")).sorted()
        #expect(names == ["config.json", "model.safetensors", "preprocessor_config.json"])
        let file = try SafetensorsFile(path: scratch.file("m/model.safetensors"))
        let keys = Set(file.header.entries.map(\.name))
        #expect(keys.count == 7 + 2 * 16 + 4)
        #expect(keys.contains("deit.encoder.layer.1.attention.attention.value.bias"))
        #expect(keys.contains("distillation_classifier.weight"))
        #expect(file.header.metadata == ["format": "pt"])
        let configuration = try JSONValue.parse(
            [UInt8](Data(contentsOf: URL(fileURLWithPath: scratch.file("m/config.json"))))
        )
        #expect(configuration["model_type"] == "deit")
        #expect(configuration["architectures"] == ["DeiTForImageClassificationWithTeacher"])
        #expect(configuration["layer_norm_eps"] == 1e-06)
        #expect(configuration["id2label"]?["2"] == "Päärchen")
    }

    @Test func placeholdersAndIdentifiersSurvive() throws {
        let scratch = try Scratch()
        for example in [Example.plain, .cifar] {
            for labels in [
                ClassLabels(placeholders: 5),
                ClassLabels(
                    names: ["a", "b", "c", "b", "e"],
                    identifiers: ["1", "2", "3", "4", "5"]
                ),
            ] {
                var description = try example.description
                description.labels = labels
                description.name = "mine"
                try ModelDirectory.save(example.makeModel(), description, to: scratch.file("m"))
                let found = try ModelDirectory.description(of: scratch.file("m"))
                #expect(found.labels == labels)
                #expect(found.name == "mine")
            }
        }
    }

    @Test func unknownKeysAreKept() throws {
        let scratch = try Scratch()
        let path = scratch.file("m")
        for example in [Example.plain, .resNet] {
            try ModelDirectory.save(example.makeModel(), example.description, to: path)
            for name in ["config.json", "preprocessor_config.json"] {
                let url = URL(fileURLWithPath: "\(path)/\(name)")
                var text = try String(contentsOf: url, encoding: .utf8)
                text.replaceSubrange(
                    text.startIndex...text.startIndex,
                    with: "{\"x_\(name)\": [1, {\"y\": null}],"
                )
                try text.write(to: url, atomically: true, encoding: .utf8)
            }
            let loaded = try ModelDirectory.load(path)
            try ModelDirectory.save(loaded.model, loaded.description, to: scratch.file("n"))
            for name in ["config.json", "preprocessor_config.json"] {
                let bytes = try Data(contentsOf: URL(fileURLWithPath: scratch.file("n/\(name)")))
                let object = try JSONValue.parse([UInt8](bytes))
                #expect(object["x_\(name)"] == [1, ["y": .null]])
            }
            try FileManager.default.removeItem(atPath: scratch.file("n"))
        }
    }

    @Test func aDescriptionThatDoesNotFitIsRefused() throws {
        let scratch = try Scratch()
        var description = try Example.plain.description
        description.labels = ClassLabels(names: ["a"])
        let model = try Example.plain.makeModel()
        #expect(throws: CheckpointError.self) {
            try ModelDirectory.save(model, description, to: scratch.file("m"))
        }
        #expect(try scratch.names().isEmpty)
    }

    @Test func halfPrecisionWeightsLoad() throws {
        let scratch = try Scratch()
        let example = Example.plain
        let model = try example.makeModel()
        try ModelDirectory.save(model, example.description, to: scratch.file("m"))
        let path = scratch.file("m/model.safetensors")
        let halves = try Safetensors.read(path).map {
            (name: $0.key, tensor: try $0.value.to(.bfloat16))
        }
        try Safetensors.write(halves, to: path)
        let loaded = try ModelDirectory.load(scratch.file("m"))
        for ((name, whole), (other, half)) in zip(model.namedTensors(), loaded.model.namedTensors())
        {
            #expect(name == other && half.dtype == .float32)
            try expectClose(half.floats(), whole.floats(), tolerance: 0.005, name)
        }
    }
}
