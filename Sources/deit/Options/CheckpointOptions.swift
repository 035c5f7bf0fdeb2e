import ArgumentParser
import Checkpoints
import Torch
import TorchNN
import Training

/// Options of every command that uses a checkpoint.
struct CheckpointOptions: ParsableArguments {
    @OptionGroup var source: CheckpointSource

    @Option(help: "Precision of matrix products: fp32, bf16, fp16 (on GPUs) or auto.")
    var dtype = "fp32"

    @OptionGroup var device: DeviceOption

    /// The checkpoint's path.
    var checkpoint: String { source.checkpoint }

    func validate() throws {
        do {
            _ = try DTypeOption.parse(dtype)
        } catch {
            throw ValidationError("\(error)")
        }
    }

    /// Loads the model onto the device, from the hub where its name is no path, and applies the choice of kernels.
    ///
    /// - Parameters:
    ///   - relaxations: What the file may lack.
    ///   - change: Changes how the checkpoint is read.
    /// - Returns: The model.
    /// - Throws: The errors of the hub, of `ModelDirectory.load` and of the choice of device and kernels.
    @ModelActor
    func load(
        allowing relaxations: LoadOptions.Relaxations = [],
        _ change: (inout LoadOptions) -> Void = { _ in }
    ) async throws -> LoadedModel {
        try useDevice()
        let path = try await CheckpointPath.find(checkpoint)
        var options = try source.options(relaxations)
        change(&options)
        let loaded = try ModelDirectory.load(path, options: options)
        try loaded.model.to(ComputePolicy.current.device)
        return loaded
    }

    /// Applies the choice of device and kernels.
    func useDevice() throws {
        ComputePolicy.current = try .automatic(
            dtype: DTypeOption.parse(dtype),
            device: device.resolved()
        )
    }

    /// Tells what the checkpoint left open, once there is a result that depends on it.
    func tellAssumptions(_ loaded: LoadedModel) {
        for note in loaded.report.notes { StatusLine.note(note) }
        for assumption in loaded.report.assumptions { StatusLine.note("assumed: \(assumption)") }
    }
}
