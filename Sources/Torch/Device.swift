internal import CTorch

/// Where a tensor's elements live and its operations run.
public enum Device: Sendable, Hashable, CustomStringConvertible {
    case cpu

    /// An NVIDIA GPU, by its index.
    case cuda(Int)

    /// The GPU of an Apple machine.
    case mps

    /// The name that libtorch uses: `cpu`, `cuda:0`, `mps`.
    public var description: String {
        switch self {
        case .cpu: "cpu"
        case .cuda(let index): "cuda:\(index)"
        case .mps: "mps"
        }
    }

    /// Whether the loaded libtorch can use this kind of device here.
    public var isAvailable: Bool {
        switch self {
        case .cpu: true
        case .cuda: ct_has_cuda()
        case .mps: ct_has_mps()
        }
    }

    var kind: ct_device {
        switch self {
        case .cpu: CT_CPU
        case .cuda: CT_CUDA
        case .mps: CT_MPS
        }
    }

    var index: Int32 {
        switch self {
        case .cpu: -1
        case .cuda(let index): Int32(clamping: index)
        case .mps: 0
        }
    }

    init(kind: Int32, index: Int32) {
        switch kind {
        case Int32(CT_CUDA.rawValue): self = .cuda(Int(max(index, 0)))
        case Int32(CT_MPS.rawValue): self = .mps
        default: self = .cpu
        }
    }
}
