import ArgumentParser
import Training

/// A recipe and changes to it, where a command looks at images as training would see them.
enum RecipeChoice {
    static let help = ArgumentHelp(
        "A recipe (\(Recipe.shippedNames.joined(separator: ", "))) or a YAML file.",
        valueName: "name|file"
    )

    /// The shipped recipes of a method, with commas between them.
    static func named(_ method: TrainingMethod) -> String {
        Recipe.shippedNames.filter { (try? Recipe.named($0).method) == method }
            .joined(separator: ", ")
    }

    /// The flags of `deit train` that decide what a model sees.
    struct Changes: ParsableArguments {
        @Option(help: .field("model")) var model: String?
        @Option(help: .field("size")) var size: String?
        @Option(help: .field("seed")) var seed: String?
        @Option(help: .field("smoothing")) var smoothing: String?
        @OptionGroup var augmentation: AugmentationOptions

        var flags: [OptionText] {
            [
                OptionText("model", model), OptionText("size", size), OptionText("seed", seed),
                OptionText("smoothing", smoothing),
            ] + augmentation.flags
        }
    }

    /// The images of a folder as the recipe with the changes shows them.
    static func images(
        _ recipe: String,
        _ changes: Changes,
        data: String
    ) throws -> RecipeImages {
        let chosen = try Recipe.named(recipe)
        var options = TrainingOptions.defaults(of: chosen.method)
        try options.apply(chosen)
        try options.apply(changes.flags)
        options.data = data
        return try RecipeImages(options)
    }
}
