public import ArgumentParser
public import Torch

/// The device of every command that runs a model.
struct DeviceOption: ParsableArguments {
    @Option(
        name: .customLong("device"),
        help: "Device: auto (CUDA, MPS, CPU), cpu, cuda, cuda:N or mps."
    )
    var choice = DeviceChoice.automatic

    @Flag(help: "Let CUDA round the inputs of fp32 products to TF32, which is faster.")
    var tf32 = false

    func validate() throws {
        do {
            _ = try choice.resolved()
        } catch {
            throw ValidationError(error.description)
        }
    }

    /// The device; applies the choice of TF32.
    ///
    /// - Returns: The device.
    /// - Throws: `DeviceError` where the one that is named cannot be used.
    func resolved() throws(DeviceError) -> Device {
        Libtorch.setTF32(tf32)
        return try choice.resolved()
    }
}

extension DeviceChoice: ExpressibleByArgument {}
