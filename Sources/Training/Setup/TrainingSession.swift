import Checkpoints
import Datasets
import Foundation
import ImagePipeline
public import Torch
import TorchNN
import VisionModels

/// A run, checked and set up: everything is wrong before anything is created, or nothing is.
@ModelActor
public final class TrainingSession {
    /// What to train and where.
    public struct Request: Sendable {
        /// The options: defaults, recipe and flags merged; of a resumed run, those of its manifest.
        public var options: TrainingOptions
        /// The run's folder.
        public var output: String
        /// The stored manifest of a run to be resumed.
        public var resuming: RunManifest?
        /// The recipe's name, for `run.yaml`.
        public var recipe: String
        /// The version of the command, for `run.yaml`.
        public var toolVersion: String

        /// Creates a request.
        public init(
            options: TrainingOptions,
            output: String,
            resuming: RunManifest?,
            recipe: String,
            toolVersion: String
        ) {
            self.options = options
            self.output = output
            self.resuming = resuming
            self.recipe = recipe
            self.toolVersion = toolVersion
        }
    }

    /// What follows from options, data and model.
    public nonisolated let plan: TrainingPlan
    /// The step that the run goes on from; 0 at the start.
    public let startStep: Int
    private let loop: TrainingLoop

    /// Checks the options, opens the data, makes the models, and only then creates the run's folder.
    public init(_ request: Request, observer: any TrainingObserver, stop: StopRequest) throws {
        let options = request.options
        try Preflight.check(options)
        try RunDirectory.check(request.output, resume: request.resuming != nil)
        let (train, validation) = try DatasetLocation(path: options.data).openBoth(
            trainLimit: options.trainLimit.map { .stratified($0, seed: UInt64(options.seed)) },
            validationLimit: options.valLimit.map { .stratified($0, seed: UInt64(options.seed)) }
        )
        try Preflight.check(
            options,
            trainCount: train.count,
            classes: train.classNames.count,
            path: options.data
        )
        if let manifest = request.resuming {
            try manifest.checkData(
                train: train.count,
                validation: validation.count,
                classNames: train.classNames,
                run: request.output
            )
        }

        let configuration = try ClassifierFactory.configuration(
            options,
            classes: train.classNames.count
        )
        let processor = try ClassifierFactory.processor(configuration)
        let transform = try Preflight.transform(options, configuration, processor)
        let description = ModelDescription(
            configuration: configuration,
            processor: processor,
            labels: ClassLabels(names: train.classNames),
            name: options.model
        )
        let policy = try Self.policy(options, resuming: request.resuming)
        ComputePolicy.current = policy

        try manualSeed(UInt64(options.seed))
        let student = try ClassifierFactory.make(description, dtype: policy.autocastDType)
        let task = try Self.task(options, student, description, dtype: policy.autocastDType)
        let workers = options.workers ?? min(8, ProcessInfo.processInfo.activeProcessorCount)
        plan = TrainingPlan(
            options: options,
            trainCount: train.count,
            validationCount: validation.count,
            classNames: train.classNames,
            parameterCount: student.module.parameterCount,
            policy: policy,
            workers: workers
        )

        let run = try RunDirectory(path: request.output, resume: request.resuming != nil)
        let parts = TrainingParts(
            plan: plan,
            student: student,
            average: try options.ema.map { _ in
                try ClassifierFactory.make(description, dtype: policy.autocastDType)
            },
            task: task,
            optimizer: try Self.optimizer(options, student.module),
            ema: try options.ema.map {
                try ExponentialMovingAverage(of: student.module, decay: $0)
            },
            trainingLoader: { attempt in
                try DataLoader(
                    dataset: train,
                    transform: transform,
                    plan: EpochPlan(
                        count: train.count,
                        batchSize: options.batch,
                        seed: StepRandomness.dataSeed(options.seed, attempt: attempt),
                        dropsLast: true
                    ),
                    workers: workers,
                    policy: .replace(limit: options.skipLimit)
                )
            },
            validationLoader: try DataLoader(
                dataset: validation,
                transform: processor,
                plan: EpochPlan(count: validation.count, batchSize: options.batch, shuffles: false),
                workers: workers,
                policy: .drop(limit: min(options.skipLimit, validation.count - 1))
            ),
            run: run
        )
        let state =
            try TrainerCheckpoint.loadNewest(into: parts, notice: observer.didNotice)
            ?? TrainerState()
        // A process that was killed between saving and pointing left `best` behind.
        if let best = state.best, run.exists(best.checkpoint) {
            try run.point(.best, to: best.checkpoint)
        }
        if request.resuming == nil { try Self.writeManifest(request, plan, run) }
        startStep = state.step
        loop = try TrainingLoop(parts, state: state, observer: observer, stop: stop)
    }

    /// Trains to the end, or until asked to stop.
    public func run() async throws -> TrainingLoop.Outcome { try await loop.run() }

    // MARK: - Parts

    private static func policy(
        _ options: TrainingOptions,
        resuming: RunManifest?
    ) throws -> ComputePolicy {
        if let threads = resuming?.threads ?? options.threads {
            try Libtorch.setThreadCount(threads)
        }
        let precision = resuming?.dtype ?? options.dtype
        if let resuming {
            return ComputePolicy(
                dtype: precision == .bf16 ? .bfloat16 : .float32,
                linear: resuming.kernels.linear,
                attention: resuming.kernels.attention
            )
        }
        switch precision {
        case .fp32: return try .automatic(dtype: .float32)
        case .bf16: return try .automatic(dtype: .bfloat16)
        case .auto: return try .automatic()
        }
    }

    private static func task(
        _ options: TrainingOptions,
        _ student: TrainableClassifier,
        _ description: ModelDescription,
        dtype: DType?
    ) throws -> any TrainingTask {
        let kind: DistillationTask.Kind
        switch options.distillation {
        case .none: return SupervisedTask(student: student.forward, smoothing: options.smoothing)
        case .soft: kind = .soft(tau: options.distillationTau, reduction: options.klReduction)
        case .hard: kind = .hard
        }
        return DistillationTask(
            student: student.forward,
            teacher: try TeacherLoader.load(options.teacher, for: description, dtype: dtype),
            kind: kind,
            alpha: options.distillationAlpha,
            smoothing: options.smoothing
        )
    }

    private static func optimizer(
        _ options: TrainingOptions,
        _ module: Module
    ) throws -> any Optimizer {
        let groups = ParameterGroup.decaying(module, weightDecay: options.weightDecay)
        switch options.optimizer {
        case .adamw: return try AdamW(groups)
        case .sgd: return try SGD(groups, momentum: options.momentum)
        }
    }

    private static func writeManifest(
        _ request: Request,
        _ plan: TrainingPlan,
        _ run: RunDirectory
    ) throws {
        let manifest = RunManifest(
            toolVersion: request.toolVersion,
            libtorchVersion: Libtorch.versionOfLibrary,
            started: Date().formatted(.iso8601),
            recipe: request.recipe,
            options: request.options,
            kernels: (plan.policy.linear, plan.policy.attention),
            dtype: plan.policy.dtype == .bfloat16 ? .bf16 : .fp32,
            threads: Libtorch.threadCount,
            counts: (plan.trainCount, plan.validationCount),
            classNames: plan.classNames,
            facts: plan.facts
        )
        try AtomicFile.write(try manifest.yaml().utf8, to: run.manifestPath)
    }
}
