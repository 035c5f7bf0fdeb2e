/// The deterministic way from an image to a model's input, which travels with the model.
///
/// Channels are converted first, then come resize, centre crop and normalisation to `[channels, height, width]`. The
/// flavours in use are: shortest side and crop (DeiT), timm's ``CropMode``, squash and crop (`DeiTImageProcessor`), squash
/// alone (`ViTImageProcessor`). What a crop adds is black, and of the mean's colour after ``ResizeRule/contain(height:width:)``
/// as in timm's `border`. Before normalisation all equal their sources byte for byte; see <doc:UnusualImages>.
///
/// ## Source
/// torchvision's `Resize`, `CenterCrop`, `ToTensor` and `Normalize` on Pillow images, as in DeiT's
/// `datasets.py, build_transform`; `transformers/image_processing_backends.py, PilBackend`.
public struct ImageProcessor: Sendable, Equatable, Codable {
    /// How the image is resized before the crop.
    public let resize: ResizeRule
    /// How samples are weighed in the resize.
    public let interpolation: Interpolation
    /// The rows that the centre crop leaves, or `nil` for no crop.
    public let cropHeight: Int?
    /// The columns that the centre crop leaves, or `nil` for no crop.
    public let cropWidth: Int?
    /// Where the crop begins when an odd number of pixels is left over.
    public let centering: CropCentering
    /// The channels of the result.
    public let channels: Int
    /// The mean and deviation of each channel.
    public let normalization: Normalization
    /// Whether files are turned upright first, as their EXIF orientation says.
    public let appliesOrientation: Bool

    /// One mean for each channel.
    public var mean: [Float] { normalization.mean }
    /// One standard deviation for each channel.
    public var std: [Float] { normalization.std }

    /// Creates a processor.
    ///
    /// - Parameters:
    ///   - resize: How the image is resized before the crop.
    ///   - interpolation: How samples are weighed in the resize.
    ///   - cropHeight: The rows that the centre crop leaves; `nil`, together with `cropWidth`, for no crop.
    ///   - cropWidth: The columns that the centre crop leaves.
    ///   - centering: Where the crop begins when an odd number of pixels is left over.
    ///   - channels: The channels of the result.
    ///   - mean: One mean for each channel, for samples from 0 to 1.
    ///   - std: One standard deviation for each channel, above 0.
    ///   - appliesOrientation: Whether files are turned upright first, as their EXIF orientation says.
    /// - Throws: ``ImageError/invalid(_:)`` when the values do not fit together.
    public init(
        resize: ResizeRule,
        interpolation: Interpolation = .bicubic,
        cropHeight: Int? = nil,
        cropWidth: Int? = nil,
        centering: CropCentering = .rounded,
        channels: Int = 3,
        mean: [Float],
        std: [Float],
        appliesOrientation: Bool = true
    ) throws(ImageError) {
        try resize.validate()
        guard (cropHeight == nil) == (cropWidth == nil), (cropHeight ?? 1) > 0, (cropWidth ?? 1) > 0
        else {
            throw .invalid("crop height and width must both be positive or both absent")
        }
        let normalization = try Normalization(mean: mean, std: std)
        guard mean.count == channels else {
            throw .invalid("mean and std have \(mean.count) values for \(channels) channels")
        }
        self.resize = resize
        self.interpolation = interpolation
        self.cropHeight = cropHeight
        self.cropWidth = cropWidth
        self.centering = centering
        self.channels = channels
        self.normalization = normalization
        self.appliesOrientation = appliesOrientation
    }

    private init(_ processor: ImageProcessor, upright: Bool) {
        resize = processor.resize
        interpolation = processor.interpolation
        cropHeight = processor.cropHeight
        cropWidth = processor.cropWidth
        centering = processor.centering
        channels = processor.channels
        normalization = processor.normalization
        appliesOrientation = upright
    }

    private enum CodingKeys: String, CodingKey {
        case resize
        case interpolation
        case cropHeight
        case cropWidth
        case centering
        case channels
        case mean
        case std
        case appliesOrientation
    }

    /// Reads a processor and checks it.
    ///
    /// - Parameter decoder: The decoder to read from.
    /// - Throws: A decoding error, or ``ImageError/invalid(_:)`` when the values do not fit together.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            resize: try container.decode(ResizeRule.self, forKey: .resize),
            interpolation: try container.decode(Interpolation.self, forKey: .interpolation),
            cropHeight: try container.decodeIfPresent(Int.self, forKey: .cropHeight),
            cropWidth: try container.decodeIfPresent(Int.self, forKey: .cropWidth),
            centering: try container.decodeIfPresent(CropCentering.self, forKey: .centering)
                ?? .rounded,
            channels: try container.decode(Int.self, forKey: .channels),
            mean: try container.decode([Float].self, forKey: .mean),
            std: try container.decode([Float].self, forKey: .std),
            // Processors were written without it when no file was turned.
            appliesOrientation: try container.decodeIfPresent(
                Bool.self,
                forKey: .appliesOrientation
            )
                ?? false
        )
    }

    /// Writes the processor.
    ///
    /// - Parameter encoder: The encoder to write to.
    /// - Throws: An encoding error.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(resize, forKey: .resize)
        try container.encode(interpolation, forKey: .interpolation)
        try container.encodeIfPresent(cropHeight, forKey: .cropHeight)
        try container.encodeIfPresent(cropWidth, forKey: .cropWidth)
        try container.encode(centering, forKey: .centering)
        try container.encode(channels, forKey: .channels)
        try container.encode(mean, forKey: .mean)
        try container.encode(std, forKey: .std)
        try container.encode(appliesOrientation, forKey: .appliesOrientation)
    }
}

extension ImageProcessor {
    /// The same processor with another size of resize and crop.
    ///
    /// - Parameters:
    ///   - resize: How the image is resized before the crop.
    ///   - crop: The rows and columns that the centre crop leaves, or `nil` for no crop.
    /// - Returns: The processor.
    /// - Throws: ``ImageError/invalid(_:)`` when a size is not positive.
    public func with(
        resize: ResizeRule,
        crop: ImageSize?
    ) throws(ImageError) -> ImageProcessor {
        try ImageProcessor(
            resize: resize,
            interpolation: interpolation,
            cropHeight: crop?.height,
            cropWidth: crop?.width,
            centering: centering,
            channels: channels,
            mean: mean,
            std: std,
            appliesOrientation: appliesOrientation
        )
    }

    /// The same processor with another rule for the orientation of files.
    ///
    /// - Parameter isUpright: Whether files are turned upright first, as their EXIF orientation says.
    /// - Returns: The processor.
    public func seeing(upright isUpright: Bool) -> ImageProcessor {
        ImageProcessor(self, upright: isUpright)
    }
}

extension ImageProcessor {
    /// The processor that DeiT is evaluated with: resize to `Int(size / 0.875)`, bicubic, crop, ImageNet's statistics.
    ///
    /// - Parameter size: The side of the model's input in pixels.
    /// - Returns: The processor.
    /// - Throws: ``ImageError/invalid(_:)`` when the size is not positive or beyond any image's.
    public static func deit(size: Int = 224) throws(ImageError) -> ImageProcessor {
        guard (1...Int(Int32.max)).contains(size) else {
            throw .invalid("an image cannot have the size \(size)")
        }
        return try ImageProcessor(
            resize: .shortestSide(Int(Double(size) / 0.875)),
            cropHeight: size,
            cropWidth: size,
            mean: Normalization.imageNet.mean,
            std: Normalization.imageNet.std
        )
    }

    /// The processor for small images, which are used whole: those of another size are resized exactly.
    ///
    /// - Parameters:
    ///   - height: The rows of the model's input.
    ///   - width: The columns of the model's input.
    ///   - channels: The channels of the model's input.
    ///   - mean: One mean for each channel.
    ///   - std: One standard deviation for each channel, above 0.
    /// - Returns: The processor.
    /// - Throws: ``ImageError/invalid(_:)`` when the values do not fit together.
    public static func whole(
        height: Int,
        width: Int,
        channels: Int,
        mean: [Float],
        std: [Float]
    ) throws(ImageError) -> ImageProcessor {
        try ImageProcessor(
            resize: .exact(height: height, width: width),
            channels: channels,
            mean: mean,
            std: std
        )
    }

    /// Returns the image after conversion, resize and crop, still in bytes.
    ///
    /// - Parameter image: The image.
    /// - Returns: The image in the size of the model's input.
    /// - Throws: ``ImageError/invalid(_:)`` when a size is beyond what fits into memory.
    public func prepare(_ image: Image) throws(ImageError) -> Image {
        let image = try image.converted(toChannels: channels)
        let (height, width) = try resize.size(height: image.height, width: image.width)
        let resized = try image.resized(
            height: height,
            width: width,
            interpolation: interpolation,
            window: window(height: height, width: width)
        )
        return try finished(resized)
    }

    /// Returns what a file shows after conversion, resize and crop, still in bytes.
    ///
    /// - Parameters:
    ///   - file: The image, seen as ``appliesOrientation`` says, whatever its own options are.
    ///   - scratch: Memory that is used again from image to image.
    /// - Returns: The image in the size of the model's input.
    /// - Throws: ``ImageError`` when the file is damaged or a size is beyond what fits into memory.
    public func prepare(
        _ file: EncodedImage,
        scratch: ImageScratch
    ) throws(ImageError) -> Image {
        let file = file.seen(upright: appliesOrientation)
        let (height, width) = try resize.size(height: file.height, width: file.width)
        let resized = try file.resized(
            height: height,
            width: width,
            channels: channels,
            interpolation: interpolation,
            window: window(height: height, width: width),
            scratch: scratch
        )
        return try finished(resized)
    }

    /// The part of a resized image that the crop keeps, which is all that is computed; `nil` where there is no crop
    /// or the image is smaller.
    private func window(height: Int, width: Int) -> Region? {
        guard let cropHeight, let cropWidth, cropHeight <= height, cropWidth <= width else {
            return nil
        }
        return Region(
            top: centering.offset(of: cropHeight, in: height),
            left: centering.offset(of: cropWidth, in: width),
            height: cropHeight,
            width: cropWidth
        )
    }

    /// Adds the crop's border to an image that is smaller.
    private func finished(_ image: Image) throws(ImageError) -> Image {
        guard let cropHeight, let cropWidth, (image.height, image.width) != (cropHeight, cropWidth)
        else { return image }
        guard case .contain = resize else {
            return try image.centerCropped(
                height: cropHeight,
                width: cropWidth,
                centering: centering
            )
        }
        return try image.centerCropped(
            height: cropHeight,
            width: cropWidth,
            centering: centering,
            fill: AugmentSettings.fill(matching: mean)
        )
    }

    /// Returns a model's input for an image.
    ///
    /// - Parameter image: The image.
    /// - Returns: The numbers, `[channels, height, width]`, and their height and width.
    /// - Throws: ``ImageError/invalid(_:)`` when a size is beyond what fits into memory.
    public func callAsFunction(
        _ image: Image
    ) throws(ImageError) -> (values: [Float], height: Int, width: Int) {
        let prepared = try prepare(image)
        var values = [Float](repeating: 0, count: prepared.pixels.count)
        let result = values.withUnsafeMutableBufferPointer { buffer in
            Result { () throws(ImageError) in try normalization.normalize(prepared, into: buffer) }
        }
        try result.get()
        return (values, prepared.height, prepared.width)
    }
}

extension ImageProcessor: ImageTransform {
    /// The size of a model's input for an image of a given size.
    ///
    /// - Parameters:
    ///   - height: The image's rows.
    ///   - width: The image's columns.
    /// - Returns: The rows and columns.
    /// - Throws: ``ImageError/invalid(_:)`` when there is none.
    public func outputSize(height: Int, width: Int) throws(ImageError) -> (height: Int, width: Int)
    {
        if let cropHeight, let cropWidth { return (cropHeight, cropWidth) }
        return try resize.size(height: height, width: width)
    }

    /// Writes a model's input for an image; nothing is drawn from the generator.
    ///
    /// - Parameters:
    ///   - image: The image.
    ///   - output: Room for exactly `channels * height * width` numbers.
    ///   - generator: Left as it is.
    /// - Throws: ``ImageError/invalid(_:)`` when sizes do not fit.
    public func write(
        _ image: Image,
        into output: UnsafeMutableBufferPointer<Float>,
        using generator: inout SplitMix64
    ) throws(ImageError) {
        try write(image, into: output)
    }

    /// Writes a model's input for a file, of which no more is decoded than shows.
    ///
    /// - Parameters:
    ///   - file: The image.
    ///   - output: Room for exactly `channels * height * width` numbers.
    ///   - generator: Left as it is.
    ///   - scratch: Memory that is used again from image to image.
    /// - Throws: ``ImageError`` when the file is damaged or sizes do not fit.
    public func write(
        _ file: EncodedImage,
        into output: UnsafeMutableBufferPointer<Float>,
        using generator: inout SplitMix64,
        scratch: ImageScratch
    ) throws(ImageError) {
        try normalization.normalize(try prepare(file, scratch: scratch), into: output)
    }

    /// Writes a model's input for an image.
    ///
    /// - Parameters:
    ///   - image: The image.
    ///   - output: Room for exactly `channels * height * width` numbers.
    /// - Throws: ``ImageError/invalid(_:)`` when sizes do not fit.
    public func write(
        _ image: Image,
        into output: UnsafeMutableBufferPointer<Float>
    ) throws(ImageError) {
        try normalization.normalize(try prepare(image), into: output)
    }
}
