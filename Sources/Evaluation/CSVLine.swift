extension [String] {
    /// Cells as a line of a file with commas, as RFC 4180 has it, without the line's end.
    var csvLine: String { map(\.csvCell).joined(separator: ",") }
}

extension String {
    /// A text in quotation marks where it needs them.
    var csvCell: String {
        let needsQuotes = unicodeScalars.contains { ",\"\n\r".unicodeScalars.contains($0) }
        return needsQuotes ? "\"" + replacing("\"", with: "\"\"") + "\"" : self
    }
}
