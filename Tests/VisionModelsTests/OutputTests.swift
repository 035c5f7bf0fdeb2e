import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

/// A transformer's outputs besides the last tokens, by every kernel.
@Suite("Outputs of transformers", .tags(.unit))
@ModelActor
struct OutputTests {
    @Test(
        "Asking for attentions changes nothing but the way",
        arguments: ComputePolicy.availableKernels
    )
    func attentions(kernel: String) throws {
        let previous = ComputePolicy.current
        defer { ComputePolicy.current = previous }
        let kind = try #require(ComputePolicy.Kernel(rawValue: kernel))
        ComputePolicy.current = ComputePolicy(linear: kind, attention: kind)
        let model = try makeModel { $0.isDistilled = true }
        let images = try Tensor.randn([2, 3, 12, 8])
        try withoutGradient {
            let fast = try model.forwardFeatures(images)
            let all = OutputRequest(hiddenStates: true, attentions: true, lastBlocks: 3)
            let outputs = try model.outputs(images, all)
            expectClose(try outputs.tokens.floats(), try fast.floats(), tolerance: 1e-5)
            #expect(outputs.hiddenStates.map(\.shape) == Array(repeating: [2, 8, 8], count: 4))
            #expect(outputs.attentions.map(\.shape) == Array(repeating: [2, 2, 8, 8], count: 3))
            #expect(outputs.blockTokens.map(\.shape) == Array(repeating: [2, 8, 8], count: 3))
            #expect(outputs.grid == PatchGrid(height: 3, width: 2))
            for weights in outputs.attentions {
                let sums = try weights.sum([-1]).floats()
                expectClose(sums, Array(repeating: 1, count: 32), tolerance: 1e-6)
                #expect(try weights.min().item() >= 0)
            }
            let last = try model.normalized(outputs.hiddenStates[3])
            #expect(try outputs.tokens.floats() == last.floats())
            let second = try model.normalized(outputs.hiddenStates[2])
            #expect(try outputs.blockTokens[1].floats() == second.floats())
        }
    }

    @Test("In bfloat16 attentions are still weights, near those of float32")
    func halfPrecision() throws {
        let model = try makeModel()
        let images = try Tensor.randn([1, 3, 12, 8])
        let request = OutputRequest(attentions: true)
        try withoutGradient {
            let exact = try model.outputs(images, request).attentions[0]
            let rounded = try withAutocast(.bfloat16) { () throws(TorchError) in
                try model.outputs(images, request).attentions[0]
            }
            expectClose(
                try rounded.to(.float32).floats(),
                try exact.floats(),
                tolerance: 0.05
            )
        }
    }

    @Test("Without a request the tokens are the fast path's, bit for bit, and nothing else is kept")
    func plain() throws {
        let model = try makeModel()
        let images = try Tensor.randn([1, 3, 12, 8])
        let outputs = try model.outputs(images)
        #expect(try outputs.tokens.floats() == model.forwardFeatures(images).floats())
        #expect(outputs.hiddenStates.isEmpty && outputs.attentions.isEmpty)
        #expect(outputs.blockTokens.isEmpty)
    }

    @Test("More blocks than there are, or fewer than none, are refused", arguments: [-1, 4])
    func blocks(count: Int) throws {
        let model = try makeModel()
        #expect(throws: TorchError.self) {
            try model.outputs(Tensor.zeros([1, 3, 12, 8]), OutputRequest(lastBlocks: count))
        }
    }

    @Test("Images of another size are refused without resampling and taken with it")
    func otherSizes() throws {
        let model = try makeModel()
        let large = try Tensor.randn([1, 3, 21, 8])
        #expect(throws: TorchError.self) { try model.outputs(large) }
        for way in PositionEmbeddingResampling.allCases {
            let outputs = try model.outputs(large, resampling: way)
            #expect(outputs.grid == PatchGrid(height: 5, width: 2))
            #expect(outputs.tokens.shape == [1, 11, 8])
        }
        for shape in [[1, 1, 12, 8], [1, 3, 3, 8], [3, 12, 8]] {
            #expect(throws: TorchError.self) {
                try model.outputs(Tensor.zeros(shape), resampling: .hf)
            }
        }
    }

    @Test(
        "Attention's dropout is applied in training by every kernel, and never in evaluation",
        arguments: ComputePolicy.availableKernels
    )
    func dropout(kernel: String) throws {
        let previous = ComputePolicy.current
        defer { ComputePolicy.current = previous }
        let kind = try #require(ComputePolicy.Kernel(rawValue: kernel))
        ComputePolicy.current = ComputePolicy(linear: kind, attention: kind)
        let model = try makeModel { $0.attnDropRate = 0.5 }
        let images = try Tensor.randn([1, 3, 12, 8])
        #expect(try model(images).floats() == model(images).floats())
        model.train()
        #expect(try model(images).floats() != model(images).floats())
        let weights = try model.outputs(images, OutputRequest(attentions: true)).attentions[0]
        let zeros = try weights.floats().filter { $0 == 0 }.count
        #expect((1..<98).contains(zeros), "\(zeros) of 98 weights dropped")
        model.eval()
        #expect(try model(images).floats() == model(images).floats())
    }

    @Test("The mask's token replaces patches before positions are added")
    func mask() throws {
        let model = try makeModel()
        let images = try Tensor.randn([1, 3, 12, 8])
        let token = try Tensor.full(0.5, [1, 1, 8])
        let positions = try Tensor([1, 0, 0, 0, 0, 1], shape: [1, 6])
        let request = OutputRequest(hiddenStates: true)
        let mask = PatchMask(positions: positions, token: token)
        let masked = try model.outputs(images, request, mask: mask).hiddenStates[0]
        let plain = try model.outputs(images, request).hiddenStates[0]
        let first = try #require(model.posEmbed).tensor.narrowed(1, 1..<2) + 0.5
        #expect(try masked.narrowed(1, 1..<2).floats() == first.floats())
        #expect(try masked.narrowed(1, 2..<6).floats() == plain.narrowed(1, 2..<6).floats())
        #expect(try masked.narrowed(1, 6..<7).floats() != plain.narrowed(1, 6..<7).floats())
        for (shape, width) in [([1, 5], 8), ([2, 6], 8), ([6], 8), ([1, 6], 4)] {
            let wrong = try PatchMask(
                positions: Tensor.zeros(shape),
                token: Tensor.zeros([1, 1, width])
            )
            #expect(throws: TorchError.self) { try model.outputs(images, mask: wrong) }
        }
    }

    private func makeModel(
        _ change: (inout ViTConfiguration) -> Void = { _ in }
    ) throws -> VisionTransformer {
        try manualSeed(3)
        var configuration = ViTConfiguration(
            imageHeight: 12,
            imageWidth: 8,
            patchSize: 4,
            numClasses: 3,
            embedDim: 8,
            depth: 3,
            numHeads: 2,
            layerNormEps: 1e-6
        )
        change(&configuration)
        let model = try VisionTransformer.make(configuration)
        // The usual first values are so small that attention would hardly show.
        try withoutGradient {
            for (_, parameter) in model.namedParameters() {
                try parameter.tensor.fillNormal(mean: 0, std: 0.5)
            }
        }
        model.eval()
        return model
    }
}
