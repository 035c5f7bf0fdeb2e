/// A row of a study with one seed: one run.
public struct StudyRun: Sendable, Equatable {
    /// The row.
    public let row: Study.Row
    /// The seed.
    public let seed: Int
    /// The recipe that the row begins with.
    public let recipe: String

    /// The name of the run's folder.
    public var folderName: String { "\(row.fileName)-seed\(seed)" }

    /// The options in effect.
    public var options: TrainingOptions {
        var options = row.options
        options.seed = seed
        return options
    }

    /// What follows `deit` in the command that makes this run.
    ///
    /// - Parameter output: The run's folder.
    /// - Returns: The arguments.
    public func arguments(output: String) -> [String] {
        var arguments = ["train", "--recipe", recipe]
        for value in row.given {
            guard let setting = Settings.named(value.key) else { continue }
            arguments += ShellLine.option(setting.flag, value.text)
        }
        // A study compares runs of one batch, whatever their data.
        let batch = Settings.declared.batch.key
        if Recipe.choosesBatch(recipe), !row.given.contains(where: { $0.key == batch }) {
            arguments += ["--batch", "\(row.options.batch)"]
        }
        return arguments + ["--seed", "\(seed)"] + ShellLine.option("--output", output)
    }

    /// The same as a line for a shell.
    ///
    /// - Parameter output: The run's folder.
    /// - Returns: The line.
    public func command(output: String) -> String {
        ShellLine.line(["deit"] + arguments(output: output))
    }
}
