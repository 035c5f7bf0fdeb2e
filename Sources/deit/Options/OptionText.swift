import ArgumentParser
import Training

/// A training option as the command line gave it.
///
/// Its text is read by the same ``OptionField`` that reads recipes, so that both take the same values
/// and complain in the same words.
struct OptionText {
    let key: String
    let text: String?

    init(_ key: String, _ text: String?) {
        self.key = key
        self.text = text
    }
}

extension TrainingOptions {
    /// Takes over every flag that was given.
    mutating func apply(_ flags: [OptionText]) throws(OptionError) {
        for flag in flags {
            guard let text = flag.text else { continue }
            try set(flag.key, to: text, source: "the command line")
        }
    }
}

extension ArgumentHelp {
    /// The help of a training option, with its default in a method; in other words where the method means less by it.
    static func field(
        _ key: String,
        of method: TrainingMethod = .supervised,
        saying words: String? = nil
    ) -> ArgumentHelp {
        guard let field = TrainingOptions.field(key) else { return ArgumentHelp() }
        let value = TrainingOptions.defaults(of: method).text(of: field)
        return ArgumentHelp(
            "\(words ?? field.help)\(value.isEmpty ? "" : " (\(value))")",
            valueName: field.placeholder
        )
    }
}
