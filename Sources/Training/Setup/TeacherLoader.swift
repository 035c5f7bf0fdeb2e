import Checkpoints
import ImagePipeline
import Torch
import TorchNN
import VisionModels

/// Loads the teacher and checks that it can teach this student on this data.
@ModelActor
enum TeacherLoader {
    /// The teacher as a frozen function from the student's pixels to logits.
    ///
    /// - Parameters:
    ///   - path: A run, a model directory or a file.
    ///   - student: What the student is made from and reads.
    ///   - dtype: The number format of matrix products.
    /// - Returns: The function.
    /// - Throws: ``TrainingError`` for a teacher that does not fit, and what loading throws.
    static func load(
        _ path: String,
        for student: ModelDescription,
        dtype: DType?
    ) throws -> ClassifierForward {
        // The description is read first: wrong classes are told before any weights are loaded.
        try check(ModelDirectory.description(of: path), path, against: student)
        let loaded = try ModelDirectory.load(path)
        let (model, description) = (loaded.model, loaded.description)
        model.eval()
        try model.setRequiresGradient(false)
        let forward = ClassifierFactory.forward(model, dtype: dtype)
        guard let change = try Renormalization(from: student.processor, to: description.processor)
        else {
            return forward
        }
        return { pixels throws(TorchError) in try forward(change(pixels)) }
    }

    nonisolated static func check(
        _ teacher: ModelDescription,
        _ path: String,
        against student: ModelDescription
    ) throws(TrainingError) {
        let expected = student.classNames
        let found = teacher.classNames
        guard expected == found else {
            let known = Set(found)
            let wanted = Set(expected)
            throw .otherClasses(
                teacher: path,
                missing: expected.filter { !known.contains($0) },
                unexpected: found.filter { !wanted.contains($0) },
                reordered: known == wanted
            )
        }
        let form = inputForm(student.configuration)
        let teacherForm = inputForm(teacher.configuration)
        guard form == teacherForm else {
            throw .otherInput(teacher: path, expected: form, found: teacherForm)
        }
    }

    private nonisolated static func inputForm(_ configuration: ModelConfiguration) -> String {
        let size = configuration.imageSize
        return "\(configuration.inChannels)×\(size.height)×\(size.width)"
    }
}
