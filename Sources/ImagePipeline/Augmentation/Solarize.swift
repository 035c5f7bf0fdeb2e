/// Inverts the bright samples, with a probability.
///
/// ## Source
/// `deit/augment.py, Solarization`; Pillow's `ImageOps.solarize`.
public struct Solarize: Sendable, Equatable, Codable {
    /// The probability, 0 to 1.
    public var probability: Double
    /// The least sample that is inverted, 0 to 256.
    public var threshold: Int

    /// Creates the operation.
    ///
    /// - Parameters:
    ///   - probability: The probability, 0 to 1.
    ///   - threshold: The least sample that is inverted, 0 to 256.
    public init(probability: Double = 0.2, threshold: Int = 128) {
        self.probability = probability
        self.threshold = threshold
    }

    func apply(to image: inout Image, using generator: inout SplitMix64) {
        guard generator.uniform() < probability else { return }
        image.solarize(threshold: threshold)
    }

    func validate() throws(ImageError) {
        try ImageOperation.validate(probability: probability, of: "solarizing")
        guard (0...256).contains(threshold) else {
            throw .invalid("the solarize threshold must be from 0 to 256, not \(threshold)")
        }
    }
}
