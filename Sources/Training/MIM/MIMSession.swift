import Checkpoints
import Datasets
import Foundation
import ImagePipeline
public import Torch
import TorchNN
import VisionModels

/// A run that learns to paint hidden patches, checked and set up: everything is wrong before anything is created, or
/// nothing is.
@ModelActor
public final class MIMSession: RunSession {
    /// What follows from options, data and model.
    public nonisolated let plan: TrainingPlan
    /// The step that the run goes on from; 0 at the start.
    public let startStep: Int
    private let loop: TrainingLoop

    /// Checks the options, opens the data, makes the network, and only then creates the run's folder.
    public init(
        _ request: TrainingSession.Request,
        observer: any TrainingObserver,
        stop: StopRequest
    ) throws {
        let options = request.options
        try MIMPreflight.check(options)
        try RunDirectory.check(request.output, resume: request.resuming != nil)
        let (description, transformer) = try Self.description(options)
        let masking = try MIMPreflight.masking(options, transformer)
        let data = try MIMData(options)
        try request.resuming?.checkData(
            train: data.train.count,
            validation: data.validation?.count ?? 0,
            classNames: data.train.classNames,
            run: request.output
        )
        let policy = try TrainingSession.policy(options, resuming: request.resuming)
        ComputePolicy.current = policy
        try manualSeed(UInt64(options.seed))
        let model = try Self.model(transformer)
        // A run that was stopped before its first checkpoint starts as a new one does.
        let last = request.output + "/checkpoints/last"
        if !options.initialWeights.isEmpty,
            request.resuming == nil || !FileManager.default.fileExists(atPath: last)
        {
            observer.didNotice("note: \(try Self.start(options.initialWeights, model))")
        }
        plan = TrainingPlan(
            options: options,
            trainCount: data.train.count,
            picturesPerEpoch: data.train.count,
            validationCount: data.validation?.count ?? 0,
            classNames: data.train.classNames,
            parameterCount: model.parameterCount,
            policy: policy,
            workers: data.workers
        )
        let parts = try Self.parts(request, plan, model, description, masking, data)
        let state =
            try TrainerCheckpoint.loadNewest(into: parts, notice: observer.didNotice)
            ?? TrainerState()
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

    /// What the options' transformer is without a classifier.
    nonisolated static func description(
        _ options: TrainingOptions
    ) throws -> (ModelDescription, ViTConfiguration) {
        var configuration = try ClassifierFactory.preset(options.model)
        if let size = options.size { configuration.imageSize = (size, size) }
        if let channels = options.inChans { configuration.inChannels = channels }
        guard case .visionTransformer(var transformer) = configuration else {
            throw OptionError.conflict(
                "\(options.model) has no patches to hide: choose a transformer"
            )
        }
        transformer.numClasses = 0
        transformer.dropPathRate = 0
        configuration = .visionTransformer(transformer)
        try configuration.validate()
        let description = ModelDescription(
            configuration: configuration,
            processor: try ClassifierFactory.processor(configuration, cropShare: nil),
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
    private static func start(_ path: String, _ model: MaskedImageModel) throws -> String {
        let configuration = model.network.configuration
        let loaded = try ModelDirectory.load(
            path,
            options: LoadOptions(
                relaxations: [.noHead, .dropHead],
                imageSize: LoadOptions.ImageSize(
                    height: configuration.imageHeight,
                    width: configuration.imageWidth
                ),
                positionResampling: .dino
            )
        )
        let stored = Dictionary(
            loaded.model.namedTensors().map { ($0.name, $0.tensor) },
            uniquingKeysWith: { first, _ in first }
        )
        let targets = model.network.namedTensors()
        try StoredTensors.check(
            stored,
            fit: targets,
            file: path,
            hint: "choose the --model that it holds"
        )
        try StoredTensors.copy(stored, into: targets)
        return "the transformer is that of \(path); mask token and decoder are fresh"
    }

    private static func parts(
        _ request: TrainingSession.Request,
        _ plan: TrainingPlan,
        _ model: MaskedImageModel,
        _ description: ModelDescription,
        _ masking: PatchMasking,
        _ data: MIMData
    ) throws -> LoopParts {
        let options = plan.options
        let transform = try Augmentation.transform(
            options,
            description.configuration,
            description.processor
        )
        _ = try data.trainingLoader(transform, attempt: 0)
        let learner = MIMLearner(
            plan,
            model,
            description,
            masking: masking,
            optimizer: try TrainingSession.optimizer(
                options,
                groups: groups(model, weightDecay: options.weightDecay)
            ),
            shown: try data.shown(options.shownPictures, description.processor)
        )
        return LoopParts(
            plan: plan,
            run: try RunDirectory(path: request.output, resume: request.resuming != nil),
            learner: learner,
            trainingLoader: { try data.trainingLoader(transform, attempt: $0) },
            notes: data.validation?.notes ?? []
        )
    }
}
