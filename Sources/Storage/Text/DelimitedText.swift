/// Reads rows of cells, as RFC 4180 has them, from a file's bytes.
///
/// The separator is a tab, a comma or a semicolon, whichever comes first in the first line. Cells may be quoted, with quotation
/// marks doubled inside; lines end in any of the three ways.
package struct DelimitedText {
    private let bytes: [UInt8]
    private let path: String
    private let separator: UInt8
    private var at = 0
    /// The line that the row read last begins in, from 1.
    package private(set) var line = 0
    /// Which cells of the row read last stood in quotation marks: spaces around their text belong to it.
    package private(set) var isQuoted: [Bool] = []
    private var nextLine = 1

    /// - Parameters:
    ///   - bytes: The file.
    ///   - path: Its name, for errors.
    package init(_ bytes: [UInt8], path: String) {
        self.bytes = bytes
        self.path = path
        let firstLine = bytes.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
        let found = firstLine.first { [.tab, .comma, .semicolon].contains($0) }
        separator = found ?? .comma
        // A mark that some programs put before UTF-8.
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { at = 3 }
    }

    /// Reads the next row that is not empty; nil at the end.
    ///
    /// - Throws: ``StorageError/malformed(file:reason:)`` for text that is not UTF-8 and quotation marks that do not match.
    package mutating func next() throws(StorageError) -> [String]? {
        while at < bytes.count {
            line = nextLine
            var row: [String] = []
            isQuoted = []
            repeat { row.append(try cell()) } while takeSeparator()
            endLine()
            if row.count > 1 || !row[0].isEmpty { return row }
        }
        return nil
    }

    private mutating func cell() throws(StorageError) -> String {
        var content: [UInt8] = []
        if at < bytes.count, bytes[at] == .quote {
            isQuoted.append(true)
            at += 1
            while true {
                guard at < bytes.count else {
                    throw bad("a quotation mark is not closed")
                }
                let byte = bytes[at]
                at += 1
                if byte == .quote {
                    guard at < bytes.count, bytes[at] == .quote else { break }
                    at += 1
                }
                if byte == .newline { nextLine += 1 }
                content.append(byte)
            }
            guard at == bytes.count || isEnd(bytes[at]) else {
                throw bad("there is text after a closing quotation mark")
            }
        } else {
            isQuoted.append(false)
            let start = at
            while at < bytes.count, !isEnd(bytes[at]) { at += 1 }
            content = Array(bytes[start..<at])
        }
        guard let text = String(validating: content, as: UTF8.self) else {
            throw bad("\"\(escaped(content))\" is not UTF-8")
        }
        guard !text.unicodeScalars.contains("\0") else { throw bad("it contains a zero byte") }
        return Self.unguarded(text)
    }

    private func isEnd(_ byte: UInt8) -> Bool {
        byte == separator || byte == .newline || byte == .carriageReturn
    }

    private mutating func takeSeparator() -> Bool {
        guard at < bytes.count, bytes[at] == separator else { return false }
        at += 1
        return true
    }

    private mutating func endLine() {
        guard at < bytes.count else { return }
        if bytes[at] == .carriageReturn, at + 1 < bytes.count, bytes[at + 1] == .newline { at += 1 }
        at += 1
        nextLine += 1
    }

    private func bad(_ detail: String) -> StorageError {
        .malformed(file: path, reason: "line \(line): \(detail)")
    }

    // MARK: - Writing

    /// A text as a cell of a file with commas.
    ///
    /// It is quoted if necessary. A text that spreadsheets would interpret as a formula gets an
    /// apostrophe in front, which they hide and our reader takes away; numbers stay as they are.
    ///
    /// ## Source
    /// RFC 4180; OWASP, "CSV Injection".
    package static func quoted(_ text: String) -> String {
        let text = isFormula(text) && Double(text) == nil ? "'" + text : text
        let hasSpaces = text != text.trimmed
        let needsQuotes = text.utf8.contains {
            [.comma, .semicolon, .tab, .quote, .newline, .carriageReturn].contains($0)
        }
        guard needsQuotes || hasSpaces else { return text }
        // By code points: a mark that combines with a quotation mark must not hide it.
        var cell = String.UnicodeScalarView("\"".unicodeScalars)
        for scalar in text.unicodeScalars {
            if scalar == "\"" { cell.append(scalar) }
            cell.append(scalar)
        }
        return String(cell) + "\""
    }

    /// Whether a spreadsheet would take a text for a formula, or it is such a text behind apostrophes.
    private static func isFormula(_ text: String) -> Bool {
        guard let first = text.unicodeScalars.first(where: { $0 != "'" }) else { return false }
        // The last four are the wide forms of the first, which some spreadsheets take too.
        return "=+-@\t\r\n\u{FF1D}\u{FF0B}\u{FF0D}\u{FF20}".unicodeScalars.contains(first)
    }

    /// A cell's text without the apostrophe of ``quoted(_:)``.
    private static func unguarded(_ text: String) -> String {
        guard text.unicodeScalars.first == "'", isFormula(text) else { return text }
        return String(text.unicodeScalars.dropFirst())
    }
}

extension [String] {
    /// Cells as a line of a file with commas, as RFC 4180 has it, without the line's end.
    package var csvLine: String { map(\.csvCell).joined(separator: ",") }
}

extension String {
    /// A text as a cell of a file with commas; see ``DelimitedText/quoted(_:)``.
    package var csvCell: String { DelimitedText.quoted(self) }
}

extension UInt8 {
    fileprivate static let tab = UInt8(ascii: "\t")
    fileprivate static let comma = UInt8(ascii: ",")
    fileprivate static let semicolon = UInt8(ascii: ";")
    fileprivate static let quote = UInt8(ascii: "\"")
    fileprivate static let newline = UInt8(ascii: "\n")
    fileprivate static let carriageReturn = UInt8(ascii: "\r")
}
