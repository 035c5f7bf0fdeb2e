/// Commands as a POSIX shell reads them: every command that is printed as advice is made here, so that it works as printed.
public enum ShellLine {
    /// Words as a line.
    ///
    /// - Parameter words: The words.
    /// - Returns: The line.
    public static func line(_ words: [String]) -> String {
        words.map(quoted).joined(separator: " ")
    }

    /// A word, in quotation marks where a shell would read it otherwise.
    ///
    /// - Parameter word: The word.
    /// - Returns: The word as a shell reads it back.
    public static func quoted(_ word: String) -> String {
        let plain = word.unicodeScalars.allSatisfy { scalar in
            scalar.isASCII
                && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
                    || "_-./=,:+@%".unicodeScalars.contains(scalar))
        }
        guard word.isEmpty || !plain else { return word }
        // By scalars: as a character, a quotation mark with a combining mark behind it is another one.
        var text = "'"
        for scalar in word.unicodeScalars {
            if scalar == "'" { text += "'\\''" } else { text.unicodeScalars.append(scalar) }
        }
        return text + "'"
    }

    /// A flag with its value, where a value that looks like a flag is not read as one.
    ///
    /// - Parameters:
    ///   - flag: The flag, such as `--data`.
    ///   - value: The value.
    /// - Returns: One word or two.
    public static func option(_ flag: String, _ value: String) -> [String] {
        value.unicodeScalars.first == "-" ? ["\(flag)=\(value)"] : [flag, value]
    }

    /// A path as an argument of its own, which is not read as a flag.
    ///
    /// - Parameter path: The path.
    /// - Returns: The word.
    public static func argument(_ path: String) -> String {
        path.unicodeScalars.first == "-" ? "./\(path)" : path
    }
}
