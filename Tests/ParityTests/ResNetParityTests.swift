import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

/// Small residual networks against torch with timm's blocks: both modes of batch normalisation, gradients, and the
/// running statistics after steps of SGD.
///
/// torch's own float32 run is at most 1.5e-6 from float64 in these values and 3.7e-6 in the gradients.
@Suite("Residual networks against timm", .tags(.parity))
@ModelActor
struct ResNetParityTests {
    static let tolerance: Float = 1e-5
    static let gradientTolerance: Float = 1e-4

    nonisolated static let cases: [String: ResNetConfiguration] = [
        "resnet_basic": ResNetConfiguration(
            block: .basic,
            stem: .imagenet,
            layers: [1, 1, 1, 1],
            widths: [4, 6, 8, 8],
            numClasses: 5,
            imageSize: 32
        ),
        "resnet_bottleneck": ResNetConfiguration(
            block: .bottleneck,
            stem: .imagenet,
            layers: [1, 2, 1],
            widths: [4, 4, 6],
            numClasses: 5,
            imageSize: 32
        ),
        "resnet_cifar": ResNetConfiguration(
            block: .basic,
            stem: .cifar,
            layers: [1, 1, 1],
            widths: [4, 8, 12],
            numClasses: 5,
            imageSize: 14
        ),
    ]

    @Test("Evaluation, training, gradients, running statistics", arguments: cases.keys.sorted())
    func wholeCase(name: String) throws {
        let expected = try fixture(name)
        let configuration = try #require(Self.cases[name])
        let model = try ResNet(configuration)
        try fixture(name, "model.safetensors").load(into: model)
        let input = try expected.tensor("input")
        let labels = try expected.labels("labels")

        try expectEvaluation(model, input, expected, "eval_logits")
        model.train()
        // Weight decay is 0 for both groups, as in the reference.
        let optimizer = try SGD(
            ParameterGroup.decaying(model, weightDecay: 0),
            momentum: expected.setting("momentum")
        )
        let rate = try expected.setting("lr")
        let expectedLosses = try expected.floats("losses")
        var losses: [Float] = []
        for step in expectedLosses.indices {
            try optimizer.clearGradients()
            let logits = try model(input)
            let loss = try Loss.crossEntropy(logits, labels: labels)
            losses.append(Float(try loss.item()))
            try loss.backward()
            if step == 0 {
                expectClose(
                    try logits.floats(),
                    try expected.floats("train_logits"),
                    tolerance: Self.tolerance,
                    "train_logits"
                )
                try expectGradients(model, expected)
            }
            try optimizer.step(lr: rate)
        }
        expectClose(losses, expectedLosses, tolerance: Self.tolerance, "losses")
        try expectBuffers(model, expected)
        try expectEvaluation(model, input, expected, "eval_logits_after")
    }

    private func expectEvaluation(
        _ model: ResNet,
        _ input: Tensor,
        _ expected: Fixture,
        _ name: String
    ) throws {
        model.eval()
        let logits = try withoutGradient { try model(input) }
        expectClose(
            shape: logits.shape,
            try logits.floats(),
            expectedShape: try expected.shape(name),
            try expected.floats(name),
            tolerance: Self.tolerance,
            name
        )
    }

    private func expectGradients(_ model: ResNet, _ expected: Fixture) throws {
        let limit = Int(try expected.setting("sample_limit"))
        for (name, parameter) in model.namedParameters() {
            let found = try parameter.tensor.gradient()
            let gradient = try #require(found, "\(name) has no gradient")
            try expected.expectSamples(
                gradient,
                "gradient.\(name)",
                limit: limit,
                tolerance: Self.gradientTolerance
            )
        }
    }

    private func expectBuffers(_ model: ResNet, _ expected: Fixture) throws {
        let buffers = model.namedBuffers()
        let kept = expected.names.filter { $0.hasPrefix("buffer.") }
        #expect(Set(buffers.map { "buffer.\($0.name)" }) == Set(kept))
        for (name, buffer) in buffers {
            let key = "buffer.\(name)"
            if buffer.tensor.dtype == .int64 {
                #expect(try buffer.tensor.int64s() == expected.integers(key), "\(name)")
            } else {
                expectClose(
                    try buffer.tensor.floats(),
                    try expected.floats(key),
                    tolerance: Self.tolerance,
                    name
                )
            }
        }
    }
}
