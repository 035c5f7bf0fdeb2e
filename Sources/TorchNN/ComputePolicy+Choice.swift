import Foundation
public import Torch

/// One choice of a ``ComputePolicy``, and why it was made.
public struct ComputeChoice: Sendable, Equatable {
    /// What was chosen: `dtype`, `linear`, `attention`, `pointwise`, `encoder` or `blocks`.
    public let name: String

    /// The choice.
    public let value: String

    /// The reason, a part of a sentence.
    public let reason: String
}

extension ComputePolicy {
    /// Chooses by what the device has; for the CPU by a probe of some 20 ms, never by its brand.
    ///
    /// The variable `DEIT_COMPUTE` overrides the choice of kernels: `libtorch` or `onednn`, with which transformers compute
    /// layer by layer, or `fused`, the fused encoder, fused blocks in training, and oneDNN for everything else.
    ///
    /// - Parameters:
    ///   - dtype: The type to compute in; `nil` takes `bfloat16` where the device multiplies it in hardware, on other
    ///     NVIDIA GPUs `float16`.
    ///   - device: Where models run.
    /// - Returns: The policy; assign it to ``current`` to apply it.
    /// - Throws: ``ConfigurationError`` for an unknown `DEIT_COMPUTE` and for `float16` on the CPU, `TorchError` when the
    ///   probe fails.
    public static func automatic(
        dtype: DType? = nil,
        device: Device = .cpu
    ) throws -> ComputePolicy {
        try explained(dtype: dtype, device: device).policy
    }

    /// Chooses as ``automatic(dtype:device:)`` does, and says why.
    ///
    /// - Parameters:
    ///   - dtype: The type to compute in; `nil` chooses it.
    ///   - device: Where models run.
    /// - Returns: The policy, and a reason for each of its choices.
    /// - Throws: As ``automatic(dtype:device:)``.
    public static func explained(
        dtype: DType? = nil,
        device: Device = .cpu
    ) throws -> (policy: ComputePolicy, choices: [ComputeChoice]) {
        var policy = ComputePolicy(device: device, dtype: dtype ?? usualDType(on: device))
        let name = device == .cpu ? "processor" : "device"
        let hardware =
            "the \(name) \(device.hasFastBFloat16 ? "multiplies" : "does not multiply") bfloat16"
        var reasons = Reasons(dtype: dtype == nil ? hardware : "requested")
        // Kernels of our own are for the CPU.
        guard device == .cpu else {
            reasons.ofKernels("the device is \(device)")
            return (policy, reasons.choices(policy))
        }
        guard policy.dtype != .float16 else {
            throw ConfigurationError.unknownValue(
                name: "precision on the CPU",
                value: "fp16",
                known: ["fp32", "bf16"]
            )
        }
        let requested =
            requestedKernels ?? ProcessInfo.processInfo.environment["DEIT_COMPUTE"]
        if let name = requested, !name.isEmpty, name != "auto" {
            try policy.set(kernels: name.lowercased())
            reasons.ofKernels("DEIT_COMPUTE=\(name.lowercased())")
        } else if Libtorch.hasOneDNN {
            let linear = try faster(linearProbe(policy.dtype))
            let attention = try faster(attentionProbe(policy.dtype))
            let encoder = try fusedProbe(policy.dtype)
            policy.linear = linear.kernel
            policy.attention = attention.kernel
            policy.pointwise = .vectors
            policy.encoder = encoder.isFast ? .fused : .layers
            reasons.linear = linear.reason
            reasons.attention = attention.reason
            reasons.pointwise = "no slower than libtorch's, and more accurate"
            reasons.encoder = encoder.reason
            // Without optimisation, where the encoder is slow, a block with its gradient is too.
            let blocks = encoder.isFast ? try blockProbe(policy.dtype) : encoder
            policy.blocks = blocks.isFast ? .fused : .layers
            reasons.blocks = blocks.reason
        } else {
            reasons.ofKernels("the loaded libtorch has no oneDNN")
        }
        return (policy, reasons.choices(policy))
    }

    private static func usualDType(on device: Device) -> DType {
        if device.hasFastBFloat16 { return .bfloat16 }
        // Cards before Ampere multiply float16 fast, and bfloat16 slower than float32.
        if case .cuda = device { return .float16 }
        return .float32
    }

    /// What a task has in place of `DEIT_COMPUTE`, for tests: a process whose other threads read the environment must not
    /// change it.
    @TaskLocal package static var requestedKernels: String?

    /// The kernels that `DEIT_COMPUTE` names.
    private mutating func set(kernels name: String) throws(ConfigurationError) {
        let fused = Encoder.fused.rawValue
        encoder = name == fused && Self.hasFusedEncoder ? .fused : .layers
        blocks = encoder
        let layers =
            encoder == .fused ? Libtorch.hasOneDNN ? .oneDNN : .libtorch : Kernel(rawValue: name)
        guard let kernel = layers, kernel == .libtorch || Libtorch.hasOneDNN else {
            throw ConfigurationError.unknownValue(
                name: "DEIT_COMPUTE",
                value: name,
                known: Self.availableKernels + (Self.hasFusedEncoder ? [fused] : [])
            )
        }
        linear = kernel
        attention = kernel
        pointwise = kernel == .libtorch ? .libtorch : .vectors
    }

    private struct Reasons {
        var dtype: String
        var linear = ""
        var attention = ""
        var pointwise = ""
        var encoder = ""
        var blocks = ""

        mutating func ofKernels(_ reason: String) {
            (linear, attention, pointwise) = (reason, reason, reason)
            (encoder, blocks) = (reason, reason)
        }

        func choices(_ policy: ComputePolicy) -> [ComputeChoice] {
            [
                ComputeChoice(name: "dtype", value: "\(policy.dtype)", reason: dtype),
                ComputeChoice(name: "linear", value: policy.linear.rawValue, reason: linear),
                ComputeChoice(
                    name: "attention",
                    value: policy.attention.rawValue,
                    reason: attention
                ),
                ComputeChoice(
                    name: "pointwise",
                    value: policy.pointwise.rawValue,
                    reason: pointwise
                ),
                ComputeChoice(name: "encoder", value: policy.encoder.rawValue, reason: encoder),
                ComputeChoice(name: "blocks", value: policy.blocks.rawValue, reason: blocks),
            ]
        }
    }

    /// The kernels that work with the loaded libtorch.
    public static var availableKernels: [String] {
        Kernel.allCases.filter { $0 == .libtorch || Libtorch.hasOneDNN }.map(\.rawValue)
    }

    /// Whether this processor has kernels for the fused encoder.
    public static var hasFusedEncoder: Bool { PackedEncoder.kernels(.float32) != nil }

    private typealias Probe = (Kernel) throws(TorchError) -> Void

    // A product of DeiT-Tiny's shape at batch 4.
    private static func linearProbe(_ dtype: DType) throws(TorchError) -> Probe {
        let x = try Tensor.full(0.5, [788, 192], dtype: dtype)
        let weight = try Tensor.full(0.25, [768, 192], dtype: dtype)
        return { (kernel) throws(TorchError) in
            try withoutGradient { () throws(TorchError) in
                _ =
                    try kernel == .oneDNN
                    ? Functional.linearOneDNN(x, weight, nil) : Functional.linear(x, weight, nil)
            }
        }
    }

    // DeiT-Tiny's attention at batch 2, with its gradient, where the kernels differ most.
    private static func attentionProbe(_ dtype: DType) throws(TorchError) -> Probe {
        let fused = try Tensor.full(0.5, [2, 197, 3 * 192], dtype: dtype)
        try fused.setRequiresGradient(true)
        return { (kernel) throws(TorchError) in
            if kernel == .oneDNN {
                try Functional.fusedAttentionOneDNN(qkv: fused, heads: 3).sum().backward()
            } else {
                let heads = try fused.reshaped([2, 197, 3, 3, 64]).permuted([2, 0, 3, 1, 4])
                try Functional.scaledDotProductAttention(
                    query: heads.selected(0, 0),
                    key: heads.selected(0, 1),
                    value: heads.selected(0, 2)
                ).sum().backward()
            }
            try fused.clearGradient()
        }
    }

    // A block of DeiT-Tiny's shape for two images on the fused encoder, against the linear layers of such a block alone on
    // oneDNN: those are two thirds of a block's time there. The encoder stays unless it is clearly slower again and again,
    // which it is where oneDNN has instructions that it has not, and in builds without optimisation.
    private static func fusedProbe(
        _ dtype: DType
    ) throws(TorchError) -> (isFast: Bool, reason: String) {
        guard let kernels = PackedEncoder.kernels(dtype) else {
            return (false, "no kernels for this processor agree with the plain loops")
        }
        return try withoutGradient { () throws(TorchError) in
            let width = 192
            func matrix(_ rows: Int, _ columns: Int) throws(TorchError) -> Tensor {
                try Tensor.full(0.01, [rows, columns])
            }
            let (ones, zeros) = (try Tensor.ones([width]), try Tensor.zeros([width]))
            let shapes = [
                (3 * width, width), (width, width), (4 * width, width), (width, 4 * width),
            ]
            var weights: [Tensor] = []
            for (outputs, inputs) in shapes { weights.append(try matrix(outputs, inputs)) }
            let encoder = try PackedEncoder(width: width, heads: 3, eps: 1e-6, dtype: dtype)
            try encoder.add(
                PackedEncoder.Block(
                    norm1: (ones, zeros),
                    qkv: (weights[0], nil),
                    proj: (weights[1], nil),
                    norm2: (ones, zeros),
                    fc1: (weights[2], nil),
                    fc2: (weights[3], nil)
                )
            )
            let tokens = try Tensor.full(0.5, [2, 197, width])
            let layers = try zip(shapes, weights).map { (shape, weight) throws(TorchError) in
                let input = try Tensor.full(0.5, [394, shape.1], dtype: dtype)
                let packed = try Functional.packedForLinear(weight, dtype: dtype, rows: 394)
                return (input: input, weight: packed)
            }
            var (fused, linear) = (Duration.seconds(1), Duration.seconds(1))
            for round in 0..<40 {
                var start = ContinuousClock.now
                _ = try encoder(tokens)
                fused = min(fused, ContinuousClock.now - start)
                start = ContinuousClock.now
                for layer in layers {
                    _ = try Functional.linearPacked(layer.input, layer.weight, nil)
                }
                linear = min(linear, ContinuousClock.now - start)
                if fused <= linear * 1.5, round >= 3 { break }
            }
            return (
                fused <= linear * 1.5,
                "with \(kernels) a probe block takes \(milliseconds(fused)), "
                    + "its linear layers alone on oneDNN \(milliseconds(linear))"
            )
        }
    }

    // A block of DeiT-Tiny's width with its gradient, against the layers of such a block. The function stays unless it is
    // clearly slower again and again, which it is where oneDNN has instructions that it has not.
    private static func blockProbe(
        _ dtype: DType
    ) throws(TorchError) -> (isFast: Bool, reason: String) {
        guard let kernels = FusedBlock.kernels(dtype) else {
            return (false, "no kernels for this processor agree with the plain loops")
        }
        let (width, heads) = (192, 3)
        func parameter(_ value: Double, _ shape: [Int]) throws(TorchError) -> Tensor {
            let tensor = try Tensor.full(value, shape)
            try tensor.setRequiresGradient(true)
            return tensor
        }
        func norm() throws(TorchError) -> (weight: Tensor, bias: Tensor) {
            (try parameter(1, [width]), try parameter(0, [width]))
        }
        func linear(
            _ outputs: Int,
            _ inputs: Int
        ) throws(TorchError) -> (
            weight: Tensor, bias: Tensor?
        ) {
            (try parameter(0.01, [outputs, inputs]), try parameter(0, [outputs]))
        }
        let block = try PackedEncoder.Block(
            norm1: norm(),
            qkv: linear(3 * width, width),
            proj: linear(width, width),
            norm2: norm(),
            fc1: linear(4 * width, width),
            fc2: linear(width, 4 * width)
        )
        func mapped(
            _ x: Tensor,
            _ layer: (weight: Tensor, bias: Tensor?)
        ) throws(TorchError) -> Tensor {
            try Functional.linearOneDNN(x, layer.weight, layer.bias)
        }
        func normalized(
            _ x: Tensor,
            _ norm: (weight: Tensor, bias: Tensor)
        ) throws(TorchError) -> Tensor {
            try Functional.layerNormVectors(
                x,
                width: width,
                weight: norm.weight,
                bias: norm.bias,
                eps: 1e-6,
                isForProduct: true
            )
        }
        func layers(_ x: Tensor) throws(TorchError) -> Tensor {
            let attended = try Functional.fusedAttentionOneDNN(
                qkv: mapped(normalized(x, block.norm1), block.qkv),
                heads: heads
            )
            let x = try Functional.addBranch(x, mapped(attended, block.proj))
            let hidden = try Functional.geluVectors(mapped(normalized(x, block.norm2), block.fc1))
            return try Functional.addBranch(x, mapped(hidden, block.fc2))
        }
        let tokens = try parameter(0.5, [max(2, Libtorch.threadCount), 101, width])
        func time(_ body: () throws(TorchError) -> Tensor) throws(TorchError) -> Duration {
            let start = ContinuousClock.now
            let out = try autocast(dtype == .float32 ? nil : dtype, body)
            try out.sum().backward()
            return ContinuousClock.now - start
        }
        var best = (fused: Duration.seconds(1), layers: Duration.seconds(1))
        for round in 0..<40 {
            best.fused = min(
                best.fused,
                try time { () throws(TorchError) in
                    try FusedBlock.apply(tokens, block, heads: heads, eps: 1e-6)
                }
            )
            best.layers = min(
                best.layers,
                try time { () throws(TorchError) in try layers(tokens) }
            )
            if round >= 3, best.fused <= best.layers * 1.1 || best.fused > best.layers * 4 { break }
        }
        return (
            best.fused <= best.layers * 1.1,
            "with \(kernels) a probe block and its gradient take \(milliseconds(best.fused)), "
                + "its layers \(milliseconds(best.layers))"
        )
    }

    // Runs both in turn and compares the fastest runs. A busy machine disturbs a probe this short, and two runs of a seed
    // are equal only with the same kernels: oneDNN, which wins on most processors, stays unless it is clearly slower
    // again and again.
    private static func faster(
        _ probe: Probe
    ) throws(TorchError) -> (kernel: Kernel, reason: String) {
        var best = [Kernel.libtorch: Duration.seconds(1), .oneDNN: .seconds(1)]
        var isFast = false
        for round in 0..<40 {
            for kernel in Kernel.allCases {
                let start = ContinuousClock.now
                try probe(kernel)
                best[kernel] = min(best[kernel] ?? .seconds(1), ContinuousClock.now - start)
            }
            isFast = (best[.oneDNN] ?? .zero) <= (best[.libtorch] ?? .zero) * 1.25
            if isFast, round >= 3 { break }
        }
        let times = Kernel.allCases.reversed().map { kernel in
            "\(kernel.rawValue) \(milliseconds(best[kernel] ?? .zero))"
        }
        return (isFast ? .oneDNN : .libtorch, "a probe takes " + times.joined(separator: ", "))
    }

    private static func milliseconds(_ duration: Duration) -> String {
        String(format: "%.3g ms", duration / .milliseconds(1))
    }
}
