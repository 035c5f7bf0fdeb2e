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
