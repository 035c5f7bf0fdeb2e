import Torch

// DeiT-Ti at batch 8: 1576 tokens of width 192, three heads.
private let tokens = 8 * 197
private let width = 192

/// Linear layers on oneDNN beside libtorch's, and with a packed weight beside an unpacked one.
@ModelActor
func measureLinear() throws {
    print("Linear layers of DeiT-Ti, batch 8")
    for (inputs, outputs) in [(width, 4 * width), (4 * width, width)] {
        for dtype in dtypes {
            let x = try Tensor.randn([tokens, inputs], dtype: dtype)
            let weight = try Tensor.randn([outputs, inputs], dtype: dtype)
            let bias = try Tensor.randn([outputs], dtype: dtype)
            let name = "linear \(inputs) → \(outputs), \(label(dtype))"
            try both(
                name,
                of: [x, weight, bias],
                atLeast: (0.85, 0.85),
                { try Functional.linearOneDNN(x, weight, bias) },
                { try Functional.linear(x, weight, bias) }
            )
            let packed = try Functional.packedForLinear(weight, dtype: dtype, rows: tokens)
            _ = try withoutGradient {
                try Comparison.measure("\(name), packed", against: "unpacked", atLeast: 0.85) {
                    _ = try Functional.linearPacked(x, packed, bias)
                } _: {
                    _ = try Functional.linearOneDNN(x, weight, bias)
                }
            }
        }
    }
}

/// Attention from the fused projection on, beside libtorch's function with the views that it needs.
@ModelActor
func measureAttention() throws {
    print("Attention of DeiT-Ti, batch 8")
    for dtype in dtypes {
        let qkv = try Tensor.randn([8, 197, 3 * width], dtype: dtype)
        try both(
            "attention, \(label(dtype))",
            of: [qkv],
            atLeast: dtype == .float32 ? (0.8, 1) : (1.3, 2),
            { try Functional.fusedAttentionOneDNN(qkv: qkv, heads: 3) },
            {
                let heads = try qkv.reshaped([8, 197, 3, 3, width / 3]).permuted([2, 0, 3, 1, 4])
                return try Functional.scaledDotProductAttention(
                    query: heads.selected(0, 0),
                    key: heads.selected(0, 1),
                    value: heads.selected(0, 2)
                ).transposed(1, 2).flattened(from: 2)
            }
        )
    }
}

/// Layer normalisation and GELU by loops of our own, beside libtorch's.
@ModelActor
func measurePointwise() throws {
    print("Layer normalisation and GELU, \(tokens) rows")
    for dtype in dtypes {
        for width in [width, 4 * width] {
            let x = try Tensor.randn([tokens, width], dtype: dtype)
            let (weight, bias) = try (Tensor.ones([width]), Tensor.zeros([width]))
            try both(
                "layer norm, width \(width), \(label(dtype))",
                of: [x, weight, bias],
                atLeast: dtype == .float32 ? (1, 1) : (0.9, 1.1),
                {
                    try Functional.layerNormVectors(
                        x,
                        width: width,
                        weight: weight,
                        bias: bias,
                        eps: 1e-6,
                        isForProduct: false
                    )
                },
                { try Functional.layerNorm(x, width: width, weight: weight, bias: bias, eps: 1e-6) }
            )
            try both(
                "GELU, width \(width), \(label(dtype))",
                of: [x],
                atLeast: dtype == .float32 ? (1, 1.05) : (0.85, 0.95),
                { try Functional.geluVectors(x) },
                { try Functional.gelu(x) }
            )
        }
    }
}

/// The types worth comparing in: bfloat16 only where the processor multiplies it.
private var dtypes: [DType] {
    Libtorch.hasFastBFloat16 ? [.float32, .bfloat16] : [.float32]
}

private func label(_ dtype: DType) -> String { dtype == .bfloat16 ? "bf16" : "fp32" }

/// A function forward without gradients, then forward and backward, by two ways.
///
/// The gradient is that of a sum, which costs both ways the same and so takes the ratio towards 1.
@ModelActor
private func both(
    _ name: String,
    of inputs: [Tensor],
    atLeast thresholds: (forward: Double, backward: Double),
    _ first: () throws -> Tensor,
    _ second: () throws -> Tensor
) throws {
    _ = try withoutGradient {
        try Comparison.measure(name, against: "libtorch", atLeast: thresholds.forward) {
            _ = try first()
        } _: {
            _ = try second()
        }
    }
    func train(_ function: () throws -> Tensor) throws {
        try function().sum().backward()
        for input in inputs { try input.clearGradient() }
    }
    for input in inputs { try input.setRequiresGradient(true) }
    defer { for input in inputs { try? input.setRequiresGradient(false) } }
    try Comparison.measure(
        "\(name), and backward",
        against: "libtorch",
        atLeast: thresholds.backward
    ) {
        try train(first)
    } _: {
        try train(second)
    }
}
