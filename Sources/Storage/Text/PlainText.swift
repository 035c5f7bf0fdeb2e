/// Bytes as text, with `\xNN` for those that are no printable ASCII.
package func escaped(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { byte in
        (0x20..<0x7F).contains(byte)
            ? String(UnicodeScalar(byte))
            : "\\x" + String(byte >> 4, radix: 16).uppercased()
                + String(byte & 15, radix: 16).uppercased()
    }
    .joined()
}

extension String {
    /// The text without spaces around it.
    package var trimmed: String {
        var part = self[...]
        // By code points: a mark that combines with a space must not hide it.
        while part.unicodeScalars.first?.properties.isWhitespace == true {
            part.unicodeScalars.removeFirst()
        }
        while part.unicodeScalars.last?.properties.isWhitespace == true {
            part.unicodeScalars.removeLast()
        }
        return String(part)
    }
}
