/// Turns an image by a random angle about its middle; the size stays.
///
/// ## Source
/// torchvision's `RandomRotation` on Pillow images.
public struct RandomRotation: Sendable, Equatable, Codable {
    /// The least and the largest angle in degrees, counter-clockwise.
    public var degrees: [Double]
    /// How samples are weighed.
    public var interpolation: Interpolation
    /// The colour of what comes from outside: one value for all channels or one for each, 0 to 255.
    public var fill: [UInt8]
    /// The probability of a turn, 0 to 1.
    public var probability: Double

    /// Creates a rotation.
    ///
    /// - Parameters:
    ///   - degrees: The least and the largest angle in degrees, counter-clockwise.
    ///   - interpolation: How samples are weighed; torchvision's default is nearest.
    ///   - fill: The colour of what comes from outside: one value for all channels or one for each.
    ///   - probability: The probability of a turn, 0 to 1.
    public init(
        degrees: ClosedRange<Double>,
        interpolation: Interpolation = .nearest,
        fill: [UInt8] = [0],
        probability: Double = 1
    ) {
        self.degrees = [degrees.lowerBound, degrees.upperBound]
        self.interpolation = interpolation
        self.fill = fill
        self.probability = probability
    }

    func apply(to image: inout Image, using generator: inout SplitMix64) {
        guard generator.uniform() < probability else { return }
        let angle = generator.uniform(degrees[0], degrees[1])
        image.rotate(degrees: angle, interpolation: interpolation, fill: fill)
    }

    func validate() throws(ImageError) {
        try ImageOperation.validate(probability: probability, of: "a rotation")
        guard degrees.count == 2, degrees[0] <= degrees[1], degrees.allSatisfy(\.isFinite) else {
            throw .invalid("rotation angles must be two ascending numbers, not \(degrees)")
        }
        guard fill.count == 1 || fill.count == 3 else {
            throw .invalid("a fill colour must have 1 or 3 values, not \(fill.count)")
        }
    }
}
