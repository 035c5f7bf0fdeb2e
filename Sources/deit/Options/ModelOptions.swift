import ArgumentParser
import Training

/// The flags that choose the model and what it learns from.
struct ModelOptions: ParsableArguments {
    @Option(help: .field("model")) var model: String?
    @Option(help: .field("drop_path")) var dropPath: String?
    @Option(help: .field("teacher")) var teacher: String?
    @Option(help: .field("distillation")) var distillation: String?
    @Option(help: .field("distillation_alpha")) var distillationAlpha: String?
    @Option(help: .field("distillation_tau")) var distillationTau: String?
    @Option(help: .field("kl_reduction")) var klReduction: String?
    @Option(help: .field("smoothing")) var smoothing: String?

    var flags: [OptionText] {
        [
            OptionText("model", model), OptionText("drop_path", dropPath),
            OptionText("teacher", teacher),
            OptionText("distillation", distillation),
            OptionText("distillation_alpha", distillationAlpha),
            OptionText("distillation_tau", distillationTau),
            OptionText("kl_reduction", klReduction),
            OptionText("smoothing", smoothing),
        ]
    }
}
