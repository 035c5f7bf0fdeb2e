import Checkpoints
public import Datasets
import Storage
public import Torch
public import TorchNN

/// Where in a run a step is.
public struct StepPlace: Sendable, Equatable {
    /// The step, counted from 0 over the whole run.
    public let step: Int
    /// The epoch, from 0.
    public let epoch: Int
    /// The step, counted from 0 over the epoch.
    public let stepInEpoch: Int
    /// How often the run was rolled back.
    public let attempt: Int
    /// The learning rate that the plan has for the step, before the factors of parameter groups.
    public var learningRate = 0.0
}

/// What a step is judged by.
public struct StepNumbers: Sendable, Equatable {
    /// The mean loss of the images.
    public var loss = 0.0
    /// The images of all processes; nil for those of the batch that this process has.
    public var images: Int?
    /// The number of images whose class was predicted; nil where no classes are.
    ///
    /// Of mixed images the class with the largest share counts.
    public var correct: Double?
    /// The norm of all gradients, where it was requested.
    public var gradientNorm: Double?
    /// Whether gradients of `float16` overflowed: the step is left out, and nothing is wrong.
    public var overflowed = false
    /// What else the method watches, by its name in `metrics.jsonl`.
    public var others: [String: Double] = [:]

    /// Creates the numbers of a step.
    ///
    /// - Parameters:
    ///   - loss: The mean loss of the images.
    ///   - correct: The number of images whose class was predicted; nil where none are.
    ///   - gradientNorm: The norm of all gradients, where it was measured.
    ///   - others: What else is watched, by its name in `metrics.jsonl`.
    public init(
        loss: Double = 0,
        correct: Double? = nil,
        gradientNorm: Double? = nil,
        others: [String: Double] = [:]
    ) {
        self.loss = loss
        self.correct = correct
        self.gradientNorm = gradientNorm
        self.others = others
    }

    /// Whether the step may be taken: loss and gradients are finite.
    public var areFinite: Bool { loss.isFinite && gradientNorm?.isFinite ?? true }
}

/// What an epoch's end measured.
public struct EpochScores: Sendable {
    /// The model on the validation images; nil where a method does not measure that.
    public var validation: ValidationScore?
    /// The averaged weights on them.
    public var average: ValidationScore?
    /// The mean loss of the validation images of a model that predicts no classes; ``validation`` has its own.
    public var loss: Double?
    /// The share of validation images whose nearest neighbours among the training images vote right, 0 to 1.
    public var knnTop1: Double?
    /// What a person should know.
    public var notices: [String] = []
    /// What there is to look at, by paths in the run's folder; not written without a folder.
    public var files: [(name: String, bytes: [UInt8])] = []
    /// Why the run should end here, or nil.
    public var stopReason: String?

    /// Nothing measured.
    public init() {}
}

/// What was measured before a run's first step.
public struct StartScores: Sendable {
    /// The numbers, by their names in the records.
    public var numbers: [String: Double]
    /// What a person should know.
    public var notice: String

    /// Creates the scores.
    public init(numbers: [String: Double], notice: String) {
        self.numbers = numbers
        self.notice = notice
    }
}

/// What a run learns, as a ``Trainer`` drives it: gradients, steps, what a checkpoint holds, what an epoch's end measures.
///
/// The trainer owns the order of the images, randomness, metrics, checkpoints, signals and losses that are not finite.
/// ``SupervisedLearner`` is the learner for a loss of one's own on batches; `deit pretrain` has two that write this
/// protocol out. Required are the module, the gradients of a batch, the step, and the tensors of the optimiser; the rest
/// has defaults.
@ModelActor
public protocol Learner: AnyObject {
    /// The network that learns.
    var module: Module { get }
    /// Numbers that a resumed run needs in addition to tensors; none by default.
    var counters: [String: Double] { get set }
    /// How gradients are averaged over several processes; the trainer sets it where there are some.
    ///
    /// A learner that keeps it must call ``GradientExchange/average(gradientsOf:images:means:totals:)`` in
    /// ``addGradients(_:at:)``. By default it is dropped, and the trainer refuses several processes.
    var exchange: GradientExchange? { get set }
    /// Whether ``StepNumbers/correct`` counts predictions, so that an accuracy on the training images is recorded.
    var scoresLabels: Bool { get }
    /// The statistics that a forward pass moves; those of a skipped step must not stay. By default the module's buffers.
    func movingStatistics() -> [Tensor]
    /// Sets the modes of training, at the beginning of every epoch. By default the module's training mode.
    func beginEpoch()
    /// Adds the gradients of a batch to those that the parameters have; no weight changes.
    ///
    /// - Parameters:
    ///   - batch: The images.
    ///   - place: The step.
    /// - Returns: What the step is judged by.
    /// - Throws: What computing throws.
    func addGradients(_ batch: ImageBatch, at place: StepPlace) throws -> StepNumbers
    /// Explains why the last batch's loss or gradients are not finite.
    func diagnosis() -> String
    /// Moves the weights by the gradients. Not called for a step whose numbers are not finite.
    ///
    /// - Parameters:
    ///   - numbers: What ``addGradients(_:at:)`` returned.
    ///   - place: The step, with its learning rate.
    /// - Throws: `TorchError`.
    func takeStep(_ numbers: StepNumbers, at place: StepPlace) throws
    /// Called instead of ``takeStep(_:at:)`` for a step that is left out. By default it does nothing.
    ///
    /// - Throws: `TorchError`.
    func leaveOutStep() throws
    /// Drops the gradients. By default those of all the module's parameters.
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
    /// - Returns: The scores; nil where a signal asked to stop in between. By default none.
    /// - Throws: What reading images or computing throws.
    func measure(
        after place: StepPlace,
        sums: EpochSums,
        stop: StopRequest
    ) async throws -> EpochScores?
    /// Estimates the seconds that ``measure(after:sums:stop:)`` takes, from a part of the images.
    ///
    /// - Parameter stop: Asks to stop.
    /// - Returns: The seconds; by default nil, and it is measured as a whole.
    /// - Throws: What reading images or computing throws.
    func secondsToMeasure(stop: StopRequest) async throws -> Double?
    /// All tensors other than the model's own that a resumed run needs, such as the optimiser's.
    func namedState() -> [(name: String, tensor: Tensor)]
    /// Writes the model into an empty folder. By default `model.safetensors` with the module's tensors.
    func save(to folder: String) throws
    /// Reads the weights of such a folder back, in place.
    func load(from folder: String) throws
    /// Writes a model directory of the averaged weights, where there are some.
    func saveAverage(to folder: String) throws
    /// Called with what a checkpoint recorded, after everything was loaded.
    func didLoad(_ state: TrainerState)
}

extension Learner {
    /// None; what is set is dropped.
    public var counters: [String: Double] {
        get { [:] }
        set {}
    }

    /// None; what is set is dropped.
    public var exchange: GradientExchange? {
        get { nil }
        set {}
    }

    /// No accuracy is recorded.
    public var scoresLabels: Bool { false }

    /// The module's buffers.
    public func movingStatistics() -> [Tensor] { module.namedBuffers().map(\.buffer.tensor) }

    /// Sets the module to training.
    public func beginEpoch() { module.train() }

    /// Names the first of weights, statistics and gradients that is not finite.
    public func diagnosis() -> String {
        NonFiniteDiagnosis.sentence(module, pixels: []) { nil }
    }

    /// Does nothing.
    public func leaveOutStep() throws {}

    /// Drops the gradients of all the module's parameters.
    public func clearGradients() throws {
        for (_, parameter) in module.namedParameters() { try parameter.tensor.clearGradient() }
    }

    /// Measures nothing.
    public func measureStart(stop: StopRequest) async throws -> StartScores? { nil }

    /// Measures nothing.
    public func measure(
        after place: StepPlace,
        sums: EpochSums,
        stop: StopRequest
    ) async throws -> EpochScores? { EpochScores() }

    /// Nothing is estimated.
    public func secondsToMeasure(stop: StopRequest) async throws -> Double? { nil }

    /// Writes `model.safetensors` with the module's tensors.
    public func save(to folder: String) throws {
        try ModuleFile.write(module, to: folder)
    }

    /// Reads `model.safetensors` into the module.
    public func load(from folder: String) throws {
        try ModuleFile.read(folder, into: module)
    }

    /// There are no averaged weights.
    public func saveAverage(to folder: String) throws {}

    /// Nothing follows.
    public func didLoad(_ state: TrainerState) {}
}

/// The weights of a module of one's own in a checkpoint: one file, without a configuration.
enum ModuleFile {
    private static let name = "model.safetensors"

    static func write(_ module: Module, to folder: String) throws {
        try Safetensors.write(module.namedTensors(), to: folder + "/" + name)
    }

    static func read(_ folder: String, into module: Module) throws {
        let file = folder + "/" + name
        let targets = module.namedTensors()
        let stored = try Safetensors.read(file)
        try StoredTensors.check(
            stored,
            fit: targets,
            file: file,
            hint: "the run was started with another module"
        )
        try StoredTensors.copy(stored, into: targets)
    }
}
