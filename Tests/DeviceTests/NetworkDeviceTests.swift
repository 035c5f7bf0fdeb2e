import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

/// A network of some kind, small enough for a copy of every operand.
struct SmallNetwork: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let configuration: ModelConfiguration

    init(_ name: String, _ network: any NetworkConfiguration) {
        testDescription = name
        configuration = ModelConfiguration(network)
    }

    /// A transformer with what a closure changes.
    init(_ name: String, _ change: (inout ViTConfiguration) -> Void) {
        var configuration = ViTConfiguration(
            imageHeight: 16,
            imageWidth: 16,
            patchSize: 4,
            inChannels: 3,
            numClasses: 5,
            embedDim: 32,
            depth: 2,
            numHeads: 2,
            layerNormEps: 1e-6
        )
        change(&configuration)
        self.init(name, configuration)
    }

    /// One of each family, and of the transformer every part that some network has.
    static let all = [
        SmallNetwork("ViT") { $0.dropPathRate = 0.3 },
        SmallNetwork("DeiT") { $0.isDistilled = true },
        SmallNetwork("DeiT-III") {
            $0.initValues = 1e-2
            $0.noEmbedClass = true
        },
        SmallNetwork("DINOv2") {
            $0.regTokens = 2
            $0.mlpLayer = .swiglu
        },
        SmallNetwork("DINOv3") {
            $0.rotaryTemperature = 100
            $0.regTokens = 2
        },
        SmallNetwork("QK norm, mean of patches") {
            $0.qkNorm = true
            $0.classToken = false
            $0.globalPool = .avg
            $0.fcNorm = true
        },
        SmallNetwork("attention pooling") {
            $0.classToken = false
            $0.globalPool = .map
        },
        SmallNetwork("class token and mean of two blocks") {
            $0.globalPool = .tokenAvg
            $0.headBlocks = 2
        },
        SmallNetwork("parallel layers") { $0.blockType = .parallelScaling },
        SmallNetwork(
            "ResNet",
            ResNetConfiguration(
                block: .bottleneck,
                stem: .cifar,
                layers: [1, 1],
                widths: [8, 16],
                numClasses: 5,
                imageSize: 16
            )
        ),
        SmallNetwork(
            "RegNetY",
            RegNetConfiguration(
                depths: [1, 1, 1, 1],
                widths: [8, 8, 16, 16],
                groupSize: 4,
                stemWidth: 8,
                numClasses: 5,
                imageSize: 16
            )
        ),
        SmallNetwork(
            "EfficientNet-Lite",
            EfficientNetConfiguration(
                stages: [
                    .init(depth: 1, kernel: 3, stride: 1, expansion: 1, width: 8),
                    .init(depth: 2, kernel: 5, stride: 2, expansion: 6, width: 12),
                ],
                stemWidth: 8,
                numFeatures: 16,
                padding: .same,
                normEps: 1e-3,
                numClasses: 5,
                imageSize: 16
            )
        ),
    ]
}

/// Networks, losses, optimisers and averages on the fake device.
@ModelActor @Suite(.serialized) struct NetworkDeviceTests {
    private func numbers(_ model: Module) throws -> [(name: String, values: [Float])] {
        try model.namedTensors().map { ($0.name, try $0.tensor.floats()) }
    }

    private func batch(
        _ device: Device,
        _ model: any ImageClassifier
    ) throws -> (pixels: Tensor, labels: Tensor, soft: Tensor) {
        let labels = try Tensor([Int64(1), 4, 2], shape: [3]).to(device)
        return (
            try Tensor.randn([3, 3, 16, 16]).to(device), labels,
            try labels.oneHot(classes: model.numClasses) * 0.9 + 0.02
        )
    }

    @Test(arguments: SmallNetwork.all)
    func `three steps of AdamW and the evaluation after them`(network: SmallNetwork) throws {
        try Compared.onBoth(tolerance: 2e-4) { device in
            let model = try network.configuration.makeModel()
            try model.to(device)
            #expect(model.device == device)
            #expect(model.namedTensors().allSatisfy { $0.tensor.device == device })
            let optimizer = try AdamW(ParameterGroup.decaying(model, weightDecay: 0.05))
            let average = try ExponentialMovingAverage(of: model, decay: 0.9)
            let (pixels, labels, soft) = try batch(device, model)
            var found: [(name: String, values: [Float])] = []
            var losses: [Float] = []
            for _ in 0..<3 {
                let logits = try model.logits(pixels)
                let other = logits.dist ?? logits.cls
                let loss =
                    try Loss.crossEntropy(logits.cls, labels: labels, smoothing: 0.1)
                    + Loss.crossEntropy(other, targets: soft)
                try loss.backward()
                losses.append(Float(try loss.item()))
                losses.append(Float(try optimizer.clipGradients(maxNorm: 1)))
                try optimizer.step(lr: 1e-3)
                try average.update()
                try optimizer.clearGradients()
            }
            found.append(("losses and norms", losses))
            found.append(
                ("averages", try average.namedTensors().flatMap { try $0.tensor.floats() })
            )
            model.eval()
            let logits = try withoutGradient { try model.logits(pixels) }
            found.append(("logits", try logits.averaged().floats()))
            return found
        }
    }

    @Test(arguments: SmallNetwork.all)
    func `gradients`(network: SmallNetwork) throws {
        // Those of a key's bias are nothing but rounding: attention does not change with it.
        try Compared.onBoth(tolerance: 1e-4, floor: 1e-3) { device in
            let model = try network.configuration.makeModel()
            try model.to(device)
            let (pixels, labels, _) = try batch(device, model)
            let logits = try model.logits(pixels)
            try (Loss.crossEntropy(logits.cls, labels: labels) + (logits.dist ?? logits.cls).sum())
                .backward()
            return try model.namedParameters().compactMap { name, parameter in
                try parameter.tensor.gradient().map { (name, try $0.floats()) }
            }
        }
    }

    @Test(arguments: ["adamw", "sgd", "nesterov", "lamb"])
    func `optimisers move the weights alike, and their state is stored`(name: String) throws {
        try Compared.onBoth { device in
            let model = try SmallNetwork.all[1].configuration.makeModel()
            try model.to(device)
            let groups = ParameterGroup.decaying(model, weightDecay: 0.05)
            let optimizer: any Optimizer =
                switch name {
                // A large eps: without it gradients that are nothing but rounding move weights as far as any.
                case "adamw": try AdamW(groups, eps: 1e-2)
                case "lamb": try LAMB(groups, eps: 1e-2)
                default: try SGD(groups, nesterov: name == "nesterov")
                }
            let (pixels, labels, _) = try batch(device, model)
            for _ in 0..<3 {
                try Loss.crossEntropy(model(pixels), labels: labels).backward()
                _ = try optimizer.clipEachGradient(maxNorm: 0.5)
                try optimizer.step(lr: 1e-2)
                try optimizer.clearGradients()
            }
            return try numbers(model)
                + optimizer.namedState().map { ($0.name, try $0.tensor.floats()) }
        }
    }

    @Test func `losses`() throws {
        try Compared.onBoth { device in
            let logits = try Tensor.randn([4, 6]).to(device)
            let teacher = try Tensor.randn([4, 6]).to(device)
            let labels = try Tensor([Int64(0), 5, 3, 3], shape: [4]).to(device)
            let targets = try labels.oneHot(classes: 6) * 0.8 + 0.03
            let weights = try Tensor([0.5, 1, 2, 1], shape: [4]).to(device)
            let losses = [
                try Loss.crossEntropy(logits, labels: labels, smoothing: 0.1),
                try Loss.crossEntropy(logits, targets: targets),
                try Loss.crossEntropy(logits, targets: targets, weights: weights),
                try Loss.binaryCrossEntropy(logits, targets: targets),
                try Loss.binaryCrossEntropy(logits, targets: targets, threshold: 0.1),
                try Loss.binaryCrossEntropy(logits, targets: targets, weights: weights),
                try Loss.meanSquaredError(logits, targets: teacher),
                try Loss.softDistillation(
                    student: logits,
                    teacher: teacher,
                    tau: 3,
                    reduction: .numel
                ),
                try Loss.hardDistillation(student: logits, teacher: teacher),
            ]
            return [("losses", try Tensor.stack(losses).floats())]
        }
    }

    @Test func `masked image modelling`() throws {
        try Compared.onBoth(tolerance: 1e-4) { device in
            let transformer = try #require(SmallNetwork.all[0].configuration.transformer)
            let model = try MaskedImageModel(transformer)
            try model.to(device)
            let images = try Tensor.randn([2, 3, 16, 16]).to(device)
            let mask = try Tensor((0..<32).map { Float($0 % 3 == 0 ? 1 : 0) }, shape: [2, 16])
                .to(device)
            let painted = try model(images, mask: mask).reconstruction
            let loss = try model.loss(images, reconstruction: painted, mask: mask)
            try loss.backward()
            let gradient = try #require(try model.maskToken.tensor.gradient())
            return [
                ("loss", [Float(try loss.item())]), ("gradient", try gradient.floats()),
                ("painted", try painted.floats()),
            ]
        }
    }

    @Test func `images of another size, and rotary positions that follow the device`() throws {
        try Compared.onBoth { device in
            var values: [(name: String, values: [Float])] = []
            for index in [0, 4] {
                let model = try SmallNetwork.all[index].configuration.makeModel()
                let network = try #require(model as? VisionTransformer)
                network.eval()
                try withoutGradient {
                    // The positions of the CPU are kept by the network when it moves.
                    _ = try network.outputs(Tensor.randn([1, 3, 24, 16]), resampling: .timm)
                    try network.to(device)
                    for resampling in PositionEmbeddingResampling.allCases {
                        let outputs = try network.outputs(
                            Tensor.ones([1, 3, 24, 16], device: device),
                            OutputRequest(hiddenStates: true, attentions: true, lastBlocks: 2),
                            resampling: resampling
                        )
                        values.append(("\(index) \(resampling)", try outputs.tokens.floats()))
                        values.append(("attention", try outputs.attentions[1].floats()))
                    }
                }
            }
            return values
        }
    }

    @Test(arguments: [DType.bfloat16, .float16])
    func `autocast computes in the type, and weights stay in float32`(dtype: DType) throws {
        try Compared.onBoth(tolerance: 0.05) { device in
            ComputePolicy.current.dtype = device == .cpu ? .float32 : dtype
            let model = try SmallNetwork.all[1].configuration.makeModel()
            try model.to(device)
            let (pixels, labels, _) = try batch(device, model)
            let logits = try ComputePolicy.autocast { try model.logits(pixels) }
            #expect(logits.cls.dtype == (device == .cpu ? .float32 : dtype))
            let loss = try Loss.crossEntropy(logits.cls, labels: labels)
            #expect(loss.dtype == .float32)
            try loss.backward()
            let gradient = try model.namedParameters().first?.parameter.tensor.gradient()
            #expect(gradient?.dtype == .float32)
            return [("logits", try logits.averaged().to(.float32).floats())]
        }
    }

    @Test func `kernels of our own are left out on another device, whatever the policy says`()
        throws
    {
        let previous = ComputePolicy.current
        defer { ComputePolicy.current = previous }
        guard Libtorch.hasOneDNN else { return }
        let device = FakeDevice.device
        for network in SmallNetwork.all {
            ComputePolicy.current = ComputePolicy(
                device: device,
                linear: .oneDNN,
                attention: .oneDNN,
                pointwise: .vectors,
                encoder: .fused
            )
            let model = try network.configuration.makeModel()
            try model.to(device)
            let pixels = try Tensor.randn([2, 3, 16, 16]).to(device)
            try model.logits(pixels).averaged().sum().backward()
            model.eval()
            let logits = try withoutGradient { try model.logits(pixels) }
            #expect(logits.cls.device == device, "\(network.testDescription)")
        }
    }

    @Test func `moving drops gradients and keeps what is frozen`() throws {
        let model = try SmallNetwork.all[0].configuration.makeModel()
        let parameters = model.namedParameters()
        try parameters[0].parameter.tensor.setRequiresGradient(false)
        try model.to(FakeDevice.device)
        #expect(!parameters[0].parameter.requiresGradient)
        #expect(parameters.dropFirst().allSatisfy { $0.parameter.requiresGradient })
        let moved = parameters[1].parameter.tensor
        try model.to(FakeDevice.device)
        #expect(parameters[1].parameter.tensor === moved)
        try model.to(.cpu)
        #expect(model.device == .cpu)
    }
}
