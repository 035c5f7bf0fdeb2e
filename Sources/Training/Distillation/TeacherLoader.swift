import Checkpoints
import Foundation
import ImagePipeline
import Inference
import Torch
import TorchNN
import VisionModels

/// Loads the teachers and checks that they can teach this student on this data.
@ModelActor
enum TeacherLoader {
    /// The teachers as one frozen function from the student's pixels to logits of the data's classes.
    ///
    /// - Parameters:
    ///   - paths: A run, a model directory or a file each; of several the probabilities are averaged.
    ///   - student: What the student is made from and reads.
    ///   - dtype: The number format of matrix products.
    /// - Returns: The function, and what it is known by.
    /// - Throws: ``TrainingError`` for a teacher that does not fit, and what loading throws.
    static func load(
        _ paths: [String],
        for student: ModelDescription,
        dtype: DType?
    ) throws -> Teacher {
        // The descriptions are read first: wrong classes are reported before any weights are loaded.
        let classes = try paths.map { try check(description(of: $0), $0, against: student) }
        return TeacherEnsemble.teacher(
            try zip(paths, classes).map { path, classes in
                try load(path, classes, for: student, dtype: dtype)
            },
            isMultiLabel: student.isMultiLabel
        )
    }

    /// One teacher in evaluation mode, which no gradient reaches.
    private static func load(
        _ path: String,
        _ classes: TeacherClasses,
        for student: ModelDescription,
        dtype: DType?
    ) throws -> Teacher {
        let loaded = try ModelDirectory.load(path)
        let (model, description) = (loaded.model, loaded.description)
        let predictor = try Predictor(loaded, dtype: dtype ?? .float32)
        try model.setRequiresGradient(false)
        var forward = try classes.applied { pixels throws(TorchError) in
            try predictor.logits(pixels)
        }
        let input = try TeacherInput(from: student, to: description)
        if let input {
            let own = forward
            forward = { pixels throws(TorchError) in try own(input(pixels)) }
        }
        let notes = [classes.note, input.flatMap { $0.note(of: path) }]
        return Teacher(
            forward: forward,
            fingerprint: {
                var fingerprint = Fingerprint()
                fingerprint.add("\(description.configuration)")
                fingerprint.add("\(description.processor.mean) \(description.processor.std)")
                fingerprint.add("\(classes.indices ?? []) \(input?.resizing ?? "")")
                try fingerprint.add(model.namedTensors().map { ($0.name, $0.tensor) })
                return fingerprint
            },
            notes: notes.compactMap { $0 },
            thresholds: description.thresholds.map { thresholds in
                classes.indices.map { $0.map { thresholds[$0] } } ?? thresholds
            }
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
                "the teacher \(path) is a model name without weights: give --teacher a checkpoint, such "
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
    /// - Throws: ``TrainingError`` for other classes or images of other channels.
    nonisolated static func check(
        _ teacher: ModelDescription,
        _ path: String,
        against student: ModelDescription
    ) throws(TrainingError) -> TeacherClasses {
        let channels = student.configuration.inChannels
        guard channels == teacher.configuration.inChannels else {
            throw .otherInput(
                teacher: path,
                expected: "\(channels)",
                found: "\(teacher.configuration.inChannels)"
            )
        }
        // Only a file that does not say of what kind the task is was trained on one class for an image.
        let problemType = teacher.problemType ?? .singleLabelClassification
        guard problemType == (student.problemType ?? .singleLabelClassification) else {
            throw .otherTask(teacher: path, problemType: problemType.rawValue)
        }
        return try TeacherClasses(of: student.classNames, in: teacher.labels, teacher: path)
    }
}
