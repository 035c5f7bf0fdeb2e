import ArgumentParser
import VisionModels

/// What bare weights leave open: which of a file's sets is meant, and of which network it is.
struct BareWeightsOptions: ParsableArguments {
    @Option(
        help: "Model name for bare weights, see `deit models` (default: detected from the shapes)."
    )
    var preset: String?

    @Option(
        help: ArgumentHelp(
            "Which weights of the file to load: a dictionary such as model_ema, or a prefix of names such as backbone.",
            valueName: "name"
        )
    )
    var stateDict: String?

    func validate() throws {
        guard let preset, ModelRegistry.preset(named: preset) == nil else { return }
        throw ValidationError(
            "there is no preset \"\(preset)\"\(ModelRegistry.advice(preset))"
        )
    }
}
