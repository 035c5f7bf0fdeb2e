/// Blurs with a probability, by a random deviation.
///
/// ## Source
/// `deit/augment.py, GaussianBlur`; DINO's `utils.py, GaussianBlur`. Both use Pillow's filter.
public struct GaussianBlur: Sendable, Equatable, Codable {
    /// The largest deviation that is used, in pixels.
    public static let largestDeviation = 256.0

    /// The probability of a blur, 0 to 1.
    public var probability: Double
    /// The least and the largest deviation, in pixels.
    public var deviation: [Double]

    /// Creates a blur.
    ///
    /// - Parameters:
    ///   - probability: The probability of a blur, 0 to 1.
    ///   - deviation: The least and the largest deviation, in pixels.
    public init(probability: Double = 1, deviation: ClosedRange<Double> = 0.1...2) {
        self.probability = probability
        self.deviation = [deviation.lowerBound, deviation.upperBound]
    }

    func apply(to image: inout Image, using generator: inout SplitMix64) {
        guard generator.uniform() < probability else { return }
        image.blur(deviation: generator.uniform(deviation[0], deviation[1]))
    }

    func validate() throws(ImageError) {
        try ImageOperation.validate(probability: probability, of: "a blur")
        guard deviation.count == 2, deviation[0] >= 0, deviation[0] <= deviation[1],
            deviation[1] <= GaussianBlur.largestDeviation
        else {
            throw .invalid(
                "the standard deviation of a blur must be two ascending numbers from 0 to \(GaussianBlur.largestDeviation),"
                    + " not \(deviation)"
            )
        }
    }
}
