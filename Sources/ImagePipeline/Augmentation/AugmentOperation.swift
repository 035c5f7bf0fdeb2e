/// One operation of RandAugment or AutoAugment, by timm's name.
///
/// Names that differ only in their ending do the same to an image, but read the magnitude differently: `Increasing`
/// grows stronger with it.
///
/// ## Source
/// `timm/data/auto_augment.py, LEVEL_TO_ARG and NAME_TO_OP`.
public enum AugmentOperation: String, Sendable, Equatable, Codable, CaseIterable {
    /// Stretches each channel to the full range.
    case autoContrast = "AutoContrast"
    /// Gives each channel an even histogram.
    case equalize = "Equalize"
    /// Turns each sample into 255 minus itself.
    case invert = "Invert"
    /// Turns the image by up to 30 degrees at magnitude 10, either way.
    case rotate = "Rotate"
    /// Keeps from 0 bits of each sample at magnitude 0 to 4 at 10.
    case posterize = "Posterize"
    /// Keeps from 4 bits of each sample at magnitude 0 to none at 10.
    case posterizeIncreasing = "PosterizeIncreasing"
    /// Keeps from 4 bits of each sample at magnitude 0 to 8 at 10.
    case posterizeOriginal = "PosterizeOriginal"
    /// Inverts the samples from a threshold on that rises with the magnitude.
    case solarize = "Solarize"
    /// Inverts the samples from a threshold on that falls with the magnitude.
    case solarizeIncreasing = "SolarizeIncreasing"
    /// Adds up to 110 to the samples below 128.
    case solarizeAdd = "SolarizeAdd"
    /// Changes the saturation by a factor from 0.1 to 1.9.
    case color = "Color"
    /// Changes the saturation away from 1 by up to 0.9, either way.
    case colorIncreasing = "ColorIncreasing"
    /// Changes the contrast by a factor from 0.1 to 1.9.
    case contrast = "Contrast"
    /// Changes the contrast away from 1 by up to 0.9, either way.
    case contrastIncreasing = "ContrastIncreasing"
    /// Changes the brightness by a factor from 0.1 to 1.9.
    case brightness = "Brightness"
    /// Changes the brightness away from 1 by up to 0.9, either way.
    case brightnessIncreasing = "BrightnessIncreasing"
    /// Changes the sharpness by a factor from 0.1 to 1.9.
    case sharpness = "Sharpness"
    /// Changes the sharpness away from 1 by up to 0.9, either way.
    case sharpnessIncreasing = "SharpnessIncreasing"
    /// Shears along the rows by up to 0.3, either way.
    case shearX = "ShearX"
    /// Shears along the columns by up to 0.3, either way.
    case shearY = "ShearY"
    /// Moves along the rows by up to 0.45 of the width, either way.
    case translateXRel = "TranslateXRel"
    /// Moves along the columns by up to 0.45 of the height, either way.
    case translateYRel = "TranslateYRel"
    /// Takes half of the colour at magnitude 0 and all of it at 10.
    case desaturate = "Desaturate"
    /// Blurs with a deviation from 0.1 pixels at magnitude 0 to 2 at 10.
    case gaussianBlur = "GaussianBlur"
    /// Blurs with a random deviation from 0.1 pixels to 2 at magnitude 10.
    case gaussianBlurRand = "GaussianBlurRand"

    /// Whether the argument's sign, or the side of 1 on which a factor lies, is drawn.
    public var isSigned: Bool {
        switch self {
        case .rotate, .colorIncreasing, .contrastIncreasing, .brightnessIncreasing,
            .sharpnessIncreasing, .shearX, .shearY, .translateXRel, .translateYRel:
            true
        default: false
        }
    }

    /// The argument of the operation at a magnitude.
    ///
    /// Degrees, bits to keep, a threshold, a number to add, a factor, a shear, or a part of the width or height; 0 for
    /// operations without an argument.
    ///
    /// - Parameters:
    ///   - level: The magnitude, 0 to 10 (or to timm's `mmax`).
    ///   - negated: Whether the sign, or the side of 1, is the other one; without meaning unless ``isSigned``.
    /// - Returns: The argument.
    public func argument(level: Double, negated: Bool = false) -> Double {
        let part = level / 10
        let sign: Double = negated ? -1 : 1
        switch self {
        case .autoContrast, .equalize, .invert: return 0
        case .rotate: return sign * (part * 30)
        case .posterize: return (part * 4).rounded(.towardZero)
        case .posterizeIncreasing: return 4 - (part * 4).rounded(.towardZero)
        case .posterizeOriginal: return (part * 4).rounded(.towardZero) + 4
        case .solarize: return min(256, (part * 256).rounded(.towardZero))
        case .solarizeIncreasing: return 256 - min(256, (part * 256).rounded(.towardZero))
        case .solarizeAdd: return min(128, (part * 110).rounded(.towardZero))
        case .color, .contrast, .brightness, .sharpness: return part * 1.8 + 0.1
        case .colorIncreasing, .contrastIncreasing, .brightnessIncreasing, .sharpnessIncreasing:
            return max(0.1, 1 + sign * (part * 0.9))
        case .shearX, .shearY: return sign * (part * 0.3)
        case .translateXRel, .translateYRel: return sign * (part * 0.45)
        case .desaturate: return max(0.5, min(1, 0.5 + 0.5 * part))
        case .gaussianBlur: return max(0.1, min(2, 0.1 + 1.9 * part))
        case .gaussianBlurRand: return max(0, min(1, part))
        }
    }
}
