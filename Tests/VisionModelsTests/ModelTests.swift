import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

@Suite("Models", .tags(.unit))
@ModelActor
struct ModelTests {
    @Test(
        "DeiT's sizes have exactly the paper's parameters",
        arguments: [
            ("deit_tiny_patch16_224", 5_717_416), ("deit_small_patch16_224", 22_050_664),
            ("deit_base_patch16_224", 86_567_656), ("deit_tiny_distilled_patch16_224", 5_910_800),
            ("deit_small_distilled_patch16_224", 22_436_432),
            ("deit_base_distilled_patch16_224", 87_338_192),
            ("deit_base_patch16_384", 86_859_496), ("deit_base_distilled_patch16_384", 87_630_032),
            ("resnet18", 11_689_512), ("resnet34", 21_797_672), ("resnet50", 25_557_032),
        ]
    )
    func parameterCounts(name: String, count: Int) throws {
        #expect(try ModelRegistry.configuration(named: name).makeModel().parameterCount == count)
    }

    @Test(
        "Images of any shape that the patches divide",
        arguments: [(24, 40, 8, 1, 3), (28, 28, 7, 3, 16), (6, 4, 2, 5, 6)]
    )
    func shapes(height: Int, width: Int, patch: Int, channels: Int, patches: Int) throws {
        let configuration = ViTConfiguration(
            imageHeight: height,
            imageWidth: width,
            patchSize: patch,
            inChannels: channels,
            numClasses: 7,
            embedDim: 12,
            depth: 1,
            numHeads: 3,
            layerNormEps: 1e-6
        )
        #expect(configuration.patchCount == (height / patch) * (width / patch))
        for isDistilled in [false, true] {
            var configuration = configuration
            configuration.isDistilled = isDistilled
            let model = try VisionTransformer.make(configuration)
            #expect(model.inputShape == [channels, height, width])
            let images = try Tensor.randn([2, channels, height, width])
            let tokens = try model.forwardFeatures(images)
            #expect(tokens.shape == [2, configuration.patchCount + (isDistilled ? 2 : 1), 12])
            #expect(try model(images).shape == [2, 7])
        }
    }

    @Test(
        "A batch in evaluation, which goes through in parts, gives each image its own numbers",
        arguments: ComputePolicy.availableKernels,
        [2, 9]
    )
    func parts(kernel: String, batch: Int) throws {
        let previous = ComputePolicy.current
        defer { ComputePolicy.current = previous }
        let kind = try #require(ComputePolicy.Kernel(rawValue: kernel))
        ComputePolicy.current = ComputePolicy(linear: kind, attention: kind)
        try manualSeed(8)
        let model = try VisionTransformer.make(
            ViTConfiguration(
                imageHeight: 16,
                imageWidth: 16,
                patchSize: 4,
                numClasses: 5,
                embedDim: 24,
                depth: 2,
                numHeads: 3,
                layerNormEps: 1e-6
            )
        )
        model.eval()
        let images = try Tensor.randn([batch, 3, 16, 16])
        let recorded = try model(images).detached()  // with gradients nothing is split
        try withoutGradient {
            let found = try model(images)
            expectClose(
                shape: found.shape,
                try found.floats(),
                expectedShape: [batch, 5],
                try recorded.floats(),
                tolerance: 1e-5
            )
            let last = try model(images.narrowed(0, (batch - 1)..<batch)).floats()
            expectClose(Array(try found.floats().suffix(5)), last, tolerance: 1e-5)
        }
    }

    @Test("A distilled model predicts the mean of its heads")
    func distilled() throws {
        let model = try DistilledVisionTransformer(
            ViTConfiguration(
                imageHeight: 8,
                imageWidth: 8,
                patchSize: 4,
                numClasses: 3,
                embedDim: 8,
                depth: 1,
                numHeads: 2,
                layerNormEps: 1e-6
            )
        )
        #expect(model.configuration.isDistilled)
        model.eval()
        let images = try Tensor.randn([2, 3, 8, 8])
        let logits = try model.logits(images)
        #expect(try model(images).floats() == logits.averaged().floats())
        #expect(try logits.cls.floats() != #require(logits.dist).floats())
    }

    /// The mean of 1 and 1 + 2⁻⁷ needs one more bit than `bfloat16` has.
    @Test("Heads in bfloat16 are averaged in float32")
    func headsAreAveragedInFloat32() throws {
        let logits = ClassifierLogits(
            cls: try Tensor([1.0, 1.0, -3.0], shape: [1, 3]).to(.bfloat16),
            dist: try Tensor([1, 1.0078125, 2], shape: [1, 3]).to(.bfloat16)
        )
        let average = try logits.averaged()
        #expect(average.shape == [1, 3] && average.dtype == .float32)
        #expect(try average.floats() == [1, 1.00390625, -0.5])
        let alone = try ClassifierLogits(cls: logits.cls).averaged()
        #expect(alone.dtype == .float32)
        #expect(try alone.floats() == [1, 1, -3])
    }

    @Test("Images of another size or with other channels are refused in one sentence")
    func wrongImages() throws {
        let model = try VisionTransformer(
            ViTConfiguration(
                imageHeight: 8,
                imageWidth: 8,
                patchSize: 4,
                embedDim: 8,
                depth: 1,
                numHeads: 2,
                layerNormEps: 1e-6
            )
        )
        for shape in [[1, 3, 8, 4], [1, 1, 8, 8], [3, 8, 8]] {
            let error = #expect(throws: TorchError.self) { try model(Tensor.zeros(shape)) }
            #expect(error?.message.contains("[3, 8, 8]") == true)
        }
    }

    @Test("Configurations that nothing can be made from name the number")
    func invalid() {
        var base = ViTConfiguration(layerNormEps: 1e-6)
        #expect(throws: Never.self) { try base.validate() }
        base.imageWidth = 230
        let error = #expect(throws: ConfigurationError.self) { try base.validate() }
        #expect(
            error?.description.contains("230") == true
                && error?.description.contains("patch size 16") == true
        )
        for change in [
            { (c: inout ViTConfiguration) in c.numHeads = 5 }, { $0.numHeads = 0 },
            { $0.patchSize = -16 }, { $0.depth = 0 },
            { $0.numClasses = -1 }, { $0.initValues = .infinity }, { $0.mlpRatio = .nan },
            { $0.layerNormEps = -1 },
            { $0.embedDim = Int.max },
        ] as [(inout ViTConfiguration) -> Void] {
            var configuration = ViTConfiguration(layerNormEps: 1e-6)
            change(&configuration)
            #expect(throws: ConfigurationError.self) { try configuration.validate() }
        }
        #expect(throws: ConfigurationError.self) {
            try ModelRegistry.configuration(named: "deit_tiny")
        }
    }

    @Test("Stochastic depth grows from nothing in the first block to the whole rate in the last")
    func dropPath() throws {
        let model = try VisionTransformer(
            ViTConfiguration(
                imageHeight: 8,
                imageWidth: 8,
                patchSize: 4,
                embedDim: 8,
                depth: 3,
                numHeads: 2,
                layerNormEps: 1e-6,
                dropPathRate: 0.2
            )
        )
        #expect(model.blocks.compactMap { ($0 as? Block)?.dropPath.probability } == [0, 0.1, 0.2])
    }

    @Test(
        "The small presets learn: the loss on eight images falls",
        arguments: ["deit_nano_distilled_patch7_28", "resnet8_cifar"]
    )
    func learns(name: String) throws {
        try manualSeed(0)
        var configuration = try ModelRegistry.configuration(named: name)
        configuration.numClasses = 4
        let model = try configuration.makeModel()
        let images = try Tensor.randn([8] + model.inputShape)
        let labels = try Tensor((0..<8).map { Int64($0 % 4) }, shape: [8])
        let optimizer = try AdamW(ParameterGroup.decaying(model, weightDecay: 0))
        var losses: [Double] = []
        for _ in 0..<20 {
            try optimizer.clearGradients()
            let loss = try Loss.crossEntropy(model(images), labels: labels)
            try loss.backward()
            try optimizer.step(lr: 5e-3)
            losses.append(try loss.item())
        }
        let (first, last) = (try #require(losses.first), try #require(losses.last))
        #expect(last < 0.5 * first, "losses \(losses)")
    }
}
