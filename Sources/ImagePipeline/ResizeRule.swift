/// The size that a picture is brought to.
public enum ResizeRule: Sendable, Equatable, Codable, Hashable {
    /// The picture keeps its size.
    case none
    /// The shorter side becomes this long and the other one `Int(size * long / short)`, as torchvision's
    /// `Resize(size)`.
    case shortestSide(Int)
    /// Both sides are given; the shape may change.
    case exact(height: Int, width: Int)

    /// The size of a picture after the rule.
    ///
    /// - Parameters:
    ///   - height: The picture's rows.
    ///   - width: The picture's columns.
    /// - Returns: The new rows and columns.
    /// - Throws: ``ImageError/invalid(_:)`` when the rule's size is not positive or the result too large.
    public func size(height: Int, width: Int) throws(ImageError) -> (height: Int, width: Int) {
        switch self {
        case .none:
            return (height, width)
        case .exact(let newHeight, let newWidth):
            return (newHeight, newWidth)
        case .shortestSide(let side):
            let (product, overflow) = side.multipliedReportingOverflow(by: max(height, width))
            guard side > 0, height > 0, width > 0, !overflow else {
                throw .invalid(
                    "a picture of \(height) × \(width) has no size with shortest side \(side)"
                )
            }
            let long = Int(Double(product) / Double(min(height, width)))
            return width <= height ? (long, side) : (side, long)
        }
    }

    /// Refuses sizes that are not positive.
    func validate() throws(ImageError) {
        switch self {
        case .none: return
        case .shortestSide(let side) where side > 0: return
        case .exact(let height, let width) where height > 0 && width > 0: return
        default: throw .invalid("pictures cannot be resized to \(self)")
        }
    }
}
