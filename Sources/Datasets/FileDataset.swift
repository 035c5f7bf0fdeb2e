public import ImagePipeline

/// Labelled pictures that are a file each, in a folder's or a list's order.
public protocol FileDataset: ImageDataset {
    /// The paths of the pictures' files.
    var files: [String] { get }

    /// The label of each file.
    var labels: [Int32] { get }

    /// How files are decoded.
    var options: DecodingOptions { get }
}

extension FileDataset {
    /// The number of pictures.
    public var count: Int { files.count }

    /// The label of a picture.
    ///
    /// - Parameter index: The picture.
    /// - Returns: An index into the classes' names.
    public func label(at index: Int) -> Int { Int(labels[index]) }

    /// Reads and decodes a picture.
    ///
    /// - Parameter index: The picture.
    /// - Returns: The picture.
    /// - Throws: `ImageError` when the file cannot be read or decoded.
    public func image(at index: Int) throws(ImageError) -> Image {
        try Image(contentsOf: files[index], options: options)
    }

    /// Reads a picture's file without decoding it.
    ///
    /// - Parameter index: The picture.
    /// - Returns: The file.
    /// - Throws: `ImageError` when the file cannot be read or is no picture.
    public func encodedImage(at index: Int) throws(ImageError) -> EncodedImage? {
        try EncodedImage(contentsOf: files[index], options: options)
    }

    /// The path of a picture's file.
    ///
    /// - Parameter index: The picture.
    /// - Returns: The name.
    public func name(at index: Int) -> String { files[index] }

    /// The path of a picture's file.
    ///
    /// - Parameter index: The picture.
    /// - Returns: The path.
    public func filePath(at index: Int) -> String? { files[index] }

    /// The bytes of a picture's file.
    ///
    /// - Parameter index: The picture.
    /// - Returns: The bytes.
    /// - Throws: `ImageError` when the file cannot be read.
    public func fileBytes(at index: Int) throws(ImageError) -> [UInt8]? {
        try readFile(at: files[index])
    }
}
