import ArgumentParser
import Training

/// The flags of the teacher and of what is learnt from it.
struct DistillationOptions: ParsableArguments {
    @Option(help: .field("teacher")) var teacher: [String] = []
    @Option(help: .field("distillation")) var distillation: String?
    @Option(help: .field("distillation_alpha")) var distillationAlpha: String?
    @Option(help: .field("distillation_tau")) var distillationTau: String?
    @Option(help: .field("kl_reduction")) var klReduction: String?
    @Option(help: .field("distillation_token")) var distillationToken: String?
    @Option(help: .field("token_init")) var tokenInit: String?
    @Option(help: .field("teacher_finetune")) var teacherFinetune: String?
    @Option(help: .field("teacher_recipe")) var teacherRecipe: String?
    @Option(help: .field("cache_teacher")) var cacheTeacher: String?
    @Option(help: .field("cache_limit")) var cacheLimit: String?

    var flags: [OptionText] {
        [
            OptionText("teacher", teacher.isEmpty ? nil : teacher.joined(separator: ",")),
            OptionText("distillation", distillation),
            OptionText("distillation_alpha", distillationAlpha),
            OptionText("distillation_tau", distillationTau),
            OptionText("kl_reduction", klReduction),
            OptionText("distillation_token", distillationToken),
            OptionText("token_init", tokenInit),
            OptionText("teacher_finetune", teacherFinetune),
            OptionText("teacher_recipe", teacherRecipe),
            OptionText("cache_teacher", cacheTeacher),
            OptionText("cache_limit", cacheLimit),
        ]
    }
}
