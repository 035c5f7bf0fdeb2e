internal import CTorch

/// The blocks of a vision transformer and its last normalisation as one function, for inference on the CPU.
///
/// Weights are packed once; a pass allocates nothing but its result, and everything between two matrix products happens
/// where the first one's result still is in the processor's cache. Threads may share an encoder that has all its blocks.
public final class PackedEncoder {
    /// What is between the feed-forward layers.
    public enum Activation: Sendable, CaseIterable {
        /// The exact GELU.
        case gelu

        /// GELU by tanh.
        case geluTanh

        /// `x · sigmoid(1.702 x)`.
        case quickGELU

        /// A gate, `silu(gate) · value`, in place of a GELU.
        case swiglu

        fileprivate var code: ct_encoder_activation {
            switch self {
            case .gelu: CT_GELU
            case .geluTanh: CT_GELU_TANH
            case .quickGELU: CT_QUICK_GELU
            case .swiglu: CT_SWIGLU
            }
        }
    }

    /// The steps of the outputs of a block's linear layers in 8 bits, one number for each output.
    ///
    /// A weight is its output's step times whole numbers from -127 to 127.
    public struct Steps {
        /// Those of the projection to queries, keys and values, `[3 * width]`.
        public var qkv: Tensor
        /// Those of the projection after attention, `[width]`.
        public var proj: Tensor
        /// Those of the map to the hidden width.
        public var fc1: Tensor
        /// Those of the map back, `[width]`.
        public var fc2: Tensor

        /// Creates a list of steps, all `float32` on the CPU.
        public init(qkv: Tensor, proj: Tensor, fc1: Tensor, fc2: Tensor) {
            (self.qkv, self.proj, self.fc1, self.fc2) = (qkv, proj, fc1, fc2)
        }
    }

    /// What multiplies the tokens of an encoder.
    public struct Block {
        /// Weight and bias of the normalisation before attention, `[width]`.
        public var norm1: (weight: Tensor, bias: Tensor)
        /// The projection to queries, keys and values, `[3 * width, width]` and `[3 * width]`.
        public var qkv: (weight: Tensor, bias: Tensor?)
        /// The projection after attention, `[width, width]` and `[width]`.
        public var proj: (weight: Tensor, bias: Tensor?)
        /// The layer scale of attention, `[width]`.
        public var scale1: Tensor?
        /// Weight and bias of the normalisation before the feed-forward layers, `[width]`.
        public var norm2: (weight: Tensor, bias: Tensor)
        /// The map to the hidden width, `[hidden, width]`; with a gate `[2 * hidden, width]`, the gate's rows first.
        public var fc1: (weight: Tensor, bias: Tensor?)
        /// The map back, `[width, hidden]`.
        public var fc2: (weight: Tensor, bias: Tensor?)
        /// The layer scale of the feed-forward layers, `[width]`.
        public var scale2: Tensor?
        /// Weight and bias of the normalisation of every head's queries, `[width / heads]`.
        public var qNorm: (weight: Tensor, bias: Tensor)?
        /// Those of the keys.
        public var kNorm: (weight: Tensor, bias: Tensor)?
        /// What the weights are made of, in 8 bits.
        public var steps: Steps?

        /// Creates a list of a block's tensors, all `float32` on the CPU.
        public init(
            norm1: (weight: Tensor, bias: Tensor),
            qkv: (weight: Tensor, bias: Tensor?),
            proj: (weight: Tensor, bias: Tensor?),
            scale1: Tensor? = nil,
            norm2: (weight: Tensor, bias: Tensor),
            fc1: (weight: Tensor, bias: Tensor?),
            fc2: (weight: Tensor, bias: Tensor?),
            scale2: Tensor? = nil,
            qNorm: (weight: Tensor, bias: Tensor)? = nil,
            kNorm: (weight: Tensor, bias: Tensor)? = nil,
            steps: Steps? = nil
        ) {
            self.norm1 = norm1
            self.qkv = qkv
            self.proj = proj
            self.scale1 = scale1
            self.norm2 = norm2
            self.fc1 = fc1
            self.fc2 = fc2
            self.scale2 = scale2
            self.qNorm = qNorm
            self.kNorm = kNorm
            self.steps = steps
        }

        /// In the order of ct_encoder_add_block() and ct_block().
        var tensors: [Tensor?] {
            [
                norm1.weight, norm1.bias, qkv.weight, qkv.bias, proj.weight, proj.bias, scale1,
                norm2.weight, norm2.bias, fc1.weight, fc1.bias, fc2.weight, fc2.bias, scale2,
                qNorm?.weight, qNorm?.bias, kNorm?.weight, kNorm?.bias,
                steps?.qkv, steps?.proj, steps?.fc1, steps?.fc2,
            ]
        }
    }

    private let handle: ct_encoder

    /// The name of the kernels that this processor has for a type: `nil` for none, or for any other than `float32`,
    /// `bfloat16` and `int8`.
    ///
    /// - Parameter dtype: The type of the operands of matrix products; in `int8` those of linear layers, while attention's
    ///   are in `bfloat16` or, on processors without such products, `float32`.
    /// - Returns: A name such as `AVX-512`. The first call compares all kernels with plain loops; a wrong one is none.
    public static func kernels(_ dtype: DType) -> String? {
        ct_encoder_kernels(dtype.code).map { String(cString: $0) }
    }

    /// Whether an encoder can have a width, given kernels.
    public static func serves(width: Int) -> Bool { width > 0 && width % 32 == 0 }

    /// Creates an encoder without blocks.
    ///
    /// - Parameters:
    ///   - width: The width of a token, a multiple of 32.
    ///   - heads: The number of heads, a divisor of the width.
    ///   - eps: What is added to the variances.
    ///   - activation: What is between the feed-forward layers.
    ///   - normalizesHeads: Whether every head's queries and keys are normalised, which needs heads whose width is a multiple
    ///     of 16.
    ///   - dtype: The type of the operands of matrix products, as for ``kernels(_:)``. In `int8`, blocks need
    ///     ``Block/steps``.
    /// - Throws: ``TorchError`` where there are no kernels for the type, or the width is not served.
    public init(
        width: Int,
        heads: Int,
        eps: Double,
        activation: Activation = .gelu,
        normalizesHeads: Bool = false,
        dtype: DType
    ) throws(TorchError) {
        var handle: ct_encoder?
        try guarded("encoder") {
            ct_encoder_create(
                Int64(width),
                Int64(heads),
                eps,
                activation.code,
                normalizesHeads,
                dtype.code,
                &handle
            )
        }
        guard let handle else { throw TorchError.last("encoder") }
        self.handle = handle
    }

    deinit { ct_encoder_release(handle) }

    /// Packs the weights of the next block.
    ///
    /// - Parameter block: The block's tensors, of which the encoder keeps nothing.
    /// - Throws: ``TorchError`` for other shapes or types, or a lack of memory.
    public func add(_ block: Block) throws(TorchError) {
        let tensors = block.tensors
        let status = withExtendedLifetime(tensors) {
            ct_encoder_add_block(handle, tensors.map { $0?.handle })
        }
        guard status == 0 else { throw TorchError.last("encoder") }
    }

    /// Adds a normalisation after the last block.
    ///
    /// - Parameters:
    ///   - weight: `[width]`.
    ///   - bias: `[width]`.
    /// - Throws: ``TorchError`` for another shape or type.
    public func setNorm(weight: Tensor, bias: Tensor) throws(TorchError) {
        try guarded("encoder") { ct_encoder_set_norm(handle, weight.handle, bias.handle) }
    }

    /// Returns the tokens after the last blocks.
    ///
    /// A token's result is the same, to the bit, on any number of threads, in any batch and whatever else is wanted.
    ///
    /// - Parameters:
    ///   - tokens: The tokens that enter the first block, `[batch, tokens, width]` of `float32`.
    ///   - rotary: Cosines and sines that turn queries and keys of the last tokens, `[turned tokens, width / heads / 2]`
    ///     each; the width of a head is then a multiple of 32.
    ///   - wanted: How many tokens at the beginning are wanted; `nil` for all. The last block then computes no others.
    ///   - lastBlocks: After how many of the last blocks they are wanted, 1 or more.
    /// - Returns: `[lastBlocks, batch, wanted, width]` of `float32`, the last block's at the end.
    /// - Throws: ``TorchError`` when the shape does not fit, or there are fewer blocks.
    public func callAsFunction(
        _ tokens: Tensor,
        rotary: (cosines: Tensor, sines: Tensor)? = nil,
        wanted: Int? = nil,
        lastBlocks: Int = 1
    ) throws(TorchError) -> Tensor {
        let (_, all, _) = try tokens.shape3()
        let count = wanted ?? all
        return try tensor("encoder") {
            ct_encoder_run(
                handle,
                tokens.handle,
                rotary?.cosines.handle,
                rotary?.sines.handle,
                Int64(count),
                Int64(lastBlocks),
                $0
            )
        }
    }

    /// How many kernels ``error(ofKernel:dtype:seed:)`` has.
    package static var kernelCount: Int { 17 }

    /// The error of a kernel on random numbers of a random shape, against plain loops in double precision.
    ///
    /// - Parameters:
    ///   - kernel: 0 ..< ``kernelCount``.
    ///   - dtype: The type of the operands.
    ///   - seed: What the shape and the numbers are drawn from.
    /// - Returns: The error relative to the largest number, and what is allowed; 0 for a kernel that the type does not have.
    /// - Throws: ``TorchError`` where there is no such kernel.
    package static func error(
        ofKernel kernel: Int,
        dtype: DType,
        seed: UInt64
    ) throws(TorchError) -> (found: Double, allowed: Double) {
        var (found, allowed) = (0.0, 0.0)
        try guarded("encoder") {
            ct_encoder_error(dtype.code, Int32(kernel), seed, &found, &allowed)
        }
        return (found, allowed)
    }
}
