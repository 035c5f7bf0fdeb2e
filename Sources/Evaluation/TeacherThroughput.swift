import Torch
import TorchNN
import Training
public import VisionModels

/// What a teacher takes of training steps, and what the same passes take by themselves.
public struct TeacherThroughput: Codable, Sendable, Equatable {
    /// The teacher's name.
    public var model: String

    /// Images per second of the teacher's passes within the steps, from their median.
    public var imagesPerSecond: Double

    /// Images per second of the teacher's own inference on the same images, measured in turn with the steps.
    public var inferenceImagesPerSecond: Double

    /// The median share of a step's time that the teacher takes, 0 to 1.
    public var share: Double

    private enum CodingKeys: String, CodingKey {
        case model, share
        case imagesPerSecond = "images_per_second"
        case inferenceImagesPerSecond = "inference_images_per_second"
    }
}

extension Throughput {
    /// Times whole training steps with a teacher: its pass, forward, hard distillation, backward, fused AdamW, on random
    /// images.
    ///
    /// After each step the teacher's own inference is timed, the second of two passes in a row, as in a loop of its own.
    ///
    /// - Parameters:
    ///   - name: The student's name, for the report.
    ///   - configuration: What the student is made from.
    ///   - teacher: The teacher's name, and what it is made from; images and classes are the student's.
    ///   - batch: The images of a step.
    ///   - seconds: How long to go on; at least five steps are timed after two that are not.
    /// - Returns: The rate under the current compute policy, with what the teacher takes.
    /// - Throws: ``EvaluationError`` for a teacher of other images or classes, `ConfigurationError` and `TorchError` when a
    ///   model cannot be made or run.
    public static func training(
        _ name: String,
        _ configuration: ModelConfiguration,
        teacher: (name: String, configuration: ModelConfiguration),
        batch: Int,
        seconds: Double
    ) throws -> Throughput {
        try manualSeed(0)
        let student = try configuration.makeModel()
        try student.to(ComputePolicy.current.device)
        let frozen = try frozen(teacher.configuration)
        guard frozen.inputShape == student.inputShape, frozen.numClasses == student.numClasses
        else {
            throw EvaluationError.invalid(
                "the teacher \(teacher.name) takes images of \(frozen.inputShape) for \(frozen.numClasses) classes, "
                    + "\(name) of \(student.inputShape) for \(student.numClasses): choose a teacher with the same"
            )
        }
        // Not a `Predictor`: what is timed is the teacher's function as training calls it, on tensors that are there.
        let ask = ClassifierFactory.forward(
            frozen,
            dtype: ComputePolicy.current.autocastDType
        )
        var steps: [Double] = []
        var passes: [Double] = []
        var own: [Double] = []
        let task = try task(student) { pixels throws(TorchError) in
            try noted(in: &passes) { () throws(TorchError) in try ask(pixels) }
        }
        let optimizer = try AdamW(ParameterGroup.decaying(student, weightDecay: 0.05))
        let (images, labels) = try examples(for: student, count: batch)
        _ = try timed(seconds: seconds) {
            try noted(in: &steps) {
                try optimizer.clearGradients()
                try task(pixels: images, labels: labels).loss.backward()
                try optimizer.step(lr: 1e-3)
            }
            try withoutGradient {
                _ = try ask(images)
                _ = try noted(in: &own) { try ask(images) }
            }
        }
        func median(_ times: [Double]) -> Double { percentile(0.5, of: Array(times.dropFirst(2))) }
        let times = Array(steps.dropFirst(2))
        var throughput = Throughput("training", name, batch: batch, times: times)
        throughput.teacher = TeacherThroughput(
            model: teacher.name,
            imagesPerSecond: Double(batch) / median(passes),
            inferenceImagesPerSecond: Double(batch) / median(own),
            share: median(zip(passes, steps).map { $0 / $1 })
        )
        return throughput
    }

    /// A network in evaluation mode, which no gradient reaches.
    private static func frozen(
        _ configuration: ModelConfiguration
    ) throws -> any ImageClassifier {
        let model = try configuration.makeModel()
        model.eval()
        try model.setRequiresGradient(false)
        try model.to(ComputePolicy.current.device)
        return model
    }

    private static func task(
        _ student: any ImageClassifier,
        teacher: @escaping ClassifierForward
    ) throws -> DistillationTask {
        try DistillationTask(
            student: ClassifierFactory.forward(
                student,
                dtype: ComputePolicy.current.autocastDType
            ),
            teacher: teacher,
            kind: .hard,
            alpha: 0.5,
            loss: ClassificationLoss()
        )
    }

    /// Runs a body and notes how many seconds it took.
    private static func noted<Result, Failure: Error>(
        in times: inout [Double],
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let start = ContinuousClock.now
        let result = try body()
        times.append((ContinuousClock.now - start) / .seconds(1))
        return result
    }
}
