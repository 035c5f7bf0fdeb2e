import Checkpoints
import Datasets
import Foundation
public import Torch
import TorchNN
import VisionModels

/// A run, checked and set up: everything is wrong before anything is created, or nothing is.
@ModelActor
public final class TrainingSession: RunSession {
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
        /// Whether the batch is taken from the number of images: the recipe says so, and nobody asked for another.
        public var choosesBatch = false

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
    private let parts: TrainingParts
    private let loop: TrainingLoop
    private let configuration: ModelConfiguration
    private let observer: any TrainingObserver
    private let stop: StopRequest

    /// Checks the options, opens the data, makes the models, and only then creates the run's folder.
    public init(_ request: Request, observer: any TrainingObserver, stop: StopRequest) throws {
        var request = request
        try Preflight.check(request.options)
        try RunDirectory.check(request.output, resume: request.resuming != nil)
        let data = try request.openData(notice: observer.didNotice)
        let options = request.options
        try request.resuming?.checkData(
            train: data.train,
            validation: data.validation.count,
            run: request.output
        )
        let network = try Network(request, classNames: data.classNames)
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
        let policy = try Self.policy(options, resuming: request.resuming)
        ComputePolicy.current = policy

        try manualSeed(UInt64(options.seed))
        let (student, fresh) = try network.make(
            dtype: policy.autocastDType,
            notice: observer.didNotice
        )
        plan = TrainingPlan(
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
            holdsOut: data.holdsOut
        )
        if request.resuming == nil { try plan.checkRates() }
        let teacher =
            try options.distillation == .none
            ? nil
            : RunTeacher(request, plan, student: description, data, notice: observer.didNotice)
        parts = try Self.parts(request, plan, data, student, description, teacher)
        loop = try TrainingLoop(parts.forLoop, for: request, observer: observer, stop: stop)
        startStep = loop.state.step
    }

    /// Measures what the run will take; nothing of the run changes.
    public func estimate() throws -> RunEstimate? {
        let (height, width) = configuration.imageSize
        return try RunEstimate(
            parts.estimated(
                macs: configuration.macs,
                inputShape: [configuration.inChannels, height, width]
            ),
            state: loop.state
        )
    }

    /// Makes the teacher ready: trains it first, where the options say so, and opens the file of its answers.
    ///
    /// ``run()`` does so too; to call it before tells what ``estimate()`` then takes into account.
    ///
    /// - Returns: How the teacher's training was stopped, or nil where the teacher is ready.
    /// - Throws: What training throws, and ``TeacherCacheError``.
    public func prepare() async throws -> TrainingLoop.Outcome? {
        try await parts.teacher?.prepare(observer: observer, stop: stop)
    }

    /// Trains to the end, or until asked to stop.
    public func run() async throws -> TrainingLoop.Outcome {
        if let stopped = try await prepare() { return stopped }
        return try await loop.run()
    }

    // MARK: - Parts

    /// Makes all that the loop drives; the run's folder only when nothing else can be wrong.
    private static func parts(
        _ request: Request,
        _ plan: TrainingPlan,
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
        let task = try task(options, student, teacher)
        let optimizer = try optimizer(options, student.module, fresh: plan.freshWeights)
        return TrainingParts(
            plan: plan,
            student: student,
            average: try options.ema.map { _ in
                try ClassifierFactory.make(description, dtype: dtype)
            },
            task: task,
            teacher: teacher,
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
            run: try RunDirectory(path: request.output, resume: request.resuming != nil)
        )
    }

    static func policy(
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
                attention: resuming.kernels.attention,
                pointwise: resuming.kernels.pointwise
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
        _ teacher: RunTeacher?
    ) throws -> any TrainingTask {
        let loss = ClassificationLoss(smoothing: options.smoothing, isBinary: options.bceLoss)
        guard let teacher else { return SupervisedTask(student: student.forward, loss: loss) }
        return try DistillationTask(
            student: student.forward,
            teacher: teacher.forward,
            kind: options.distillation == .soft
                ? .soft(tau: options.distillationTau, reduction: options.klReduction) : .hard,
            alpha: options.distillationAlpha,
            loss: loss
        )
    }

    /// Makes the optimiser over the weights that are trained.
    ///
    /// - Parameters:
    ///   - options: The options.
    ///   - module: The network.
    ///   - fresh: The keys of weights that have the full rate under a layer decay, wherever they lie.
    /// - Returns: The optimiser.
    /// - Throws: `TorchError` for a lack of memory.
    static func optimizer(
        _ options: TrainingOptions,
        _ module: Module,
        fresh: [String] = []
    ) throws -> any Optimizer {
        try optimizer(options, groups: groups(options, module, fresh: fresh))
    }

    /// Makes the optimiser over groups of weights.
    static func optimizer(
        _ options: TrainingOptions,
        groups: [ParameterGroup]
    ) throws -> any Optimizer {
        let (beta1, beta2) = options.optBetas.map { ($0[0], $0[1]) } ?? (0.9, 0.999)
        switch options.optimizer {
        case .adamw: return try AdamW(groups, beta1: beta1, beta2: beta2, eps: options.optEps)
        case .sgd, .momentum:
            return try SGD(groups, momentum: options.momentum, nesterov: options.usesNesterov)
        case .lamb: return try LAMB(groups, beta1: beta1, beta2: beta2, eps: options.optEps)
        }
    }

    private static func groups(
        _ options: TrainingOptions,
        _ module: Module,
        fresh: [String]
    ) -> [ParameterGroup] {
        guard let layerDecay = options.layerDecay else {
            return ParameterGroup.decaying(module, weightDecay: options.weightDecay)
        }
        let order = LayerOrder(names: module.namedParameters().map(\.name))
        return ParameterGroup.layerDecaying(
            module,
            weightDecay: options.weightDecay,
            layerDecay: layerDecay,
            layerCount: order.count,
            layer: { fresh.contains($0) ? nil : order.layer(of: $0) }
        )
    }
}
