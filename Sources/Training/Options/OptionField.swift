/// One option: its name, what it is for, and how its text is read and written.
///
/// Recipes, flags, `run.yaml` and the printed table all go through these, so that a value means the
/// same wherever it stands.
public struct OptionField: Sendable {
    /// The name in recipes, such as `weight_decay`.
    public let key: String
    /// One sentence for `--help`.
    public let help: String
    /// What the value is, for `--help`: `<rate>`.
    public let placeholder: String
    /// What a value has to be, for errors.
    let expected: String
    let read: @Sendable (TrainingOptions) -> String
    /// Returns false where the text is not a value of this option.
    let write: @Sendable (inout TrainingOptions, String) -> Bool
    /// Whether a recipe may have a list for it.
    var takesList = false

    /// The name as a flag, such as `--weight-decay`.
    public var flag: String { "--" + key.replacing("_", with: "-") }
}

// MARK: - Kinds of options

extension OptionField {
    typealias Key = TrainingOptions.CodingKeys
    typealias Path<Value> = any WritableKeyPath<TrainingOptions, Value> & Sendable

    static func text(
        _ key: Key,
        _ path: Path<String>,
        _ placeholder: String,
        _ help: String
    ) -> OptionField {
        OptionField(
            key: key.rawValue,
            help: help,
            placeholder: placeholder,
            expected: "text",
            read: { $0[keyPath: path] },
            write: { options, text in
                options[keyPath: path] = text
                return true
            }
        )
    }

    /// Texts with commas between them; a recipe may list them.
    static func texts(
        _ key: Key,
        _ path: Path<String>,
        _ placeholder: String,
        _ help: String
    ) -> OptionField {
        var field = text(key, path, placeholder, help)
        field.takesList = true
        return field
    }

    /// A text, or a word for none.
    static func text(
        _ key: Key,
        _ path: Path<String?>,
        absent: String,
        _ placeholder: String,
        _ help: String
    ) -> OptionField {
        OptionField(
            key: key.rawValue,
            help: help,
            placeholder: placeholder,
            expected: "text, or \"\(absent)\"",
            read: { $0[keyPath: path] ?? absent },
            write: { options, text in
                guard !text.isEmpty else { return false }
                options[keyPath: path] = isAbsent(text, absent) ? nil : text
                return true
            }
        )
    }

    /// A value that reads its own text.
    static func value<Value: RawRepresentable<String> & Sendable>(
        _ key: Key,
        _ path: Path<Value>,
        _ placeholder: String,
        _ expected: String,
        _ help: String
    ) -> OptionField {
        OptionField(
            key: key.rawValue,
            help: help,
            placeholder: placeholder,
            expected: expected,
            read: { $0[keyPath: path].rawValue },
            write: { options, text in
                guard let value = Value(rawValue: text) else { return false }
                options[keyPath: path] = value
                return true
            }
        )
    }

    /// What stays as it is; a recipe may list names.
    static func freezing(_ key: Key, _ path: Path<Freezing>, _ help: String) -> OptionField {
        var field = value(
            key,
            path,
            "off|all|blocks|names",
            "off, all, a number of blocks, or names such as patch_embed,blocks.*.mlp",
            help
        )
        field.takesList = true
        return field
    }

    static func choice<Value: RawRepresentable<String> & CaseIterable & Sendable>(
        _ key: Key,
        _ path: Path<Value>,
        _ help: String
    ) -> OptionField {
        let names = Value.allCases.map(\.rawValue)
        return OptionField(
            key: key.rawValue,
            help: help,
            placeholder: names.joined(separator: "|"),
            expected: "one of \(names.joined(separator: ", "))",
            read: { $0[keyPath: path].rawValue },
            write: { options, text in
                guard let value = Value(rawValue: text) else { return false }
                options[keyPath: path] = value
                return true
            }
        )
    }

    static func flag(_ key: Key, _ path: Path<Bool>, _ help: String) -> OptionField {
        OptionField(
            key: key.rawValue,
            help: help,
            placeholder: "on|off",
            expected: "on or off",
            read: { $0[keyPath: path] ? "on" : "off" },
            write: { options, text in
                switch text {
                case "on", "true", "yes": options[keyPath: path] = true
                case "off", "false", "no": options[keyPath: path] = false
                default: return false
                }
                return true
            }
        )
    }

    /// A whole or a real number within a range.
    static func number<Value: OptionNumber>(
        _ key: Key,
        _ path: Path<Value>,
        _ range: ClosedRange<Value>,
        _ placeholder: String,
        _ help: String
    ) -> OptionField {
        OptionField(
            key: key.rawValue,
            help: help,
            placeholder: placeholder,
            expected: Value.expectation(range),
            read: { String($0[keyPath: path]) },
            write: { options, text in
                guard let value = Value(text), range.contains(value) else { return false }
                options[keyPath: path] = value
                return true
            }
        )
    }

    /// A number within a range, or a word for none.
    static func number<Value: OptionNumber>(
        _ key: Key,
        _ path: Path<Value?>,
        _ range: ClosedRange<Value>,
        absent: String,
        _ placeholder: String,
        _ help: String
    ) -> OptionField {
        OptionField(
            key: key.rawValue,
            help: help,
            placeholder: placeholder,
            expected: Value.expectation(range) + ", or \"\(absent)\"",
            read: { $0[keyPath: path].map { String($0) } ?? absent },
            write: { options, text in
                let value = Value(text)
                if let value, !range.contains(value) { return false }
                if value == nil, !isAbsent(text, absent) { return false }
                options[keyPath: path] = value
                return true
            }
        )
    }

    /// Two numbers within a range, or a word for none.
    static func numbers(
        _ key: Key,
        _ path: Path<[Double]?>,
        _ range: ClosedRange<Double>,
        absent: String,
        _ placeholder: String,
        _ help: String
    ) -> OptionField {
        OptionField(
            key: key.rawValue,
            help: help,
            placeholder: placeholder,
            expected:
                "two numbers from \(range.lowerBound) to \(range.upperBound), or \"\(absent)\"",
            read: { $0[keyPath: path]?.map { String($0) }.joined(separator: ",") ?? absent },
            write: { options, text in
                if isAbsent(text, absent) {
                    options[keyPath: path] = nil
                    return true
                }
                let parts = text.split(separator: ",", omittingEmptySubsequences: false)
                let values = parts.compactMap { Double($0.filter { $0 != " " }) }
                guard parts.count == 2, values.count == 2, values.allSatisfy(range.contains) else {
                    return false
                }
                options[keyPath: path] = values
                return true
            },
            takesList: true
        )
    }

    /// YAML reads an unquoted `off` or `none` in more than one way; all of them mean "absent".
    static func isAbsent(_ text: String, _ word: String) -> Bool {
        text == word || (word == "off" && ["false", "no", "none"].contains(text))
    }
}

/// A number that an option can have.
protocol OptionNumber: LosslessStringConvertible, Comparable, Sendable {
    /// What a value within a range is called in errors.
    static func expectation(_ range: ClosedRange<Self>) -> String
}

extension Int: OptionNumber {
    static func expectation(_ range: ClosedRange<Int>) -> String {
        range.upperBound == .max
            ? "a whole number of at least \(range.lowerBound)"
            : "a whole number from \(range.lowerBound) to \(range.upperBound)"
    }
}

extension Double: OptionNumber {
    static func expectation(_ range: ClosedRange<Double>) -> String {
        let isAbove = range.lowerBound == .leastNonzeroMagnitude
        guard range.upperBound < .greatestFiniteMagnitude else {
            return isAbove ? "a number above 0" : "a number of at least 0"
        }
        return isAbove
            ? "a number above 0, up to \(range.upperBound)"
            : "a number from \(range.lowerBound) to \(range.upperBound)"
    }
}
