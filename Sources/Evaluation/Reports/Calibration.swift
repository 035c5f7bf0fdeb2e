/// How far a model's confidence is from how often it is right.
///
/// Predictions are sorted into bins of equal width by their confidence, a bin with its upper bound and without its lower.
/// The expected calibration error is the mean distance between the confidence and the accuracy of a bin, weighted by how
/// many predictions are in it.
///
/// ## Source
/// Guo, Pleiss, Sun, Weinberger, "On Calibration of Modern Neural Networks" (ICML 2017), equations 2 and 3, with its 15 bins.
public struct Calibration: Sendable, Equatable {
    /// Predictions of similar confidence.
    public struct Bin: Sendable, Equatable {
        /// The confidence above which the bin begins.
        public let lower: Double
        /// The highest confidence in the bin.
        public let upper: Double
        /// The predictions in it.
        public let count: Int
        /// Their mean confidence; 0 where there are none.
        public let confidence: Double
        /// The share of them that is right; 0 where there are none.
        public let accuracy: Double
    }

    /// The bins, by rising confidence.
    public let bins: [Bin]

    /// Sorts predictions.
    ///
    /// - Parameters:
    ///   - predictions: The confidence of each prediction, 0 to 1, and whether it is right.
    ///   - count: The number of bins, at least 1.
    public init(_ predictions: [(confidence: Double, isRight: Bool)], bins count: Int = 15) {
        let count = max(1, count)
        var sums = Array(repeating: (count: 0, confidence: 0.0, right: 0), count: count)
        for prediction in predictions {
            let confidence = min(max(prediction.confidence.isNaN ? 0 : prediction.confidence, 0), 1)
            var bin = max(0, Int((confidence * Double(count)).rounded(.up)) - 1)
            // Rounding in the product must not carry a bound over into the next bin.
            while bin > 0, confidence <= Double(bin) / Double(count) { bin -= 1 }
            sums[bin].count += 1
            sums[bin].confidence += confidence
            sums[bin].right += prediction.isRight ? 1 : 0
        }
        bins = sums.enumerated().map { place, sum in
            let number = Double(max(sum.count, 1))
            return Bin(
                lower: Double(place) / Double(count),
                upper: Double(place + 1) / Double(count),
                count: sum.count,
                confidence: sum.confidence / number,
                accuracy: Double(sum.right) / number
            )
        }
    }

    /// The expected calibration error, 0 to 1; 0 of no predictions.
    public var expectedError: Double {
        let count = Double(max(bins.reduce(0) { $0 + $1.count }, 1))
        return bins.reduce(0) { $0 + Double($1.count) / count * abs($1.accuracy - $1.confidence) }
    }

    /// The largest distance between the confidence and the accuracy of a bin that is not empty, 0 to 1.
    public var largestError: Double {
        bins.filter { $0.count > 0 }.map { abs($0.accuracy - $0.confidence) }.max() ?? 0
    }
}
