/// What the operations of RandAugment and AutoAugment have in common.
public struct AugmentSettings: Sendable, Equatable, Codable {
    /// The largest magnitude where none is given.
    static let usualMaximum = 10.0

    /// The colour outside of an image that was moved: one value for all channels or one for each, 0 to 255.
    public var fill: [UInt8]
    /// How samples are weighed where an image is moved; `nil` draws bilinear or bicubic each time, as timm does.
    public var interpolation: Interpolation?
    /// The deviation of the magnitude, which is normal around its value; above 100 it is uniform from 0 to its value.
    public var magnitudeStd: Double
    /// The largest magnitude.
    public var magnitudeMax: Double

    /// Creates settings.
    ///
    /// - Parameters:
    ///   - fill: The colour outside of an image that was moved, one value for all channels or one for each.
    ///   - interpolation: How samples are weighed where an image is moved; `nil` draws bilinear or bicubic.
    ///   - magnitudeStd: The deviation of the magnitude; above 100 it is uniform from 0 to its value.
    ///   - magnitudeMax: The largest magnitude.
    public init(
        fill: [UInt8] = [128, 128, 128],
        interpolation: Interpolation? = nil,
        magnitudeStd: Double = 0,
        magnitudeMax: Double = 10
    ) {
        self.fill = fill
        self.interpolation = interpolation
        self.magnitudeStd = magnitudeStd
        self.magnitudeMax = magnitudeMax
    }

    /// The colour that normalisation turns into 0, which timm fills with.
    ///
    /// - Parameter mean: One mean for each channel, for samples from 0 to 1.
    /// - Returns: One value for each channel.
    public static func fill(matching mean: [Float]) -> [UInt8] {
        mean.map { UInt8(max(0, min(255, (255 * $0).rounded(.toNearestOrEven)))) }
    }

    /// Draws a magnitude.
    ///
    /// - Parameters:
    ///   - magnitude: Its usual value.
    ///   - generator: The source of chance.
    /// - Returns: The magnitude, from 0 to the largest.
    public func level(around magnitude: Double, using generator: inout SplitMix64) -> Double {
        var level = magnitude
        if magnitudeStd > 100 {
            level = generator.uniform(0, magnitude)
        } else if magnitudeStd > 0 {
            level = magnitude + magnitudeStd * generator.normal()
        }
        return max(0, min(level, magnitudeMax))
    }

    func validate() throws(ImageError) {
        guard fill.count == 1 || fill.count == 3 else {
            throw .invalid("a fill colour must have 1 or 3 values, not \(fill.count)")
        }
        guard magnitudeStd >= 0 else {
            throw .invalid(
                "mstd, the standard deviation of the magnitude, must be at least 0, not \(magnitudeStd)"
            )
        }
        guard magnitudeMax > 0, magnitudeMax.isFinite else {
            throw .invalid("mmax, the maximum magnitude, must be above 0, not \(magnitudeMax)")
        }
    }
}
