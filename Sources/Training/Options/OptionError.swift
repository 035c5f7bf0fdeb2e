import Storage

/// An option, recipe or combination of options that cannot be used.
public enum OptionError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A key that no option has.
    case unknownKey(String, source: String)
    /// A value that an option does not take.
    case badValue(String, key: String, expected: String, source: String)
    /// A recipe that is neither shipped nor a file.
    case unknownRecipe(String, known: [String])
    /// A recipe that cannot be read or is not a YAML mapping.
    case unreadableRecipe(String, reason: String)
    /// Options that do not fit together.
    case conflict(String)

    /// One sentence: what, where, what to do.
    public var description: String {
        switch self {
        case .unknownKey(let key, let source):
            let known = Settings.all.map(\.key)
            if let ours = TrainingOptions.ours(for: key) {
                return "\(source): unknown option \"\(key)\"; here it is \(ours)"
            }
            if let purpose = TrainingOptions.absent(key) {
                return
                    "\(source): unknown option \"\(key)\"; \(purpose) is not implemented; leave it out"
            }
            return "\(source): unknown option \"\(key)\""
                + (Suggestion.nearest(to: key, among: known).map { "; did you mean \"\($0)\"?" }
                    ?? "; `deit train --help` lists the options")
        case .badValue(let value, let key, let expected, let source):
            return "\(source): invalid value \"\(value)\" of \(key), expected \(expected)"
        case .unknownRecipe(let name, let known):
            return "unknown recipe \"\(name)\""
                + Suggestion.phrase(for: name, among: known)
                + " (recipes: \(known.joined(separator: ", ")); or the path of a YAML file)"
        case .unreadableRecipe(let path, let reason):
            return "the recipe \(path) cannot be read: \(reason)"
        case .conflict(let sentence):
            return sentence
        }
    }
}
