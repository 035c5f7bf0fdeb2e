/// The numbers that a row of colours spans: one range for an image, or for all frames of a sequence.
public struct ValueRange: Sendable, Equatable {
    /// The number of the first colour.
    public let low: Double

    /// The number of the last colour.
    public let high: Double

    /// Creates a range.
    ///
    /// - Parameters:
    ///   - low: The number of the first colour.
    ///   - high: The number of the last colour.
    public init(low: Double, high: Double) {
        self.low = low
        self.high = high
    }

    /// The range between two quantiles, so that a few outliers do not take all colours.
    ///
    /// - Parameters:
    ///   - values: The numbers; what is not finite is left out.
    ///   - lower: The share of numbers below the range, 0 to 1.
    ///   - upper: The share of numbers up to its end, 0 to 1.
    public init(of values: some Sequence<Float>, lower: Double, upper: Double) {
        let sorted = values.lazy.map(Double.init).filter(\.isFinite).sorted()
        self.init(low: Self.quantile(sorted, lower), high: Self.quantile(sorted, upper))
    }

    /// The place of a number in the range: 0 at its start and before, 1 at its end and beyond.
    ///
    /// - Parameter value: The number.
    /// - Returns: 0 to 1; 0 for what is not a number, and everywhere in a range of no length.
    public func place(of value: Float) -> Double {
        let length = high - low
        guard length > 0, !value.isNaN else { return 0 }
        return min(max((Double(value) - low) / length, 0), 1)
    }

    /// The quantile as NumPy's `percentile` computes it: on a straight line between the two nearest numbers.
    static func quantile(_ sorted: [Double], _ share: Double) -> Double {
        guard let last = sorted.indices.last else { return 0 }
        let place = min(max(share, 0), 1) * Double(last)
        let below = min(Int(place), last)
        let above = min(below + 1, last)
        return sorted[below] + (sorted[above] - sorted[below]) * (place - Double(below))
    }
}
