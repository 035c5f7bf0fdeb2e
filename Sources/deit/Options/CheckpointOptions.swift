import ArgumentParser
import Checkpoints
import Torch
import TorchNN
import Training
import VisionModels

/// What every command that uses a checkpoint wants to know.
struct CheckpointOptions: ParsableArguments {
    @Argument(
        help:
            "A run, a model directory, or a .safetensors file with timm's or Hugging Face's names."
    )
    var checkpoint: String

    @Option(
        help: "A text file with the model's classes, one a line; lines may begin with a synset.",
        completion: .file()
    )
    var labels: String?

    @Option(help: "The preset of a bare .safetensors file (default: told by its shapes).")
    var preset: String?

    @Option(help: "The type of matrix products: fp32, bf16 or auto.")
    var dtype = "fp32"

    func validate() throws {
        guard !checkpoint.isEmpty else { throw ValidationError("the checkpoint's path is empty") }
        do {
            _ = try DTypeOption.parse(dtype)
        } catch {
            throw ValidationError("\(error)")
        }
        let presets = ModelRegistry.presets.map(\.name)
        if let preset, !presets.contains(preset) {
            let hint = Suggestion.phrase(for: preset, among: presets)
            throw ValidationError(
                "there is no preset \"\(preset)\"\(hint.isEmpty ? "; `deit models` lists them" : hint)"
            )
        }
    }

    /// Loads the model and puts the choice of kernels in force.
    ///
    /// - Parameter relaxations: What the file may lack.
    /// - Returns: The model.
    /// - Throws: The errors of `ModelDirectory.load` and of the choice of kernels.
    @ModelActor
    func load(allowing relaxations: LoadOptions.Relaxations = []) throws -> LoadedModel {
        ComputePolicy.current = try .automatic(dtype: DTypeOption.parse(dtype))
        var options = LoadOptions(relaxations: relaxations, preset: preset)
        if let labels { options.labels = try ClassLabels(contentsOf: labels) }
        return try ModelDirectory.load(checkpoint, options: options)
    }

    /// Tells what the checkpoint left open, once there is a result that depends on it.
    func tellAssumptions(_ loaded: LoadedModel) {
        for assumption in loaded.report.assumptions { StatusLine.note("assumed: \(assumption)") }
    }
}
