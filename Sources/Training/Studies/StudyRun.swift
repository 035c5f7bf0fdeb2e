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
            guard let field = TrainingOptions.field(value.key) else { continue }
            // A value that looks like a flag must not be read as one.
            arguments +=
                value.text.hasPrefix("-")
                ? ["\(field.flag)=\(value.text)"] : [field.flag, value.text]
        }
        return arguments + ["--seed", "\(seed)", "--output", output]
    }

    /// The same as a line for a shell.
    ///
    /// - Parameter output: The run's folder.
    /// - Returns: The line.
    public func command(output: String) -> String {
        Self.line(["deit"] + arguments(output: output))
    }

    /// Words as a line for a POSIX shell.
    public static func line(_ words: [String]) -> String {
        words.map(quoted).joined(separator: " ")
    }

    /// A word as a POSIX shell reads it back.
    static func quoted(_ word: String) -> String {
        let plain = word.unicodeScalars.allSatisfy { scalar in
            scalar.isASCII
                && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
                    || "_-./=,:+@%".unicodeScalars.contains(scalar))
        }
        guard word.isEmpty || !plain else { return word }
        return "'" + word.replacing("'", with: "'\\''") + "'"
    }
}
