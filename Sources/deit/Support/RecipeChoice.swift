import ArgumentParser
import Training

/// A recipe and changes to it, where a command looks at images as training would see them.
enum RecipeChoice {
    static let help = ArgumentHelp(
        "Recipe: \(Recipe.shippedNames.joined(separator: ", ")), or a YAML file.",
        valueName: "name|file"
    )

    private static let shipped: [TrainingMethod: [Recipe]] = Dictionary(
        grouping: Recipe.shippedNames.compactMap { try? Recipe.named($0) },
        by: \.method
    )

    /// The shipped recipes of a method, with commas between them.
    static func named(_ method: TrainingMethod) -> String {
        shipped[method, default: []].map(\.name).joined(separator: ", ")
    }

    /// The settings that a shipped recipe of a method names.
    static func keys(of method: TrainingMethod) -> Set<String> {
        Set(shipped[method, default: []].flatMap(\.values).map(\.key))
    }

    /// The settings of `deit train` that decide what a model sees of images which are given.
    enum Changes: SettingSelection {
        static let flags = SettingFlag.all(of: .supervised) { setting in
            let declared = Settings.declared
            let others: [any AnySetting] = [
                declared.model, declared.size, declared.seed, declared.smoothing,
                declared.exifOrientation,
            ]
            return setting.section == .augmentation || others.contains { $0.key == setting.key }
        } standard: { _, _ in
            // The recipe's, whichever is chosen.
            ""
        }
    }

    /// The images of a folder as the recipe with the changes shows them.
    static func images(
        _ recipe: String,
        _ changes: SettingFlags<Changes>,
        data: String
    ) throws -> RecipeImages {
        let chosen = try Recipe.named(recipe)
        var options = TrainingOptions.defaults(of: chosen.method)
        try options.apply(chosen)
        try options.apply(changes.given, source: "the command line")
        options.data = data
        return try RecipeImages(options)
    }
}
