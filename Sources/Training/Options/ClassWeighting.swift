/// How much the images of a class count in the loss: `off`, `balanced`, `effective:BETA`, a list, or a file.
public enum ClassWeighting: RawRepresentable, Codable, Sendable, Equatable {
    /// All alike.
    case none
    /// In inverse proportion to the number of its images.
    case balanced
    /// In inverse proportion to the effective number of its images.
    case effective(beta: Double)
    /// By the weights of the classes in their order.
    case list([Double])
    /// By a file with a row `class,weight` for each class.
    case file(String)

    /// The beta of the effective number where none is given.
    public static let usualBeta = 0.999

    /// Reads `off`, `balanced`, `effective`, `effective:0.99`, numbers with commas between them, or a path.
    public init?(rawValue: String) {
        switch rawValue {
        case "off", "none", "false", "no": self = .none
        case "balanced": self = .balanced
        case "effective": self = .effective(beta: Self.usualBeta)
        case "": return nil
        default:
            if rawValue.hasPrefix("effective:") {
                guard let beta = Double(rawValue.dropFirst("effective:".count)),
                    (0..<1).contains(beta)
                else { return nil }
                self = .effective(beta: beta)
                return
            }
            let parts = rawValue.split(separator: ",", omittingEmptySubsequences: false)
                .map { $0.filter { $0 != " " } }
            let numbers = parts.compactMap(Double.init)
            guard numbers.count == parts.count else {
                // A list with a word in it is a list gone wrong; a path may have a comma, but hardly begins with a number.
                guard numbers.isEmpty else { return nil }
                self = .file(rawValue)
                return
            }
            guard numbers.count > 1, numbers.allSatisfy({ $0.isFinite && $0 >= 0 }) else {
                return nil
            }
            self = .list(numbers)
        }
    }

    /// `off`, `balanced`, `effective:0.999`, numbers with commas between them, or the path.
    public var rawValue: String {
        switch self {
        case .none: "off"
        case .balanced: "balanced"
        case .effective(let beta): "effective:\(beta)"
        case .list(let weights): weights.map { "\($0)" }.joined(separator: ",")
        case .file(let path): path
        }
    }
}
