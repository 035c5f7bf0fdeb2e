import Checkpoints
import Testing
import Torch
import VisionModels

@testable import Training

/// A teacher's classes are compared with the data's by name.
@Suite struct TeacherClassesTests {
    private func classes(_ data: [String], _ labels: ClassLabels) throws -> TeacherClasses {
        try TeacherClasses(of: data, in: labels, teacher: "T")
    }

    @Test func theSameClassesStayAsTheyAre() throws {
        let found = try classes(["a", "b"], ClassLabels(names: ["a", "b"]))
        #expect(found.indices == nil && found.note == nil)
        let numbers = try classes(["0", "1"], ClassLabels(placeholders: 2))
        #expect(numbers.indices == nil && numbers.note == nil)
    }

    @Test func anotherOrderIsPutRightByName() throws {
        let found = try classes(["a", "b", "c"], ClassLabels(names: ["c", "a", "b"]))
        #expect(found.indices == [1, 2, 0])
        #expect(found.note?.contains("another order") == true)
        let forward = try found.applied { pixels throws(TorchError) in
            ClassifierLogits(
                cls: try Tensor([10, 20, 30, 1, 2, 3], shape: [2, 3]),
                dist: try Tensor([-1, -2, -3, 4, 5, 6], shape: [2, 3])
            )
        }
        let logits = try forward(Tensor.zeros([2, 3, 1, 1]))
        #expect(try logits.cls.floats() == [20, 30, 10, 2, 3, 1])
        #expect(try logits.dist?.floats() == [-2, -3, -1, 5, 6, 4])
    }

    @Test func synsetsAreNamesToo() throws {
        let labels = ClassLabels(
            names: ["tench", "goldfish", "shark"],
            identifiers: ["n01440764", "n01443537", "n01484850"]
        )
        let found = try classes(["n01484850", "n01440764"], labels)
        #expect(found.indices == [2, 0])
        #expect(found.note?.contains("1 class that the data lacks") == true)
    }

    @Test func namesThatNobodyGaveAreTakenInOrderAndTold() throws {
        let found = try classes(["a", "b"], ClassLabels(placeholders: 2))
        #expect(found.indices == nil && found.note?.hasPrefix("assumed: ") == true)
        // The 1000 classes of a bare file are not the ten digits.
        let error = #expect(throws: TrainingError.self) {
            try classes(["0", "1", "2"], ClassLabels(placeholders: 1_000))
        }
        #expect(error?.description.contains("1000 unnamed classes") == true)
    }

    @Test func otherClassesAreRefusedWithTheWayOut() throws {
        let names = (0..<20).map { "class \($0)" }
        let error = #expect(throws: TrainingError.self) {
            try classes(["class 3", "daisy"], ClassLabels(names: names))
        }
        let text = error?.description ?? ""
        for word in ["it lacks daisy", "class 0", "13 more", "--teacher-finetune EPOCHS"] {
            #expect(text.contains(word), "\(text)")
        }
        // A name and an identifier of one class cannot be two.
        #expect(throws: TrainingError.self) {
            try classes(
                ["tench", "n1"],
                ClassLabels(names: ["tench", "x"], identifiers: ["n1", "n2"])
            )
        }
    }
}
