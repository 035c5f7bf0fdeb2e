/// Rows of tables in GitHub's Markdown.
package enum MarkdownTable {
    /// Cells as one row.
    ///
    /// - Parameter cells: The cells' texts, which may hold Markdown.
    /// - Returns: The row, without the line's end.
    package static func row(_ cells: [String]) -> String {
        "| " + cells.map(cell).joined(separator: " | ") + " |"
    }

    /// A text as a cell: nothing in it ends the cell or the row.
    ///
    /// It goes by Unicode scalars: by characters, a combining scalar behind a bar would hide the bar.
    ///
    /// - Parameter text: Any text, which may hold Markdown.
    /// - Returns: The text with its bars escaped and its line breaks turned into spaces.
    ///
    /// ## Source
    /// GitHub Flavored Markdown, "Tables (extension)".
    package static func cell(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        var backslashes = 0
        for scalar in text.unicodeScalars {
            switch scalar {
            case "|":
                // Backslashes before a bar are doubled, or one of them would escape the backslash that escapes the bar.
                result.append(contentsOf: repeatElement("\\", count: backslashes + 1))
                result.append(scalar)
            case "\n", "\r", "\u{B}", "\u{C}", "\u{85}", "\u{2028}", "\u{2029}":
                result.append(" ")
            default:
                result.append(scalar)
            }
            backslashes = scalar == "\\" ? backslashes + 1 : 0
        }
        return String(result)
    }
}
