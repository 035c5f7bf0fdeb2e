/// One of grey, solarize and blur for each image, each with a third of the probability.
///
/// Colour jitter, where it is wanted, follows as an operation of its own.
///
/// ## Source
/// Touvron et al., "DeiT III: Revenge of the ViT" (arXiv:2204.07118), section 3.4; `deit/augment.py,
/// new_data_aug_generator`.
public struct ThreeAugment: Sendable, Equatable, Codable {
    /// The least sample that is inverted, 0 to 256.
    public var threshold: Int
    /// The least and the largest deviation of the blur, in pixels.
    public var deviation: [Double]

    /// Creates an augmentation.
    ///
    /// - Parameters:
    ///   - threshold: The least sample that is inverted, 0 to 256.
    ///   - deviation: The least and the largest deviation of the blur, in pixels.
    public init(threshold: Int = 128, deviation: ClosedRange<Double> = 0.1...2) {
        self.threshold = threshold
        self.deviation = [deviation.lowerBound, deviation.upperBound]
    }

    func apply(to image: inout Image, using generator: inout SplitMix64) {
        switch generator.integer(below: 3) {
        case 0: image.desaturate()
        case 1: image.solarize(threshold: threshold)
        default: image.blur(deviation: generator.uniform(deviation[0], deviation[1]))
        }
    }

    func validate() throws(ImageError) {
        var blur = GaussianBlur()
        blur.deviation = deviation
        try blur.validate()
        try Solarize(threshold: threshold).validate()
    }
}
