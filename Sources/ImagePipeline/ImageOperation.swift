import Foundation

/// One step of a training transform; random steps draw from the generator in the order of the list.
public enum ImageOperation: Sendable, Equatable, Codable {
    /// Brings the picture to a size.
    case resize(ResizeRule, interpolation: Interpolation)
    /// Takes the middle, with a black border where the picture is smaller.
    case centerCrop(height: Int, width: Int)
    /// Takes a random part of random shape and resizes it.
    case randomResizedCrop(RandomResizedCrop)
    /// Takes a random part of fixed size, after adding a border.
    case randomCrop(RandomCrop)
    /// Mirrors left to right with a probability from 0 to 1.
    case horizontalFlip(probability: Double)

    /// Carries the step out.
    func apply(to image: Image, using generator: inout SplitMix64) throws(ImageError) -> Image {
        switch self {
        case .resize(let rule, let interpolation):
            let (height, width) = try rule.size(height: image.height, width: image.width)
            return try image.resized(height: height, width: width, interpolation: interpolation)
        case .centerCrop(let height, let width):
            return try image.centerCropped(height: height, width: width)
        case .randomResizedCrop(let crop):
            return try crop.apply(to: image, using: &generator)
        case .randomCrop(let crop):
            return try crop.apply(to: image, using: &generator)
        case .horizontalFlip(let probability):
            // The number is drawn in either case, so that later steps do not depend on the probability.
            return generator.uniform() < probability ? image.flippedHorizontally() : image
        }
    }

    /// The size of a picture after the step.
    func outputSize(height: Int, width: Int) throws(ImageError) -> (height: Int, width: Int) {
        switch self {
        case .resize(let rule, _): try rule.size(height: height, width: width)
        case .centerCrop(let height, let width): (height, width)
        case .randomResizedCrop(let crop): (crop.height, crop.width)
        case .randomCrop(let crop): (crop.height, crop.width)
        case .horizontalFlip: (height, width)
        }
    }

    /// Refuses parameters that make no sense.
    func validate() throws(ImageError) {
        switch self {
        case .resize(let rule, _):
            try rule.validate()
        case .centerCrop(let height, let width):
            _ = try Image.byteCount(height: height, width: width, channels: 3)
        case .randomResizedCrop(let crop):
            try crop.validate()
        case .randomCrop(let crop):
            try crop.validate()
        case .horizontalFlip(let probability):
            guard (0...1).contains(probability) else {
                throw .invalid("the probability of a flip is from 0 to 1, not \(probability)")
            }
        }
    }
}

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
    /// How samples are weighed in the resize.
    public var interpolation: Interpolation

    /// Creates a crop.
    ///
    /// - Parameters:
    ///   - height: The rows of the result.
    ///   - width: The columns of the result.
    ///   - scale: The part of the area to take, from 0 to 1.
    ///   - ratio: The width over the height of the part.
    ///   - interpolation: How samples are weighed in the resize.
    public init(
        height: Int,
        width: Int,
        scale: ClosedRange<Double> = 0.08...1,
        ratio: ClosedRange<Double> = (3.0 / 4)...(4.0 / 3),
        interpolation: Interpolation = .bicubic
    ) {
        self.height = height
        self.width = width
        self.scale = [scale.lowerBound, scale.upperBound]
        self.ratio = [ratio.lowerBound, ratio.upperBound]
        self.interpolation = interpolation
    }

    /// Draws the part of a picture to take.
    ///
    /// - Parameters:
    ///   - pictureHeight: The picture's rows.
    ///   - pictureWidth: The picture's columns.
    ///   - generator: The source of chance.
    /// - Returns: The part, which lies within the picture.
    public func region(
        height pictureHeight: Int,
        width pictureWidth: Int,
        using generator: inout SplitMix64
    ) -> Region {
        let area = Double(pictureHeight) * Double(pictureWidth)
        let logRatio = (log(ratio[0]), log(ratio[1]))
        for _ in 0..<10 {
            let target = area * generator.uniform(scale[0], scale[1])
            let aspect = exp(generator.uniform(logRatio.0, logRatio.1))
            let partWidth = (target * aspect).squareRoot().rounded(.toNearestOrEven)
            let partHeight = (target / aspect).squareRoot().rounded(.toNearestOrEven)
            guard partWidth >= 1, partWidth <= Double(pictureWidth), partHeight >= 1,
                partHeight <= Double(pictureHeight)
            else { continue }
            return Region(
                top: generator.integer(below: pictureHeight - Int(partHeight) + 1),
                left: generator.integer(below: pictureWidth - Int(partWidth) + 1),
                height: Int(partHeight),
                width: Int(partWidth)
            )
        }
        return fallback(height: pictureHeight, width: pictureWidth)
    }

    /// The largest middle part whose shape is allowed.
    private func fallback(height pictureHeight: Int, width pictureWidth: Int) -> Region {
        func side(_ value: Double, atMost most: Int) -> Int {
            Int(min(max(value.rounded(.toNearestOrEven), 1), Double(most)))
        }
        let shape = Double(pictureWidth) / Double(pictureHeight)
        var partHeight = pictureHeight
        var partWidth = pictureWidth
        if shape < ratio[0] {
            partHeight = side(Double(pictureWidth) / ratio[0], atMost: pictureHeight)
        } else if shape > ratio[1] {
            partWidth = side(Double(pictureHeight) * ratio[1], atMost: pictureWidth)
        }
        return Region(
            top: (pictureHeight - partHeight) / 2,
            left: (pictureWidth - partWidth) / 2,
            height: partHeight,
            width: partWidth
        )
    }

    func apply(to image: Image, using generator: inout SplitMix64) throws(ImageError) -> Image {
        let part = region(height: image.height, width: image.width, using: &generator)
        return try image.resized(
            height: height,
            width: width,
            interpolation: interpolation,
            region: part
        )
    }

    func validate() throws(ImageError) {
        _ = try Image.byteCount(height: height, width: width, channels: 3)
        guard scale.count == 2, scale[0] > 0, scale[0] <= scale[1], scale[1] <= 1 else {
            throw .invalid(
                "the scale of a random crop is two numbers from 0 to 1 in order, not \(scale)"
            )
        }
        guard ratio.count == 2, ratio[0] > 0, ratio[0] <= ratio[1], ratio[1].isFinite else {
            throw .invalid(
                "the ratio of a random crop is two positive numbers in order, not \(ratio)"
            )
        }
    }
}

/// A crop of fixed size at a random place, after a border was added: the usual augmentation of small pictures.
///
/// ## Source
/// torchvision's `RandomCrop(size, padding, fill)`.
public struct RandomCrop: Sendable, Equatable, Codable {
    /// The rows of the result.
    public var height: Int
    /// The columns of the result.
    public var width: Int
    /// The border added to each side, in pixels.
    public var padding: Int
    /// The border's value, 0 to 255.
    public var fill: UInt8

    /// Creates a crop.
    ///
    /// - Parameters:
    ///   - height: The rows of the result.
    ///   - width: The columns of the result.
    ///   - padding: The border added to each side, in pixels.
    ///   - fill: The border's value.
    public init(height: Int, width: Int, padding: Int = 0, fill: UInt8 = 0) {
        self.height = height
        self.width = width
        self.padding = padding
        self.fill = fill
    }

    func apply(to image: Image, using generator: inout SplitMix64) throws(ImageError) -> Image {
        let whole = try image.padded(
            top: padding,
            left: padding,
            bottom: padding,
            right: padding,
            fill: fill
        )
        guard whole.height >= height, whole.width >= width else {
            throw .invalid(
                "a picture of \(image.height) × \(image.width) with a border of \(padding) is too small"
                    + " for a crop of \(height) × \(width)"
            )
        }
        return try whole.cropped(
            to: Region(
                top: generator.integer(below: whole.height - height + 1),
                left: generator.integer(below: whole.width - width + 1),
                height: height,
                width: width
            )
        )
    }

    func validate() throws(ImageError) {
        _ = try Image.byteCount(height: height, width: width, channels: 3)
        guard padding >= 0 else { throw .invalid("a border of \(padding) pixels is not possible") }
    }
}
