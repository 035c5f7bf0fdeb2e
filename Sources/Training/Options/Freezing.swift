/// Which weights of a network that is fine-tuned stay as they are: `off`, `all` or a number of blocks.
public enum Freezing: RawRepresentable, Codable, Sendable, Equatable {
    /// All are trained.
    case none
    /// All but the head stay: a linear probe.
    case backbone
    /// The embedding and so many of the first blocks stay (of a residual network: the stem and stages).
    case blocks(Int)

    /// Reads `off`, `all` or a number of at least 1.
    public init?(rawValue: String) {
        switch rawValue {
        case "off", "none", "false", "no": self = .none
        case "all": self = .backbone
        default:
            guard let count = Int(rawValue), (1...1_000).contains(count) else { return nil }
            self = .blocks(count)
        }
    }

    /// `off`, `all` or a number.
    public var rawValue: String {
        switch self {
        case .none: "off"
        case .backbone: "all"
        case .blocks(let count): "\(count)"
        }
    }
}
