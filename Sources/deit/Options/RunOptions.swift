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

    @Flag(
        help:
            "Continue the run in --output with its options; `--resume auto`: if there is one, else start it."
    )
    var resume = false

    /// What ``ResumeWord`` makes of `--resume auto`.
    @Flag(help: .hidden)
    var resumeAuto = false

    @Option(
        help: ArgumentHelp(
            "Longest wait of processes that train together for one another.",
            valueName: "duration"
        )
    )
    var distTimeout = "10m"

    @Flag(help: "Print the parameter groups (weights, learning rate, weight decay) and exit.")
    var listGroups = false

    @Flag(help: "Print all options in effect, not only those that differ from the recipe.")
    var verbose = false
}

/// The word behind `--resume`, which may be absent: ArgumentParser has no option whose value may be.
enum ResumeWord {
    /// Makes a flag of its own of `--resume auto`.
    static func joined(_ arguments: [String]) -> [String] {
        var joined: [String] = []
        for argument in arguments {
            if argument == "auto", joined.last == "--resume" {
                joined[joined.count - 1] = "--resume-auto"
            } else {
                joined.append(argument == "--resume=auto" ? "--resume-auto" : argument)
            }
        }
        return joined
    }
}
