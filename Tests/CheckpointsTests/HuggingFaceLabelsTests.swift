import Checkpoints
import Foundation
import Storage
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

/// Classes are counted and named as transformers 5.23 does it; what it prints for each file was tried.
@ModelActor @Suite struct HuggingFaceLabelsTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    func labels(_ text: String) throws -> HuggingFaceLabels {
        let object = try #require(try JSONValue.parse(Array(text.utf8)).objectValue)
        return try HuggingFaceLabels(JSONFields(object: object, file: "config.json"))
    }

    @Test(arguments: [
        (#"{"id2label": {"0": "a", "2": "b", "5": "c"}}"#, 3, [0: "a", 2: "b", 5: "c"]),
        (#"{"id2label": {"0": "a", "1": null, "2": "c"}}"#, 3, [0: "a", 1: "LABEL_1", 2: "c"]),
        (#"{"id2label": {"0": "a", "1": 7}}"#, 2, [0: "a", 1: "7"]),
        (#"{"id2label": {}}"#, 0, [:]), (#"{"id2label": null}"#, 2, [:]),
        (#"{"id2label": null, "num_labels": 3}"#, 3, [:]), ("{}", 2, [:]),
        (#"{"num_labels": 1}"#, 1, [:]),
        (#"{"num_labels": 5, "id2label": {"0": "a", "1": "b", "2": "c"}}"#, 5, [:]),
        (#"{"num_labels": 2, "id2label": {"0": "a", "1": "b"}}"#, 2, [0: "a", 1: "b"]),
        (#"{"id2label": {" 0": "a", "1 ": "b", "+2": "c"}}"#, 3, [0: "a", 1: "b", 2: "c"]),
        (#"{"id2label": {"1": "a", "2": "b"}}"#, 2, [1: "a", 2: "b"]),
        (#"{"id2label": {"0": "a", "00": "b"}}"#, 1, [0: "b"]),
    ])
    func asTransformersReadsThem(text: String, count: Int, names: [Int: String]) throws {
        let labels = try labels(text)
        #expect(labels.count == count && labels.names == names)
    }

    @Test(arguments: [
        #"{"id2label": {"cat": "0"}}"#, #"{"id2label": ["a"]}"#, #"{"num_labels": -1}"#,
    ])
    func whatTransformersRefusesIsRefused(text: String) {
        #expect(throws: CheckpointError.self) { try labels(text) }
    }

    /// A model directory whose `config.json` says something else of its 5 classes.
    func folder(_ replacement: String) throws -> String {
        let path = scratch.file("m")
        try ModelDirectory.save(
            Example.plain.makeModel(),
            Example.plain.description,
            to: path,
            options: SaveOptions(form: .huggingFace(nil))
        )
        let url = URL(fileURLWithPath: "\(path)/config.json")
        var object = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any]
        )
        object["id2label"] = nil
        object["label2id"] = nil
        let more = try JSONSerialization.jsonObject(with: Data(replacement.utf8))
        object.merge(try #require(more as? [String: Any])) { $1 }
        try JSONSerialization.data(withJSONObject: object).write(to: url)
        return path
    }

    @Test(arguments: [
        (
            #"{"id2label": {"0": "a", "1": null, "2": "c", "3": "d", "7": "e"}}"#,
            ["a", "LABEL_1", "c", "d", "LABEL_4"]
        ),
        ("{}", ["0", "1", "2", "3", "4"]), (#"{"id2label": {}}"#, ["0", "1", "2", "3", "4"]),
        (#"{"num_labels": 5, "id2label": {"0": "a"}}"#, ["0", "1", "2", "3", "4"]),
    ])
    func modelsLoadWithWhatIsThere(text: String, names: [String]) throws {
        let path = try folder(text)
        let loaded = try ModelDirectory.load(path)
        #expect(loaded.description.labels.names == names)
        #expect(try contents(of: loaded.model) == contents(of: Example.plain.makeModel()))
        if text.contains("null") {
            #expect(loaded.report.assumptions.contains { $0.contains("class 1 and 1 more") })
        }
        #expect(try Diagnosis.examine(path).isSound)
    }

    @Test(arguments: [
        #"{"id2label": {"cat": "0"}}"#, #"{"id2label": ["a"]}"#, #"{"id2label": {"0": "a"}}"#, "{}",
        #"{"num_labels": 9}"#,
    ])
    func labelsOfTheUserComeFirst(text: String) throws {
        let path = try folder(text)
        let labels = ClassLabels(names: ["v", "w", "x", "y", "z"])
        let loaded = try ModelDirectory.load(path, options: LoadOptions(labels: labels))
        #expect(loaded.description.labels == labels)
        let error = #expect(throws: CheckpointError.self) {
            try ModelDirectory.load(
                path,
                options: LoadOptions(labels: ClassLabels(names: ["v", "w"]))
            )
        }
        #expect(error?.description.contains("5 classes") == true)
    }
}
