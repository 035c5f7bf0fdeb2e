/// Text from files, made safe to print.
///
/// Names of classes, files and tensors come from downloaded models and archives. Printed raw, control characters move the
/// cursor or hide text, and bidirectional overrides show a name in another order than it has.
package enum TerminalText {
    /// Text in which every character that a terminal would obey, or that hides or reorders others, is spelled out.
    ///
    /// Line feeds and tabs stay, as they separate the parts of what is printed. The spelling is that of JSON (`\u001b`), so
    /// that JSON stays JSON and means the same.
    ///
    /// - Parameter text: Any text.
    /// - Returns: The same text without control characters, invisible format characters and line separators.
    package static func safe(_ text: String) -> String { spelled(text, isUnsafe) }

    /// Text for one field of a line: as ``safe(_:)``, and without line feeds and tabs.
    ///
    /// - Parameter text: A name.
    /// - Returns: The name on one line.
    package static func field(_ text: String) -> String {
        spelled(text) { isUnsafe($0) || $0 == "\n" || $0 == "\t" }
    }

    /// Whether a terminal would obey a character, or show what follows otherwise than it is.
    ///
    /// By scalars, not by characters: a combining mark after an escape would hide it in one character.
    static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII {
            return scalar.value < 0x20 && scalar != "\n" && scalar != "\t" || scalar.value == 0x7F
        }
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: return true
        // The joiners are letters' own in Persian, Hindi and emoji; prefixed signs such as U+0600 are visible.
        case .format: return scalar.value != 0x200C && scalar.value != 0x200D && !isVisible(scalar)
        default: return false
        }
    }

    private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x0600...0x0605, 0x06DD, 0x070F, 0x0890...0x0891, 0x08E2, 0x110BD, 0x110CD: true
        default: false
        }
    }

    private static func spelled(_ text: String, _ isUnsafe: (Unicode.Scalar) -> Bool) -> String {
        guard text.unicodeScalars.contains(where: isUnsafe) else { return text }
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            guard isUnsafe(scalar) else {
                result.append(scalar)
                continue
            }
            for unit in String(scalar).utf16 {
                let digits = String(unit, radix: 16)
                let padding = String(repeating: "0", count: 4 - digits.count)
                result.append(contentsOf: "\\u\(padding)\(digits)".unicodeScalars)
            }
        }
        return String(result)
    }
}
