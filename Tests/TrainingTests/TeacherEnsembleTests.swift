import Checkpoints
import Foundation
import ImagePipeline
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

@testable import Training

/// Several teachers as one, and a teacher's own way to see images.
@Suite(.tags(.unit)) @ModelActor struct TeacherEnsembleTests {
    private func teacher(_ logits: [Float], dist: [Float]? = nil) -> Teacher {
        Teacher(
            forward: { _ throws(TorchError) in
                ClassifierLogits(
                    cls: try Tensor(logits, shape: [1, logits.count]),
                    dist: try dist.map { (dist) throws(TorchError) in
                        try Tensor(dist, shape: [1, dist.count])
                    }
                )
            },
            fingerprint: { Fingerprint() }
        )
    }

    private func softmax(_ logits: [Float]) -> [Float] {
        let largest = logits.max() ?? 0
        let powers = logits.map { exp(Double($0 - largest)) }
        return powers.map { Float($0 / powers.reduce(0, +)) }
    }

    @Test func theSoftmaxOfTheAnswerIsTheMeanProbability() throws {
        let (first, second, third): ([Float], [Float], [Float]) = (
            [3, 0, -1], [0, 30, 10], [0.5, 0.25, 2]
        )
        let both = TeacherEnsemble.teacher([
            teacher(first), teacher(second, dist: [2, 10, 0]), teacher(third),
        ])
        let answer = try both.forward(Tensor.zeros([1, 3, 2, 2])).averaged()
        let members = [softmax(first), softmax([1, 20, 5]), softmax(third)]
        let expected = (0..<3).map { index in members.reduce(0) { $0 + $1[index] } / 3 }
        expectClose(try answer.floats().map { exp($0) }, expected, tolerance: 1e-6)
        expectClose(softmax(try answer.floats()), expected, tolerance: 1e-6)
        #expect(both.notes.first?.contains("3 teachers") == true)
    }

    @Test func certainTeachersDoNotUnderflow() throws {
        let answer = try TeacherEnsemble.logMeanProbability([
            Tensor([500, 0, -500], shape: [1, 3]), Tensor([400, 0, -800], shape: [1, 3]),
        ])
        let values = try answer.floats()
        #expect(!values.contains { !$0.isFinite })
        // log((exp(-500) + exp(-400)) / 2) is -400 - log 2 to rounding.
        expectClose(values, [0, -400 - log(2), -1000 - log(2)], tolerance: 1e-6)
    }

    @Test func aSingleTeacherStaysAsItIs() throws {
        let only = TeacherEnsemble.teacher([teacher([7, 1], dist: [0, 2])])
        let logits = try only.forward(Tensor.zeros([1, 3, 2, 2]))
        #expect(try logits.cls.floats() == [7, 1])
        #expect(try logits.dist?.floats() == [0, 2])
    }

    private func description(
        _ size: Int,
        mean: Float,
        _ interpolation: Interpolation
    ) throws -> ModelDescription {
        var configuration = try ModelRegistry.configuration(named: "resnet8_cifar")
        configuration.imageSize = (size, size)
        return ModelDescription(
            configuration: configuration,
            processor: try ImageProcessor(
                resize: .shortestSide(size),
                interpolation: interpolation,
                cropHeight: size,
                cropWidth: size,
                mean: [mean, mean, mean],
                std: [0.5, 0.5, 0.5]
            ),
            labels: ClassLabels(placeholders: 10)
        )
    }

    @Test(arguments: [Interpolation.bicubic, .bilinear], [6, 24])
    func imagesAreNormalisedAndResized(interpolation: Interpolation, size: Int) throws {
        let student = try description(12, mean: 0.5, .bicubic)
        let teacher = try description(size, mean: 0.25, interpolation)
        #expect(try TeacherInput(from: student, to: student) == nil)
        let input = try #require(try TeacherInput(from: student, to: teacher))
        #expect(input.note(of: "T")?.contains("\(size)×\(size), \(interpolation.rawValue)") == true)
        try manualSeed(2)
        let pixels = try Tensor.randn([2, 3, 12, 12])
        let expected = try Functional.resize2d(
            pixels,
            height: size,
            width: size,
            resampling: interpolation == .bicubic ? .bicubic : .bilinear,
            antialias: true
        )
        let found = try input(pixels)
        #expect(found.shape == [2, 3, size, size])
        // (p - 0.25) / 0.5 is (p - 0.5) / 0.5 + 0.5.
        expectClose(try found.floats(), try (expected + 0.5).floats(), tolerance: 1e-5)
    }

    @Test func aTeacherThatIsNamedWithCommasIsSeveral() throws {
        var options = TrainingOptions()
        #expect(options.teachers.isEmpty)
        options.teacher = "runs/a, b.pth ,c"
        #expect(options.teachers == ["runs/a", "b.pth", "c"])
        try withTemporaryFolder { folder in
            let path = folder.appending(path: "a,b").path
            try Data().write(to: URL(filePath: path))
            options.teacher = path
            #expect(options.teachers == [path])
        }
        let recipe = try Recipe(name: "r", yaml: "teacher: [x, y/z]")
        try options.apply(recipe)
        #expect(options.teachers == ["x", "y/z"])
        options.teachers = ["x", "x"]
        #expect(throws: OptionError.self) { try options.checkTeachers() }
        options.teachers = ["x", "y"]
        options.teacherFinetune = 3
        #expect(throws: OptionError.self) { try options.checkTeachers() }
    }
}
