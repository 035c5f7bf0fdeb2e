/// A configuration that no layer or model can be made from.
public enum ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A number that must be divisible by another one is not.
    case notDivisible(name: String, value: Int, by: Int, divisorName: String)

    /// A number is outside its range.
    case outOfRange(name: String, value: String, expected: String)

    /// A name that is not on the list.
    case unknownValue(name: String, value: String, known: [String])

    /// A name that no model has, and what to do, from the semicolon on.
    case unknownModel(String, advice: String)

    /// One sentence: what is wrong and what would be right.
    public var description: String {
        switch self {
        case .notDivisible(let name, let value, let divisor, let divisorName):
            "the \(name) \(value) is not divisible by the \(divisorName) \(divisor); \(Self.nearest(value, divisor))"
        case .outOfRange(let name, let value, let expected):
            "\(name) is \(value); it must be \(expected)"
        case .unknownValue(let name, let value, let known):
            "'\(value)' is not a valid \(name); use one of: \(known.joined(separator: ", "))"
        case .unknownModel(let name, let advice):
            "there is no model \"\(name)\"\(advice)"
        }
    }

    /// The two multiples around a number, or what else would be right.
    private static func nearest(_ value: Int, _ divisor: Int) -> String {
        guard divisor > 0, value > divisor, value < Int.max - divisor else {
            return "use a multiple of \(divisor)"
        }
        let below = value / divisor * divisor
        return "the nearest that are: \(below) and \(below + divisor)"
    }
}
