extension JSONValue {
    /// The JSON text of the value, UTF-8.
    ///
    /// A number that is not finite, for which JSON has no word, is written as `null`.
    ///
    /// - Parameter isIndented: Whether every key and element gets a line of its own, indented by two
    ///   spaces as Python's libraries do, or everything is on one line without spaces.
    /// - Returns: The text, without newline at the end.
    public func text(isIndented: Bool = true) -> String {
        var text = ""
        write(into: &text, indent: isIndented ? 0 : nil)
        return text
    }

    private func write(into text: inout String, indent: Int?) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .integer(let value): text += String(value)
        case .number(let value): text += value.isFinite ? String(value) : "null"
        case .string(let value): Self.quote(value, into: &text)
        case .array(let values):
            Self.list(values, brackets: ("[", "]"), into: &text, indent: indent) {
                value,
                text,
                inner in
                value.write(into: &text, indent: inner)
            }
        case .object(let object):
            Self.list(object.keys, brackets: ("{", "}"), into: &text, indent: indent) {
                key,
                text,
                inner in
                Self.quote(key, into: &text)
                text += inner == nil ? ":" : ": "
                (object[key] ?? .null).write(into: &text, indent: inner)
            }
        }
    }

    private static func list<Element>(
        _ elements: [Element],
        brackets: (String, String),
        into text: inout String,
        indent: Int?,
        write: (Element, inout String, Int?) -> Void
    ) {
        text += brackets.0
        for (index, element) in elements.enumerated() {
            if index > 0 { text += "," }
            if let indent { text += "\n" + String(repeating: " ", count: indent + 2) }
            write(element, &text, indent.map { $0 + 2 })
        }
        if let indent, !elements.isEmpty { text += "\n" + String(repeating: " ", count: indent) }
        text += brackets.1
    }

    private static func quote(_ value: String, into text: inout String) {
        text += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\0"..<" ":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
