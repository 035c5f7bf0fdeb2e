/// A JSON value that keeps everything of a file: the order of keys, integers apart from fractions,
/// and keys that nobody here knows.
///
/// Configurations of other people's checkpoints pass through this type, so that what we do not
/// understand is written back as it was.
public enum JSONValue: Sendable, Equatable {
    /// `null`.
    case null

    /// `true` or `false`.
    case bool(Bool)

    /// A number without fraction and exponent that fits 64 bits.
    case integer(Int)

    /// Any other finite number.
    case number(Double)

    /// A text.
    case string(String)

    /// A list.
    case array([JSONValue])

    /// Keys and values, in the order of the file.
    case object(JSONObject)

    /// The value under a key, or nil where this is not an object or has no such key.
    ///
    /// - Parameter key: The key.
    public subscript(key: String) -> JSONValue? {
        guard case .object(let object) = self else { return nil }
        return object[key]
    }

    /// The text of a string.
    public var stringValue: String? {
        guard case .string(let value) = self else { return nil }
        return value
    }

    /// The value of an integer, also of one written as `3.0`.
    public var intValue: Int? {
        switch self {
        case .integer(let value): value
        case .number(let value): Int(exactly: value)
        default: nil
        }
    }

    /// The value of any number.
    public var doubleValue: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    /// The value of a boolean.
    public var boolValue: Bool? {
        guard case .bool(let value) = self else { return nil }
        return value
    }

    /// The elements of a list.
    public var arrayValue: [JSONValue]? {
        guard case .array(let value) = self else { return nil }
        return value
    }

    /// The keys and values of an object.
    public var objectValue: JSONObject? {
        guard case .object(let value) = self else { return nil }
        return value
    }
}

/// The keys and values of a JSON object, in the order in which they were written.
public struct JSONObject: Sendable, Equatable {
    /// The keys, in order.
    public private(set) var keys: [String] = []

    private var values: [String: JSONValue] = [:]

    /// Creates an empty object.
    public init() {}

    /// The value under a key; setting nil removes the key, setting a new key appends it.
    ///
    /// - Parameter key: The key.
    public subscript(key: String) -> JSONValue? {
        get { values[key] }
        set {
            if newValue == nil, values[key] != nil {
                keys.removeAll { $0 == key }
            } else if newValue != nil, values[key] == nil {
                keys.append(key)
            }
            values[key] = newValue
        }
    }

    /// Takes over the keys of another object, which win over the ones here.
    ///
    /// - Parameter other: The object whose keys are taken.
    public mutating func merge(_ other: JSONObject) {
        for key in other.keys { self[key] = other[key] }
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    /// Creates an object from a literal; of a repeated key the last value holds.
    ///
    /// - Parameter elements: The keys and values.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        for (key, value) in elements { self[key] = value }
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral
{
    /// Creates a string.
    ///
    /// - Parameter value: The text.
    public init(stringLiteral value: String) { self = .string(value) }

    /// Creates an integer.
    ///
    /// - Parameter value: The number.
    public init(integerLiteral value: Int) { self = .integer(value) }

    /// Creates a number.
    ///
    /// - Parameter value: The number.
    public init(floatLiteral value: Double) { self = .number(value) }

    /// Creates a boolean.
    ///
    /// - Parameter value: The truth value.
    public init(booleanLiteral value: Bool) { self = .bool(value) }

    /// Creates a list.
    ///
    /// - Parameter elements: The elements.
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }

    /// Creates an object.
    ///
    /// - Parameter elements: The keys and values.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        var object = JSONObject()
        for (key, value) in elements { object[key] = value }
        self = .object(object)
    }
}
