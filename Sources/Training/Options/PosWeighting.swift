/// How much a class counts in images that have it, of images with several labels: `off`, `balanced`, a number or a list.
public enum PosWeighting: RawRepresentable, Codable, Sendable, Equatable {
    /// As much as in images that have it not.
    case none
    /// By the number of images without the class for each image with it.
    case balanced
    /// By one number for all classes.
    case all(Double)
    /// By the weights of the classes in their order.
    case list([Double])

    /// Reads `off`, `balanced`, a number, or numbers with commas between them.
    public init?(rawValue: String) {
        switch rawValue {
        case "off", "none", "false", "no": self = .none
        case "balanced": self = .balanced
        default:
            let parts = rawValue.split(separator: ",", omittingEmptySubsequences: false)
                .map { $0.filter { $0 != " " } }
            let numbers = parts.compactMap(Double.init)
            guard numbers.count == parts.count, numbers.allSatisfy({ $0.isFinite && $0 >= 0 })
            else { return nil }
            self = numbers.count == 1 ? .all(numbers[0]) : .list(numbers)
        }
    }

    /// `off`, `balanced`, a number, or numbers with commas between them.
    public var rawValue: String {
        switch self {
        case .none: "off"
        case .balanced: "balanced"
        case .all(let weight): "\(weight)"
        case .list(let weights): weights.map { "\($0)" }.joined(separator: ",")
        }
    }
}

extension SettingForm where Value == PosWeighting {
    static var weights: SettingForm {
        SettingForm(
            placeholder: "off|balanced|number|list",
            expected:
                "off, balanced, a number of at least 0, or such numbers with commas between them",
            choices: ["off", "balanced"],
            takesList: true,
            write: { $0.rawValue },
            read: { PosWeighting(rawValue: $0) }
        )
    }
}
