import Foundation

/// Where each pixel of a new image comes from: `(xx * x + xy * y + x, yx * x + yy * y + y)`.
///
/// Places are in pixels from the top left corner; a pixel's centre is half a pixel from its corner.
public struct AffineMatrix: Sendable, Equatable, Codable {
    /// The matrix that changes nothing.
    public static let identity = AffineMatrix(xx: 1, xy: 0, x: 0, yx: 0, yy: 1, y: 0)

    /// What the new column adds to the old column.
    public var xx: Double
    /// What the new row adds to the old column.
    public var xy: Double
    /// The old column of the new corner.
    public var x: Double
    /// What the new column adds to the old row.
    public var yx: Double
    /// What the new row adds to the old row.
    public var yy: Double
    /// The old row of the new corner.
    public var y: Double

    /// Creates a matrix, its six numbers in the order in which Pillow's `Image.transform` takes them.
    ///
    /// - Parameters:
    ///   - xx: What the new column adds to the old column.
    ///   - xy: What the new row adds to the old column.
    ///   - x: The old column of the new corner.
    ///   - yx: What the new column adds to the old row.
    ///   - yy: What the new row adds to the old row.
    ///   - y: The old row of the new corner.
    public init(xx: Double, xy: Double, x: Double, yx: Double, yy: Double, y: Double) {
        self.xx = xx
        self.xy = xy
        self.x = x
        self.yx = yx
        self.yy = yy
        self.y = y
    }

    /// The matrix that turns an image about its middle, with the roundings of Pillow's `Image.rotate`.
    ///
    /// - Parameters:
    ///   - degrees: The angle, counter-clockwise.
    ///   - height: The image's rows.
    ///   - width: The image's columns.
    public init(degrees: Double, height: Int, width: Int) {
        let angle = -(degrees * (Double.pi / 180))
        let (cosine, sine) = (
            AffineMatrix.rounded(cos(angle)), AffineMatrix.rounded(sin(angle))
        )
        let (middleX, middleY) = (Double(width) / 2, Double(height) / 2)
        self.init(
            xx: cosine,
            xy: sine,
            x: cosine * -middleX + sine * -middleY + middleX,
            yx: -sine,
            yy: cosine,
            y: -sine * -middleX + cosine * -middleY + middleY
        )
    }

    /// The number with 15 decimals, rounded as Python's `round` does: by way of its exact decimal digits.
    private static func rounded(_ value: Double) -> Double {
        Double(String(format: "%.15f", value)) ?? value
    }

    var isFinite: Bool { [xx, xy, x, yx, yy, y].allSatisfy(\.isFinite) }
}
