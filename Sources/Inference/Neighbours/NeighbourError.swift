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
            "there are no features to compare with: nearest neighbours need at least one image on both sides"
        case .invalidShape(let reason): reason
        case .notFinite(let place):
            "the features of image \(place + 1) hold NaN or infinite numbers; "
                + "the weights are likely damaged, which `deit doctor` tells"
        case .differentWidths(let bank, let queries):
            "features of different widths cannot be compared: the bank's have \(bank) numbers, "
                + "the queries' \(queries); take both from one model with the same tokens and blocks"
        case .oneClass:
            "all images to compare with are of one class, so neighbours tell nothing apart: "
                + "give at least two classes"
        case .invalidCount(let k): "the number of neighbours must be at least 1, not \(k)"
        case .invalidTemperature(let value):
            "the temperature must be a number above 0, not \(value)"
        }
    }
}
