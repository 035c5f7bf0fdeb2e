/// How many patches an image has down and across.
public struct PatchGrid: Codable, Sendable, Hashable, CustomStringConvertible {
    /// The patches down.
    public var height: Int

    /// The patches across.
    public var width: Int

    /// Creates a grid.
    ///
    /// - Parameters:
    ///   - height: The patches down.
    ///   - width: The patches across.
    public init(height: Int, width: Int) {
        self.height = height
        self.width = width
    }

    /// The grid of a square image.
    ///
    /// - Parameter patches: The number of patches.
    /// - Returns: As many down as across; nil where `patches` is no square.
    public static func square(of patches: Int) -> PatchGrid? {
        // Beyond 2^52 a Double no longer holds every whole number.
        guard patches > 0, patches < 1 << 52 else { return nil }
        let side = Int(Double(patches).squareRoot().rounded())
        return side * side == patches ? PatchGrid(height: side, width: side) : nil
    }

    /// The number of patches; 0 where a side is not positive or the product is out of range.
    public var count: Int {
        guard height > 0, width > 0 else { return 0 }
        let (product, overflow) = height.multipliedReportingOverflow(by: width)
        return overflow ? 0 : product
    }

    /// `14×14`, height first.
    public var description: String { "\(height)×\(width)" }
}
