import Datasets
import Torch
import TorchNN

/// Where in a run a step is.
struct StepPlace: Sendable, Equatable {
    /// The step, counted from 0 over the whole run.
    let step: Int
    /// The epoch, from 0.
    let epoch: Int
    /// The step, counted from 0 over the epoch.
    let stepInEpoch: Int
    /// How often the run was rolled back.
    let attempt: Int
}

/// What an epoch's end measured.
struct EpochScores {
    /// The model on the validation images; nil where a method does not measure that.
    var validation: ValidationScore?
    /// The averaged weights on them.
    var average: ValidationScore?
    /// The share of validation images whose nearest neighbours among the training images vote right, 0 to 1.
    var knnTop1: Double?
    /// What a person should know.
    var notices: [String] = []
    /// What there is to look at, by paths in the run's folder.
    var files: [(name: String, bytes: [UInt8])] = []
    /// Why the run should end here, or nil.
    var stopReason: String?
}

/// What was measured before a run's first step.
struct StartScores {
    /// The numbers, by their names in the records.
    var numbers: [String: Double]
    /// What a person should know.
    var notice: String
}

/// What a run learns, as the loop drives it: gradients, steps, what a checkpoint holds, what an epoch's end measures.
///
/// The loop owns the order of the images, randomness, metrics, checkpoints, signals and losses that are not finite.
@ModelActor
protocol Learner: AnyObject {
    /// The network that learns.
    var module: Module { get }
    /// Numbers that a resumed run needs beside tensors.
    var counters: [String: Double] { get set }
    /// The statistics that a forward pass moves; those of a skipped step must not stay.
    func movingStatistics() -> [Tensor]
    /// Sets the modes of training.
    func beginEpoch()
    /// Adds the gradients of a batch to those that the parameters have; no weight changes.
    func addGradients(_ batch: ImageBatch, at place: StepPlace) throws -> StepGradients.Numbers
    /// Explains why the last batch's loss or gradients are not finite.
    func diagnosis() -> String
    /// Moves the weights by the gradients.
    func takeStep(_ numbers: StepGradients.Numbers, at place: StepPlace) throws
    /// Drops the gradients.
    func clearGradients() throws
    /// Measures what the run begins with, before its first step.
    ///
    /// - Parameter stop: Asks to stop.
    /// - Returns: Numbers by name, and a sentence on them; nil where there is nothing to measure, or a signal came.
    /// - Throws: What reading images or computing throws.
    func measureStart(stop: StopRequest) async throws -> StartScores?
    /// Measures after an epoch's last step.
    ///
    /// - Parameters:
    ///   - place: The epoch, and the steps taken.
    ///   - sums: What the epoch's steps added up to.
    ///   - stop: Asks to stop.
    /// - Returns: The scores; nil where a signal asked to stop in between.
    /// - Throws: What reading images or computing throws.
    func measure(
        after place: StepPlace,
        sums: EpochSums,
        stop: StopRequest
    ) async throws -> EpochScores?
    /// All tensors beside the model's own that a resumed run needs.
    func namedState() -> [(name: String, tensor: Tensor)]
    /// Writes a model directory into an empty folder.
    func save(to folder: String) throws
    /// Reads the weights of such a directory back, in place.
    func load(from folder: String) throws
    /// Writes a model directory of the averaged weights, where there are some.
    func saveAverage(to folder: String) throws
    /// Is told what a checkpoint said, after everything was loaded.
    func didLoad(_ state: TrainerState)
}

extension Learner {
    func measureStart(stop: StopRequest) async throws -> StartScores? { nil }
    func saveAverage(to folder: String) throws {}
    func didLoad(_ state: TrainerState) {}
}
