import Torch

/// How the value of a ``Setting`` is written as text in recipes, in `run.yaml` and after a flag.
struct SettingForm<Value: Sendable>: Sendable {
    /// What the value is, for `--help`: `rate`, `on|off`.
    let placeholder: String
    /// What a value has to be, for errors.
    let expected: String
    /// The words that are values; empty where there are too many to list.
    var choices: [String] = []
    /// Whether a recipe may have a list for it.
    var takesList = false
    /// Whether the flag may be repeated, each time with one part of the value.
    var isRepeatable = false
    let write: @Sendable (Value) -> String
    /// Returns nil where the text is not a value.
    let read: @Sendable (String) -> Value?
}

// MARK: - Text

extension SettingForm where Value == String {
    static func text(_ placeholder: String) -> SettingForm {
        SettingForm(placeholder: placeholder, expected: "text", write: { $0 }, read: { $0 })
    }

    /// Texts separated by commas; a recipe may list them, and the flag may be repeated.
    static func texts(_ placeholder: String) -> SettingForm {
        var form = text(placeholder)
        form.takesList = true
        form.isRepeatable = true
        return form
    }
}

extension SettingForm where Value == String? {
    static func text(_ placeholder: String, or absent: String) -> SettingForm {
        let text = SettingForm<String>(
            placeholder: placeholder,
            expected: "text",
            write: { $0 },
            read: { $0.isEmpty ? nil : $0 }
        )
        return text.or(absent)
    }
}

// MARK: - Words

extension SettingForm where Value == Bool {
    static var flag: SettingForm {
        SettingForm(
            placeholder: "on|off",
            expected: "on or off",
            choices: ["on", "off"],
            write: { $0 ? "on" : "off" },
            read: { text in
                switch text {
                case "on", "true", "yes": true
                case "off", "false", "no": false
                default: nil
                }
            }
        )
    }
}

extension SettingForm where Value: RawRepresentable<String> & CaseIterable {
    static var choice: SettingForm {
        let names = Value.allCases.map(\.rawValue)
        return SettingForm(
            placeholder: names.joined(separator: "|"),
            expected: "one of \(names.joined(separator: ", "))",
            choices: names,
            write: { $0.rawValue },
            read: { Value(rawValue: $0) }
        )
    }
}

extension SettingForm where Value == Freezing {
    static var weights: SettingForm {
        SettingForm(
            placeholder: "off|all|blocks|names",
            expected: "off, all, a number of blocks, or names such as patch_embed,blocks.*.mlp",
            choices: ["off", "all"],
            takesList: true,
            write: { $0.rawValue },
            read: { Freezing(rawValue: $0) }
        )
    }
}

extension SettingForm where Value == ClassWeighting {
    static var weights: SettingForm {
        SettingForm(
            placeholder: "off|balanced|effective|list|file",
            expected:
                "off, balanced, effective, effective:BETA with a number from 0 to below 1, numbers of at least 0 "
                + "with commas between them, or the path of a CSV file",
            choices: ["off", "balanced", "effective"],
            takesList: true,
            write: { $0.rawValue },
            read: { ClassWeighting(rawValue: $0) }
        )
    }
}

extension SettingForm where Value == Int {
    /// A number of images, or `auto`, which is ``TrainingOptions/automaticBatch``.
    static var batch: SettingForm {
        let number = SettingForm.number(1...1_000_000, "count|auto")
        return SettingForm(
            placeholder: number.placeholder,
            expected: "\(number.expected), or \"auto\"",
            write: { $0 == TrainingOptions.automaticBatch ? "auto" : number.write($0) },
            read: { $0 == "auto" ? TrainingOptions.automaticBatch : number.read($0) }
        )
    }
}

extension SettingForm where Value == DeviceChoice {
    static var device: SettingForm {
        SettingForm(
            placeholder: "device",
            expected: "auto, cpu, cuda, cuda:N or mps",
            choices: ["auto", "cpu", "cuda", "mps"],
            write: { $0.rawValue },
            read: { DeviceChoice(rawValue: $0) }
        )
    }
}

extension SettingForm where Value == Double? {
    /// A time in seconds, written with units, or a word for none.
    static func duration(or absent: String) -> SettingForm {
        SettingForm<Double>(
            placeholder: "duration",
            expected: "a time such as 30m, 1h30m or 90s, from 1s to 1000h",
            write: { DurationText.write($0) },
            read: { DurationText.read($0) }
        ).or(absent)
    }
}

// MARK: - Numbers

extension SettingForm where Value: SettingNumber {
    /// An integer or a real number within a range.
    static func number(_ range: ClosedRange<Value>, _ placeholder: String) -> SettingForm {
        SettingForm(
            placeholder: placeholder,
            expected: Value.expectation(range),
            write: { String($0) },
            read: { text in
                guard let value = Value(text), range.contains(value) else { return nil }
                return value
            }
        )
    }
}

extension SettingForm {
    /// A number within a range, or a word for none.
    static func number<Number: SettingNumber>(
        _ range: ClosedRange<Number>,
        _ placeholder: String,
        or absent: String
    ) -> SettingForm where Value == Number? {
        SettingForm<Number>.number(range, placeholder).or(absent)
    }

    /// The form of values that may be absent, for which there is a word.
    func or(_ absent: String) -> SettingForm<Value?> {
        SettingForm<Value?>(
            placeholder: placeholder,
            expected: "\(expected), or \"\(absent)\"",
            choices: choices,
            takesList: takesList,
            write: { [write] value in value.map(write) ?? absent },
            read: { [read] text in
                isAbsent(text, absent) ? .some(nil) : read(text).map { .some($0) }
            }
        )
    }
}

extension SettingForm where Value == [Double]? {
    /// Two numbers within a range, or a word for none; a recipe may list them.
    static func pair(
        _ range: ClosedRange<Double>,
        _ placeholder: String,
        or absent: String
    ) -> SettingForm {
        let pair = SettingForm<[Double]>(
            placeholder: placeholder,
            expected: "two numbers from \(range.lowerBound) to \(range.upperBound)",
            takesList: true,
            write: { $0.map { String($0) }.joined(separator: ",") },
            read: { text in
                let parts = text.split(separator: ",", omittingEmptySubsequences: false)
                let values = parts.compactMap { Double($0.filter { $0 != " " }) }
                let isPair = parts.count == 2 && values.count == 2
                return isPair && values.allSatisfy(range.contains) ? values : nil
            }
        )
        return pair.or(absent)
    }
}

extension SettingForm where Value == Int? {
    /// A number of copies, or `off` for one; DeiT's recipes write `on` for three.
    static var copies: SettingForm {
        SettingForm(
            placeholder: "count",
            expected: "a whole number from 2 to 100, or \"off\"",
            write: { $0.map { String($0) } ?? "off" },
            read: { text in
                if isAbsent(text, "off") || text == "1" { return .some(nil) }
                if ["on", "true", "yes"].contains(text) { return 3 }
                guard let count = Int(text), (2...100).contains(count) else { return nil }
                return count
            }
        )
    }
}

/// YAML reads an unquoted `off` or `none` in more than one way; all of them mean "absent".
private func isAbsent(_ text: String, _ word: String) -> Bool {
    text == word || (word == "off" && ["false", "no", "none"].contains(text))
}

/// A number that a setting can have.
protocol SettingNumber: LosslessStringConvertible, Comparable, Sendable {
    /// What a value within a range is called in errors.
    static func expectation(_ range: ClosedRange<Self>) -> String
}

extension Int: SettingNumber {
    static func expectation(_ range: ClosedRange<Int>) -> String {
        range.upperBound == .max
            ? "a whole number of at least \(range.lowerBound)"
            : "a whole number from \(range.lowerBound) to \(range.upperBound)"
    }
}

extension Double: SettingNumber {
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
