import Checkpoints
import Datasets
import Foundation
import ImagePipeline
public import Torch
import TorchNN
import VisionModels

/// A run that learns without labels, checked and set up: everything is wrong before anything is created, or nothing is.
@ModelActor
public final class DINOSession: RunSession {
    /// What follows from options, data and model.
    public nonisolated let plan: TrainingPlan
    /// The step that the run goes on from; 0 at the start.
    public let startStep: Int
    private let loop: TrainingLoop

    /// Checks the options, opens the data, makes the networks, and only then creates the run's folder.
    public init(
        _ request: TrainingSession.Request,
        observer: any TrainingObserver,
        stop: StopRequest
    ) throws {
        let options = request.options
        try DINOPreflight.check(options)
        try RunDirectory.check(request.output, resume: request.resuming != nil)
        let description = try DINONetworks.description(options)
        let crops = try Self.crops(options, description)
        let data = try DINOData(options)
        try request.resuming?.checkData(
            train: data.train.count,
            validation: data.validation?.count ?? 0,
            classNames: data.train.classNames,
            run: request.output
        )
        let policy = try TrainingSession.policy(options, resuming: request.resuming)
        ComputePolicy.current = policy
        try manualSeed(UInt64(options.seed))
        let networks = try DINONetworks(options, description)
        // A run that was stopped before its first checkpoint starts as a new one does.
        let last = request.output + "/checkpoints/last"
        if request.resuming == nil || !FileManager.default.fileExists(atPath: last) {
            try Self.start(options, networks, data, observer)
        }
        plan = TrainingPlan(
            options: options,
            trainCount: data.train.count,
            picturesPerEpoch: data.train.count,
            validationCount: data.validation?.count ?? 0,
            classNames: data.train.classNames,
            parameterCount: networks.student.parameterCount,
            policy: policy,
            workers: data.workers
        )
        let parts = try Self.parts(request, plan, networks, crops, data)
        let state =
            try TrainerCheckpoint.loadNewest(into: parts, notice: observer.didNotice)
            ?? TrainerState()
        if let best = state.best, parts.run.exists(best.checkpoint) {
            try parts.run.point(.best, to: best.checkpoint)
        }
        if request.resuming == nil {
            try TrainingSession.writeManifest(request, plan, parts.run)
        }
        startStep = state.step
        loop = try TrainingLoop(parts, state: state, observer: observer, stop: stop)
    }

    /// Nothing comes before the first step.
    public func prepare() async throws -> TrainingLoop.Outcome? { nil }

    /// There is none: the first steps tell.
    public func estimate() throws -> RunEstimate? { nil }

    /// Trains to the end, or until asked to stop.
    public func run() async throws -> TrainingLoop.Outcome { try await loop.run() }

    private static func crops(
        _ options: TrainingOptions,
        _ description: ModelDescription
    ) throws -> MultiCrop {
        let size = description.configuration.imageSize.height
        var patch: Int?
        if case .visionTransformer(let transformer) = description.configuration {
            patch = transformer.patchSize
        }
        let localSize = DINOCrops.localSize(options, globalSize: size, patch: patch)
        try DINOPreflight.checkSizes(
            description.configuration,
            localSize: localSize,
            options
        )
        return try DINOCrops.transform(
            options,
            globalSize: size,
            localSize: localSize,
            description.processor
        )
    }

    /// What only a new run does: the weights that it starts from, and a word on the pictures.
    private static func start(
        _ options: TrainingOptions,
        _ networks: DINONetworks,
        _ data: DINOData,
        _ observer: any TrainingObserver
    ) throws {
        if !options.initialWeights.isEmpty {
            for sentence in try DINOStart.load(options.initialWeights, into: networks) {
                observer.didNotice("note: \(sentence)")
            }
        }
        let size = networks.description.configuration.imageSize.height
        if let note = DINOPreflight.noteOfSmallPictures(data.train, globalSize: size) {
            observer.didNotice("note: \(note)")
        }
    }

    private static func parts(
        _ request: TrainingSession.Request,
        _ plan: TrainingPlan,
        _ networks: DINONetworks,
        _ crops: MultiCrop,
        _ data: DINOData
    ) throws -> LoopParts {
        let options = plan.options
        _ = try data.trainingLoader(crops, attempt: 0)
        let loaders = try data.neighbourLoaders(networks.description.processor)
        let learner = DINOLearner(
            plan,
            networks,
            optimizer: try TrainingSession.optimizer(
                options,
                groups: ParameterGroup.decayingAsDINO(
                    networks.student,
                    weightDecay: options.weightDecay
                )
            ),
            crops: crops,
            neighbours: loaders.map { NeighbourGuard(bank: $0.bank, queries: $0.queries) }
        )
        return LoopParts(
            plan: plan,
            run: try RunDirectory(path: request.output, resume: request.resuming != nil),
            learner: learner,
            trainingLoader: { try data.trainingLoader(crops, attempt: $0) },
            notes: data.validation?.notes ?? []
        )
    }
}
