import Checkpoints
import Datasets
import Foundation
public import Torch
import TorchNN
import VisionModels

/// A run, checked and set up.
///
/// All errors surface before anything is written to disk.
@ModelActor
public final class TrainingSession: RunSession {
    /// What follows from options, data and model.
    public nonisolated let plan: RunPlan
    /// The step that the run goes on from; 0 at the start.
    public let startStep: Int
    private let parts: TrainingParts
    /// The teacher and its kept answers, of a run that has one.
    private let teacher: RunTeacher?
    private let loop: Trainer
    private let configuration: ModelConfiguration
    private let observer: any TrainingObserver
    private let stop: StopRequest

    /// Checks the options, opens the data, makes the models, and only then creates the run's folder.
    public init(_ request: RunRequest, observer: any TrainingObserver, stop: StopRequest) throws {
        var request = request
        try Preflight.check(request.options)
        try request.checkOutput()
        let data = try request.openData(notice: observer.didNotice)
        let options = request.options
        try request.checkProcesses()
        try request.resuming?.checkData(
            train: data.train,
            validation: data.validation.count,
            run: request.output
        )
        // A resumed run keeps its weights, even if the file that they were in has changed.
        let classWeights =
            try request.resuming == nil
            ? ClassWeights.of(options, train: data.train) : request.resuming?.classWeights
        let posWeights =
            try request.resuming == nil
            ? ClassWeights.positive(options, train: data.train) : request.resuming?.posWeights
        let network = try Network(
            request,
            classNames: data.classNames,
            isMultiLabel: data.isMultiLabel
        )
        let description = network.description
        configuration = description.configuration
        (self.observer, self.stop) = (observer, stop)
        if let note = try network.checkToken() { observer.didNotice("note: \(note)") }
        if request.resuming == nil,
            let warning = HeldOutShare.warning(
                startingWith: options.finetune,
                data,
                at: options.data
            )
        {
            observer.didNotice(warning)
        }
        let policy = try request.computePolicy()
        ComputePolicy.current = policy

        try manualSeed(UInt64(options.seed))
        let (student, fresh) = try network.make(
            dtype: policy.autocastDType,
            notice: observer.didNotice
        )
        plan = RunPlan(
            options: options,
            trainCount: data.train.count,
            imagesPerEpoch: data.imagesPerEpoch,
            validationCount: data.validation.count,
            classNames: data.classNames,
            parameterCount: student.module.parameterCount,
            policy: policy,
            workers: data.workers,
            fingerprint: data.train.fingerprint,
            freshWeights: fresh,
            holdsOut: data.holdsOut,
            classWeights: classWeights,
            processes: request.group?.size ?? 1,
            posWeights: posWeights,
            isMultiLabel: data.isMultiLabel
        )
        try request.checkProcesses(student.module)
        try request.checkProcesses(isMultiLabel: data.isMultiLabel)
        if request.resuming == nil { try plan.checkRates() }
        teacher =
            try options.distillation == .none
            ? nil
            : RunTeacher(
                request,
                plan,
                student: description,
                data,
                notice: observer.didNotice,
                train: Self.train
            )
        parts = try Self.parts(request, plan, data, student, description, teacher)
        loop = try Trainer(try parts.forTrainer, plan, for: request, observer: observer, stop: stop)
        startStep = loop.state.step
    }

    /// Measures what the run will take; nothing of the run changes.
    public func estimate() throws -> RunEstimate? {
        try RunEstimate(estimated, state: loop.state)
    }

    /// Finds the largest batch that fits the device.
    public func largestBatch(upTo limit: Int) throws -> Int? {
        try LargestBatch.find(estimated, on: plan.policy.device, limit: limit)
    }

    private var estimated: EstimatedRun {
        let (height, width) = configuration.imageSize
        return parts.estimated(
            macs: configuration.macs,
            inputShape: [configuration.inChannels, height, width],
            isAnswered: teacher?.hasAllAnswers == true
        )
    }

    /// Makes the teacher ready: trains it first, where the options say so, and opens the file of its answers.
    ///
    /// ``run()`` does so too; calling it before lets ``estimate()`` take it into account.
    ///
    /// - Returns: How the teacher's training was stopped, or nil where the teacher is ready.
    /// - Throws: What training throws, and ``TeacherCacheError``.
    public func prepare() async throws -> Trainer.Outcome? {
        try await teacher?.prepare(observer: observer, stop: stop)
    }

    /// Trains to the end, or until asked to stop.
    public func run() async throws -> Trainer.Outcome {
        if let stopped = try await prepare() { return stopped }
        return try await loop.run(plan) { estimated }
    }

    /// Sets up a run and trains to its end, or until asked to stop.
    static func train(
        _ request: RunRequest,
        observer: any TrainingObserver,
        stop: StopRequest
    ) async throws -> Trainer.Outcome {
        try await TrainingSession(request, observer: observer, stop: stop).run()
    }

    // MARK: - Parts

    /// Makes all that the loop drives; the run's folder only when nothing else can be wrong.
    private static func parts(
        _ request: RunRequest,
        _ plan: RunPlan,
        _ data: RunData,
        _ student: TrainableClassifier,
        _ description: ModelDescription,
        _ teacher: RunTeacher?
    ) throws -> TrainingParts {
        let options = plan.options
        let dtype = plan.policy.autocastDType
        let transform = try Augmentation.transform(
            options,
            description.configuration,
            description.processor
        )
        _ = try data.trainingLoader(transform, attempt: 0)
        let validationLoader = try data.validationLoader(description.processor)
        let task = try task(plan, student, teacher)
        let optimizer = try options.optimizerChoice.make(
            options.parameterGroups(student.module, fresh: plan.freshWeights)
        )
        return TrainingParts(
            plan: plan,
            student: student,
            average: try options.ema.map { _ in
                let average = try ClassifierFactory.make(description, dtype: dtype)
                try average.module.to(plan.policy.device)
                return average
            },
            task: task,
            answers: teacher.map { teacher in
                { input, place in
                    try teacher.answered(
                        input,
                        epoch: plan.augmentationEpoch(place.epoch),
                        step: place.stepInEpoch
                    )
                }
            },
            optimizer: optimizer,
            ema: try options.ema.map {
                try ExponentialMovingAverage(
                    of: student.module,
                    decay: $0,
                    warmup: options.emaWarmup
                )
            },
            trainingLoader: { try data.trainingLoader(transform, attempt: $0) },
            validationLoader: validationLoader,
            run: try request.openRun(),
            group: request.group
        )
    }

    private static func task(
        _ plan: RunPlan,
        _ student: TrainableClassifier,
        _ teacher: RunTeacher?
    ) throws -> any TrainingTask {
        let options = plan.options
        let loss = ClassificationLoss(
            smoothing: options.smoothing,
            isBinary: options.bceLoss,
            classWeights: plan.classWeights,
            posWeights: plan.posWeights,
            asymmetric: options.asymmetricLoss
                ? Loss.AsymmetricFocus(
                    gammaNeg: options.aslGammaNeg,
                    gammaPos: options.aslGammaPos,
                    clip: options.aslClip
                ) : nil
        )
        guard let teacher else { return SupervisedTask(student: student.forward, loss: loss) }
        return try DistillationTask(
            student: student.forward,
            teacher: teacher.forward,
            kind: options.distillation == .soft
                ? .soft(tau: options.distillationTau, reduction: options.klReduction) : .hard,
            alpha: options.distillationAlpha,
            loss: loss,
            teacherThresholds: { teacher.thresholds }
        )
    }
}
