extension Image {
    /// Decodes a JPEG, PNG or WebP file; the format is detected from the content.
    ///
    /// The samples equal those of Pillow 11's `Image.open(file).convert("RGB")` (or `"L"`): alpha is dropped,
    /// palettes are expanded, CMYK is taken as Adobe stores it, no colour profile and no gamma is applied. Of 16
    /// bits the high byte is taken (Pillow clips grey at 255 instead), of an animation the first frame. See
    /// <doc:UnusualImages>.
    ///
    /// - Parameters:
    ///   - bytes: The whole file.
    ///   - options: The channels wanted and the limits.
    /// - Throws: ``ImageError`` when the bytes are no image, are damaged or ask for too much.
    public init(
        decoding bytes: UnsafeRawBufferPointer,
        options: DecodingOptions = DecodingOptions()
    ) throws(ImageError) {
        let codec = try Codec(bytes, pixelLimit: options.pixelLimit)
        var image = try codec.decode()
        if options.appliesOrientation {
            image = image.oriented(exifOrientation(of: codec.format, bytes))
        }
        if let channels = options.channels {
            image = try image.converted(toChannels: channels)
        }
        self = image
    }

    /// Decodes a JPEG, PNG or WebP file held in an array.
    ///
    /// - Parameters:
    ///   - bytes: The whole file.
    ///   - options: The channels wanted and the limits.
    /// - Throws: ``ImageError`` when the bytes are no image, are damaged or ask for too much.
    public init(
        decoding bytes: [UInt8],
        options: DecodingOptions = DecodingOptions()
    ) throws(ImageError) {
        let result = bytes.withUnsafeBytes { raw in
            Result { () throws(ImageError) in try Image(decoding: raw, options: options) }
        }
        self = try result.get()
    }

    /// Reads and decodes a file.
    ///
    /// - Parameters:
    ///   - path: The file's path.
    ///   - options: The channels wanted and the limits.
    /// - Throws: ``ImageError`` when the file cannot be read or decoded.
    public init(
        contentsOf path: String,
        options: DecodingOptions = DecodingOptions()
    ) throws(ImageError) {
        try self.init(decoding: try readFile(at: path), options: options)
    }
}
