import Checkpoints
import Datasets
import Foundation
import ImagePipeline
public import Torch
import TorchNN
import VisionModels

/// A run that learns to paint hidden patches, checked and set up.
///
/// All errors surface before anything is written to disk.
@ModelActor
public final class MIMSession: RunSession {
    /// What follows from options, data and model.
    public nonisolated let plan: RunPlan
    /// The step that the run goes on from; 0 at the start.
    public let startStep: Int
    private let learner: MIMLearner
    private let loop: Trainer

    /// Checks the options, opens the data, makes the network, and only then creates the run's folder.
    public init(
        _ request: RunRequest,
        observer: any TrainingObserver,
        stop: StopRequest
    ) throws {
        let options = request.options
        try MIMPreflight.check(options)
        try request.checkOutput()
        try request.checkProcesses()
        let (description, transformer) = try Self.description(options)
        let masking = try MIMPreflight.masking(options, transformer)
        let data = try UnlabelledData(request)
        let policy = try request.computePolicy()
        ComputePolicy.current = policy
        try manualSeed(UInt64(options.seed))
        let model = try Self.model(transformer)
        if request.isAtStart, !options.initialWeights.isEmpty {
            try Self.start(options.initialWeights, model, description, observer)
        }
        try model.to(policy.device)
        plan = data.plan(request, parameterCount: model.parameterCount, policy: policy)
        let transform = try Augmentation.transform(
            options,
            description.configuration,
            description.processor
        )
        learner = try MIMLearner(
            plan,
            model,
            description,
            masking: masking,
            optimizer: try options.optimizerChoice.make(
                Self.groups(model, weightDecay: options.weightDecay)
            ),
            shown: try data.shown(options.shownImages, description.processor)
        )
        let parts = try data.trainerParts(request, plan, transform, learner)
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

    /// What the options' transformer is without a classifier.
    nonisolated static func description(
        _ options: TrainingOptions
    ) throws -> (ModelDescription, ViTConfiguration) {
        var configuration = try ClassifierFactory.preset(options.model)
        if let size = options.size { configuration.imageSize = (size, size) }
        if let channels = options.inChans { configuration.inChannels = channels }
        guard var transformer = configuration.transformer else {
            throw OptionError.conflict(
                "\(options.model) has no patches to mask: choose a vision transformer"
            )
        }
        transformer.numClasses = 0
        transformer.dropPathRate = 0
        configuration = .visionTransformer(transformer)
        try configuration.validate()
        let description = ModelDescription(
            configuration: configuration,
            processor: try ClassifierFactory.processor(
                configuration,
                cropShare: nil,
                upright: options.exifOrientation
            ),
            labels: ClassLabels(placeholders: 0),
            name: options.model
        )
        transformer.dropPathRate = options.dropPath
        return (description, transformer)
    }

    /// The network with fresh weights from libtorch's generator.
    static func model(_ transformer: ViTConfiguration) throws -> MaskedImageModel {
        let model = try MaskedImageModel(transformer)
        try model.maskToken.tensor.fillNormal(mean: 0, std: 0.02)
        return model
    }

    /// The optimiser's groups: the mask token decays no more than the other tokens.
    static func groups(_ model: MaskedImageModel, weightDecay: Double) -> [ParameterGroup] {
        let groups = ParameterGroup.decaying(model, weightDecay: weightDecay)
        let tokens = groups.flatMap(\.parameters).filter { $0.name == "mask_token" }
        let undecayed = groups.firstIndex { $0.weightDecay == 0 }
        return groups.indices.map { index in
            let others = groups[index].parameters.filter { $0.name != "mask_token" }
            return ParameterGroup(
                name: groups[index].name,
                parameters: others + (index == undecayed ? tokens : []),
                weightDecay: groups[index].weightDecay,
                lrScale: groups[index].lrScale
            )
        }
    }

    /// Fills the transformer from a checkpoint.
    private static func start(
        _ path: String,
        _ model: MaskedImageModel,
        _ description: ModelDescription,
        _ observer: any TrainingObserver
    ) throws {
        let notes = try BackboneStart.load(
            path,
            for: description.configuration,
            into: [model.network]
        )
        observer.didNotice(
            "note: the transformer is loaded from \(path), mask token and decoder are new"
        )
        for note in notes { observer.didNotice("note: \(note)") }
    }
}
