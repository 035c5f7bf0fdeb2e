/// A crop of fixed size at a random place, after a border was added: the usual augmentation of small images.
///
/// ## Source
/// torchvision's `RandomCrop(size, padding, fill, padding_mode)`.
public struct RandomCrop: Sendable, Equatable, Codable {
    /// What a border shows.
    public enum Border: String, Sendable, Equatable, Codable, CaseIterable {
        /// One value.
        case constant
        /// The image mirrored at its outermost pixels, which are not repeated; DeiT-III's simple random crop.
        case reflect
    }

    /// The rows of the result.
    public var height: Int
    /// The columns of the result.
    public var width: Int
    /// The border added to each side, in pixels.
    public var padding: Int
    /// The border's value, 0 to 255, where it is constant.
    public var fill: UInt8
    /// What the border shows.
    public var border: Border

    /// Creates a crop.
    ///
    /// - Parameters:
    ///   - height: The rows of the result.
    ///   - width: The columns of the result.
    ///   - padding: The border added to each side, in pixels.
    ///   - fill: The border's value, where it is constant.
    ///   - border: What the border shows.
    public init(
        height: Int,
        width: Int,
        padding: Int = 0,
        fill: UInt8 = 0,
        border: Border = .constant
    ) {
        self.height = height
        self.width = width
        self.padding = padding
        self.fill = fill
        self.border = border
    }

    func apply(to image: Image, using generator: inout SplitMix64) throws(ImageError) -> Image {
        let whole =
            switch border {
            case .constant:
                try image.padded(
                    top: padding,
                    left: padding,
                    bottom: padding,
                    right: padding,
                    fill: fill
                )
            case .reflect: try image.reflected(by: padding)
            }
        guard whole.height >= height, whole.width >= width else {
            throw .invalid(
                "an image of \(ImageSize(height: image.height, width: image.width)) with a border of \(padding) pixels is "
                    + "too small for a crop of \(ImageSize(height: height, width: width))"
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
