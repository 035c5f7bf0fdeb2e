import Foundation

/// Erases random rectangles of a training example after normalisation.
///
/// ## Source
/// Zhong et al., "Random Erasing Data Augmentation" (arXiv:1708.04896); `timm/data/random_erasing.py`.
public struct RandomErasing: Sendable, Equatable, Codable {
    /// What takes the place of the image.
    public enum Mode: String, Sendable, Equatable, Codable, CaseIterable {
        /// 0, which is the mean colour.
        case const
        /// One normal number for each channel.
        case rand
        /// A normal number for each element.
        case pixel
    }

    /// The probability that anything is erased, 0 to 1.
    public var probability: Double
    /// What takes the place of the image.
    public var mode: Mode
    /// The largest number of rectangles; each image has from 1 to this many, which share the area.
    public var count: Int
    /// The least part of the image's area, 0 to 1.
    public var minArea: Double
    /// The largest part of the image's area, 0 to 1.
    public var maxArea: Double
    /// The least height over width of a rectangle.
    public var minAspect: Double
    /// The largest height over width of a rectangle.
    public var maxAspect: Double

    /// Creates an augmentation.
    ///
    /// - Parameters:
    ///   - probability: The probability that anything is erased, 0 to 1.
    ///   - mode: What takes the place of the image.
    ///   - count: The largest number of rectangles.
    ///   - minArea: The least part of the image's area, 0 to 1.
    ///   - maxArea: The largest part of the image's area, 0 to 1.
    ///   - minAspect: The least height over width of a rectangle.
    ///   - maxAspect: The largest one; `nil` for `1 / minAspect`.
    public init(
        probability: Double = 0.25,
        mode: Mode = .pixel,
        count: Int = 1,
        minArea: Double = 0.02,
        maxArea: Double = 1.0 / 3,
        minAspect: Double = 0.3,
        maxAspect: Double? = nil
    ) {
        self.probability = probability
        self.mode = mode
        self.count = count
        self.minArea = minArea
        self.maxArea = maxArea
        self.minAspect = minAspect
        self.maxAspect = maxAspect ?? 1 / minAspect
    }

    /// Draws the rectangles to erase in one image.
    ///
    /// - Parameters:
    ///   - height: The image's rows.
    ///   - width: The image's columns.
    ///   - generator: The source of chance.
    /// - Returns: The rectangles, which lie within the image; none where nothing is erased.
    public func regions(height: Int, width: Int, using generator: inout SplitMix64) -> [Region] {
        guard generator.uniform() < probability else { return [] }
        let boxes = 1 + generator.integer(below: count)
        return (0..<boxes).compactMap { _ in
            region(of: boxes, height: height, width: width, using: &generator)
        }
    }

    /// Draws one of several rectangles; ten tries find one smaller than the image.
    private func region(
        of boxes: Int,
        height: Int,
        width: Int,
        using generator: inout SplitMix64
    ) -> Region? {
        let area = Double(height * width)
        for _ in 0..<10 {
            let target = generator.uniform(minArea, maxArea) * area / Double(boxes)
            let aspect = exp(generator.uniform(log(minAspect), log(maxAspect)))
            let rows = Int((target * aspect).squareRoot().rounded(.toNearestOrEven))
            let columns = Int((target / aspect).squareRoot().rounded(.toNearestOrEven))
            guard rows < height, columns < width else { continue }
            return Region(
                top: generator.integer(below: height - rows + 1),
                left: generator.integer(below: width - columns + 1),
                height: rows,
                width: columns
            )
        }
        return nil
    }

    /// Draws rectangles and erases them.
    ///
    /// - Parameters:
    ///   - values: The normalised image, `[channels, height, width]`.
    ///   - channels: Its channels.
    ///   - height: Its rows.
    ///   - width: Its columns.
    ///   - generator: The source of chance.
    /// - Throws: ``ImageError/invalid(_:)`` when the sizes do not fit the values.
    public func apply(
        to values: UnsafeMutableBufferPointer<Float>,
        channels: Int,
        height: Int,
        width: Int,
        using generator: inout SplitMix64
    ) throws(ImageError) {
        guard
            values.count == (try Image.byteCount(height: height, width: width, channels: channels))
        else {
            throw .invalid(
                "an image of \(channels) channels and \(ImageSize(height: height, width: width)) does not fit \(values.count) values"
            )
        }
        for region in regions(height: height, width: width, using: &generator) {
            for channel in 0..<channels {
                let color = mode == .rand ? Float(generator.normal()) : 0
                for y in region.top..<(region.top + region.height) {
                    let start = (channel * height + y) * width + region.left
                    let row = UnsafeMutableBufferPointer(
                        rebasing: values[start..<(start + region.width)]
                    )
                    if mode == .pixel {
                        NormalNoise.fill(row, using: &generator)
                    } else {
                        row.update(repeating: color)
                    }
                }
            }
        }
    }

    func validate() throws(ImageError) {
        try ImageOperation.validate(probability: probability, of: "random erasing")
        guard (1...1000).contains(count) else {
            throw .invalid("random erasing must have from 1 to 1000 rectangles, not \(count)")
        }
        guard minArea >= 0, minArea <= maxArea, maxArea <= 1 else {
            throw .invalid(
                "the area of random erasing must be two ascending numbers from 0 to 1, not \(minArea) and \(maxArea)"
            )
        }
        guard minAspect > 0, minAspect <= maxAspect, maxAspect.isFinite else {
            throw .invalid(
                "the aspect ratio of random erasing must be two ascending positive numbers, not \(minAspect) and \(maxAspect)"
            )
        }
    }
}
