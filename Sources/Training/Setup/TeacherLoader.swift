import Checkpoints
import Foundation
import ImagePipeline
import Torch
import TorchNN
import VisionModels

/// Loads the teacher and checks that it can teach this student on this data.
@ModelActor
enum TeacherLoader {
    /// The teacher as a frozen function from the student's pixels to logits of the data's classes.
    ///
    /// - Parameters:
    ///   - path: A run, a model directory or a file.
    ///   - student: What the student is made from and reads.
    ///   - dtype: The number format of matrix products.
    /// - Returns: The function, and what it is known by.
    /// - Throws: ``TrainingError`` for a teacher that does not fit, and what loading throws.
    static func load(
        _ path: String,
        for student: ModelDescription,
        dtype: DType?
    ) throws -> Teacher {
        // The description is read first: wrong classes are told before any weights are loaded.
        let classes = try check(description(of: path), path, against: student)
        let loaded = try ModelDirectory.load(path)
        let (model, description) = (loaded.model, loaded.description)
        model.eval()
        try model.setRequiresGradient(false)
        var forward = try classes.applied(to: ClassifierFactory.forward(model, dtype: dtype))
        if let change = try Renormalization(from: student.processor, to: description.processor) {
            let own = forward
            forward = { pixels throws(TorchError) in try own(change(pixels)) }
        }
        return Teacher(
            forward: forward,
            fingerprint: {
                var fingerprint = Fingerprint()
                fingerprint.add("\(description.configuration)")
                fingerprint.add("\(description.processor.mean) \(description.processor.std)")
                fingerprint.add("\(classes.indices ?? [])")
                try fingerprint.add(model.namedTensors().map { ($0.name, $0.tensor) })
                return fingerprint
            },
            notes: classes.note.map { [$0] } ?? []
        )
    }

    /// Reads all of a teacher but its weights.
    ///
    /// - Parameter path: A run, a model directory or a file.
    /// - Returns: The description.
    /// - Throws: ``OptionError`` for the name of a model, which has no weights, and what reading throws.
    nonisolated static func description(of path: String) throws -> ModelDescription {
        let isModelName = ModelRegistry.presets.contains { $0.name == path }
        guard !isModelName || FileManager.default.fileExists(atPath: path) else {
            throw OptionError.conflict(
                "the teacher \(path) is the name of a model, which has no weights: give --teacher a checkpoint, such "
                    + "as a run of `deit train --model \(path)`"
            )
        }
        return try ModelDirectory.description(of: path)
    }

    /// Checks that a teacher can teach a student.
    ///
    /// - Parameters:
    ///   - teacher: The teacher.
    ///   - path: Its path.
    ///   - student: The student, of the data's classes.
    /// - Returns: Which of the teacher's answers belongs to each class.
    /// - Throws: ``TrainingError`` for other classes or another form of picture.
    nonisolated static func check(
        _ teacher: ModelDescription,
        _ path: String,
        against student: ModelDescription
    ) throws(TrainingError) -> TeacherClasses {
        let form = inputForm(student.configuration)
        let teacherForm = inputForm(teacher.configuration)
        guard form == teacherForm else {
            throw .otherInput(teacher: path, expected: form, found: teacherForm)
        }
        return try TeacherClasses(of: student.classNames, in: teacher.labels, teacher: path)
    }

    private nonisolated static func inputForm(_ configuration: ModelConfiguration) -> String {
        let size = configuration.imageSize
        return "\(configuration.inChannels)×\(size.height)×\(size.width)"
    }
}
