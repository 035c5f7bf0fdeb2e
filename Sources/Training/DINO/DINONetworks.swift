import Checkpoints
import Torch
import TorchNN
import VisionModels

/// The student and the teacher of a run: two networks of one kind, which begin alike.
@ModelActor
struct DINONetworks {
    let student: MultiCropNetwork
    let teacher: MultiCropNetwork
    /// The mean of the teacher's outputs that is taken off them, `[1, outDim]`.
    let center: Tensor
    /// What the teacher's backbone is, which is the model that comes out.
    let description: ModelDescription

    /// What the options' model is without a classifier.
    ///
    /// - Throws: ``OptionError`` where there is no such model, or it has a distillation token.
    nonisolated static func description(_ options: TrainingOptions) throws -> ModelDescription {
        var configuration = try ClassifierFactory.preset(options.model)
        guard !configuration.isDistilled else {
            throw OptionError.conflict(
                "\(options.model) has a distillation token, which DINO does not use: choose the plain model"
            )
        }
        if let size = options.size { configuration.imageSize = (size, size) }
        if let channels = options.inChans { configuration.inChannels = channels }
        configuration.numClasses = 0
        configuration.transformer?.dropPathRate = 0
        // DINO's head reads one vector of the last block.
        if let transformer = configuration.transformer,
            [.tokenAvg, .none].contains(transformer.globalPool)
        {
            configuration.transformer?.globalPool = transformer.classToken ? .token : .avg
            configuration.transformer?.headBlocks = 1
        }
        try configuration.validate()
        return ModelDescription(
            configuration: configuration,
            processor: try ClassifierFactory.processor(
                configuration,
                cropShare: nil,
                upright: options.exifOrientation
            ),
            labels: ClassLabels(placeholders: configuration.numClasses),
            name: options.model
        )
    }

    /// Takes two networks as they are.
    init(
        student: MultiCropNetwork,
        teacher: MultiCropNetwork,
        center: Tensor,
        description: ModelDescription
    ) {
        (self.student, self.teacher) = (student, teacher)
        (self.center, self.description) = (center, description)
    }

    /// Makes both networks with fresh weights from libtorch's generator, on the device of the current policy.
    init(_ options: TrainingOptions, _ description: ModelDescription) throws {
        self.description = description
        var learning = description.configuration
        learning.transformer?.dropPathRate = options.dropPath
        student = try Self.network(learning, options)
        teacher = try Self.network(description.configuration, options)
        let device = ComputePolicy.current.device
        center = try Tensor.zeros([1, options.outDim], device: device)
        let weights = Dictionary(
            student.namedTensors().map { ($0.name, $0.tensor) },
            uniquingKeysWith: { first, _ in first }
        )
        try StoredTensors.copy(weights, into: teacher.namedTensors())
        try teacher.setRequiresGradient(false)
        // The first weights are drawn on the CPU, so they are the same on every device.
        try student.to(device)
        try teacher.to(device)
    }

    private static func network(
        _ configuration: ModelConfiguration,
        _ options: TrainingOptions
    ) throws -> MultiCropNetwork {
        let backbone = try configuration.makeModel()
        let head = try DINOHead(
            DINOHead.Configuration(
                inDim: backbone.featureWidth,
                outDim: options.outDim,
                usesBatchNorm: options.useBNInHead,
                normLastLayer: options.normLastLayer,
                layers: options.headLayers,
                hiddenDim: options.headHiddenDim,
                bottleneckDim: options.headBottleneckDim
            )
        )
        return MultiCropNetwork(backbone: backbone, head: head)
    }

    /// All tensors by the names of checkpoints: `student.…`, `teacher.…` and `center`.
    func namedTensors() -> [(name: String, tensor: Tensor)] {
        student.namedTensors().map { ("student.\($0.name)", $0.tensor) }
            + teacher.namedTensors().map { ("teacher.\($0.name)", $0.tensor) }
            + [("center", center)]
    }

    /// All that a run needs to go on: the networks, the centre and the optimiser's memory.
    func namedState(_ optimizer: any Optimizer) -> [(name: String, tensor: Tensor)] {
        namedTensors() + optimizer.namedState().map { ("optimizer.\($0.name)", $0.tensor) }
    }

    /// Makes the optimiser over the student's weights.
    func optimizer(_ options: TrainingOptions) throws -> any Optimizer {
        try options.optimizerChoice.make(
            ParameterGroup.decayingAsDINO(student, weightDecay: options.weightDecay)
        )
    }
}

extension ImageClassifier {
    /// The width of what `pooledFeatures(_:)` gives.
    var featureWidth: Int {
        switch self {
        case let transformer as VisionTransformer: transformer.configuration.embedDim
        case let network as any ConvNet: network.numFeatures
        default: numClasses
        }
    }
}
