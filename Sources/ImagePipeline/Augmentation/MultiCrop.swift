/// Several crops of one image, each transformed in its own way and written one after the other.
///
/// To a loader it is a transform whose result is one row of numbers: the crops' planes in order. ``ranges`` gives the
/// position of each crop in the row. Each crop draws from a generator of its own, so that it does not change with what others
/// draw or how many follow.
///
/// ## Source
/// Caron et al., "Unsupervised Learning of Visual Features by Contrasting Cluster Assignments" (arXiv:2006.09882),
/// section 3.3; dino `main_dino.py`, `DataAugmentationDINO`.
public struct MultiCrop: Sendable, Equatable {
    /// What is done for each crop.
    public let crops: [TrainingTransform]
    /// The sizes of each crop, `[channels, height, width]`.
    public let shapes: [[Int]]
    /// The position of each crop's numbers in a row.
    public let ranges: [Range<Int>]

    /// Creates a transform.
    ///
    /// - Parameter crops: What is done for each crop, at least one; each makes a size that does not depend on the image.
    /// - Throws: ``ImageError/invalid(_:)`` when there is no crop, one has no fixed size, or they differ in whether files
    ///   are turned upright.
    public init(_ crops: [TrainingTransform]) throws(ImageError) {
        guard !crops.isEmpty else { throw .invalid("an image needs at least one crop") }
        guard Set(crops.map(\.appliesOrientation)).count == 1 else {
            throw .invalid("all crops of an image must use the same EXIF orientation setting")
        }
        var shapes: [[Int]] = []
        var ranges: [Range<Int>] = []
        var start = 0
        for crop in crops {
            let size = try crop.outputSize(height: 375, width: 500)
            guard try crop.outputSize(height: 64, width: 48) == size else {
                throw .invalid("a crop's size must not depend on the image")
            }
            let count = try Image.byteCount(
                height: size.height,
                width: size.width,
                channels: crop.channels
            )
            let (end, overflow) = start.addingReportingOverflow(count)
            guard !overflow else { throw .invalid("the crops of an image are too large") }
            shapes.append([crop.channels, size.height, size.width])
            ranges.append(start..<end)
            start = end
        }
        self.crops = crops
        self.shapes = shapes
        self.ranges = ranges
    }

    /// The numbers of a row.
    public var count: Int { ranges.last?.upperBound ?? 0 }
}

extension MultiCrop: ImageTransform {
    /// One: the planes of all crops are in one row.
    public var channels: Int { 1 }

    /// As the crops have it.
    public var appliesOrientation: Bool { crops.first?.appliesOrientation ?? true }

    /// The size of the result: one row.
    ///
    /// - Parameters:
    ///   - height: The image's rows.
    ///   - width: The image's columns.
    /// - Returns: 1 and ``count``.
    /// - Throws: Nothing.
    public func outputSize(height: Int, width: Int) throws(ImageError) -> (height: Int, width: Int)
    {
        (1, count)
    }

    /// Writes the crops of an image.
    ///
    /// - Parameters:
    ///   - image: The image.
    ///   - output: Room for exactly ``count`` numbers.
    ///   - generator: The source of chance; one number is taken, from which each crop's generator follows.
    /// - Throws: ``ImageError`` when an operation does not fit the image.
    public func write(
        _ image: Image,
        into output: UnsafeMutableBufferPointer<Float>,
        using generator: inout SplitMix64
    ) throws(ImageError) {
        guard output.count == count else {
            throw .invalid("a buffer of \(output.count) numbers does not fit crops of \(count)")
        }
        let seed = generator.next()
        for (index, crop) in crops.enumerated() {
            var own = SplitMix64(seed: seed, epoch: 0, index: 0, view: index)
            try crop.write(
                image,
                into: UnsafeMutableBufferPointer(rebasing: output[ranges[index]]),
                using: &own
            )
        }
    }
}
