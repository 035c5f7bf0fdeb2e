public import ImagePipeline

/// Labelled images that are a file each, in a folder's or a list's order.
public protocol FileDataset: ImageDataset {
    /// The paths of the images' files.
    var files: [String] { get }

    /// The label of each file; of a file with several the first, and 0 where it has none.
    var labels: [Int32] { get }

    /// How files are decoded.
    var options: DecodingOptions { get }
}

extension FileDataset {
    /// The number of images.
    public var count: Int { files.count }

    /// The label of an image.
    ///
    /// - Parameter index: The image.
    /// - Returns: An index into the classes' names.
    public func label(at index: Int) -> Int { Int(labels[index]) }

    /// Reads and decodes an image.
    ///
    /// - Parameter index: The image.
    /// - Returns: The image.
    /// - Throws: `ImageError` when the file cannot be read or decoded.
    public func image(at index: Int) throws(ImageError) -> Image {
        try Image(contentsOf: files[index], options: options)
    }

    /// Reads an image's file without decoding it.
    ///
    /// - Parameter index: The image.
    /// - Returns: The file.
    /// - Throws: `ImageError` when the file cannot be read or is not an image.
    public func encodedImage(at index: Int) throws(ImageError) -> EncodedImage? {
        try EncodedImage(contentsOf: files[index], options: options)
    }

    /// The path of an image's file.
    ///
    /// - Parameter index: The image.
    /// - Returns: The name.
    public func name(at index: Int) -> String { files[index] }

    /// The path of an image's file.
    ///
    /// - Parameter index: The image.
    /// - Returns: The path.
    public func filePath(at index: Int) -> String? { files[index] }

    /// The bytes of an image's file.
    ///
    /// - Parameter index: The image.
    /// - Returns: The bytes.
    /// - Throws: `ImageError` when the file cannot be read.
    public func fileBytes(at index: Int) throws(ImageError) -> [UInt8]? {
        try readFile(at: files[index])
    }
}
