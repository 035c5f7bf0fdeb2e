/// Something that turns a decoded image into the numbers that a model reads.
///
/// All randomness comes from the generator that is handed in, so the result is a function of image and seed.
public protocol ImageTransform: Sendable {
    /// The channels of the result.
    var channels: Int { get }

    /// Whether files are turned upright first, as their EXIF orientation says; images in memory stay as they are.
    var appliesOrientation: Bool { get }

    /// The size of the result for an image of a given size.
    ///
    /// - Parameters:
    ///   - height: The image's rows; of a file those of ``EncodedImage/seen(upright:)``.
    ///   - width: The image's columns.
    /// - Returns: The rows and columns.
    /// - Throws: ``ImageError/invalid(_:)`` when there is none.
    func outputSize(height: Int, width: Int) throws(ImageError) -> (height: Int, width: Int)

    /// Writes the result, one plane for each channel.
    ///
    /// - Parameters:
    ///   - image: The image.
    ///   - output: Room for exactly the result.
    ///   - generator: The source of all chance.
    /// - Throws: ``ImageError`` when the image cannot be resized to the size.
    func write(
        _ image: Image,
        into output: UnsafeMutableBufferPointer<Float>,
        using generator: inout SplitMix64
    ) throws(ImageError)

    /// Returns a file's image as far as no chance changes it, for several results of the same file.
    ///
    /// - Parameters:
    ///   - file: The image.
    ///   - scratch: Memory that is used again from image to image.
    /// - Returns: The image for ``write(begun:into:using:)``; nil where chance comes first, as for a random part of the
    ///   file.
    /// - Throws: ``ImageError`` when the file is damaged or the image cannot be resized to the size.
    func beginning(of file: EncodedImage, scratch: ImageScratch) throws(ImageError) -> Image?

    /// Writes the result for what ``beginning(of:scratch:)`` returned: the same as for the file.
    ///
    /// - Parameters:
    ///   - image: The image.
    ///   - output: Room for exactly the result.
    ///   - generator: The source of all chance.
    /// - Throws: ``ImageError`` when the image does not fit.
    func write(
        begun image: Image,
        into output: UnsafeMutableBufferPointer<Float>,
        using generator: inout SplitMix64
    ) throws(ImageError)

    /// Writes the result for a file, of which no more needs to be decoded than the result draws on.
    ///
    /// - Parameters:
    ///   - file: The image.
    ///   - output: Room for exactly the result.
    ///   - generator: The source of all chance.
    ///   - scratch: Memory that is used again from image to image.
    /// - Throws: ``ImageError`` when the file is damaged or the image cannot be resized to the size.
    func write(
        _ file: EncodedImage,
        into output: UnsafeMutableBufferPointer<Float>,
        using generator: inout SplitMix64,
        scratch: ImageScratch
    ) throws(ImageError)
}

extension ImageTransform {
    /// Files are turned upright.
    public var appliesOrientation: Bool { true }

    /// Nothing is begun.
    public func beginning(
        of file: EncodedImage,
        scratch: ImageScratch
    ) throws(ImageError) -> Image? { nil }

    /// Writes the result for an image that is decoded and no more.
    public func write(
        begun image: Image,
        into output: UnsafeMutableBufferPointer<Float>,
        using generator: inout SplitMix64
    ) throws(ImageError) { try write(image, into: output, using: &generator) }

    /// Decodes the whole image and writes the result.
    ///
    /// - Parameters:
    ///   - file: The image.
    ///   - output: Room for exactly the result.
    ///   - generator: The source of all chance.
    ///   - scratch: Not needed.
    /// - Throws: ``ImageError`` when the file is damaged or the image cannot be resized to the size.
    public func write(
        _ file: EncodedImage,
        into output: UnsafeMutableBufferPointer<Float>,
        using generator: inout SplitMix64,
        scratch: ImageScratch
    ) throws(ImageError) {
        let image = try file.seen(upright: appliesOrientation).decoded()
        try write(image, into: output, using: &generator)
    }
}
