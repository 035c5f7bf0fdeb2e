import Checkpoints
import ImagePipeline
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

@testable import Training

/// Head, loss, centre, schedules, clipping and five steps against DINO's own code.
@Suite("DINO against its own code", .tags(.parity))
@ModelActor
struct DINOParityTests {
    static let tolerance: Float = 1e-4

    private static let transformer = ViTConfiguration(
        imageHeight: 16,
        imageWidth: 16,
        patchSize: 4,
        numClasses: 0,
        embedDim: 24,
        depth: 2,
        numHeads: 3,
        layerNormEps: 1e-6
    )

    private static func options(accumulation: Int = 1) -> TrainingOptions {
        var options = TrainingOptions.defaults(of: .dino)
        options.epochs = 3
        options.batch = 3
        options.accumulation = accumulation
        options.lr = 0.02
        options.lrScaling = false
        options.minLR = 1e-4
        options.warmupEpochs = 1
        options.momentumTeacher = 0.9
        options.teacherTemp = 0.07
        options.warmupTeacherTemp = 0.04
        options.warmupTeacherTempEpochs = 2
        options.clipGrad = 1
        options.outDim = 32
        options.localCropsNumber = 3
        options.dropPath = 0
        return options
    }

    private func network() throws -> MultiCropNetwork {
        MultiCropNetwork(
            backbone: try VisionTransformer(Self.transformer),
            head: try DINOHead(
                DINOHead.Configuration(inDim: 24, outDim: 32, hiddenDim: 40, bottleneckDim: 16)
            )
        )
    }

    private func learner(_ expected: Fixture, _ options: TrainingOptions) throws -> DINOLearner {
        let (student, teacher) = (try network(), try network())
        for network in [student, teacher] {
            for (name, tensor) in network.namedTensors() {
                try tensor.copy(from: expected.tensor("initial.\(name)"))
            }
        }
        try teacher.setRequiresGradient(false)
        let processor = try ImageProcessor.whole(
            height: 16,
            width: 16,
            channels: 3,
            mean: [0, 0, 0],
            std: [1, 1, 1]
        )
        let plan = RunPlan(
            options: options,
            trainCount: 6,
            imagesPerEpoch: 6,
            validationCount: 0,
            classNames: ["unlabelled"],
            parameterCount: student.parameterCount,
            policy: ComputePolicy(),
            workers: 1
        )
        let learner = try DINOLearner(
            plan,
            DINONetworks(
                student: student,
                teacher: teacher,
                center: try Tensor.zeros([1, 32]),
                description: ModelDescription(
                    configuration: .visionTransformer(Self.transformer),
                    processor: processor,
                    labels: ClassLabels(names: [])
                )
            ),
            optimizer: try AdamW(
                ParameterGroup.decayingAsDINO(student, weightDecay: options.weightDecay)
            ),
            crops: try DINOCrops.transform(options, globalSize: 16, localSize: 8, processor),
            neighbours: nil
        )
        learner.beginEpoch()
        return learner
    }

    @Test("Five steps: losses, centres, weights of student and teacher", arguments: [1, 3])
    func fiveSteps(accumulation: Int) throws {
        let expected = try fixture("dino")
        let learner = try learner(expected, Self.options(accumulation: accumulation))
        let losses = try expected.floats("losses")
        let centers = try expected.tensor("centers")
        try #require(losses.count == 5)
        for step in losses.indices {
            let place = StepPlace(
                step: step,
                epoch: step / 2,
                stepInEpoch: step % 2,
                attempt: 0
            )
            let numbers = try learner.addGradients(expected.tensor("rows.\(step)"), at: place)
            try learner.takeStep(numbers, at: place)
            try learner.clearGradients()
            expectClose(
                [Float(numbers.loss)],
                [losses[step]],
                tolerance: Self.tolerance,
                "loss \(step)"
            )
            expectClose(
                try learner.networks.center.floats(),
                try centers.selected(0, step).floats(),
                tolerance: Self.tolerance,
                "centre \(step)"
            )
        }
        for (prefix, network) in [
            ("student", learner.networks.student), ("teacher", learner.networks.teacher),
        ] {
            #expect(network.namedTensors().count > 30)
            for (name, tensor) in network.namedTensors() {
                var (found, wanted) = (
                    try tensor.floats(), try expected.floats("\(prefix).\(name)")
                )
                try #require(found.count == wanted.count, "\(name)")
                // Keys' biases change no attention: their gradient is rounding, which Adam brings to the size of others.
                if name.hasSuffix("qkv.bias") {
                    let keys = 24..<48
                    found.removeSubrange(keys)
                    wanted.removeSubrange(keys)
                }
                expectClose(
                    found,
                    wanted,
                    tolerance: Self.tolerance,
                    "\(prefix).\(name)"
                )
            }
        }
    }

    @Test("Crops of two sizes through backbone and head")
    func outputs() throws {
        let expected = try fixture("dino")
        let learner = try learner(expected, Self.options())
        let crops = try DINOCrops.transform(
            Self.options(),
            globalSize: 16,
            localSize: 8,
            learner.networks.description.processor
        )
        let rows = try expected.tensor("rows.0")
        let views = try crops.ranges.indices.map {
            try rows.narrowed(1, crops.ranges[$0]).reshaped([3] + crops.shapes[$0])
        }
        let (student, teacher) = try withoutGradient {
            (
                try learner.networks.student(views).logits,
                try learner.networks.teacher(Array(views.prefix(2))).logits
            )
        }
        expectClose(
            try student.floats(),
            try expected.floats("student_output"),
            tolerance: Self.tolerance,
            "student"
        )
        expectClose(
            try teacher.floats(),
            try expected.floats("teacher_output"),
            tolerance: Self.tolerance,
            "teacher"
        )
    }

    @Test("A head with batch normalisation and learnt lengths, and its gradients")
    func head() throws {
        let expected = try fixture("dino")
        let head = try DINOHead(
            DINOHead.Configuration(
                inDim: 24,
                outDim: 32,
                usesBatchNorm: true,
                normLastLayer: false,
                hiddenDim: 40,
                bottleneckDim: 16
            )
        )
        for (name, tensor) in head.namedTensors() where tensor.dtype != .int64 {
            try tensor.copy(from: expected.tensor("head.\(name)"))
        }
        let output = try head(expected.tensor("head_input"))
        expectClose(
            try output.floats(),
            try expected.floats("head_output"),
            tolerance: Self.tolerance,
            "head"
        )
        try (output * output).sum().backward()
        for (name, parameter) in head.namedParameters()
        where !["mlp.0.bias", "mlp.3.bias"].contains(name) {
            let gradient = try #require(try parameter.tensor.gradient(), "\(name)")
            expectClose(
                try gradient.floats(),
                try expected.floats("head_gradient.\(name)"),
                tolerance: Self.tolerance,
                name
            )
        }
    }

    @Test("Schedules by the step and the teacher's temperature")
    func schedules() throws {
        let expected = try fixture("dino")
        let warm = StepCosine(base: 5e-4, final: 1e-6, warmupSteps: 6, totalSteps: 21)
        let up = StepCosine(base: 0.996, final: 1, totalSteps: 21)
        expectClose(
            (0..<21).map { Float(warm.value(at: $0)) },
            try expected.floats("schedule_warmup"),
            tolerance: 1e-6,
            "warm-up"
        )
        expectClose(
            (0..<21).map { Float(up.value(at: $0)) },
            try expected.floats("schedule_up"),
            tolerance: 1e-6,
            "momentum"
        )
        var options = Self.options()
        options.epochs = 9
        options.warmupTeacherTempEpochs = 5
        let schedules = DINOSchedules(options, stepsPerEpoch: 3)
        expectClose(
            (0..<9).map { Float(schedules.teacherTemp(epoch: $0)) },
            try expected.floats("teacher_temps"),
            tolerance: 1e-6,
            "temperatures"
        )
    }
}
