import Checkpoints
public import Datasets
public import Torch
public import TorchNN

/// Learning from a loss on batches of images: the labels, a teacher that knows them, or a loss of one's own.
///
/// It divides a batch into the parts of the plan, adds up their gradients, clips them, steps the optimiser and the average
/// of the weights, and measures both on the validation images.
@ModelActor
public final class SupervisedLearner: Learner {
    private let network: TrainedNetwork
    /// The averaged weights as a network, for validation and saving.
    private let average: TrainedNetwork?
    private let task: any TrainingTask
    private let optimizer: any Optimizer
    private let ema: ExponentialMovingAverage?
    private let scaler: GradientScaler?
    private let validation: DataLoader?
    private let plan: TrainingPlan
    /// Whether what is trained behaves as in training, with dropout and moving statistics.
    private let isInTrainMode: Bool
    /// Adds what is known already of a batch's images.
    private let answers: ((StepInput, StepPlace) throws -> StepInput)?
    /// The pixels of the last batch, for a diagnosis.
    private var pixels: Tensor?
    /// Numbers that a resumed run needs; none.
    public var counters: [String: Double] = [:]
    /// How gradients are averaged over several processes.
    public var exchange: GradientExchange?
    /// From which probability each class counts as recognised, of the weights and of their average: as chosen on the
    /// validation images, nil as soon as the weights have moved on.
    private var thresholds: (own: [Double]?, average: [Double]?)
    /// Whether the task predicts one class for an image, as far as it has been seen.
    public private(set) var scoresLabels: Bool

    /// Creates the learner of a run that is set up.
    init(_ parts: TrainingParts) throws(TorchError) {
        scaler = try parts.plan.policy.makeScaler()
        network = parts.student.trained
        average = parts.average?.trained
        task = parts.task
        optimizer = parts.optimizer
        ema = parts.ema
        validation = parts.validationLoader
        plan = parts.plan.training(parts.group)
        isInTrainMode = parts.plan.options.trainMode
        answers = parts.answers
        scoresLabels = !parts.validationLoader.dataset.isMultiLabel
    }

    /// Creates a learner of a module of one's own, which is moved to the device of the policy.
    ///
    /// - Parameters:
    ///   - module: The network that learns; with an optimiser of one's own it is to be on the device already.
    ///   - task: The loss of a batch, and what is predicted.
    ///   - plan: How the weights move; the one that the ``Trainer`` gets.
    ///   - validation: Images to measure on after every epoch, every one once and in order; nil measures nothing.
    ///   - optimizer: An optimiser of one's own; nil for the plan's over all weights that have a gradient.
    /// - Throws: ``TrainingError/invalidPlan(_:)``, `TorchError` for a lack of memory.
    public init(
        _ module: Module,
        task: any TrainingTask,
        plan: TrainingPlan,
        validation: DataLoader? = nil,
        optimizer: (any Optimizer)? = nil
    ) throws {
        try plan.check()
        if let compute = plan.compute { ComputePolicy.current = compute }
        scaler = try ComputePolicy.current.makeScaler()
        // An optimiser of one's own has the weights already, so they stay where they are.
        if optimizer == nil { try module.to(ComputePolicy.current.device) }
        let score = Validation.score(of: task)
        let ema = try plan.average.map {
            try ExponentialMovingAverage(of: module, decay: $0.decay, warmup: $0.warmup)
        }
        network = TrainedNetwork(
            module: module,
            score: score,
            save: { folder, _ in try ModuleFile.write(module, to: folder) },
            load: { try ModuleFile.read($0, into: module) },
            firstNonFiniteLayer: { _ in nil }
        )
        // A second network of the same kind cannot be made here: the averages take turns with the weights.
        average = ema.map { ema in
            TrainedNetwork(
                module: module,
                score: { pixels, targets in try ema.withAverages { try score(pixels, targets) } },
                save: { folder, _ in
                    try ema.withAverages { try ModuleFile.write(module, to: folder) }
                },
                load: { _ in },
                firstNonFiniteLayer: { _ in nil }
            )
        }
        self.task = task
        self.optimizer =
            try optimizer
            ?? plan.optimizer.make(ParameterGroup.decaying(module, weightDecay: plan.weightDecay))
        self.ema = ema
        self.validation = validation
        self.plan = plan
        isInTrainMode = true
        answers = nil
        scoresLabels = false
    }

    /// Creates a learner of a module and a loss of one's own.
    ///
    /// ```swift
    /// import Torch
    /// import TorchNN
    /// import Training
    ///
    /// @ModelActor
    /// func learner(_ model: Linear, plan: TrainingPlan) throws -> SupervisedLearner {
    ///     try SupervisedLearner(model, plan: plan) { model, images, targets in
    ///         let logits = try model(images.flattened(from: 1))
    ///         return TaskResult(
    ///             loss: try Loss.crossEntropy(logits, labels: targets.labels, smoothing: 0.1),
    ///             prediction: logits
    ///         )
    ///     }
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - model: The network that learns.
    ///   - plan: How the weights move; the one that the ``Trainer`` gets.
    ///   - validation: Images to measure on after every epoch, every one once and in order; nil measures nothing.
    ///   - optimizer: An optimiser of one's own; nil for the plan's over all weights that have a gradient.
    ///   - loss: The mean loss of images `[batch, channels, height, width]`, as a tensor of one number, and the predicted
    ///     logits where there are classes. It runs with autocast where ``TrainingPlan/compute`` has `bfloat16`.
    /// - Throws: ``TrainingError/invalidPlan(_:)``, `TorchError` for a lack of memory.
    public convenience init<Model: Module>(
        _ model: Model,
        plan: TrainingPlan,
        validation: DataLoader? = nil,
        optimizer: (any Optimizer)? = nil,
        loss:
            @escaping (_ model: Model, _ images: Tensor, _ targets: TrainingTargets) throws ->
            TaskResult
    ) throws {
        try self.init(
            model,
            task: ClosureTask { images, targets in try loss(model, images, targets) },
            plan: plan,
            validation: validation,
            optimizer: optimizer
        )
    }

    /// The network that learns.
    public var module: Module { network.module }

    /// Sets the modes of training: what is frozen behaves as in evaluation.
    public func beginEpoch() { module.trainUnfrozen(isInTrainMode) }

    /// Adds the gradients of a batch, part by part.
    public func addGradients(_ batch: ImageBatch, at place: StepPlace) throws -> StepNumbers {
        var input = try StepInput(batch)
        // A run that was rolled back shows other images than those that the answers are kept of.
        if let answers, place.attempt == 0 { input = try answers(input, place) }
        pixels = input.pixels
        let numbers = try StepGradients.add(
            task,
            input,
            parts: plan.accumulation,
            norm: plan.clipGradient == nil ? nil : optimizer,
            across: exchange.map { ($0, optimizer) },
            scaling: scaler.map { ($0, optimizer) }
        )
        if numbers.correct != nil { scoresLabels = true }
        return numbers
    }

    /// Names the first of images, weights, layers and gradients that is not finite.
    public func diagnosis() -> String {
        guard let pixels else { return "there was no batch" }
        return NonFiniteDiagnosis.sentence(module, pixels: [pixels]) {
            network.firstNonFiniteLayer(pixels)
        }
    }

    /// Clips the gradients, steps the optimiser and moves the average.
    public func takeStep(_ numbers: StepNumbers, at place: StepPlace) throws {
        if let limit = plan.clipGradient, let norm = numbers.gradientNorm {
            try optimizer.clipGradients(norm: norm, maxNorm: limit)
        }
        try optimizer.step(lr: place.learningRate)
        try scaler?.update()
        thresholds = (nil, nil)
        try ema?.update()
    }

    /// Lets the scale of the loss follow.
    public func leaveOutStep() throws { try scaler?.update() }

    /// Drops the gradients.
    public func clearGradients() throws {
        pixels = nil
        try optimizer.clearGradients()
    }

    /// Measures the weights and their average on the validation images.
    public func measure(
        after place: StepPlace,
        sums: EpochSums,
        stop: StopRequest
    ) async throws -> EpochScores? {
        var scores = EpochScores()
        guard let validation else { return scores }
        // Networks that hold the average beside the weights get it now.
        if let average, average.module !== module, let ema {
            try Self.copy(ema, into: average.module)
        }
        defer { module.trainUnfrozen(isInTrainMode) }
        let networks = [network] + (average.map { [$0] } ?? [])
        guard
            let found = try await Validation.run(
                networks,
                on: validation,
                stop: stop,
                group: exchange?.group
            )
        else { return nil }
        scores.validation = found[0].score
        scores.average = found.count > 1 ? found[1].score : nil
        if scores.validation == nil { scores.loss = found[0].meanLoss }
        if scores.validation != nil, !validation.dataset.isMultiLabel { scoresLabels = true }
        thresholds = (scores.validation?.thresholds, scores.average?.thresholds)
        return scores
    }

    /// The seconds that the validation takes, from as many batches as two seconds allow.
    public func secondsToMeasure(stop: StopRequest) async throws -> Double? {
        guard let validation else { return 0 }
        defer { module.trainUnfrozen(isInTrainMode) }
        let networks = [network] + (average.map { [$0] } ?? [])
        let start = ContinuousClock.now
        let found = try await Validation.run(
            networks,
            on: validation,
            stop: stop,
            until: start + .seconds(2),
            group: exchange?.group
        )
        guard let found, found[0].count > 0 else { return 0 }
        let seconds = (ContinuousClock.now - start).inSeconds
        return seconds * Double(validation.dataset.count) / Double(found[0].count)
    }

    private static func copy(
        _ ema: ExponentialMovingAverage,
        into module: Module
    ) throws(TorchError) {
        let targets = Dictionary(
            module.namedTensors().map { ($0.name, $0.tensor) },
            uniquingKeysWith: { first, _ in first }
        )
        for (name, value) in ema.namedTensors() { try targets[name]?.copy(from: value) }
    }

    /// The optimiser's memory, the averages and the scale of the loss.
    public func namedState() -> [(name: String, tensor: Tensor)] {
        optimizer.namedState().map { ("optimizer.\($0.name)", $0.tensor) }
            + (ema?.namedTensors() ?? []).map { ("ema.\($0.name)", $0.tensor) }
            + (scaler?.checkpointState() ?? [])
    }

    /// Writes the model.
    public func save(to folder: String) throws { try network.save(folder, thresholds.own) }

    /// Reads the weights back.
    public func load(from folder: String) throws { try network.load(folder) }

    /// Writes the averaged weights, which the validation before has put in place.
    public func saveAverage(to folder: String) throws {
        try average?.save(folder, thresholds.average)
    }

    /// Takes over how often the average was updated.
    public func didLoad(_ state: TrainerState) { ema?.updateCount = state.optimizerSteps }
}

/// A loss of one's own, with matrix products in the type of the current policy.
private struct ClosureTask: TrainingTask {
    let loss: (Tensor, TrainingTargets) throws -> TaskResult

    func callAsFunction(pixels: Tensor, targets: TrainingTargets) throws -> TaskResult {
        try ComputePolicy.autocast { try loss(pixels, targets) }
    }
}

extension Trainer {
    /// Sets up the training of a module with a loss of one's own.
    ///
    /// Weights are what they are when the trainer is made; with ``TrainingPlan/output`` and checkpoints in that folder,
    /// those of the newest.
    ///
    /// - Parameters:
    ///   - model: The network that learns.
    ///   - training: The training images; the seed of its plan decides their order and augmentation.
    ///   - validation: Images to measure on after every epoch, every one once and in order; nil measures nothing.
    ///   - plan: How long, how fast, and where to.
    ///   - observer: Watches the run.
    ///   - stop: Asks it to stop.
    ///   - loss: The mean loss of images `[batch, channels, height, width]`, as a tensor of one number, and the predicted
    ///     logits where there are classes.
    /// - Throws: ``TrainingError/invalidPlan(_:)``, ``RunError`` for a folder that cannot be used, `CheckpointError` for
    ///   checkpoints of another module.
    public convenience init<Model: Module>(
        _ model: Model,
        training: DataLoader,
        validation: DataLoader? = nil,
        plan: TrainingPlan,
        observer: (any TrainingObserver)? = nil,
        stop: StopRequest = StopRequest(),
        loss:
            @escaping (_ model: Model, _ images: Tensor, _ targets: TrainingTargets) throws ->
            TaskResult
    ) throws {
        try self.init(
            SupervisedLearner(model, plan: plan, validation: validation, loss: loss),
            training: training,
            plan: plan,
            observer: observer,
            stop: stop
        )
    }
}
