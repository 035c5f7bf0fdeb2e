import ArgumentParser
import Training

/// A command that trains: what it learns from, and the recipe of a run that names none.
protocol TrainingCommand: SettingSelection {
    static var method: TrainingMethod { get }
    static var recipe: String { get }
    /// Whether a teacher that is given is learnt from where neither recipe nor flags say how: by its decisions, as in
    /// DeiT's fine-tuning.
    static var isTaughtHard: Bool { get }
}

extension TrainingCommand {
    static var isTaughtHard: Bool { false }
}

extension SettingFlag {
    /// The flags of a command that trains; a default counts only where the recipe leaves the setting out.
    static func all(
        of method: TrainingMethod,
        but left: [any AnySetting] = []
    ) -> [SettingFlag] {
        let keys = RecipeChoice.keys(of: method)
        return all(of: method) { setting in
            !left.contains { $0.key == setting.key }
        } standard: { setting, text in
            keys.contains(setting.key) ? "per recipe, else \(text)" : text
        }
    }
}

/// The flags of where a run goes and how it is kept.
struct RunOptions<Command: TrainingCommand>: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Recipe: \(RecipeChoice.named(Command.method)), or a YAML file (default: \(Command.recipe)).",
            valueName: "name|file"
        )
    )
    var recipe: String?

    @Option(
        help: ArgumentHelp(
            "Directory of the run (default: runs/TIME-RECIPE).",
            valueName: "directory"
        )
    )
    var output: String?

    @Flag(help: "Continue the run in --output with the options it was started with.")
    var resume = false

    @Flag(help: "Print the parameter groups (weights, learning rate, weight decay) and exit.")
    var listGroups = false

    @Flag(help: "Print all options in effect, not only those that differ from the recipe.")
    var verbose = false
}
