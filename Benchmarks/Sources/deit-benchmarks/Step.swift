import Torch
import TorchNN
import VisionModels

/// A training step of DeiT-Ti at batch 16, and the same number of operations on almost no numbers.
///
/// A model of the same depth whose tensors are tiny makes the same calls; all that it takes is overhead, libtorch's own
/// included. So the wrapper's share of the real step is below the ratio of the two.
@ModelActor
func measureStep() throws {
    print("A training step (goal: the wrapper's share at most 3 %)")
    let previous = ComputePolicy.current
    defer { ComputePolicy.current = previous }
    ComputePolicy.current = try ComputePolicy.automatic(dtype: .float32)
    let real = try step(ViTConfiguration(layerNormEps: 1e-6), batch: 16, calls: 1)
    let tiny = try step(
        ViTConfiguration(
            imageHeight: 16,
            imageWidth: 16,
            numClasses: 3,
            embedDim: 6,
            numHeads: 3,
            layerNormEps: 1e-6
        ),
        batch: 1,
        calls: 20
    )
    report(
        "DeiT-Ti, batch 16, \(ComputePolicy.current.linear.rawValue), fp32",
        real * 1e3,
        "ms",
        "\(Int(16 / real)) images/s"
    )
    report("the same calls on tiny tensors", tiny * 1e3, "ms")
    report("  overhead of wrapper and libtorch, at most", 100 * tiny / real, "%")
}

@ModelActor
private func step(_ configuration: ViTConfiguration, batch: Int, calls: Int) throws -> Double {
    let model = try VisionTransformer(configuration)
    let optimizer = try AdamW(ParameterGroup.decaying(model, weightDecay: 0.05))
    let images = try Tensor.randn([batch] + model.inputShape)
    let labels = try Tensor(
        (0..<batch).map { Int64($0 % configuration.numClasses) },
        shape: [batch]
    )
    return try median(repetitions: 5, calls: calls) { calls in
        try seconds {
            for _ in 0..<calls {
                try optimizer.clearGradients()
                let loss = try Loss.crossEntropy(model(images), labels: labels)
                try loss.backward()
                try optimizer.step(lr: 1e-4)
                _ = try loss.item()
            }
        }
    }
}
