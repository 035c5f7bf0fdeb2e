import Checkpoints
public import Torch
import TorchNN
import VisionModels

/// How good a teacher is at what it teaches.
@ModelActor
public enum TeacherScore {
    /// Measures the teacher of a run on the run's validation images, as the student would be shown them.
    ///
    /// - Parameter options: The run's options, with a teacher.
    /// - Returns: The score.
    /// - Throws: The errors of opening the data and of loading the teacher.
    public static func measure(_ options: TrainingOptions) async throws -> ValidationScore {
        let data = try RunData(options)
        let request = RunRequest(
            options: options,
            output: "",
            resuming: nil,
            recipe: "",
            toolVersion: ""
        )
        let description = try Network(
            request,
            classNames: data.classNames,
            isMultiLabel: data.isMultiLabel
        ).description
        let policy = try ComputePolicy.automatic(
            dtype: .float32,
            device: options.device.resolved()
        )
        ComputePolicy.current = policy
        let teacher = try TeacherLoader.load(options.teachers, for: description, dtype: nil)
        return try await Validation.score(
            of: teacher.forward,
            on: data.validationLoader(description.processor)
        )
    }

    /// The score of a teacher that was trained before its student, in the folder of the student's run.
    ///
    /// - Parameter run: The student's run.
    /// - Returns: The teacher's folder and the share of validation images whose class it predicts, of images with several
    ///   labels the mean average precision; nil where there is
    ///   none.
    public nonisolated static func trained(in run: String) -> (path: String, top1: Double)? {
        let path = run + "/teacher"
        return RunStatus.state(of: path)?.best.map {
            (path, $0.metric == .map ? $0.value : $0.top1)
        }
    }
}
