import Checkpoints
import Foundation
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

/// Scores are what a checkpoint says; the numbers are those of transformers' image-classification pipeline.
@ModelActor @Suite struct ClassScoringTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test(arguments: [
        (ProblemType?.none, 3, ClassScoring.softmax), (nil, 1, .sigmoid),
        (.singleLabelClassification, 3, .softmax), (.singleLabelClassification, 1, .sigmoid),
        (.multiLabelClassification, 3, .sigmoid), (.multiLabelClassification, 1, .sigmoid),
        (.regression, 3, .none), (.regression, 1, .none),
    ])
    func theRuleIsThatOfTransformers(type: ProblemType?, classes: Int, rule: ClassScoring) {
        #expect(ClassScoring(type, classes: classes) == rule)
    }

    @Test func scoresOfAllKinds() {
        let logits: [Float] = [-0.5, 0, 2]
        let expected: [ClassScoring: [Double]] = [
            .softmax: [0.0674_2536, 0.1111_6562, 0.8214_0902],
            .sigmoid: [0.3775_4067, 0.5, 0.8807_9708], .none: [-0.5, 0, 2],
        ]
        for (rule, values) in expected {
            let found = rule.scores(of: logits[...])
            #expect(found.count == 3)
            for (score, value) in zip(found, values) {
                #expect(abs(score - value) < 1e-7, "\(rule) \(found)")
            }
            let broken = rule.scores(of: [0, .nan, 0])
            #expect(broken[1].isNaN && broken[0].isFinite && broken[2] == broken[0], "\(rule)")
        }
        #expect(ClassScoring.softmax.scores(of: [1000, 1000, -1000]) == [0.5, 0.5, 0])
        #expect(ClassScoring.sigmoid.scores(of: [-1e30, 1e30]) == [0, 1])
    }

    @Test(arguments: ["hf", "timm", "bare"], ProblemType.allCases)
    func allFormsKeepTheProblemType(form: String, type: ProblemType) throws {
        var description = try Example.plain.description
        description.problemType = type
        let forms: [String: SaveOptions.Form] = [
            "hf": .huggingFace(nil), "timm": .timm, "bare": .bare,
        ]
        let path = scratch.file(form)
        try ModelDirectory.save(
            Example.plain.makeModel(),
            description,
            to: path,
            options: SaveOptions(form: forms[form] ?? .automatic)
        )
        let loaded = try ModelDirectory.load(path)
        #expect(loaded.description.problemType == type)
        let other = scratch.file("other")
        let report = try Conversion.run(
            path,
            loading: LoadOptions(),
            to: other,
            saving: SaveOptions(form: .timm)
        )
        #expect(report.left.isEmpty)
        #expect(try ModelDirectory.description(of: other).problemType == type)
        let file = scratch.file("other.pth")
        let bare = try Conversion.run(
            path,
            loading: LoadOptions(),
            to: file,
            saving: SaveOptions(form: .deit)
        )
        #expect(bare.left == ["problem_type \(type.rawValue)"])
    }

    @Test func trainingOnForgetsIt() throws {
        var description = try Example.plain.description
        description.problemType = .multiLabelClassification
        let path = scratch.file("m")
        try ModelDirectory.save(Example.plain.makeModel(), description, to: path)
        let loaded = try ModelDirectory.load(
            path,
            options: LoadOptions(
                relaxations: .replaceHead,
                labels: ClassLabels(names: ["a", "b"])
            )
        )
        #expect(loaded.description.problemType == nil)
        let again = scratch.file("again")
        try ModelDirectory.save(loaded.model, loaded.description, to: again)
        let text = try String(contentsOfFile: "\(again)/config.json", encoding: .utf8)
        #expect(!text.contains("problem_type"))
        // As a classifier's own classes are named otherwise, it stays what it is.
        let named = try ModelDirectory.load(
            path,
            options: LoadOptions(labels: ClassLabels(names: ["a", "b", "c", "d", "e"]))
        )
        #expect(named.description.scoring == .sigmoid)
    }

    @Test func theDoctorTellsTheRule() throws {
        var description = try Example.plain.description
        description.problemType = .regression
        let path = scratch.file("m")
        try ModelDirectory.save(Example.plain.makeModel(), description, to: path)
        let diagnosis = try Diagnosis.examine(path)
        #expect(
            diagnosis.facts.contains { $0.name == "scores" && $0.value.contains("regression") }
        )
        let file = "\(path)/config.json"
        let text = try String(contentsOfFile: file, encoding: .utf8)
        try text.replacing("\"regression\"", with: "\"guess\"")
            .write(toFile: file, atomically: true, encoding: .utf8)
        let odd = try Diagnosis.examine(path)
        #expect(odd.isSound && odd.findings.contains { $0.text.contains("\"guess\"") })
        #expect(odd.facts.contains { $0.name == "scores" && $0.value.contains("softmax") })
    }
}
