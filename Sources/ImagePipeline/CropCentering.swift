/// Where the middle of an image begins when an odd number of pixels is left over.
public enum CropCentering: String, Sendable, Equatable, Codable, CaseIterable {
    /// Half a pixel rounds to the even side, as in torchvision's `CenterCrop`, which DeiT and timm use.
    case rounded
    /// Half a pixel rounds down, as in transformers' image processors.
    case floored

    /// The first pixel of a middle part.
    func offset(of part: Int, in whole: Int) -> Int {
        let half = Double(whole - part) / 2
        return Int(half.rounded(self == .rounded ? .toNearestOrEven : .down))
    }
}
