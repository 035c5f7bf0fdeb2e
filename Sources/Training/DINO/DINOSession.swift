import Checkpoints
import Datasets
import Foundation
import ImagePipeline
public import Torch
import TorchNN
import VisionModels

/// A run that learns without labels, checked and set up.
///
/// All errors surface before anything is written to disk.
@ModelActor
public final class DINOSession: RunSession {
    /// What follows from options, data and model.
    public nonisolated let plan: RunPlan
    /// The step that the run goes on from; 0 at the start.
    public let startStep: Int
    private let learner: DINOLearner
    private let loop: Trainer

    /// Checks the options, opens the data, makes the networks, and only then creates the run's folder.
    public init(
        _ request: RunRequest,
        observer: any TrainingObserver,
        stop: StopRequest
    ) throws {
        let options = request.options
        try DINOPreflight.check(options)
        try request.checkOutput()
        try request.checkProcesses()
        let description = try DINONetworks.description(options)
        let crops = try Self.crops(options, description)
        let data = try UnlabelledData(request)
        let policy = try request.computePolicy()
        ComputePolicy.current = policy
        try manualSeed(UInt64(options.seed))
        let networks = try DINONetworks(options, description)
        if request.isAtStart { try Self.start(options, networks, data, observer) }
        try request.checkProcesses(networks.student)
        plan = data.plan(
            request,
            parameterCount: networks.student.parameterCount,
            policy: policy
        )
        learner = try Self.learner(plan, networks, crops, data)
        let parts = try data.trainerParts(request, plan, crops, learner)
        loop = try Trainer(parts, plan, for: request, observer: observer, stop: stop)
        startStep = loop.state.step
    }

    /// Measures what the run will take; nothing of the run changes.
    public func estimate() throws -> RunEstimate? {
        try RunEstimate(learner.estimated(), state: loop.state)
    }

    /// Finds the largest batch that fits the device.
    public func largestBatch(upTo limit: Int) throws -> Int? {
        try LargestBatch.find(learner.estimated(), on: plan.policy.device, limit: limit)
    }

    /// Trains to the end, or until asked to stop.
    public func run() async throws -> Trainer.Outcome {
        try await loop.run(plan) { learner.estimated() }
    }

    /// What is done to images, checked against the model.
    nonisolated static func crops(
        _ options: TrainingOptions,
        _ description: ModelDescription
    ) throws -> MultiCrop {
        let size = description.configuration.imageSize.height
        let patch = description.configuration.transformer?.patchSize
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

    /// What only a new run does: the weights that it starts from, and a word on the images.
    private static func start(
        _ options: TrainingOptions,
        _ networks: DINONetworks,
        _ data: UnlabelledData,
        _ observer: any TrainingObserver
    ) throws {
        if !options.initialWeights.isEmpty {
            for sentence in try DINOStart.load(options.initialWeights, into: networks) {
                observer.didNotice("note: \(sentence)")
            }
        }
        if let note = DINOPreflight.noteOfTemperature(options) {
            observer.didNotice("note: \(note)")
        }
        let size = networks.description.configuration.imageSize.height
        if let note = DINOPreflight.noteOfSmallImages(data.train, globalSize: size) {
            observer.didNotice("note: \(note)")
        }
    }

    private static func learner(
        _ plan: RunPlan,
        _ networks: DINONetworks,
        _ crops: MultiCrop,
        _ data: UnlabelledData
    ) throws -> DINOLearner {
        let loaders = try data.neighbourLoaders(networks.description.processor)
        return try DINOLearner(
            plan,
            networks,
            optimizer: try networks.optimizer(plan.options),
            crops: crops,
            neighbours: loaders.map { NeighbourGuard(bank: $0.bank, queries: $0.queries) }
        )
    }
}
