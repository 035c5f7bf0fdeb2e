/// Features among which no neighbours can be found, or a wrong way to ask for them.
public enum NeighbourError: Error, Sendable, Equatable, CustomStringConvertible {
    /// There is not one vector to compare with, or none to classify.
    case empty

    /// Numbers that are not as many as labels times the width, or labels without a class.
    case invalidShape(String)

    /// A vector holds NaN or an infinite number.
    case notFinite(place: Int)

    /// Vectors of two lengths cannot be compared.
    case differentWidths(bank: Int, queries: Int)

    /// All vectors to compare with are of one class, so there is nothing to tell apart.
    case oneClass

    /// The number of neighbours is not at least 1.
    case invalidCount(Int)

    /// The temperature is not a number above 0.
    case invalidTemperature(Double)

    /// One sentence: what is wrong and what to do.
    public var description: String {
        switch self {
        case .empty:
            "there are no features to compare: kNN needs at least one training image and one query"
        case .invalidShape(let reason): reason
        case .notFinite(let place):
            "the features of image \(place + 1) contain NaN or infinity; "
                + "the weights are probably damaged; check them with `deit doctor`"
        case .differentWidths(let bank, let queries):
            "features of different lengths cannot be compared: \(bank) in the bank, "
                + "\(queries) in the queries; extract both with the same model, tokens and blocks"
        case .oneClass:
            "all training images are of one class, so kNN cannot distinguish classes: "
                + "at least two are needed"
        case .invalidCount(let k): "the number of neighbours must be at least 1, not \(k)"
        case .invalidTemperature(let value):
            "the temperature must be a number above 0, not \(value)"
        }
    }
}
