/// A rectangle of an image, in pixels from its top left corner.
public struct Region: Sendable, Equatable, Codable {
    /// The first row.
    public var top: Int
    /// The first column.
    public var left: Int
    /// The number of rows.
    public var height: Int
    /// The number of columns.
    public var width: Int

    /// Creates a rectangle.
    ///
    /// - Parameters:
    ///   - top: The first row.
    ///   - left: The first column.
    ///   - height: The number of rows.
    ///   - width: The number of columns.
    public init(top: Int, left: Int, height: Int, width: Int) {
        self.top = top
        self.left = left
        self.height = height
        self.width = width
    }

    /// Whether the rectangle is not empty and is within an image of the given size.
    func fits(height otherHeight: Int, width otherWidth: Int) -> Bool {
        top >= 0 && left >= 0 && height > 0 && width > 0 && top <= otherHeight && left <= otherWidth
            && height <= otherHeight - top && width <= otherWidth - left
    }
}
