import ImagePipeline

/// Small images as PNG files, for pages that hold their own images.
enum ThumbnailPNG {
    /// A PNG file of an image, reduced to a longer side of at most this many pixels; nil if it cannot be encoded.
    ///
    /// - Parameters:
    ///   - image: The image.
    ///   - side: The most pixels of a side.
    /// - Returns: The file's bytes.
    static func encode(_ image: Image, side: Int) -> [UInt8]? {
        let scale = min(1, Double(side) / Double(max(image.width, image.height)))
        let height = max(1, Int((Double(image.height) * scale).rounded()))
        let width = max(1, Int((Double(image.width) * scale).rounded()))
        let small = try? image.resized(height: height, width: width, interpolation: .bilinear)
        return try? small?.encodedPNG()
    }
}
