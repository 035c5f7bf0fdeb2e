/// What is wrong with a JSON text, and where.
public struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The position in the text, in bytes from its start.
    public let offset: Int

    /// What is wrong there.
    public let reason: String

    /// One sentence.
    public var description: String { "not valid JSON at byte \(offset): \(reason)" }
}

extension JSONValue {
    /// Reads a JSON text (RFC 8259), and nothing looser.
    ///
    /// Texts come from files that anybody may have written, so depth and number of values are
    /// bounded, a repeated key is an error, and a number that no `Double` holds is one too.
    ///
    /// - Parameters:
    ///   - bytes: The text, UTF-8.
    ///   - maximumDepth: How deep lists and objects may nest.
    ///   - maximumCount: How many values the text may hold in all.
    /// - Returns: The value.
    /// - Throws: ``JSONError`` with the position of the first mistake.
    public static func parse(
        _ bytes: [UInt8],
        maximumDepth: Int = 64,
        maximumCount: Int = 500_000
    ) throws(JSONError) -> JSONValue {
        var parser = JSONParser(bytes: bytes, maximumDepth: maximumDepth, remaining: maximumCount)
        let value = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.index == bytes.count else {
            throw parser.error("text after the end of the value")
        }
        return value
    }
}

private struct JSONParser {
    let bytes: [UInt8]
    let maximumDepth: Int
    var remaining: Int
    var index = 0

    var next: UInt8? { index < bytes.count ? bytes[index] : nil }

    func error(_ reason: String) -> JSONError { JSONError(offset: index, reason: reason) }

    mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            index += 1
        }
    }

    mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        guard depth <= maximumDepth else { throw error("nested deeper than \(maximumDepth)") }
        guard remaining > 0 else { throw error("more values than a configuration can have") }
        remaining -= 1
        skipSpace()
        guard let byte = next else { throw error("the text ends too early") }
        switch byte {
        case UInt8(ascii: "{"): return .object(try object(depth: depth))
        case UInt8(ascii: "["): return .array(try array(depth: depth))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw error("expected a value")
        }
    }

    mutating func word(_ word: String, _ value: JSONValue) throws(JSONError) -> JSONValue {
        let end = index + word.utf8.count
        guard end <= bytes.count, bytes[index..<end].elementsEqual(word.utf8) else {
            throw error("expected a value")
        }
        index = end
        return value
    }

    mutating func object(depth: Int) throws(JSONError) -> JSONObject {
        var object = JSONObject()
        index += 1
        skipSpace()
        if next == UInt8(ascii: "}") {
            index += 1
            return object
        }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw error("expected a key in quotes") }
            let key = try string()
            guard object[key] == nil else { throw error("the key \"\(key)\" occurs twice") }
            skipSpace()
            guard next == UInt8(ascii: ":") else { throw error("expected ':' after a key") }
            index += 1
            object[key] = try value(depth: depth + 1)
            guard try continues(until: UInt8(ascii: "}")) else { return object }
        }
    }

    mutating func array(depth: Int) throws(JSONError) -> [JSONValue] {
        var array: [JSONValue] = []
        index += 1
        skipSpace()
        if next == UInt8(ascii: "]") {
            index += 1
            return array
        }
        while true {
            array.append(try value(depth: depth + 1))
            guard try continues(until: UInt8(ascii: "]")) else { return array }
        }
    }

    /// Whether a comma follows (another element comes) rather than the closing bracket.
    mutating func continues(until close: UInt8) throws(JSONError) -> Bool {
        skipSpace()
        guard let byte = next else { throw error("the text ends too early") }
        guard byte == UInt8(ascii: ",") || byte == close else {
            throw error("expected ',' or '\(Character(UnicodeScalar(close)))'")
        }
        index += 1
        return byte != close
    }

    mutating func number() throws(JSONError) -> JSONValue {
        let start = index
        if next == UInt8(ascii: "-") { index += 1 }
        if next == UInt8(ascii: "0") { index += 1 } else { try digits() }
        var isInteger = true
        if next == UInt8(ascii: ".") {
            isInteger = false
            index += 1
            try digits()
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            isInteger = false
            index += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { index += 1 }
            try digits()
        }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        if isInteger, let value = Int(text) { return .integer(value) }
        guard let value = Double(text), value.isFinite else {
            throw JSONError(offset: start, reason: "the number is too large")
        }
        return .number(value)
    }

    mutating func digits() throws(JSONError) {
        let start = index
        while let byte = next, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { index += 1 }
        guard index > start else { throw error("expected a digit") }
    }
}

// MARK: - Strings

extension JSONParser {
    package mutating func string() throws(JSONError) -> String {
        let start = index
        index += 1
        var utf8: [UInt8] = []
        while true {
            guard let byte = next else { throw error("a string without a closing quote") }
            index += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: utf8, as: UTF8.self) else {
                    throw JSONError(offset: start, reason: "a string that is not UTF-8")
                }
                return text
            case UInt8(ascii: "\\"): try escape(into: &utf8)
            case 0..<0x20: throw error("a control character inside a string")
            default: utf8.append(byte)
            }
        }
    }

    private mutating func escape(into utf8: inout [UInt8]) throws(JSONError) {
        guard let byte = next else { throw error("a string without a closing quote") }
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): utf8.append(byte)
        case UInt8(ascii: "b"): utf8.append(0x08)
        case UInt8(ascii: "f"): utf8.append(0x0C)
        case UInt8(ascii: "n"): utf8.append(0x0A)
        case UInt8(ascii: "r"): utf8.append(0x0D)
        case UInt8(ascii: "t"): utf8.append(0x09)
        case UInt8(ascii: "u"): utf8.append(contentsOf: try unicodeEscape())
        default: throw error("an unknown escape")
        }
    }

    private mutating func unicodeEscape() throws(JSONError) -> [UInt8] {
        var code = try hexadecimal4()
        if (0xD800..<0xDC00).contains(code) {
            guard next == UInt8(ascii: "\\") else { throw error("half of a surrogate pair") }
            index += 1
            guard next == UInt8(ascii: "u") else { throw error("half of a surrogate pair") }
            index += 1
            let low = try hexadecimal4()
            guard (0xDC00..<0xE000).contains(low) else { throw error("half of a surrogate pair") }
            code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(code) else { throw error("half of a surrogate pair") }
        return Array(String(Character(scalar)).utf8)
    }

    private mutating func hexadecimal4() throws(JSONError) -> UInt32 {
        guard index + 4 <= bytes.count else { throw error("the text ends too early") }
        var code: UInt32 = 0
        for byte in bytes[index..<index + 4] {
            guard let digit = Character(UnicodeScalar(byte)).hexDigitValue, byte < 0x80 else {
                throw error("expected four hexadecimal digits")
            }
            code = code << 4 | UInt32(digit)
        }
        index += 4
        return code
    }
}
