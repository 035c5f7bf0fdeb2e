/// The size of a picture.
struct PictureSize {
    let height: Int
    let width: Int
    let channels: Int
}

/// The rectangles of one resize, checked.
struct ResizePlan {
    /// The part of the old picture that the resize starts from.
    let region: Region
    /// The rows that the region becomes.
    let newHeight: Int
    /// The columns that the region becomes.
    let newWidth: Int
    /// The part of these that is wanted.
    let window: Region

    /// Whether no size changes.
    var isCrop: Bool { region.height == newHeight && region.width == newWidth }

    /// Checks the rectangles; `nil` stands for all of a picture.
    init(
        from size: PictureSize,
        height newHeight: Int,
        width newWidth: Int,
        region: Region?,
        window: Region?
    ) throws(ImageError) {
        _ = try Image.byteCount(height: newHeight, width: newWidth, channels: size.channels)
        guard newHeight <= Int(Int32.max), newWidth <= Int(Int32.max) else {
            throw .invalid("a picture cannot be resized to \(newHeight) × \(newWidth) pixels")
        }
        let region = region ?? Region(top: 0, left: 0, height: size.height, width: size.width)
        let window = window ?? Region(top: 0, left: 0, height: newHeight, width: newWidth)
        guard region.fits(height: size.height, width: size.width) else {
            throw .invalid(
                "the part to resize lies outside the picture of \(size.height) × \(size.width) pixels"
            )
        }
        guard window.fits(height: newHeight, width: newWidth) else {
            throw .invalid(
                "the part wanted lies outside the new picture of \(newHeight) × \(newWidth) pixels"
            )
        }
        try Image.checkRoom(rows: window.height, columns: window.width)
        self.region = region
        self.newHeight = newHeight
        self.newWidth = newWidth
        self.window = window
    }
}
