/// Height and width in pixels, printed as width × height in messages.
///
/// Options and configuration files have the height first, as timm (`--size 224x448`, `input_size`); sentences have the
/// width first, as image viewers, and say so.
public struct ImageSize: Sendable, Equatable, Hashable, CustomStringConvertible {
    /// The number of rows.
    public let height: Int
    /// The number of columns.
    public let width: Int

    /// Creates a size.
    ///
    /// - Parameters:
    ///   - height: The number of rows.
    ///   - width: The number of columns.
    public init(height: Int, width: Int) {
        self.height = height
        self.width = width
    }

    /// Such as `448 × 224 pixels (width × height)`; of a square, whose sides need no names, `224 × 224 pixels`.
    public var description: String {
        "\(width) × \(height) pixels" + (height == width ? "" : " (width × height)")
    }
}
