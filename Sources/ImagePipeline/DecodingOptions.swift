/// How a file is turned into an image.
public struct DecodingOptions: Sendable, Equatable {
    /// Pillow's own limit against decompression bombs: twice a quarter of a GiB of three-byte pixels.
    ///
    /// It holds for what a file may ask for and for what a resize may make of an image, in all commands.
    public static let defaultPixelLimit = 178_956_970

    /// The channels wanted, 1 or 3; `nil` keeps grey files grey and makes all others RGB.
    public var channels: Int?
    /// The most pixels that a file may ask for.
    public var pixelLimit: Int
    /// Whether the image is turned upright as its EXIF orientation says.
    ///
    /// transformers' `load_image` does so, timm and torchvision's `ImageFolder` do not. A transform has a rule of its own,
    /// which goes before.
    public var appliesOrientation: Bool

    /// Creates options.
    ///
    /// - Parameters:
    ///   - channels: 1 or 3, or `nil` for the file's own.
    ///   - pixelLimit: The most pixels that a file may ask for.
    ///   - appliesOrientation: Whether to follow the EXIF orientation.
    public init(
        channels: Int? = nil,
        pixelLimit: Int = DecodingOptions.defaultPixelLimit,
        appliesOrientation: Bool = true
    ) {
        self.channels = channels
        self.pixelLimit = pixelLimit
        self.appliesOrientation = appliesOrientation
    }
}
