import CImageCodecs

/// An image file in memory whose header was read; the rest is decoded as far as it is needed.
///
/// A transform that shrinks a part of an image leaves out rows and columns of a JPEG that do not show in the result,
/// and never holds the whole image, only a few rows at full size. The result equals that from the whole image bit
/// for bit.
public struct EncodedImage: Sendable {
    /// The number of rows of the decoded image.
    public let height: Int
    /// The number of columns of the decoded image.
    public let width: Int
    /// How the file is turned into an image.
    public let options: DecodingOptions

    private let bytes: [UInt8]
    private let format: ImageFormat
    /// What the EXIF data say, 1 to 8.
    private let storedOrientation: Int
    /// The channels in the file: 1, 3 or 4.
    private let storedChannels: Int

    /// Reads the header of a file held in an array.
    ///
    /// - Parameters:
    ///   - bytes: The whole file.
    ///   - options: The channels wanted and the limits.
    /// - Throws: ``ImageError`` when the bytes are no image, are damaged or ask for too much.
    public init(
        _ bytes: [UInt8],
        options: DecodingOptions = DecodingOptions()
    ) throws(ImageError) {
        let result = bytes.withUnsafeBytes { raw in
            Result { () throws(ImageError) in
                let codec = try Codec(raw, pixelLimit: options.pixelLimit)
                return (codec.format, codec.info, exifOrientation(of: codec.format, raw))
            }
        }
        let (format, info, orientation) = try result.get()
        let swapsSides = options.appliesOrientation && (5...8).contains(orientation)
        height = Int(swapsSides ? info.width : info.height)
        width = Int(swapsSides ? info.height : info.width)
        storedChannels = Int(info.channels)
        storedOrientation = orientation
        self.bytes = bytes
        self.format = format
        self.options = options
    }

    /// The orientation in which the image is seen, 1 to 8 as in EXIF's tag 0x0112; 1 is as it is stored.
    private var orientation: Int { options.appliesOrientation ? storedOrientation : 1 }

    private init(_ file: EncodedImage, upright: Bool) {
        let swapsSides =
            (5...8).contains(file.storedOrientation) && upright != file.options.appliesOrientation
        height = swapsSides ? file.width : file.height
        width = swapsSides ? file.height : file.width
        bytes = file.bytes
        format = file.format
        storedOrientation = file.storedOrientation
        storedChannels = file.storedChannels
        var options = file.options
        options.appliesOrientation = upright
        self.options = options
    }

    /// The same file, seen upright as its EXIF data say, or as it is stored.
    ///
    /// - Parameter isUpright: Whether to follow the EXIF orientation.
    /// - Returns: The file; height and width are exchanged where it is turned by a quarter.
    public func seen(upright isUpright: Bool) -> EncodedImage {
        isUpright == options.appliesOrientation ? self : EncodedImage(self, upright: isUpright)
    }

    /// Reads a file and its header.
    ///
    /// - Parameters:
    ///   - path: The file's path.
    ///   - options: The channels wanted and the limits.
    /// - Throws: ``ImageError`` when the file cannot be read, is not an image, is damaged or asks for too much.
    public init(
        contentsOf path: String,
        options: DecodingOptions = DecodingOptions()
    ) throws(ImageError) {
        try self.init(try readFile(at: path), options: options)
    }

    /// Decodes the whole image.
    ///
    /// - Returns: The image.
    /// - Throws: ``ImageError`` when the file is damaged.
    public func decoded() throws(ImageError) -> Image {
        try Image(decoding: bytes, options: options)
    }

    /// Returns the image in another size: what `decoded()`, `converted(toChannels:)` and `resized` return.
    ///
    /// - Parameters:
    ///   - newHeight: The new number of rows, at least 1.
    ///   - newWidth: The new number of columns, at least 1.
    ///   - channels: The channels wanted.
    ///   - interpolation: How samples are weighed.
    ///   - region: The part of the image to start from; `nil` for all of it.
    ///   - window: The part of the new image that is wanted; `nil` for all of it.
    ///   - scratch: Memory that is used again from image to image.
    /// - Returns: The new image, or its part `window`.
    /// - Throws: ``ImageError`` when the file is damaged, a size is not positive or a rectangle does not fit.
    func resized(
        height newHeight: Int,
        width newWidth: Int,
        channels: Int,
        interpolation: Interpolation,
        region: Region? = nil,
        window: Region? = nil,
        scratch: ImageScratch
    ) throws(ImageError) -> Image {
        let size = PixelSize(height: height, width: width, channels: channels)
        let plan = try ResizePlan(
            from: size,
            height: newHeight,
            width: newWidth,
            region: region,
            window: window
        )
        let result = bytes.withUnsafeBytes { raw in
            Result { () throws(ImageError) in
                try streamed(raw, plan, interpolation, channels: channels, scratch)
            }
        }
        if let image = try result.get() { return image }
        return try decoded().converted(toChannels: channels)
            .resized(by: plan, interpolation: interpolation)
    }

    /// Resizes while decoding; `nil` where the file needs to be decoded as a whole.
    private func streamed(
        _ raw: UnsafeRawBufferPointer,
        _ plan: ResizePlan,
        _ interpolation: Interpolation,
        channels: Int,
        _ scratch: ImageScratch
    ) throws(ImageError) -> Image? {
        // What a file without an end is good for, only decoding all of it tells.
        guard format == .jpeg, orientation == 1, storedChannels != 4, interpolation != .nearest,
            !plan.isCrop
        else { return nil }
        let reader = try JPEGReader(raw)
        guard reader.isComplete, Int(reader.info.channels) == storedChannels else { return nil }
        let isGrey = storedChannels == 1 || options.channels == 1 || channels == 1
        let source = RowStream(
            reader: reader,
            channels: storedChannels,
            convertsToGrey: isGrey && storedChannels == 3
        )
        let resampler = try Resampler(plan, interpolation: interpolation)
        let image = try resampler.image(from: source, scratch: scratch)
        return try image.converted(toChannels: channels)
    }
}
