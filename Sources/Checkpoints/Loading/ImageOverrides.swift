public import ImagePipeline

/// What is done otherwise to images than a checkpoint says; nil leaves it as it is.
public struct ImageOverrides: Sendable, Equatable {
    /// The mean of each channel, or one for all.
    public var mean: [Float]?

    /// The standard deviation of each channel, or one for all.
    public var std: [Float]?

    /// The share of the shorter side that the centre crop keeps, above 0 up to 1, as timm's `crop_pct`.
    public var cropShare: Double?

    /// How samples are weighed in the resize.
    public var interpolation: Interpolation?

    /// How the image is resized before the crop, as timm's `crop_mode`.
    public var cropMode: CropMode?

    /// Whether files are turned upright first, as their EXIF orientation says.
    public var appliesOrientation: Bool?

    /// Creates overrides.
    ///
    /// - Parameters:
    ///   - mean: The mean of each channel, or one for all.
    ///   - std: The standard deviation of each channel, or one for all.
    ///   - cropShare: The share of the shorter side that the centre crop keeps.
    ///   - interpolation: How samples are weighed in the resize.
    ///   - cropMode: How the image is resized before the crop.
    ///   - appliesOrientation: Whether files are turned upright first.
    public init(
        mean: [Float]? = nil,
        std: [Float]? = nil,
        cropShare: Double? = nil,
        interpolation: Interpolation? = nil,
        cropMode: CropMode? = nil,
        appliesOrientation: Bool? = nil
    ) {
        self.mean = mean
        self.std = std
        self.cropShare = cropShare
        self.interpolation = interpolation
        self.cropMode = cropMode
        self.appliesOrientation = appliesOrientation
    }

    /// Whether nothing is to be done otherwise.
    public var isEmpty: Bool { self == ImageOverrides() }

    /// A processor with these changes.
    func applied(
        to processor: ImageProcessor,
        height: Int,
        width: Int
    ) throws(ImageError) -> ImageProcessor {
        var resize = processor.resize
        var crop = processor.cropHeight.flatMap { rows in
            processor.cropWidth.map { (height: rows, width: $0) }
        }
        if let cropShare {
            guard cropShare > 0.01, cropShare <= 1 else {
                throw .invalid("the crop fraction must be above 0 and at most 1, not \(cropShare)")
            }
            resize = (cropMode ?? resize.cropMode ?? .center)
                .resize(height: height, width: width, share: cropShare)
            crop = (height, width)
        } else if let cropMode {
            // The same share of the image as before stays.
            let around = resize.around(height: height, width: width)
            resize = cropMode.resize(toHeight: around.height, width: around.width)
            crop = (height, width)
        }
        return try ImageProcessor(
            resize: resize,
            interpolation: interpolation ?? processor.interpolation,
            cropHeight: crop?.height,
            cropWidth: crop?.width,
            centering: processor.centering,
            channels: processor.channels,
            mean: Self.spread(mean, over: processor.channels) ?? processor.mean,
            std: Self.spread(std, over: processor.channels) ?? processor.std,
            appliesOrientation: appliesOrientation ?? processor.appliesOrientation
        )
    }

    private static func spread(_ values: [Float]?, over channels: Int) -> [Float]? {
        guard let values, values.count == 1 else { return values }
        return Array(repeating: values[0], count: max(0, channels))
    }
}
