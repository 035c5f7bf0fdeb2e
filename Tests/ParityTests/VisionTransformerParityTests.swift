import Foundation
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

/// The transformers against timm: every stage, every gradient, ten steps of AdamW, by every kernel.
///
/// The reference is float64, so what is left is this side's float32 rounding: timm's own is 4e-7 in the stages of the
/// small models and 1.4e-6 in their gradients (see the manifests).
@Suite("Vision transformers against timm", .tags(.parity))
@ModelActor
struct VisionTransformerParityTests {
    static let stageTolerance: Float = 1e-5
    static let gradientTolerance: Float = 1e-4
    static let lossTolerance: Float = 1e-4

    @Test("Stages of a small ViT", arguments: kernels)
    func plainStages(kernel: ComputePolicy.Kernel) throws {
        try withKernel(kernel) {
            let expected = try fixture("vit_mini")
            let model = try makeMini("vit_mini", isDistilled: false)
            try withoutGradient {
                for (name, tensor) in try stages(of: model, expected.tensor("input")) {
                    try expectStage(tensor, expected, name)
                }
            }
        }
    }

    @Test("Stages of a small distilled DeiT, and the mean of its heads", arguments: kernels)
    func distilledStages(kernel: ComputePolicy.Kernel) throws {
        try withKernel(kernel) {
            let expected = try fixture("deit_mini_distilled")
            let model = try makeMini("deit_mini_distilled", isDistilled: true)
            let distilled = try #require(model as? DistilledVisionTransformer)
            let input = try expected.tensor("input")
            try withoutGradient {
                for (name, tensor) in try stages(of: model, input) {
                    try expectStage(tensor, expected, name)
                }
                let logits = try distilled.logits(input)
                try expectStage(#require(logits.dist), expected, "head_dist")
                let mean = try zipped(
                    expected.floats("stage.head"),
                    expected.floats("stage.head_dist")
                ) { ($0 + $1) / 2 }
                let prediction = try distilled(input).narrowed(0, 0..<2)
                expectClose(
                    try prediction.floats(),
                    mean,
                    tolerance: Self.stageTolerance,
                    "mean of the heads"
                )
            }
        }
    }

    @Test("Gradients", arguments: kernels, ["vit_mini", "deit_mini_distilled"])
    func gradients(kernel: ComputePolicy.Kernel, name: String) throws {
        try withKernel(kernel) {
            let expected = try fixture(name)
            let model = try makeMini(name, isDistilled: name == "deit_mini_distilled")
            try loss(of: model, expected, expected.tensor("input")).backward()
            try expectGradients(of: model, expected)
        }
    }

    @Test("Losses of ten steps of AdamW", arguments: kernels, ["vit_mini", "deit_mini_distilled"])
    func steps(kernel: ComputePolicy.Kernel, name: String) throws {
        try withKernel(kernel) {
            let expected = try fixture(name)
            let model = try makeMini(name, isDistilled: name == "deit_mini_distilled")
            try expectSteps(of: model, expected, expected.tensor("input"))
        }
    }

    @Test("A step leaves no tensor behind", arguments: kernels)
    func leaks(kernel: ComputePolicy.Kernel) throws {
        try withKernel(kernel) {
            let expected = try fixture("deit_mini_distilled")
            try withTensorLeakCheck {
                let model = try makeMini("deit_mini_distilled", isDistilled: true)
                try expectSteps(of: model, expected, expected.tensor("input"))
            }
        }
    }

    @Test(
        "DeiT-Ti with its real weights: stages",
        .needsShared(
            "data/deit_tiny_patch16_224.safetensors",
            "data/golden/0.npy",
            "data/golden/1.npy"
        ),
        arguments: kernels
    )
    func tinyStages(kernel: ComputePolicy.Kernel) throws {
        try withKernel(kernel) {
            let expected = try fixture("deit_tiny")
            let model = try makeTiny()
            try withoutGradient {
                for (name, tensor) in try stages(of: model, goldenInputs()) {
                    try expectTinyStage(tensor, expected, name)
                }
            }
        }
    }

    @Test(
        "DeiT-Ti with its real weights on the fused encoder: logits, in every type that this processor has kernels for",
        .needsShared(
            "data/deit_tiny_patch16_224.safetensors",
            "data/golden/0.npy",
            "data/golden/1.npy",
            "data/golden/deit_tiny_logits.npy"
        ),
        arguments: [(DType.float32, Float(1e-5)), (.bfloat16, 2.5e-2), (.int8, 5e-2)]
    )
    func tinyOnEncoder(dtype: DType, tolerance: Float) throws {
        guard PackedEncoder.kernels(dtype) != nil else { return }
        let previous = ComputePolicy.current
        defer { ComputePolicy.current = previous }
        ComputePolicy.current = ComputePolicy(encoder: .fused)
        let file = try #require(Checkout.sharedFile("data/golden/deit_tiny_logits.npy"))
        let expected = try readNumpy(file, count: 3 * 1000)
        let model = try makeTiny()
        model.eval()
        if dtype == .int8 { _ = try LinearQuantization.round(model) { $0 == "head" } }
        #expect(model.computesInt8 == (dtype == .int8))
        try withoutGradient {
            let images = try goldenInputs()
            let logits = try withAutocast(dtype == .bfloat16 ? .bfloat16 : nil) {
                () throws(TorchError) in try model(images)
            }.to(.float32)
            for index in 0..<2 {
                let found = try logits.selected(0, index).floats()
                let row = Array(expected[(index * 1000)..<((index + 1) * 1000)])
                expectClose(found, row, tolerance: tolerance, "image \(index)")
                #expect(
                    found.indices.max { found[$0] < found[$1] }
                        == row.indices.max { row[$0] < row[$1] }
                )
            }
        }
    }

    @Test(
        "DeiT-Ti with its real weights: gradients and ten steps of AdamW",
        .needsShared(
            "data/deit_tiny_patch16_224.safetensors",
            "data/golden/0.npy",
            "data/golden/1.npy"
        ),
        arguments: kernels
    )
    func tinySteps(kernel: ComputePolicy.Kernel) throws {
        try withKernel(kernel) {
            let expected = try fixture("deit_tiny")
            let (model, input) = try (makeTiny(), goldenInputs())
            try loss(of: model, expected, input).backward()
            try expectGradients(of: model, expected)
            try expectSteps(of: model, expected, input)
        }
    }

    // MARK: - Models

    private func makeMini(_ name: String, isDistilled: Bool) throws -> VisionTransformer {
        let configuration = ViTConfiguration(
            imageHeight: 12,
            imageWidth: 8,
            patchSize: 4,
            numClasses: 5,
            embedDim: 32,
            depth: 2,
            numHeads: 2,
            isDistilled: isDistilled,
            layerNormEps: 1e-6
        )
        let model = try VisionTransformer.make(configuration)
        try fixture(name, "model.safetensors").load(into: model)
        return model
    }

    private func makeTiny() throws -> VisionTransformer {
        let model = try VisionTransformer.make(ViTConfiguration(layerNormEps: 1e-6))
        let file = try #require(Checkout.sharedFile("data/deit_tiny_patch16_224.safetensors"))
        try Fixture(file).load(into: model)
        return model
    }

    private func goldenInputs() throws -> Tensor {
        var values: [Float] = []
        for index in 0..<2 {
            let file = try #require(Checkout.sharedFile("data/golden/\(index).npy"))
            values += try readNumpy(file, count: 3 * 224 * 224)
        }
        return try Tensor(values, shape: [2, 3, 224, 224])
    }

    // MARK: - Runs

    /// The outputs on the way, by timm's names.
    private func stages(of model: VisionTransformer, _ input: Tensor) throws -> [(String, Tensor)] {
        var stages: [(String, Tensor)] = []
        let patches = try model.patchEmbed(input)
        stages.append(("patch_embed", patches))
        var x = try model.embed(patches)
        stages.append(("position_sum", x))
        let first = try #require(model.blocks[0] as? Block)
        let attended = try first.attn(first.norm1(x))
        stages.append(("blocks.0.attn", attended))
        stages.append(("blocks.0.mlp", try first.mlp(first.norm2(x + attended))))
        for (index, block) in model.blocks.enumerated() {
            x = try block(x, rotary: nil)
            stages.append(("blocks.\(index)", x))
        }
        x = try model.normalized(x)
        stages.append(("norm", x))
        let head = try #require(model.head)
        stages.append(("head", try head(x.selected(1, 0))))
        #expect(
            try model.forwardFeatures(input).floats() == x.floats(),
            "the stages are the model's own forward pass"
        )
        return stages
    }

    /// The loss that the fixtures' README describes.
    private func loss(
        of model: VisionTransformer,
        _ expected: Fixture,
        _ input: Tensor
    ) throws -> Tensor {
        let smoothing = try expected.setting("smoothing")
        let labels = try expected.labels("labels")
        guard let distilled = model as? DistilledVisionTransformer else {
            return try Loss.crossEntropy(model(input), labels: labels, smoothing: smoothing)
        }
        let logits = try distilled.logits(input)
        let base = try Loss.crossEntropy(logits.cls, labels: labels, smoothing: smoothing)
        let distillation = try Loss.crossEntropy(
            #require(logits.dist),
            labels: expected.labels("teacher_labels")
        )
        return try base * 0.5 + distillation * 0.5
    }

    // MARK: - Expectations

    private func expectStage(_ tensor: Tensor, _ expected: Fixture, _ name: String) throws {
        let firstTwo = try tensor.narrowed(0, 0..<2)
        expectClose(
            shape: firstTwo.shape,
            try firstTwo.floats(),
            expectedShape: try expected.shape("stage.\(name)"),
            try expected.floats("stage.\(name)"),
            tolerance: Self.stageTolerance,
            name
        )
    }

    private func expectTinyStage(_ tensor: Tensor, _ expected: Fixture, _ name: String) throws {
        let limit = Int(try expected.setting("stage_sample_limit"))
        // float32 itself ends at about 2e-5 in the last normalisation: timm's run is 1.2e-5 from float64 in these samples
        // and 5e-5 in the worst of all elements, and moves by as much when its attention kernel is changed.
        let tolerance = name == "norm" ? 4e-5 : Self.stageTolerance
        try expected.expectSamples(tensor, "stage.\(name)", limit: limit, tolerance: tolerance)
    }

    private func expectGradients(of model: VisionTransformer, _ expected: Fixture) throws {
        let limit = Int(try expected.setting("sample_limit"))
        let named = model.namedParameters()
        let kept = expected.names.filter { $0.hasPrefix("gradient.") && !$0.hasSuffix(".norm_max") }
        #expect(Set(named.map { "gradient.\($0.name)" }) == Set(kept))
        for (name, parameter) in named {
            let found = try parameter.tensor.gradient()
            let gradient = try #require(found, "\(name) has no gradient")
            #expect(gradient.shape == parameter.tensor.shape)
            try expected.expectSamples(
                gradient,
                "gradient.\(name)",
                limit: limit,
                tolerance: Self.gradientTolerance
            )
        }
    }

    private func expectSteps(
        of model: VisionTransformer,
        _ expected: Fixture,
        _ input: Tensor
    ) throws {
        let optimizer = try AdamW(
            ParameterGroup.decaying(model, weightDecay: expected.setting("weight_decay"))
        )
        let rate = try expected.setting("lr")
        let expectedLosses = try expected.floats("losses")
        var losses: [Float] = []
        for step in expectedLosses.indices {
            try optimizer.clearGradients()
            let loss = try loss(of: model, expected, input)
            losses.append(Float(try loss.item()))
            guard step < expectedLosses.count - 1 else { break }
            try loss.backward()
            try optimizer.step(lr: rate)
        }
        expectClose(losses, expectedLosses, tolerance: Self.lossTolerance, "losses")
    }
}

/// Combines two lists of the same length.
private func zipped(
    _ a: [Float],
    _ b: [Float],
    _ combine: (Float, Float) -> Float
) throws -> [Float] {
    try #require(a.count == b.count)
    return a.indices.map { combine(a[$0], b[$0]) }
}

/// Reads the fp32 elements of a `.npy` file in C order.
private func readNumpy(_ file: URL, count: Int) throws -> [Float] {
    let data = try Data(contentsOf: file)
    try #require(data.count > 10 && data.prefix(6).elementsEqual([0x93] + Array("NUMPY".utf8)))
    let headerLength = Int(data[8]) | Int(data[9]) << 8
    let header = String(decoding: data[10..<10 + headerLength], as: UTF8.self)
    try #require(header.contains("'<f4'") && header.contains("'fortran_order': False"))
    let elements = data.dropFirst(10 + headerLength)
    try #require(elements.count == 4 * count)
    return Array(elements).withUnsafeBytes { bytes in
        (0..<count).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
    }
}
