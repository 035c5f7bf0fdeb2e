internal import CTorch

/// Where a tensor's elements live and its operations run.
public enum Device: Sendable, Hashable, CustomStringConvertible {
    case cpu

    /// An NVIDIA GPU, by its index.
    case cuda(Int)

    /// The GPU of an Apple machine.
    case mps

    /// An accelerator that another library registers with libtorch (its `PrivateUse1`), by its index.
    case privateUse(Int)

    /// The name that libtorch uses: `cpu`, `cuda:0`, `mps`, `privateuseone:0`.
    public var description: String {
        switch self {
        case .cpu: "cpu"
        case .cuda(let index): "cuda:\(index)"
        case .mps: "mps"
        case .privateUse(let index): "privateuseone:\(index)"
        }
    }

    /// The device of a name, without an index the first of its kind; `nil` for any other text.
    public init?(_ name: String) {
        let parts = name.split(separator: ":", omittingEmptySubsequences: false)
        let index = parts.count == 2 ? Int(parts[1]) : parts.count == 1 ? 0 : nil
        guard let index, (0...Int(Int8.max)).contains(index) else { return nil }
        switch parts[0] {
        case "cpu" where parts.count == 1: self = .cpu
        case "mps" where parts.count == 1: self = .mps
        case "cuda": self = .cuda(index)
        case "privateuseone": self = .privateUse(index)
        default: return nil
        }
    }

    var kind: ct_device {
        switch self {
        case .cpu: CT_CPU
        case .cuda: CT_CUDA
        case .mps: CT_MPS
        case .privateUse: CT_PRIVATE_USE
        }
    }

    var index: Int32 {
        switch self {
        case .cpu: -1
        case .cuda(let index), .privateUse(let index): Int32(clamping: index)
        case .mps: 0
        }
    }

    init(kind: Int32, index: Int32) {
        switch kind {
        case Int32(CT_CUDA.rawValue): self = .cuda(Int(max(index, 0)))
        case Int32(CT_MPS.rawValue): self = .mps
        case Int32(CT_PRIVATE_USE.rawValue): self = .privateUse(Int(max(index, 0)))
        default: self = .cpu
        }
    }
}

// MARK: - Which there are

extension Device {
    /// The devices that can be used here: CUDA's, MPS, the CPU, which is the order in which they are preferred.
    public static var available: [Device] {
        (0..<Int(ct_device_count(CT_CUDA))).map { .cuda($0) }
            + (ct_device_count(CT_MPS) > 0 ? [.mps] : []) + [.cpu]
    }

    /// Whether the device can be used here.
    public var isAvailable: Bool { Int(ct_device_count(kind)) > max(Int(index), 0) }

    /// Why the device cannot be used here, from the comma on; `nil` where it can.
    public var reasonForAbsence: String? {
        guard !isAvailable else { return nil }
        guard ct_device_is_built(kind) else {
            return switch self {
            case .cuda:
                "the loaded libtorch was built without CUDA (`make setup LIBTORCH_CUDA=1` prepares one "
                    + "that has it)"
            case .mps: "the loaded libtorch was built without MPS, which only Apple machines have"
            case .cpu, .privateUse: "no library has registered it with libtorch"
            }
        }
        let count = Int(ct_device_count(kind))
        guard count == 0 else {
            let devices = count == 1 ? "is 1 such device" : "are \(count) such devices"
            return "there \(devices), counted from 0"
        }
        // libtorch counts in silence, and says what is missing when it is asked for memory there.
        do {
            _ = try Tensor.zeros([1], device: self)
            return "libtorch finds none"
        } catch {
            return error.message
        }
    }

    /// Whether the device multiplies bfloat16 matrices in hardware; of the CPU see ``Libtorch/hasFastBFloat16``.
    public var hasFastBFloat16: Bool {
        self == .cpu ? Libtorch.hasFastBFloat16 : ct_device_has_fast_bfloat16(kind, index)
    }

    /// Waits until all work of the device is done; the CPU's always is.
    public func synchronize() throws(TorchError) {
        try guarded("synchronize") { ct_device_synchronize(kind, index) }
    }

    /// The memory of the device that nothing uses, and all of it, in bytes; `nil` where libtorch does not know, as of the CPU.
    public var memory: (free: Int, total: Int)? {
        var (free, total): (Int64, Int64) = (0, 0)
        guard self != .cpu, ct_device_memory(kind, index, &free, &total) == 0 else { return nil }
        return (Int(free), Int(total))
    }

    /// The most bytes that tensors on the device took since the start or ``resetPeakMemory()``; `nil` where libtorch does
    /// not count them, as on the CPU.
    public var peakMemory: Int? {
        var bytes: Int64 = 0
        guard self != .cpu, ct_device_peak(kind, index, &bytes) == 0 else { return nil }
        return Int(bytes)
    }

    /// Starts the count of ``peakMemory`` anew.
    public func resetPeakMemory() {
        if self != .cpu { _ = ct_device_reset_peak(kind, index) }
    }

    /// Gives memory that libtorch keeps for the next tensors back to the device.
    public func releaseCachedMemory() {
        if self != .cpu { _ = ct_device_empty_cache(kind) }
    }
}

// MARK: - Which is wanted

/// A device that is asked for: one by its name, or the best there is.
public enum DeviceChoice: Sendable, Hashable, RawRepresentable, CustomStringConvertible {
    /// The first of ``Device/available``: CUDA, MPS, the CPU.
    case automatic

    /// One device.
    case device(Device)

    /// Reads `auto` or the name of a device, such as `cpu`, `cuda`, `cuda:1`, `mps`; `nil` for any other text.
    public init?(rawValue: String) {
        if rawValue == "auto" {
            self = .automatic
        } else if let device = Device(rawValue) {
            self = .device(device)
        } else {
            return nil
        }
    }

    /// The text: `auto` or the device's name.
    public var rawValue: String {
        switch self {
        case .automatic: "auto"
        case .device(let device): device.description
        }
    }

    /// The text: `auto` or the device's name.
    public var description: String { rawValue }

    /// The device.
    ///
    /// - Returns: The device that is named, or the first of those there are.
    /// - Throws: ``DeviceError`` where the one that is named cannot be used here.
    public func resolved() throws(DeviceError) -> Device {
        switch self {
        case .automatic: return Device.available.first ?? .cpu
        case .device(let device):
            if let reason = device.reasonForAbsence {
                throw DeviceError(device: device, reason: reason)
            }
            return device
        }
    }
}

extension DeviceChoice: Codable {}

/// A device that is asked for and cannot be used here.
public struct DeviceError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The device.
    public let device: Device

    /// Why it cannot be used.
    public let reason: String

    /// One sentence: the device, why not, and what to choose.
    public var description: String {
        "the device \(device) cannot be used: \(reason); choose another with --device, or auto for the best there is"
    }
}
