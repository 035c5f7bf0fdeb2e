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
    let real = try step(ViTConfiguration(layerNormEps: 1e-6), batch: 16)
    let tiny = try step(
        ViTConfiguration(
            imageHeight: 16,
            imageWidth: 16,
            numClasses: 3,
            embedDim: 6,
            numHeads: 3,
            layerNormEps: 1e-6
        ),
        batch: 1
    )
    let times = try Comparison.measure(
        "the same calls on tiny tensors",
        against: "the step",
        atLeast: 33,
        tiny,
        real
    )
    report("  overhead of wrapper and libtorch, at most", 100 * times.first / times.second, "%")
}

/// What makes one training step.
@ModelActor
private func step(_ configuration: ViTConfiguration, batch: Int) throws -> () throws -> Void {
    let model = try VisionTransformer(configuration)
    let optimizer = try AdamW(ParameterGroup.decaying(model, weightDecay: 0.05))
    let images = try Tensor.randn([batch] + model.inputShape)
    let labels = try Tensor(
        (0..<batch).map { Int64($0 % configuration.numClasses) },
        shape: [batch]
    )
    return {
        try optimizer.clearGradients()
        let loss = try Loss.crossEntropy(model(images), labels: labels)
        try loss.backward()
        try optimizer.step(lr: 1e-4)
        _ = try loss.item()
    }
}
