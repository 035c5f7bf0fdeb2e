import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

/// Networks that train with fused blocks have the gradients of their layers; what the function does not compute goes
/// through the layers, to the bit.
@Suite(
    "Fused blocks in training",
    .tags(.unit),
    .enabled(if: FusedBlock.kernels(.float32) != nil, "no kernels for this processor")
)
@ModelActor
struct FusedTrainingTests {
    nonisolated static let served:
        [(name: String, change: @Sendable (inout ViTConfiguration) -> Void)] = [
            ("plain", { _ in }),
            ("distilled", { $0.isDistilled = true }),
            ("layer scale", { $0.initValues = 0.3 }),
            ("no bias of queries", { $0.qkvBias = false }),
            ("registers", { $0.regTokens = 3 }),
            ("stochastic depth", { $0.dropPathRate = 0.6 }),
            ("padded heads", { $0.numHeads = 6 }),
            ("narrow hidden layer", { $0.mlpRatio = 1.3 }),
            ("mean of the patches", { $0.globalPool = .avg }),
        ]

    @Test("Output and gradient of every parameter", arguments: served.indices)
    func sameGradients(index: Int) throws {
        let model = try SmallTransformer.make(Self.served[index].change)
        let expected = try gradients(model, .layers)
        let found = try gradients(model, .fused)
        #expect(found.map(\.name) == expected.map(\.name))
        #expect(found.map(\.values) != expected.map(\.values), "fused blocks were not used")
        for (found, expected) in zip(found, expected) {
            expectClose(found.values, expected.values, tolerance: 1e-5, found.name)
        }
        #expect(try gradients(model, .fused).map(\.values) == found.map(\.values), "other bits")
    }

    @Test("In bfloat16 the gradients are as near to those of float32 as the layers'")
    func bfloat16() throws {
        try #require(FusedBlock.kernels(.bfloat16) != nil)
        let model = try SmallTransformer.make { $0.isDistilled = true }
        let exact = try gradients(model, .layers)
        let layers = try gradients(model, .layers, dtype: .bfloat16)
        let fused = try gradients(model, .fused, dtype: .bfloat16)
        for (index, exact) in exact.enumerated() {
            let norm = distance(exact.values, Array(repeating: 0, count: exact.values.count))
            let error = distance(fused[index].values, exact.values)
            let other = distance(layers[index].values, exact.values)
            #expect(error <= 1.5 * other + 2e-3 * norm, "\(exact.name)")
        }
    }

    @Test(
        "Other blocks compute layer by layer",
        arguments: [
            { $0.embedDim = 72 }, { $0.qkNorm = true }, { $0.keyBias = false },
            { $0.activation = .quickGELU },
            { $0.activation = .geluTanh }, { $0.blockType = .resPost }, { $0.mlpLayer = .swiglu },
            { $0.blockType = .parallelScaling }, { $0.dropRate = 0.2 }, { $0.attnDropRate = 0.2 },
        ] as [@Sendable (inout ViTConfiguration) -> Void]
    )
    func unserved(change: @Sendable (inout ViTConfiguration) -> Void) throws {
        let model = try SmallTransformer.make(change)
        let expected = try gradients(model, .layers).map(\.values)
        #expect(try gradients(model, .fused).map(\.values) == expected)
    }

    @Test("Fewer images than threads, and evaluation without gradients, compute layer by layer")
    func fallBack() throws {
        let threads = Libtorch.threadCount
        defer { try? Libtorch.setThreadCount(threads) }
        try Libtorch.setThreadCount(4)
        let model = try SmallTransformer.make()
        let expected = try gradients(model, .layers).map(\.values)
        #expect(try gradients(model, .fused).map(\.values) == expected)
        model.eval()
        let images = try Tensor.randn([4, 3, 20, 28])
        try withoutGradient {
            let expected = try withBlocks(.layers) { try model(images).floats() }
            #expect(try withBlocks(.fused) { try model(images).floats() } == expected)
        }
    }

    private func distance(_ a: [Float], _ b: [Float]) -> Double {
        zip(a, b).reduce(0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }.squareRoot()
    }

    /// The output of the network in training and the gradients of all parameters, for the same images and draws.
    private func gradients(
        _ model: VisionTransformer,
        _ blocks: ComputePolicy.Encoder,
        dtype: DType = .float32
    ) throws -> [(name: String, values: [Float])] {
        try manualSeed(3)
        let images = try Tensor.randn([3, 3, 20, 28])
        let wanted = try Tensor.randn([3, 7])
        model.train()
        for (_, parameter) in model.namedParameters() { try parameter.tensor.clearGradient() }
        return try withBlocks(blocks) {
            let out = try withAutocast(dtype == .float32 ? nil : dtype) {
                () throws(TorchError) in try model(images)
            }.to(.float32)
            try (out * wanted).sum().backward()
            return try [("output", out.detached().floats())]
                + model.namedParameters().map {
                    (
                        $0.name,
                        try #require(try $0.parameter.tensor.gradient(), "\($0.name)").floats()
                    )
                }
        }
    }

    private func withBlocks<R>(
        _ blocks: ComputePolicy.Encoder,
        _ body: () throws -> R
    ) rethrows -> R {
        let previous = ComputePolicy.current
        defer { ComputePolicy.current = previous }
        ComputePolicy.current = ComputePolicy(
            linear: .oneDNN,
            attention: .oneDNN,
            blocks: blocks
        )
        return try body()
    }
}
