import Foundation
import Synchronization
public import Torch

/// How layers compute: on which device, in which type, with which kernels.
///
/// Layers ask for the kernels at every call; models never do. All choices compute the same functions, to rounding. Kernels
/// of our own serve tensors on the CPU; those of other devices are libtorch's, whatever the policy says.
public struct ComputePolicy: Sendable, Equatable, CustomStringConvertible {
    /// An implementation of a function.
    public enum Kernel: String, Sendable, CaseIterable {
        /// libtorch's default.
        case libtorch

        /// oneDNN's matrix products, inside libtorch.
        case oneDNN = "onednn"
    }

    /// An implementation of what is done to single elements and rows: GELU, layer and batch normalisation.
    public enum Pointwise: String, Sendable, CaseIterable {
        /// libtorch's.
        case libtorch

        /// Loops of our own, sixteen elements at a time.
        case vectors
    }

    /// How the blocks of a vision transformer compute on the CPU.
    public enum Encoder: String, Sendable, CaseIterable {
        /// Layer by layer.
        case layers

        /// As one function: all blocks without gradients (`PackedEncoder`), a block with gradients (`FusedBlock`); layer
        /// by layer where it does not serve a network.
        case fused
    }

    /// Where models run.
    public var device: Device

    /// The type of matrix products: `float32`, `bfloat16`, or `float16` away from the CPU; weights stay in `float32`.
    public var dtype: DType

    /// The kernel of linear layers.
    public var linear: Kernel

    /// The kernel of self-attention.
    public var attention: Kernel

    /// The kernel of GELU, layer and batch normalisation.
    public var pointwise: Pointwise

    /// How the blocks of a vision transformer compute in inference.
    public var encoder: Encoder

    /// How the blocks of a vision transformer compute where gradients are wanted.
    public var blocks: Encoder

    /// Creates a policy.
    ///
    /// - Parameters:
    ///   - device: Where models run.
    ///   - dtype: The type of matrix products.
    ///   - linear: The kernel of linear layers.
    ///   - attention: The kernel of self-attention.
    ///   - pointwise: The kernel of GELU and layer normalisation; `nil` takes libtorch's where linear layers do.
    ///   - encoder: How the blocks of a vision transformer compute in inference.
    ///   - blocks: How they compute where gradients are wanted.
    public init(
        device: Device = .cpu,
        dtype: DType = .float32,
        linear: Kernel = .libtorch,
        attention: Kernel = .libtorch,
        pointwise: Pointwise? = nil,
        encoder: Encoder = .layers,
        blocks: Encoder = .layers
    ) {
        self.device = device
        self.dtype = dtype
        self.linear = linear
        self.attention = attention
        self.pointwise = pointwise ?? (linear == .libtorch ? .libtorch : .vectors)
        self.encoder = encoder
        self.blocks = blocks
    }

    /// One line for the log: device, type, kernels.
    public var description: String {
        guard device == .cpu else { return "\(device), \(dtype), kernels of libtorch" }
        return "\(device), \(dtype), linear \(linear.rawValue), attention \(attention.rawValue), "
            + "pointwise \(pointwise.rawValue), encoder \(encoder.rawValue), "
            + "blocks \(blocks.rawValue), "
            + "\(Libtorch.threadCount) thread\(Libtorch.threadCount == 1 ? "" : "s")"
    }

    /// The type to give to `withAutocast(_:device:_:)`; `nil` where everything computes in `float32`.
    public var autocastDType: DType? { dtype == .float32 ? nil : dtype }

    /// Runs a closure with matrix products in a type, on the device of the current policy.
    ///
    /// - Parameters:
    ///   - dtype: The type of matrix products, or `nil` to leave them in that of the weights.
    ///   - body: What computes.
    /// - Returns: What the closure returns.
    /// - Throws: What the closure throws.
    public static func autocast<R, Failure>(
        _ dtype: DType?,
        _ body: () throws(Failure) -> R
    ) throws(Failure) -> R {
        try withAutocast(dtype, device: current.device, body)
    }

    /// Runs a closure with matrix products in the type of the current policy, on its device.
    ///
    /// - Parameter body: What computes.
    /// - Returns: What the closure returns.
    /// - Throws: What the closure throws.
    public static func autocast<R, Failure>(
        _ body: () throws(Failure) -> R
    ) throws(Failure) -> R {
        try autocast(current.autocastDType, body)
    }

    /// The policy of this process.
    public static var current: ComputePolicy {
        get { shared.withLock { $0 } }
        set { shared.withLock { $0 = newValue } }
    }

    // Before a program chooses, layers use whatever exists; no probe runs behind its back.
    private static let shared = Mutex(ComputePolicy())
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
        let dtype = dtype ?? usualDType(on: device)
        // Kernels of our own are for the CPU.
        guard device == .cpu else { return ComputePolicy(device: device, dtype: dtype) }
        guard dtype != .float16 else {
            throw ConfigurationError.unknownValue(
                name: "precision on the CPU",
                value: "fp16",
                known: ["fp32", "bf16"]
            )
        }
        var policy = ComputePolicy()
        policy.dtype = dtype
        if let name = ProcessInfo.processInfo.environment["DEIT_COMPUTE"], !name.isEmpty,
            name != "auto"
        {
            let name = name.lowercased()
            let fused = Encoder.fused.rawValue
            policy.encoder = name == fused && hasFusedEncoder ? .fused : .layers
            policy.blocks = policy.encoder
            let layers =
                policy.encoder == .fused
                ? Libtorch.hasOneDNN ? .oneDNN : .libtorch : Kernel(rawValue: name)
            guard let kernel = layers, kernel == .libtorch || Libtorch.hasOneDNN else {
                throw ConfigurationError.unknownValue(
                    name: "DEIT_COMPUTE",
                    value: name,
                    known: availableKernels + (hasFusedEncoder ? [fused] : [])
                )
            }
            policy.linear = kernel
            policy.attention = kernel
            policy.pointwise = kernel == .libtorch ? .libtorch : .vectors
        } else if Libtorch.hasOneDNN {
            policy.linear = try faster(linearProbe(policy.dtype))
            policy.attention = try faster(attentionProbe(policy.dtype))
            policy.pointwise = .vectors
            policy.encoder = try fusedProbe(policy.dtype) ? .fused : .layers
            // Without optimisation, where the encoder is slow, a block with its gradient is too.
            if policy.encoder == .fused, try blockProbe(policy.dtype) { policy.blocks = .fused }
        }
        return policy
    }

    private static func usualDType(on device: Device) -> DType {
        if device.hasFastBFloat16 { return .bfloat16 }
        // Cards before Ampere multiply float16 fast, and bfloat16 slower than float32.
        if case .cuda = device { return .float16 }
        return .float32
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
    private static func fusedProbe(_ dtype: DType) throws(TorchError) -> Bool {
        guard PackedEncoder.kernels(dtype) != nil else { return false }
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
                if fused <= linear * 1.5, round >= 3 { return true }
            }
            return false
        }
    }

    // A block of DeiT-Tiny's width with its gradient, against the layers of such a block. The function stays unless it is
    // clearly slower again and again, which it is where oneDNN has instructions that it has not.
    private static func blockProbe(_ dtype: DType) throws(TorchError) -> Bool {
        guard FusedBlock.kernels(dtype) != nil else { return false }
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
            if round >= 3, best.fused <= best.layers * 1.1 { return true }
            if round >= 3, best.fused > best.layers * 4 { return false }
        }
        return false
    }

    // Runs both in turn and compares the fastest runs. A busy machine disturbs a probe this short, and two runs of a seed
    // are equal only with the same kernels: oneDNN, which wins on most processors, stays unless it is clearly slower
    // again and again.
    private static func faster(_ probe: Probe) throws(TorchError) -> Kernel {
        var best = [Kernel.libtorch: Duration.seconds(1), .oneDNN: .seconds(1)]
        for round in 0..<40 {
            for kernel in Kernel.allCases {
                let start = ContinuousClock.now
                try probe(kernel)
                best[kernel] = min(best[kernel] ?? .seconds(1), ContinuousClock.now - start)
            }
            let isFast = (best[.oneDNN] ?? .zero) <= (best[.libtorch] ?? .zero) * 1.25
            if isFast, round >= 3 { return .oneDNN }
        }
        return .libtorch
    }
}
