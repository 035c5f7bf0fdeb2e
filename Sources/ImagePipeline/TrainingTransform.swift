/// The random way from an image to a training example: an ordered list of operations, normalisation, and erasing.
///
/// Further augmentation is a further case of ``ImageOperation`` and one more entry in the list.
public struct TrainingTransform: Sendable, Equatable, Codable {
    /// The operations, in the order in which they are carried out.
    public let operations: [ImageOperation]
    /// The channels of the result; grey and RGB are converted into each other before the first operation.
    public let channels: Int
    /// The mean and deviation of each channel.
    public let normalization: Normalization
    /// The erasing of rectangles after normalisation, or `nil` for none.
    public let erasing: RandomErasing?
    /// Whether files are turned upright first, as their EXIF orientation says.
    public let appliesOrientation: Bool

    /// Creates a transform.
    ///
    /// - Parameters:
    ///   - operations: The operations, in the order in which they are carried out.
    ///   - channels: The channels of the result.
    ///   - mean: One mean for each channel, for samples from 0 to 1.
    ///   - std: One standard deviation for each channel, above 0.
    ///   - erasing: The erasing of rectangles after normalisation, or `nil` for none.
    ///   - appliesOrientation: Whether files are turned upright first, as their EXIF orientation says.
    /// - Throws: ``ImageError/invalid(_:)`` when a parameter makes no sense.
    public init(
        operations: [ImageOperation],
        channels: Int = 3,
        mean: [Float],
        std: [Float],
        erasing: RandomErasing? = nil,
        appliesOrientation: Bool = true
    ) throws(ImageError) {
        for operation in operations { try operation.validate() }
        try erasing?.validate()
        guard mean.count == channels else {
            throw .invalid("mean and std have \(mean.count) values for \(channels) channels")
        }
        self.normalization = try Normalization(mean: mean, std: std)
        self.operations = operations
        self.channels = channels
        self.erasing = erasing
        self.appliesOrientation = appliesOrientation
    }

    /// Reads a transform and checks it.
    ///
    /// - Parameter decoder: The decoder to read from.
    /// - Throws: A decoding error, or ``ImageError/invalid(_:)`` when a parameter makes no sense.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let normalization = try container.decode(Normalization.self, forKey: .normalization)
        try self.init(
            operations: try container.decode([ImageOperation].self, forKey: .operations),
            channels: try container.decode(Int.self, forKey: .channels),
            mean: normalization.mean,
            std: normalization.std,
            erasing: try container.decodeIfPresent(RandomErasing.self, forKey: .erasing),
            // Transforms were written without it when no file was turned.
            appliesOrientation: try container.decodeIfPresent(
                Bool.self,
                forKey: .appliesOrientation
            )
                ?? false
        )
    }

    /// The transform of ImageNet training without colour changes: random resized crop and flip.
    ///
    /// - Parameters:
    ///   - processor: The processor used in evaluation, for channels, statistics and interpolation.
    ///   - height: The rows of the result.
    ///   - width: The columns of the result.
    ///   - scale: The part of the area to take.
    ///   - ratio: The width over the height of the part.
    ///   - flip: The probability of mirroring.
    /// - Returns: The transform.
    /// - Throws: ``ImageError/invalid(_:)`` when a parameter makes no sense.
    public static func randomResizedCrop(
        matching processor: ImageProcessor,
        height: Int,
        width: Int,
        scale: ClosedRange<Double> = 0.08...1,
        ratio: ClosedRange<Double> = (3.0 / 4)...(4.0 / 3),
        flip: Double = 0.5
    ) throws(ImageError) -> TrainingTransform {
        let crop = RandomResizedCrop(
            height: height,
            width: width,
            scale: scale,
            ratio: ratio,
            interpolation: processor.interpolation
        )
        return try TrainingTransform(
            operations: [.randomResizedCrop(crop), .horizontalFlip(probability: flip)],
            channels: processor.channels,
            mean: processor.mean,
            std: processor.std,
            appliesOrientation: processor.appliesOrientation
        )
    }

    /// The transform for small images: exact size, a border, a random crop and a flip.
    ///
    /// - Parameters:
    ///   - processor: The processor used in evaluation, for channels, statistics and interpolation.
    ///   - height: The rows of the result.
    ///   - width: The columns of the result.
    ///   - padding: The border added to each side, in pixels.
    ///   - fill: The border's value.
    ///   - flip: The probability of mirroring.
    /// - Returns: The transform.
    /// - Throws: ``ImageError/invalid(_:)`` when a parameter makes no sense.
    public static func randomCrop(
        matching processor: ImageProcessor,
        height: Int,
        width: Int,
        padding: Int,
        fill: UInt8 = 0,
        flip: Double = 0.5
    ) throws(ImageError) -> TrainingTransform {
        try TrainingTransform(
            operations: [
                .resize(
                    .exact(height: height, width: width),
                    interpolation: processor.interpolation
                ),
                .randomCrop(RandomCrop(height: height, width: width, padding: padding, fill: fill)),
                .horizontalFlip(probability: flip),
            ],
            channels: processor.channels,
            mean: processor.mean,
            std: processor.std,
            appliesOrientation: processor.appliesOrientation
        )
    }
}

extension TrainingTransform: ImageTransform {
    /// The size of the result for an image of a given size.
    ///
    /// - Parameters:
    ///   - height: The image's rows.
    ///   - width: The image's columns.
    /// - Returns: The rows and columns.
    /// - Throws: ``ImageError/invalid(_:)`` when there is none.
    public func outputSize(height: Int, width: Int) throws(ImageError) -> (height: Int, width: Int)
    {
        var size = (height: height, width: width)
        for operation in operations {
            size = try operation.outputSize(height: size.height, width: size.width)
        }
        return size
    }

    /// Returns the image after all operations, still in bytes.
    ///
    /// - Parameters:
    ///   - image: The image.
    ///   - generator: The source of chance.
    /// - Returns: The image in the size of the model's input.
    /// - Throws: ``ImageError`` when an operation does not fit the image.
    public func augment(
        _ image: Image,
        using generator: inout SplitMix64
    ) throws(ImageError) -> Image {
        var image = try image.converted(toChannels: channels)
        for operation in operations { try operation.apply(to: &image, using: &generator) }
        return image
    }

    /// Returns what a file shows after all operations, still in bytes.
    ///
    /// - Parameters:
    ///   - file: The image; only what a first operation that resizes draws on is decoded.
    ///   - generator: The source of chance.
    ///   - scratch: Memory that is used again from image to image.
    /// - Returns: The image in the size of the model's input.
    /// - Throws: ``ImageError`` when the file is damaged or an operation does not fit the image.
    public func augment(
        _ file: EncodedImage,
        using generator: inout SplitMix64,
        scratch: ImageScratch
    ) throws(ImageError) -> Image {
        let file = file.seen(upright: appliesOrientation)
        var image: Image
        switch operations.first {
        case .randomResizedCrop(let crop):
            let drawn = crop.draw(height: file.height, width: file.width, using: &generator)
            image = try file.resized(
                height: crop.height,
                width: crop.width,
                channels: channels,
                interpolation: drawn.interpolation,
                region: drawn.region,
                scratch: scratch
            )
        default:
            guard let begun = try beginning(of: file, scratch: scratch) else {
                return try augment(try file.decoded(), using: &generator)
            }
            image = begun
        }
        for operation in operations.dropFirst() {
            try operation.apply(to: &image, using: &generator)
        }
        return image
    }

    /// Returns a file's image after a first operation that resizes all of it.
    ///
    /// - Parameters:
    ///   - file: The image.
    ///   - scratch: Memory that is used again from image to image.
    /// - Returns: The image; nil where the first operation does something else.
    /// - Throws: ``ImageError`` when the file is damaged or cannot be resized.
    public func beginning(
        of file: EncodedImage,
        scratch: ImageScratch
    ) throws(ImageError) -> Image? {
        guard case .resize(let rule, let interpolation) = operations.first else { return nil }
        let (height, width) = try rule.size(height: file.height, width: file.width)
        return try file.resized(
            height: height,
            width: width,
            channels: channels,
            interpolation: interpolation,
            scratch: scratch
        )
    }

    /// Writes a training example from an image after the first operation.
    ///
    /// - Parameters:
    ///   - image: What ``beginning(of:scratch:)`` returned.
    ///   - output: Room for exactly `channels * height * width` numbers.
    ///   - generator: The source of chance.
    /// - Throws: ``ImageError`` when an operation does not fit the image.
    public func write(
        begun image: Image,
        into output: UnsafeMutableBufferPointer<Float>,
        using generator: inout SplitMix64
    ) throws(ImageError) {
        var image = image
        for operation in operations.dropFirst() {
            try operation.apply(to: &image, using: &generator)
        }
        try finish(image, into: output, using: &generator)
    }

    /// Writes a training example, one plane for each channel.
    ///
    /// - Parameters:
    ///   - image: The image.
    ///   - output: Room for exactly `channels * height * width` numbers.
    ///   - generator: The source of chance.
    /// - Throws: ``ImageError`` when an operation does not fit the image.
    public func write(
        _ image: Image,
        into output: UnsafeMutableBufferPointer<Float>,
        using generator: inout SplitMix64
    ) throws(ImageError) {
        try finish(try augment(image, using: &generator), into: output, using: &generator)
    }

    /// Writes a training example from a file, of which no more is decoded than shows.
    ///
    /// - Parameters:
    ///   - file: The image.
    ///   - output: Room for exactly `channels * height * width` numbers.
    ///   - generator: The source of chance.
    ///   - scratch: Memory that is used again from image to image.
    /// - Throws: ``ImageError`` when the file is damaged or an operation does not fit the image.
    public func write(
        _ file: EncodedImage,
        into output: UnsafeMutableBufferPointer<Float>,
        using generator: inout SplitMix64,
        scratch: ImageScratch
    ) throws(ImageError) {
        let image = try augment(file, using: &generator, scratch: scratch)
        try finish(image, into: output, using: &generator)
    }

    /// Normalises an image and erases rectangles.
    private func finish(
        _ image: Image,
        into output: UnsafeMutableBufferPointer<Float>,
        using generator: inout SplitMix64
    ) throws(ImageError) {
        try normalization.normalize(image, into: output)
        try erasing?.apply(
            to: output,
            channels: channels,
            height: image.height,
            width: image.width,
            using: &generator
        )
    }
}
