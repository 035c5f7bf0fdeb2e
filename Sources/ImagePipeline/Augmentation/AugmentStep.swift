/// One operation with everything that was drawn for it; what it does to an image is fixed.
public struct AugmentStep: Sendable, Equatable {
    /// What is done.
    public let operation: AugmentOperation
    /// Its argument, as ``AugmentOperation/argument(level:negated:)`` gives it.
    ///
    /// For ``AugmentOperation/gaussianBlurRand`` it is the deviation in pixels that was drawn.
    public let argument: Double
    /// How samples are weighed where the operation moves them.
    public let interpolation: Interpolation

    /// Creates a step.
    ///
    /// - Parameters:
    ///   - operation: What is done.
    ///   - argument: Its argument.
    ///   - interpolation: How samples are weighed where the operation moves them.
    public init(
        _ operation: AugmentOperation,
        argument: Double = 0,
        interpolation: Interpolation = .bicubic
    ) {
        self.operation = operation
        self.argument = argument
        self.interpolation = interpolation
    }

    /// Draws what an operation needs at a magnitude: its sign and a way to weigh samples.
    init(
        _ operation: AugmentOperation,
        around magnitude: Double,
        settings: AugmentSettings,
        using generator: inout SplitMix64
    ) {
        let level = settings.level(around: magnitude, using: &generator)
        let negated = operation.isSigned && generator.uniform() > 0.5
        let argument = operation.argument(level: level, negated: negated)
        switch operation {
        case .rotate, .shearX, .shearY, .translateXRel, .translateYRel:
            self.init(
                operation,
                argument: argument,
                interpolation: settings.interpolation ?? .drawn(using: &generator)
            )
        case .gaussianBlurRand:
            self.init(operation, argument: generator.uniform(0.1, 2 * argument))
        default:
            self.init(operation, argument: argument)
        }
    }
}

extension Image {
    /// Carries out one step of RandAugment or AutoAugment, as timm does.
    ///
    /// - Parameters:
    ///   - step: The step.
    ///   - fill: The colour of what comes from outside of the image: one value for all channels or one for each.
    public mutating func augment(_ step: AugmentStep, fill: [UInt8] = [128]) {
        let argument = step.argument
        switch step.operation {
        case .autoContrast: autoContrast()
        case .equalize: equalize()
        case .invert: invert()
        case .posterize, .posterizeIncreasing, .posterizeOriginal:
            posterize(bits: Int(clamping: argument))
        case .solarize, .solarizeIncreasing: solarize(threshold: Int(clamping: argument))
        case .solarizeAdd: solarizeAdd(Int(clamping: argument))
        case .color, .colorIncreasing: adjustSaturation(argument)
        case .contrast, .contrastIncreasing: adjustContrast(argument)
        case .brightness, .brightnessIncreasing: adjustBrightness(argument)
        case .sharpness, .sharpnessIncreasing: adjustSharpness(argument)
        case .desaturate: adjustSaturation(min(1, max(0, 1 - argument)))
        case .gaussianBlur, .gaussianBlurRand: blur(deviation: argument)
        case .rotate: rotate(degrees: argument, interpolation: step.interpolation, fill: fill)
        case .shearX, .shearY, .translateXRel, .translateYRel: move(by: step, fill: fill)
        }
    }

    private mutating func move(by step: AugmentStep, fill: [UInt8]) {
        var matrix = AffineMatrix.identity
        switch step.operation {
        case .shearX: matrix.xy = step.argument
        case .shearY: matrix.yx = step.argument
        case .translateXRel: matrix.x = step.argument * Double(width)
        default: matrix.y = step.argument * Double(height)
        }
        transform(by: matrix, interpolation: step.interpolation, fill: fill)
    }
}

extension Int {
    /// The integer part of a number, or the nearest integer that there is; 0 for NaN.
    init(clamping value: Double) {
        self = value.isNaN ? 0 : Int(Swift.max(-1e15, Swift.min(1e15, value)))
    }
}
