import TestSupport
import Testing
import Torch
import TorchNN

/// The devices whose results are compared.
enum Compared {
    /// Expects a closure to give the same numbers on the CPU and on the fake device, under libtorch's kernels.
    ///
    /// - Parameters:
    ///   - tolerance: The largest difference that passes, as a fraction of the largest magnitude.
    ///   - floor: The least magnitude that differences are measured by, where numbers may be nothing but rounding.
    ///   - location: Where a failure is reported.
    ///   - body: Returns named numbers for a device, which is the policy's.
    /// - Throws: What the closure throws.
    @ModelActor
    static func onBoth(
        tolerance: Float = 1e-5,
        floor: Float = 0,
        location: SourceLocation = #_sourceLocation,
        _ body: (Device) throws -> [(name: String, values: [Float])]
    ) throws {
        let previous = ComputePolicy.current
        // Sums of another number of threads round otherwise, which steps of an optimiser amplify.
        let threads = Libtorch.threadCount
        defer {
            ComputePolicy.current = previous
            try? Libtorch.setThreadCount(threads)
        }
        try Libtorch.setThreadCount(1)
        let results = try [Device.cpu, FakeDevice.device].map { device in
            ComputePolicy.current = ComputePolicy(device: device)
            try manualSeed(5)
            return try body(device)
        }
        try #require(
            results[0].map(\.name) == results[1].map(\.name),
            sourceLocation: location
        )
        for (cpu, fake) in zip(results[0], results[1]) {
            expectClose(
                fake.values,
                cpu.values,
                tolerance: tolerance,
                scale: cpu.values.reduce(floor) { max($0, abs($1)) },
                cpu.name,
                location: location
            )
        }
    }
}
