/// The fields of a configuration file, read with errors that name file and key.
///
/// The errors are of the type that the library of the caller throws.
package struct JSONObjectFields<Failure: StorageFailure> {
    package let object: JSONObject
    package let file: String
    /// The prefix of a key in a message, such as `pretrained_cfg.`.
    private let prefix: String

    package init(object: JSONObject, file: String) {
        self.init(object: object, file: file, prefix: "")
    }

    private init(object: JSONObject, file: String, prefix: String) {
        self.object = object
        self.file = file
        self.prefix = prefix
    }

    /// The same fields, with errors of another type.
    package init<Other>(_ fields: JSONObjectFields<Other>) {
        self.init(object: fields.object, file: fields.file, prefix: fields.prefix)
    }

    package func malformed(_ key: String, _ reason: String) -> Failure {
        Failure(.malformed(file: file, reason: "\(prefix)\(key) \(reason)"))
    }

    package func unsupported(_ key: String, _ reason: String) -> Failure {
        Failure(.unsupported(file: file, reason: "\(prefix)\(key) \(reason)"))
    }

    /// The value of a key that is there and not null.
    package func value(_ key: String) -> JSONValue? {
        guard let value = object[key], value != .null else { return nil }
        return value
    }

    package func int(_ key: String, default other: Int? = nil) throws(Failure) -> Int {
        guard let value = value(key) else {
            if let other { return other }
            throw malformed(key, "is missing")
        }
        guard let number = value.intValue else { throw malformed(key, "is not an integer") }
        return number
    }

    package func double(
        _ key: String,
        default other: Double? = nil
    ) throws(Failure) -> Double {
        guard let value = value(key) else {
            if let other { return other }
            throw malformed(key, "is missing")
        }
        guard let number = value.doubleValue else { throw malformed(key, "is not a number") }
        return number
    }

    package func bool(_ key: String, default other: Bool) throws(Failure) -> Bool {
        guard let value = value(key) else { return other }
        guard let flag = value.boolValue else { throw malformed(key, "is neither true nor false") }
        return flag
    }

    package func string(_ key: String) throws(Failure) -> String? {
        guard let value = value(key) else { return nil }
        guard let text = value.stringValue else { throw malformed(key, "is not a string") }
        return text
    }

    package func object(_ key: String) throws(Failure) -> JSONObjectFields? {
        guard let value = value(key) else { return nil }
        guard let object = value.objectValue else { throw malformed(key, "is not an object") }
        return JSONObjectFields(object: object, file: file, prefix: "\(prefix)\(key).")
    }

    package func floats(_ key: String) throws(Failure) -> [Float]? {
        guard let value = value(key) else { return nil }
        var floats: [Float] = []
        for element in value.arrayValue ?? [value] {
            guard let number = element.doubleValue else {
                throw malformed(key, "is not a list of numbers")
            }
            floats.append(Float(number))
        }
        return floats
    }

    /// A list of whole numbers; empty where the key is absent.
    package func ints(_ key: String) throws(Failure) -> [Int] {
        try ints(value(key), key)
    }

    /// A list of whole numbers within the value of a key; empty where there is none.
    package func ints(_ value: JSONValue?, _ key: String) throws(Failure) -> [Int] {
        var list: [Int] = []
        for element in value?.arrayValue ?? [] {
            guard let number = element.intValue else {
                throw malformed(key, "is not a list of integers")
            }
            list.append(number)
        }
        return list
    }

    package func strings(_ key: String) throws(Failure) -> [String]? {
        guard let value = value(key) else { return nil }
        var strings: [String] = []
        for element in value.arrayValue ?? [] {
            guard let text = element.stringValue else {
                throw malformed(key, "is not a list of strings")
            }
            strings.append(text)
        }
        guard value.arrayValue != nil else { throw malformed(key, "is not a list of strings") }
        return strings
    }

    /// One number for both sides, or a list or object of height and width.
    package func size(_ key: String) throws(Failure) -> (height: Int, width: Int)? {
        guard let value = value(key) else { return nil }
        if let side = value.intValue { return (side, side) }
        if let list = value.arrayValue, list.count == 2, let height = list[0].intValue,
            let width = list[1].intValue
        {
            return (height, width)
        }
        if let height = value["height"]?.intValue, let width = value["width"]?.intValue {
            return (height, width)
        }
        throw malformed(key, "is neither an integer nor a height and a width")
    }
}

extension JSONValue {
    /// A number that reads back as the same `Float`, with no more digits than that takes.
    package init(_ float: Float) { self = .number(Double("\(float)") ?? Double(float)) }
}

extension JSONObject {
    /// This object with the keys of another laid over it, objects inside objects likewise.
    ///
    /// - Parameters:
    ///   - other: The object that wins.
    ///   - replacing: Keys whose whole value is taken from the other.
    /// - Returns: The object with all keys of both.
    package func overlaid(with other: JSONObject, replacing: Set<String>) -> JSONObject {
        var result = self
        for key in other.keys {
            guard let theirs = other[key] else { continue }
            if !replacing.contains(key), let inner = result[key]?.objectValue,
                let theirs = theirs.objectValue
            {
                result[key] = .object(inner.overlaid(with: theirs, replacing: replacing))
            } else {
                result[key] = theirs
            }
        }
        return result
    }

    /// This object with the keys changed that differ between two others.
    ///
    /// - Parameters:
    ///   - before: The object's meaning as it was read.
    ///   - after: Its meaning now.
    /// - Returns: The object; what means the same as before stands as it stood.
    package func replacing(from before: JSONObject, to after: JSONObject) -> JSONObject {
        var result = self
        for key in before.keys where after[key] == nil { result[key] = nil }
        for key in after.keys where after[key] != before[key] { result[key] = after[key] }
        return result
    }
}

extension JSONValue {
    /// The value with the keys of all objects in alphabetical order.
    package var ordered: JSONValue {
        switch self {
        case .object(let object):
            var result = JSONObject()
            for key in object.keys.sorted() { result[key] = object[key]?.ordered }
            return .object(result)
        case .array(let list): return .array(list.map(\.ordered))
        default: return self
        }
    }
}
