import Foundation

/// A crop of random area and shape, resized to a fixed size: the usual augmentation of ImageNet training.
///
/// ## Source
/// torchvision's `RandomResizedCrop.get_params`: ten tries, then the middle with the nearest allowed shape.
public struct RandomResizedCrop: Sendable, Equatable, Codable {
    /// The rows of the result.
    public var height: Int
    /// The columns of the result.
    public var width: Int
    /// The part of the area to take, from 0 to 1: least and most.
    public var scale: [Double]
    /// The width over the height of the part: least and most.
    public var ratio: [Double]
    /// How samples are weighed in the resize; `nil` draws bilinear or bicubic, as timm's `random`.
    public var interpolation: Interpolation?

    /// Creates a crop.
    ///
    /// - Parameters:
    ///   - height: The rows of the result.
    ///   - width: The columns of the result.
    ///   - scale: The part of the area to take, from 0 to 1.
    ///   - ratio: The width over the height of the part.
    ///   - interpolation: How samples are weighed in the resize; `nil` draws bilinear or bicubic.
    public init(
        height: Int,
        width: Int,
        scale: ClosedRange<Double> = 0.08...1,
        ratio: ClosedRange<Double> = (3.0 / 4)...(4.0 / 3),
        interpolation: Interpolation? = .bicubic
    ) {
        self.height = height
        self.width = width
        self.scale = [scale.lowerBound, scale.upperBound]
        self.ratio = [ratio.lowerBound, ratio.upperBound]
        self.interpolation = interpolation
    }

    /// Draws the part of an image to take.
    ///
    /// - Parameters:
    ///   - imageHeight: The image's rows.
    ///   - imageWidth: The image's columns.
    ///   - generator: The source of chance.
    /// - Returns: The part, which is within the image.
    public func region(
        height imageHeight: Int,
        width imageWidth: Int,
        using generator: inout SplitMix64
    ) -> Region {
        let area = Double(imageHeight) * Double(imageWidth)
        let logRatio = (log(ratio[0]), log(ratio[1]))
        for _ in 0..<10 {
            let target = area * generator.uniform(scale[0], scale[1])
            let aspect = exp(generator.uniform(logRatio.0, logRatio.1))
            let partWidth = (target * aspect).squareRoot().rounded(.toNearestOrEven)
            let partHeight = (target / aspect).squareRoot().rounded(.toNearestOrEven)
            guard partWidth >= 1, partWidth <= Double(imageWidth), partHeight >= 1,
                partHeight <= Double(imageHeight)
            else { continue }
            return Region(
                top: generator.integer(below: imageHeight - Int(partHeight) + 1),
                left: generator.integer(below: imageWidth - Int(partWidth) + 1),
                height: Int(partHeight),
                width: Int(partWidth)
            )
        }
        return fallback(height: imageHeight, width: imageWidth)
    }

    /// The largest middle part whose shape is allowed.
    private func fallback(height imageHeight: Int, width imageWidth: Int) -> Region {
        func side(_ value: Double, atMost most: Int) -> Int {
            Int(min(max(value.rounded(.toNearestOrEven), 1), Double(most)))
        }
        let shape = Double(imageWidth) / Double(imageHeight)
        var partHeight = imageHeight
        var partWidth = imageWidth
        if shape < ratio[0] {
            partHeight = side(Double(imageWidth) / ratio[0], atMost: imageHeight)
        } else if shape > ratio[1] {
            partWidth = side(Double(imageHeight) * ratio[1], atMost: imageWidth)
        }
        return Region(
            top: (imageHeight - partHeight) / 2,
            left: (imageWidth - partWidth) / 2,
            height: partHeight,
            width: partWidth
        )
    }

    /// Draws the part of an image to take, then how its samples are weighed where that is left to chance.
    func draw(
        height imageHeight: Int,
        width imageWidth: Int,
        using generator: inout SplitMix64
    ) -> (region: Region, interpolation: Interpolation) {
        let part = region(height: imageHeight, width: imageWidth, using: &generator)
        return (part, interpolation ?? .drawn(using: &generator))
    }

    func apply(to image: Image, using generator: inout SplitMix64) throws(ImageError) -> Image {
        let drawn = draw(height: image.height, width: image.width, using: &generator)
        return try image.resized(
            height: height,
            width: width,
            interpolation: drawn.interpolation,
            region: drawn.region
        )
    }

    func validate() throws(ImageError) {
        _ = try Image.byteCount(height: height, width: width, channels: 3)
        guard scale.count == 2, scale[0] > 0, scale[0] <= scale[1], scale[1] <= 1 else {
            throw .invalid(
                "the scale of a random crop must be two ascending numbers from 0 to 1, not \(scale)"
            )
        }
        guard ratio.count == 2, ratio[0] > 0, ratio[0] <= ratio[1], ratio[1].isFinite else {
            throw .invalid(
                "the aspect ratio of a random crop must be two ascending positive numbers, not \(ratio)"
            )
        }
    }
}
