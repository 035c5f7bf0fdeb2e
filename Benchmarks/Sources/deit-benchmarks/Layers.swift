import Torch
import TorchNN
import VisionModels

/// Linear layers and attention of DeiT-Ti at batch 16, by every kernel: forward alone, and with the gradients.
@ModelActor
func measureLayers() throws {
    print("Layers of DeiT-Ti, batch 16")
    let previous = ComputePolicy.current
    defer { ComputePolicy.current = previous }
    let tokens = try Tensor.randn([16, 197, 192])
    for kernel in ComputePolicy.Kernel.allCases
    where ComputePolicy.availableKernels.contains(kernel.rawValue) {
        ComputePolicy.current = ComputePolicy(linear: kernel, attention: kernel)
        let linear = try Linear(192, 768)
        try measure("linear 3152 × 192 × 768, \(kernel.rawValue)", flops: 2 * 3152 * 192 * 768) {
            try linear(tokens)
        }
        let attention = try Attention(ViTConfiguration(layerNormEps: 1e-6))
        try measure("attention 197 × 192, \(kernel.rawValue)") { try attention(tokens) }
    }
    print()
}

@ModelActor
private func measure(_ name: String, flops: Double? = nil, _ forward: () throws -> Tensor) throws {
    let inference = try withoutGradient {
        try median(calls: 10) { calls in try seconds { for _ in 0..<calls { _ = try forward() } } }
    }
    report(
        "\(name), forward",
        inference * 1e3,
        "ms",
        flops.map { "\(Int($0 / inference / 1e9)) GFLOP/s" } ?? ""
    )
    let training = try median(calls: 10) { calls in
        try seconds { for _ in 0..<calls { try forward().sum().backward() } }
    }
    report("\(name), forward and backward", training * 1e3, "ms")
}
