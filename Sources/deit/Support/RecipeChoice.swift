import ArgumentParser
import Training

/// A recipe and changes to it, where a command looks at pictures as training would see them.
enum RecipeChoice {
    static let help = ArgumentHelp(
        "A recipe (\(Recipe.shippedNames.joined(separator: ", "))) or a YAML file.",
        valueName: "name|file"
    )

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

    /// The pictures of a folder as the recipe with the changes shows them.
    static func pictures(
        _ recipe: String,
        _ changes: Changes,
        data: String
    ) throws -> RecipePictures {
        var options = TrainingOptions()
        try options.apply(try Recipe.named(recipe))
        try options.apply(changes.flags)
        options.data = data
        return try RecipePictures(options)
    }
}
