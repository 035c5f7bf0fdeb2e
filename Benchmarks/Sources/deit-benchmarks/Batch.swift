import Torch
import TorchNN
import VisionModels

/// DeiT-Ti's forward pass at batch 8 with our kernels, where the batch goes through in parts, beside libtorch's.
@ModelActor
func measureBatch() throws {
    print("Forward pass of DeiT-Ti, batch 8")
    let previous = ComputePolicy.current
    defer { ComputePolicy.current = previous }
    let model = try VisionTransformer(ViTConfiguration(layerNormEps: 1e-6))
    model.eval()
    let images = try Tensor.randn([8] + model.inputShape)
    let dtypes: [DType] = Libtorch.hasFastBFloat16 ? [.float32, .bfloat16] : [.float32]
    for dtype in dtypes {
        func forward(_ kernel: ComputePolicy.Kernel) throws {
            let policy = ComputePolicy(dtype: dtype, linear: kernel, attention: kernel)
            ComputePolicy.current = policy
            _ = try withoutGradient { try withAutocast(policy.autocastDType) { try model(images) } }
        }
        try Comparison.measure(
            "batch in parts, \(dtype == .bfloat16 ? "bf16" : "fp32")",
            against: "libtorch, whole",
            atLeast: dtype == .float32 ? 0.9 : 1.1
        ) {
            try forward(.oneDNN)
        } _: {
            try forward(.libtorch)
        }
    }
}
