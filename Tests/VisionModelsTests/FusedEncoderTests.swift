import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

/// The fused encoder gives a network's numbers where it serves it, and layers compute everywhere else.
@Suite(
    "Fused encoder",
    .tags(.unit),
    .enabled(if: ComputePolicy.hasFusedEncoder, "no kernels for this processor")
)
@ModelActor
struct FusedEncoderTests {
    nonisolated static let changes:
        [(name: String, change: @Sendable (inout ViTConfiguration) -> Void)] = [
            ("plain", { _ in }),
            ("distilled", { $0.isDistilled = true }),
            (
                "distilled with one head",
                {
                    $0.isDistilled = true
                    $0.singleHead = true
                }
            ),
            (
                "registers and layer scale",
                {
                    $0.regTokens = 3
                    $0.initValues = 0.1
                }
            ),
            (
                "gate",
                {
                    $0.mlpLayer = .swiglu
                    $0.mlpRatio = 3
                }
            ),
            ("no bias of queries", { $0.qkvBias = false }),
            ("mean of the patches", { $0.globalPool = .avg }),
            (
                "mean of the patches, normalised after",
                {
                    $0.globalPool = .avg
                    $0.fcNorm = true
                }
            ),
            ("normalised before the blocks", { $0.preNorm = true }),
            ("one head of 96", { $0.numHeads = 1 }),
            ("normalised queries and keys", { $0.qkNorm = true }),
            ("GELU by tanh", { $0.activation = .geluTanh }),
            ("quick GELU", { $0.activation = .quickGELU }),
            ("rotary positions", { $0.rotaryTemperature = 100 }),
            (
                "rotary positions and normalised queries and keys",
                {
                    $0.rotaryTemperature = 100
                    $0.qkNorm = true
                    $0.regTokens = 2
                }
            ),
        ]

    @Test("A network's logits and features are those of its layers", arguments: changes.indices)
    func sameNumbers(index: Int) throws {
        let model = try makeModel(Self.changes[index].change)
        let images = try Tensor.randn([3, 3, 20, 28])
        try withoutGradient {
            let (expected, features) = try withEncoder(.layers) {
                (try model.logits(images), try model.forwardFeatures(images).floats())
            }
            try withEncoder(.fused) {
                let found = try model.logits(images)
                try expectClose(found.cls.floats(), expected.cls.floats(), tolerance: 1e-5)
                #expect((found.dist == nil) == (expected.dist == nil))
                if let dist = found.dist, let other = expected.dist {
                    try expectClose(dist.floats(), other.floats(), tolerance: 1e-5)
                }
                let tokens = try model.forwardFeatures(images).floats()
                expectClose(tokens, features, tolerance: 1e-5)
                #expect(tokens != features, "the fused encoder was not used")
                let alone = try model.logits(images.narrowed(0, 2..<3)).cls.floats()
                let last = try found.cls.narrowed(0, 2..<3).floats()
                expectClose(last, alone, tolerance: 1e-5)
            }
        }
    }

    @Test("In bfloat16 the numbers are near those of float32")
    func bfloat16() throws {
        try #require(PackedEncoder.kernels(.bfloat16) != nil)
        let model = try makeModel { $0.isDistilled = true }
        let images = try Tensor.randn([2, 3, 20, 28])
        try withoutGradient {
            let expected = try withEncoder(.layers) { try model(images).floats() }
            let found = try withEncoder(.fused) {
                try withAutocast(.bfloat16) { () throws(TorchError) in try model(images) }
                    .to(.float32).floats()
            }
            expectClose(found, expected, tolerance: 2.5e-2)
            #expect(found != expected)
        }
    }

    @Test(
        "Outputs of the last blocks are served; hidden states and attention's weights come from the layers"
    )
    func outputs() throws {
        let model = try makeModel()
        let images = try Tensor.randn([2, 3, 20, 28])
        try withoutGradient {
            let all = OutputRequest(hiddenStates: true, attentions: true, lastBlocks: 2)
            let expected = try withEncoder(.layers) { try model.outputs(images, all) }
            try withEncoder(.fused) {
                let exact = try model.outputs(images, all)
                #expect(try exact.tokens.floats() == expected.tokens.floats())
                #expect(exact.attentions.count == 2 && exact.hiddenStates.count == 3)
                let served = try model.outputs(images, OutputRequest(lastBlocks: 2))
                #expect(served.blockTokens.count == 2)
                for (found, other) in zip(served.blockTokens, expected.blockTokens) {
                    try expectClose(found.floats(), other.floats(), tolerance: 1e-5)
                }
                let tokens = try served.tokens.floats()
                #expect(try served.blockTokens[1].floats() == tokens)
                #expect(try model.outputs(images).blockTokens.isEmpty)
                // Images of another size have another number of tokens.
                let large = try Tensor.randn([1, 3, 40, 28])
                let other = try withEncoder(.layers) { try model.outputs(large, resampling: .dino) }
                try expectClose(
                    model.outputs(large, resampling: .dino).tokens.floats(),
                    other.tokens.floats(),
                    tolerance: 1e-5
                )
            }
        }
    }

    @Test(
        "Networks with other blocks compute layer by layer",
        arguments: [
            { $0.embedDim = 72 }, { $0.blockType = .resPost }, { $0.blockType = .parallelScaling },
            {
                $0.numHeads = 12
                $0.qkNorm = true
            },
            {
                $0.numHeads = 6
                $0.rotaryTemperature = 100
            },
        ] as [@Sendable (inout ViTConfiguration) -> Void]
    )
    func unserved(change: @Sendable (inout ViTConfiguration) -> Void) throws {
        let model = try makeModel(change)
        let images = try Tensor.randn([1, 3, 20, 28])
        try withoutGradient {
            let expected = try withEncoder(.layers) { try model.forwardFeatures(images).floats() }
            let found = try withEncoder(.fused) { try model.forwardFeatures(images).floats() }
            #expect(found == expected)
        }
    }

    @Test("A network in 8 bits computes so, near the numbers that its weights stand for")
    func int8() throws {
        try #require(PackedEncoder.kernels(.int8) != nil)
        let model = try makeModel { $0.isDistilled = true }
        let images = try Tensor.randn([2, 3, 20, 28])
        func features(_ encoder: ComputePolicy.Encoder) throws -> [Float] {
            try withoutGradient {
                try withEncoder(encoder) { try model.forwardFeatures(images).floats() }
            }
        }
        #expect(withEncoder(.fused) { !model.computesInt8 })
        let plain = try features(.fused)
        #expect(try LinearQuantization.round(model) { $0.hasPrefix("head") } == 8)
        #expect(withEncoder(.fused) { model.computesInt8 })
        #expect(withEncoder(.layers) { !model.computesInt8 })
        // In layers the rounded weights compute in floating point.
        let expected = try features(.layers)
        expectClose(plain, expected, tolerance: 2e-2)
        let found = try features(.fused)
        expectClose(found, expected, tolerance: 4e-2)
        #expect(found != expected)
        // One layer that is not in 8 bits, and none of the others computes so.
        let block = try #require(model.blocks[1] as? Block)
        let quantization = block.mlp.fc2.quantization
        block.mlp.fc2.quantization = nil
        #expect(withEncoder(.fused) { !model.computesInt8 })
        try expectClose(features(.fused), expected, tolerance: 1e-5)
        block.mlp.fc2.quantization = quantization
        #expect(try features(.fused) == found)
        try withEncoder(.fused) {
            try model.packForInference()
            #expect(model.computesInt8)
            #expect(try features(.fused) == found)
        }
    }

    @Test("Training, gradients and a dropout that is on compute layer by layer")
    func fallBack() throws {
        let model = try makeModel { $0.dropRate = 0.5 }
        let images = try Tensor.randn([1, 3, 20, 28])
        func features(_ encoder: ComputePolicy.Encoder) throws -> [Float] {
            try withEncoder(encoder) { try model.forwardFeatures(images).detached().floats() }
        }
        #expect(try features(.fused) == features(.layers), "with gradients")
        try withEncoder(.fused) {
            try model(images).sum().backward()
            #expect(try model.blocks[0].namedParameters()[0].parameter.tensor.gradient() != nil)
        }
        try withoutGradient {
            let block = try #require(model.blocks[1] as? Block)
            block.mlp.drop.train()
            #expect(try features(.fused) != features(.fused), "one dropout is in training")
            block.mlp.drop.eval()
            let plain = try features(.fused)
            #expect(try features(.fused) == plain)
            model.train()
            #expect(try features(.fused) != features(.fused), "in training")
        }
    }

    @Test(
        "A weight that changes is packed again: in place, by an optimiser, or where only a norm or a scale changes"
    )
    func changes() throws {
        let model = try makeModel { $0.initValues = 0.5 }
        let images = try Tensor.randn([1, 3, 20, 28])
        func features(_ encoder: ComputePolicy.Encoder = .fused) throws -> [Float] {
            try withoutGradient {
                try withEncoder(encoder) { try model.forwardFeatures(images).floats() }
            }
        }
        var before = try features()
        let parameters = model.namedParameters().filter {
            $0.name.hasPrefix("blocks.1.") || $0.name.hasPrefix("norm.")
        }
        #expect(parameters.count == 16)
        for (name, parameter) in parameters {
            try withoutGradient {
                try parameter.tensor.copy(from: parameter.tensor + 0.05)
            }
            let after = try features()
            // The keys' bias moves all scores of a query alike, so it need not change anything.
            #expect(after != before, "\(name)")
            try expectClose(after, features(.layers), tolerance: 1e-5, name)
            before = after
        }
        let optimizer = try AdamW(ParameterGroup.decaying(model, weightDecay: 0))
        try model(images).sum().backward()
        try optimizer.step(lr: 0.1)
        let after = try features()
        #expect(after != before)
        expectClose(after, try features(.layers), tolerance: 1e-5)
    }

    @Test(
        "Packed for inference the blocks have no other weights, and what needs those is an error",
        arguments: [DType.float32, .bfloat16]
    )
    func onlyPacked(dtype: DType) throws {
        try #require(PackedEncoder.kernels(dtype) != nil)
        let model = try makeModel { $0.isDistilled = true }
        let images = try Tensor.randn([2, 3, 20, 28])
        try withoutGradient {
            let expected = try withEncoder(.layers) { try model(images).floats() }
            try withEncoder(.fused) {
                ComputePolicy.current.dtype = dtype
                let block = try #require(model.blocks[1] as? Block)
                weak let plain = block.mlp.fc1.weight.tensor
                for _ in 0..<2 { try model.packForInference() }
                #expect(plain == nil, "the plain weight is still held")
                #expect(block.mlp.fc1.weight.tensor.shape == [384, 96])
                func found() throws -> [Float] {
                    try ComputePolicy.autocast { () throws(TorchError) in try model(images) }
                        .to(.float32).floats()
                }
                let tolerance: Float = dtype == .float32 ? 1e-5 : 2.5e-2
                expectClose(try found(), expected, tolerance: tolerance)
                let blocks = try ComputePolicy.autocast { () throws(TorchError) in
                    try model.outputs(images, OutputRequest(lastBlocks: 2)).blockTokens
                }
                #expect(blocks.map(\.shape) == [[2, 37, 96], [2, 37, 96]])
                #expect(throws: TorchError.self) {
                    try model.outputs(images, OutputRequest(attentions: true))
                }
                #expect(throws: TorchError.self) { try block.mlp.fc1.weight.tensor.floats() }
            }
            model.train()
            #expect(throws: TorchError.self) { try model(images) }
        }
    }

    private func withEncoder<R>(
        _ encoder: ComputePolicy.Encoder,
        _ body: () throws -> R
    ) rethrows -> R {
        let previous = ComputePolicy.current
        defer { ComputePolicy.current = previous }
        ComputePolicy.current = ComputePolicy(encoder: encoder)
        return try body()
    }

    private func makeModel(
        _ change: (inout ViTConfiguration) -> Void = { _ in }
    ) throws -> VisionTransformer {
        let model = try SmallTransformer.make(change)
        model.eval()
        return model
    }
}
