import Checkpoints
import ImagePipeline
import Torch
import TorchNN

@testable import Training

/// A run of DINO on a network of a few thousand weights, without data.
@ModelActor
struct TinyDINO {
    var options: TrainingOptions
    let networks: DINONetworks
    let learner: DINOLearner

    init(_ change: (inout TrainingOptions) -> Void = { _ in }) throws {
        var options = TrainingOptions.defaults(of: .dino)
        options.data = "none"
        options.model = "deit_nano_patch4_28"
        options.size = 8
        options.batch = 4
        options.epochs = 4
        options.warmupEpochs = 0
        options.lr = 0.01
        options.lrScaling = false
        options.outDim = 16
        options.headHiddenDim = 16
        options.headBottleneckDim = 8
        options.localCropsNumber = 2
        options.freezeLastLayer = 1
        change(&options)
        self.options = options
        try manualSeed(UInt64(options.seed))
        let description = try DINONetworks.description(options)
        networks = try DINONetworks(options, description)
        let plan = RunPlan(
            options: options,
            trainCount: 16,
            imagesPerEpoch: 16,
            validationCount: 0,
            classNames: ["unlabelled"],
            parameterCount: networks.student.parameterCount,
            policy: ComputePolicy(),
            workers: 1
        )
        learner = try DINOLearner(
            plan,
            networks,
            optimizer: try networks.optimizer(options),
            crops: try DINOCrops.transform(
                options,
                globalSize: 8,
                localSize: 4,
                description.processor
            ),
            neighbours: nil
        )
        learner.beginEpoch()
    }

    /// Four steps an epoch, on noise.
    func train(steps: Range<Int>) throws {
        for step in steps {
            try manualSeed(UInt64(100 + step))
            let place = StepPlace(
                step: step,
                epoch: step / 4,
                stepInEpoch: step % 4,
                attempt: 0
            )
            // Two crops of 3 × 8 × 8 and some of 3 × 4 × 4.
            let width = 2 * 192 + options.localCropsNumber * 48
            let rows = try Tensor.randn([4, width])
            let numbers = try learner.addGradients(rows, at: place)
            try learner.takeStep(numbers, at: place)
            try learner.clearGradients()
        }
    }

    /// All tensors of the run.
    func contents() throws -> [String: [Float]] {
        try Dictionary(
            uniqueKeysWithValues: learner.namedState().map {
                ($0.name, try $0.tensor.to(.float32).floats())
            }
        )
    }
}
