/// The size of an image.
struct PixelSize {
    let height: Int
    let width: Int
    let channels: Int
}

/// The rectangles of one resize, checked.
struct ResizePlan {
    /// The part of the old image that the resize starts from.
    let region: Region
    /// The rows that the region becomes.
    let newHeight: Int
    /// The columns that the region becomes.
    let newWidth: Int
    /// The part of these that is wanted.
    let window: Region

    /// Whether no size changes.
    var isCrop: Bool { region.height == newHeight && region.width == newWidth }

    /// Checks the rectangles; `nil` means the whole image.
    init(
        from size: PixelSize,
        height newHeight: Int,
        width newWidth: Int,
        region: Region?,
        window: Region?
    ) throws(ImageError) {
        _ = try Image.byteCount(height: newHeight, width: newWidth, channels: size.channels)
        guard newHeight <= Int(Int32.max), newWidth <= Int(Int32.max) else {
            throw .invalid(
                "an image cannot be resized to \(ImageSize(height: newHeight, width: newWidth))"
            )
        }
        let region = region ?? Region(top: 0, left: 0, height: size.height, width: size.width)
        let window = window ?? Region(top: 0, left: 0, height: newHeight, width: newWidth)
        guard region.fits(height: size.height, width: size.width) else {
            throw .invalid(
                "the part to resize is outside the image of \(ImageSize(height: size.height, width: size.width))"
            )
        }
        guard window.fits(height: newHeight, width: newWidth) else {
            throw .invalid(
                "the requested part is outside the new image of \(ImageSize(height: newHeight, width: newWidth))"
            )
        }
        // All of it counts, though only a window is computed: such an image shows nothing in its middle either.
        try Image.checkRoom(
            from: ImageSize(height: region.height, width: region.width),
            rows: newHeight,
            columns: newWidth
        )
        self.region = region
        self.newHeight = newHeight
        self.newWidth = newWidth
        self.window = window
    }
}
