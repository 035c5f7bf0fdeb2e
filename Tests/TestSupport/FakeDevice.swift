internal import CFakeDevice
public import Torch

/// An accelerator for tests: it computes as the CPU does, refuses the CPU's tensors, and its memory cannot be read.
///
/// What works on it works with all tensors on one device; see `Tests/CFakeDevice/include/fake_device.h`.
public enum FakeDevice {
    /// The device, which is registered with libtorch by the first call.
    public static var device: Device {
        fake_device_install()
        return .privateUse(0)
    }

    /// How often elements of its tensors were read from the program, since the start.
    public static var readCount: Int { Int(fake_device_read_count()) }

    /// Runs a closure while the tensors of the device may take no more than so many bytes, all that are alive included.
    ///
    /// - Parameters:
    ///   - limit: The bytes, above 0.
    ///   - body: What to run.
    /// - Returns: What the closure returns.
    /// - Throws: What the closure throws.
    @ModelActor
    public static func withMemory<R>(
        of limit: Int,
        _ body: @ModelActor () async throws -> R
    ) async rethrows -> R {
        fake_device_set_limit(Int64(limit))
        defer { fake_device_set_limit(0) }
        return try await body()
    }
}
