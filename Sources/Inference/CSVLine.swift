import Datasets

extension [String] {
    /// Cells as a line of a file with commas, as RFC 4180 has it, without the line's end.
    package var csvLine: String { map(\.csvCell).joined(separator: ",") }
}

extension String {
    /// A text in quotation marks where it needs them, and never a formula.
    package var csvCell: String { DelimitedText.quoted(self) }
}
