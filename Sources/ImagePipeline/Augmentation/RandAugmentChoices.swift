/// The operations that RandAugment draws from.
///
/// ## Source
/// `timm/data/auto_augment.py, rand_augment_choices`.
public enum RandAugmentChoices: String, Sendable, Equatable, Codable, CaseIterable {
    /// The 15 operations of the paper, in the reading of TensorFlow's EfficientNet.
    case standard
    /// The 15 operations, each stronger with a larger magnitude (timm's `inc1`, which DeiT uses).
    case increasing
    /// The same, drawn with weights (timm's `tweights`).
    case weights
    /// Solarize, grey and blur (timm's `t3a`).
    case threeAugment = "3a"
    /// Mostly these three, seldom others, drawn with weights (timm's `t3aw`).
    case threeAugmentWeighted = "3aw"

    /// The operations, in timm's order.
    public var operations: [AugmentOperation] {
        switch self {
        case .standard:
            [
                .autoContrast, .equalize, .invert, .rotate, .posterize, .solarize, .solarizeAdd,
                .color, .contrast, .brightness, .sharpness, .shearX, .shearY, .translateXRel,
                .translateYRel,
            ]
        case .increasing:
            [
                .autoContrast, .equalize, .invert, .rotate, .posterizeIncreasing,
                .solarizeIncreasing, .solarizeAdd, .colorIncreasing, .contrastIncreasing,
                .brightnessIncreasing, .sharpnessIncreasing, .shearX, .shearY, .translateXRel,
                .translateYRel,
            ]
        case .weights:
            [
                .rotate, .shearX, .shearY, .translateXRel, .translateYRel, .colorIncreasing,
                .sharpnessIncreasing, .autoContrast, .solarizeIncreasing, .solarizeAdd,
                .contrastIncreasing, .brightnessIncreasing, .equalize, .posterizeIncreasing,
                .invert,
            ]
        case .threeAugment: [.solarizeIncreasing, .desaturate, .gaussianBlur]
        case .threeAugmentWeighted:
            [
                .solarizeIncreasing, .desaturate, .gaussianBlur, .rotate, .shearX, .shearY,
                .posterizeIncreasing, .autoContrast, .colorIncreasing, .sharpnessIncreasing,
                .contrastIncreasing, .brightnessIncreasing, .equalize, .invert,
            ]
        }
    }

    /// One weight for each operation, or `nil` where all are equally likely and may repeat.
    public var weights: [Double]? {
        switch self {
        case .standard, .increasing, .threeAugment: nil
        case .weights:
            [3, 2, 2, 1, 1, 0.25, 0.25, 0.25, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05]
        case .threeAugmentWeighted: [6, 6, 6, 3, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1]
        }
    }
}
