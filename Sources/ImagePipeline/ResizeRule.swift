/// The size that an image is resized to.
public enum ResizeRule: Sendable, Equatable, Codable, Hashable {
    /// The image keeps its size.
    case none
    /// The shorter side becomes this long and the other one `Int(size * long / short)`, as torchvision's
    /// `Resize(size)`.
    case shortestSide(Int)
    /// Both sides are given; the shape may change.
    case exact(height: Int, width: Int)
    /// The image keeps its shape and becomes just large enough to cover these sides, as timm's `ResizeKeepRatio`.
    case cover(height: Int, width: Int)
    /// The image keeps its shape and becomes as large as fits into these sides, as timm's
    /// `ResizeKeepRatio(longest=1)`.
    case contain(height: Int, width: Int)

    /// The size of an image after the rule.
    ///
    /// - Parameters:
    ///   - height: The image's rows.
    ///   - width: The image's columns.
    /// - Returns: The new rows and columns, at least 1 each.
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
                throw noSize(height: height, width: width)
            }
            let long = Int(Double(product) / Double(min(height, width)))
            return width <= height ? (long, side) : (side, long)
        case .cover(let least, let leastWidth):
            return try scaled(height, width, by: least, leastWidth, min)
        case .contain(let most, let mostWidth):
            return try scaled(height, width, by: most, mostWidth, max)
        }
    }

    /// Divides both sides by one of the ratios to the rule's sides; half a pixel rounds to the even number.
    private func scaled(
        _ height: Int,
        _ width: Int,
        by ruleHeight: Int,
        _ ruleWidth: Int,
        _ choose: (Double, Double) -> Double
    ) throws(ImageError) -> (height: Int, width: Int) {
        guard height > 0, width > 0, ruleHeight > 0, ruleWidth > 0 else {
            throw noSize(height: height, width: width)
        }
        let ratio = choose(
            Double(height) / Double(ruleHeight),
            Double(width) / Double(ruleWidth)
        )
        // An image of one row or column beside a long one would have none left.
        guard
            let newHeight = Int(exactly: (Double(height) / ratio).rounded(.toNearestOrEven)),
            let newWidth = Int(exactly: (Double(width) / ratio).rounded(.toNearestOrEven))
        else { throw noSize(height: height, width: width) }
        return (max(1, newHeight), max(1, newWidth))
    }

    private func noSize(height: Int, width: Int) -> ImageError {
        .invalid("an image of \(ImageSize(height: height, width: width)) cannot be \(self)")
    }

    /// Refuses sizes that are not positive.
    func validate() throws(ImageError) {
        switch self {
        case .none: return
        case .shortestSide(let side) where side > 0: return
        case .exact(let height, let width) where height > 0 && width > 0: return
        case .cover(let height, let width) where height > 0 && width > 0: return
        case .contain(let height, let width) where height > 0 && width > 0: return
        default: throw .invalid("images cannot be \(self)")
        }
    }
}

extension ResizeRule: CustomStringConvertible {
    /// What happens to an image, such as `resized to cover 512 × 256 pixels (width × height)`.
    public var description: String {
        switch self {
        case .none: "not resized"
        case .shortestSide(let side): "resized to a shorter side of \(side) pixels"
        case .exact(let height, let width): "resized to \(ImageSize(height: height, width: width))"
        case .cover(let height, let width):
            "resized to cover \(ImageSize(height: height, width: width))"
        case .contain(let height, let width):
            "resized to fit into \(ImageSize(height: height, width: width))"
        }
    }
}
