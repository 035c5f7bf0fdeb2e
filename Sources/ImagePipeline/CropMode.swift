/// How an image is resized before the center crop: timm's `crop_mode`.
///
/// ## Source
/// timm/data/transforms_factory.py, `transforms_imagenet_eval`.
public enum CropMode: String, Sendable, CaseIterable {
    /// The image covers the size and keeps its shape; what reaches beyond the crop is lost.
    case center
    /// The image gets exactly the size; its shape changes.
    case squash
    /// The whole image fits into the size and keeps its shape; the rest gets the mean's colour.
    case border

    /// The rule that brings an image to a size around the crop.
    ///
    /// - Parameters:
    ///   - height: The rows of the crop.
    ///   - width: The columns of the crop.
    ///   - share: The crop's side over that of the size, above 0, as timm's `crop_pct`.
    /// - Returns: The rule; its sides are `Int(side / share)`.
    public func resize(height: Int, width: Int, share: Double) -> ResizeRule {
        resize(toHeight: Int(Double(height) / share), width: Int(Double(width) / share))
    }

    /// The rule that brings an image to a size.
    ///
    /// - Parameters:
    ///   - height: The rows.
    ///   - width: The columns.
    /// - Returns: The rule; of a square, `center` is the shortest side, whose other side rounds down as torchvision's.
    public func resize(toHeight height: Int, width: Int) -> ResizeRule {
        switch self {
        case .center:
            height == width ? .shortestSide(height) : .cover(height: height, width: width)
        case .squash: .exact(height: height, width: width)
        case .border: .contain(height: height, width: width)
        }
    }
}
