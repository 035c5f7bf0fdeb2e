/// Which weights of a network that is fine-tuned stay as they are: `off`, `all`, a number of blocks, or names.
public enum Freezing: RawRepresentable, Codable, Sendable, Equatable {
    /// All are trained.
    case none
    /// All but the head stay: a linear probe.
    case backbone
    /// The embedding and so many of the first blocks stay (of a convolutional network: the stem and stages).
    case blocks(Int)
    /// The weights stay that one of these patterns means, as ``WeightPattern`` reads them.
    case names([String])

    /// Reads `off`, `all`, a number of at least 1, or patterns with commas between them.
    public init?(rawValue: String) {
        switch rawValue {
        case "off", "none", "false", "no": self = .none
        case "all": self = .backbone
        default:
            if let count = Int(rawValue) {
                guard (1...1_000).contains(count) else { return nil }
                self = .blocks(count)
                return
            }
            let patterns = rawValue.split(separator: ",", omittingEmptySubsequences: false)
                .map { $0.filter { $0 != " " } }
            // Every name begins with a letter, so a number gone wrong is reported as such.
            guard patterns.allSatisfy({ WeightPattern.isWellFormed($0) }) else { return nil }
            self = .names(patterns)
        }
    }

    /// `off`, `all`, a number, or patterns with commas between them.
    public var rawValue: String {
        switch self {
        case .none: "off"
        case .backbone: "all"
        case .blocks(let count): "\(count)"
        case .names(let patterns): patterns.joined(separator: ",")
        }
    }
}
