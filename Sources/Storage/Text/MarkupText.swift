/// Text in HTML and SVG: escaping and addresses.
///
/// Names of files and classes come from data and downloaded models, and nothing in them may act as markup.
package enum MarkupText {
    /// A text escaped for HTML or SVG, between tags or in a quoted attribute.
    ///
    /// It goes by Unicode scalars: by characters, a combining or format scalar beside `<` would hide it. Scalars that HTML
    /// and XML forbid, and those that turn the direction of text, which can hide a name's ending, become U+FFFD.
    ///
    /// - Parameter text: Any text.
    /// - Returns: The text without markup.
    package static func escaped(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;".unicodeScalars
            case "<": result += "&lt;".unicodeScalars
            case ">": result += "&gt;".unicodeScalars
            case "\"": result += "&quot;".unicodeScalars
            case "'": result += "&#39;".unicodeScalars
            case "\u{0}"..."\u{8}", "\u{B}", "\u{C}", "\u{E}"..."\u{1F}", "\u{7F}"..."\u{9F}",
                "\u{202A}"..."\u{202E}", "\u{2066}"..."\u{2069}":
                result.append("\u{FFFD}")
            default:
                let isCharacter =
                    scalar.value & 0xFFFE != 0xFFFE && !(0xFDD0...0xFDEF).contains(scalar.value)
                result.append(isCharacter ? scalar : "\u{FFFD}")
            }
        }
        return String(result)
    }

    /// A path relative to a page as an address in it, for `href` and `src`.
    ///
    /// Bytes beyond letters, digits and `-._~/` are percent-encoded, so that no path is taken for a scheme, a host's name,
    /// a query or a fragment.
    ///
    /// - Parameter path: The path.
    /// - Returns: The address.
    package static func address(_ path: String) -> String {
        var text = ""
        for byte in path.utf8 {
            let isPlain =
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || "-._~/".utf8.contains(byte)
            if isPlain {
                text.unicodeScalars.append(UnicodeScalar(byte))
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                text += "%" + (digits.count < 2 ? "0" : "") + digits
            }
        }
        // Two slashes at the start would name a host.
        return text.hasPrefix("/") ? "." + text : text
    }
}
