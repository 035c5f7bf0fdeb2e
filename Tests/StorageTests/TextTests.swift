import Storage
import Testing

@Suite struct DelimitedTextTests {
    private static func rows(_ text: String) throws -> [[String]] {
        var reader = DelimitedText(Array(text.utf8), path: "list.csv")
        var rows: [[String]] = []
        while let row = try reader.next() { rows.append(row) }
        return rows
    }

    @Test(arguments: [
        "rose ", " rose", "=1+2", "+a", "-a", "@SUM(A1)", "'=x", "''=x", "'quoted'", "a\"b",
        "a\"\u{301}", "a,b", "a;b", "\tx", "-1", "\u{FF1D}1", "a\nb", "a\r\nb", "\u{301}x",
        ",\u{301}", "\"", "=\u{301}1",
    ])
    func cellsComeBack(_ text: String) throws {
        let rows = try Self.rows(["x", text, "y"].csvLine + "\n")
        #expect(
            rows.map { $0.map { Array($0.utf8) } } == [["x", text, "y"].map { Array($0.utf8) }]
        )
    }

    /// By Unicode scalars: U+0600 joins the scalar after it, and a combining mark the one before.
    @Test(arguments: ["=1", "'=1", "@x", "\tx", "=\u{301}1", "\u{FF1D}1", "-1+1"])
    func noCellIsAFormula(_ text: String) {
        let first = text.csvCell.unicodeScalars.drop { $0 == "\"" }.first
        #expect(first == "'")
    }

    @Test func numbersStayNumbers() {
        let numbers = ["-1.5", "+2", "1e-3", "-inf", "12"]
        #expect(numbers.map(\.csvCell) == numbers)
    }

    @Test func faultsNameFileAndLine() {
        for text in ["a,b\n\"c,d", "a,b\n\"c\"d,e\n", "a,b\nc,\0\n"] {
            let error = #expect(throws: StorageError.self) { try Self.rows(text) }
            guard case .malformed("list.csv", let reason) = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
            #expect(reason.hasPrefix("line 2: "))
        }
    }
}

@Suite struct MarkdownTableTests {
    /// Cells as GitHub splits a row: at bars without an odd number of backslashes before them.
    private static func split(_ row: String) -> [String] {
        var cells: [String.UnicodeScalarView] = [.init()]
        var backslashes = 0
        for scalar in row.unicodeScalars {
            if scalar == "|", backslashes.isMultiple(of: 2) {
                cells.append(.init())
            } else {
                cells[cells.count - 1].append(scalar)
            }
            backslashes = scalar == "\\" ? backslashes + 1 : 0
        }
        return cells.map { String($0) }
    }

    @Test(arguments: [
        "a|b", "a|\u{301}b", "\u{600}|b", "a\\|b", "a\\\\|b", "|", "||", "a\nb", "a\r\nb",
        "a\u{2028}b",
        "a\\",
    ])
    func nothingEndsACell(_ text: String) {
        let row = MarkdownTable.row(["x", text, "y"])
        #expect(Self.split(row).count == 5, "\(row)")
        #expect(!row.unicodeScalars.contains { "\n\r\u{2028}".unicodeScalars.contains($0) })
    }

    @Test func markdownStays() {
        #expect(MarkdownTable.row(["*a*", #"\*b\*"#]) == #"| *a* | \*b\* |"#)
    }
}
