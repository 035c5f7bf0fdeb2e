/// The pairs of operations of AutoAugment: what was found on ImageNet, in timm's variants.
///
/// ## Source
/// `timm/data/auto_augment.py, auto_augment_policy`.
public enum AutoAugmentPolicy: String, Sendable, Equatable, Codable, CaseIterable {
    /// The policy of the paper.
    case original
    /// The policy of the paper, with posterisation that grows with the magnitude.
    case originalr
    /// The policy of TensorFlow's EfficientNet.
    case v0
    /// The policy of TensorFlow's EfficientNet, with posterisation that grows with the magnitude.
    case v0r
    /// One of solarize, grey and blur (timm's rendering of 3-Augment).
    case threeAugment = "3a"

    /// One operation of a pair.
    public struct Step: Sendable, Equatable {
        /// What is done.
        public let operation: AugmentOperation
        /// The probability that it is done.
        public let probability: Double
        /// Its magnitude, 0 to 10.
        public let magnitude: Double

        init(_ operation: AugmentOperation, _ probability: Double, _ magnitude: Double) {
            self.operation = operation
            self.probability = probability
            self.magnitude = magnitude
        }
    }

    /// The pairs, in timm's order.
    public var steps: [[Step]] {
        switch self {
        case .original: AutoAugmentPolicy.originalSteps
        case .originalr: AutoAugmentPolicy.originalrSteps
        case .v0: AutoAugmentPolicy.v0Steps
        case .v0r: AutoAugmentPolicy.v0rSteps
        case .threeAugment: AutoAugmentPolicy.threeAugmentSteps
        }
    }

    private static let originalSteps: [[Step]] = [
        [.init(.posterizeOriginal, 0.4, 8), .init(.rotate, 0.6, 9)],
        [.init(.solarize, 0.6, 5), .init(.autoContrast, 0.6, 5)],
        [.init(.equalize, 0.8, 8), .init(.equalize, 0.6, 3)],
        [.init(.posterizeOriginal, 0.6, 7), .init(.posterizeOriginal, 0.6, 6)],
        [.init(.equalize, 0.4, 7), .init(.solarize, 0.2, 4)],
        [.init(.equalize, 0.4, 4), .init(.rotate, 0.8, 8)],
        [.init(.solarize, 0.6, 3), .init(.equalize, 0.6, 7)],
        [.init(.posterizeOriginal, 0.8, 5), .init(.equalize, 1.0, 2)],
        [.init(.rotate, 0.2, 3), .init(.solarize, 0.6, 8)],
        [.init(.equalize, 0.6, 8), .init(.posterizeOriginal, 0.4, 6)],
        [.init(.rotate, 0.8, 8), .init(.color, 0.4, 0)],
        [.init(.rotate, 0.4, 9), .init(.equalize, 0.6, 2)],
        [.init(.equalize, 0.0, 7), .init(.equalize, 0.8, 8)],
        [.init(.invert, 0.6, 4), .init(.equalize, 1.0, 8)],
        [.init(.color, 0.6, 4), .init(.contrast, 1.0, 8)],
        [.init(.rotate, 0.8, 8), .init(.color, 1.0, 2)],
        [.init(.color, 0.8, 8), .init(.solarize, 0.8, 7)],
        [.init(.sharpness, 0.4, 7), .init(.invert, 0.6, 8)],
        [.init(.shearX, 0.6, 5), .init(.equalize, 1.0, 9)],
        [.init(.color, 0.4, 0), .init(.equalize, 0.6, 3)],
        [.init(.equalize, 0.4, 7), .init(.solarize, 0.2, 4)],
        [.init(.solarize, 0.6, 5), .init(.autoContrast, 0.6, 5)],
        [.init(.invert, 0.6, 4), .init(.equalize, 1.0, 8)],
        [.init(.color, 0.6, 4), .init(.contrast, 1.0, 8)],
        [.init(.equalize, 0.8, 8), .init(.equalize, 0.6, 3)],
    ]

    private static let v0Steps: [[Step]] = [
        [.init(.equalize, 0.8, 1), .init(.shearY, 0.8, 4)],
        [.init(.color, 0.4, 9), .init(.equalize, 0.6, 3)],
        [.init(.color, 0.4, 1), .init(.rotate, 0.6, 8)],
        [.init(.solarize, 0.8, 3), .init(.equalize, 0.4, 7)],
        [.init(.solarize, 0.4, 2), .init(.solarize, 0.6, 2)],
        [.init(.color, 0.2, 0), .init(.equalize, 0.8, 8)],
        [.init(.equalize, 0.4, 8), .init(.solarizeAdd, 0.8, 3)],
        [.init(.shearX, 0.2, 9), .init(.rotate, 0.6, 8)],
        [.init(.color, 0.6, 1), .init(.equalize, 1.0, 2)],
        [.init(.invert, 0.4, 9), .init(.rotate, 0.6, 0)],
        [.init(.equalize, 1.0, 9), .init(.shearY, 0.6, 3)],
        [.init(.color, 0.4, 7), .init(.equalize, 0.6, 0)],
        [.init(.posterize, 0.4, 6), .init(.autoContrast, 0.4, 7)],
        [.init(.solarize, 0.6, 8), .init(.color, 0.6, 9)],
        [.init(.solarize, 0.2, 4), .init(.rotate, 0.8, 9)],
        [.init(.rotate, 1.0, 7), .init(.translateYRel, 0.8, 9)],
        [.init(.shearX, 0.0, 0), .init(.solarize, 0.8, 4)],
        [.init(.shearY, 0.8, 0), .init(.color, 0.6, 4)],
        [.init(.color, 1.0, 0), .init(.rotate, 0.6, 2)],
        [.init(.equalize, 0.8, 4), .init(.equalize, 0.0, 8)],
        [.init(.equalize, 1.0, 4), .init(.autoContrast, 0.6, 2)],
        [.init(.shearY, 0.4, 7), .init(.solarizeAdd, 0.6, 7)],
        [.init(.posterize, 0.8, 2), .init(.solarize, 0.6, 10)],
        [.init(.solarize, 0.6, 8), .init(.equalize, 0.6, 1)],
        [.init(.color, 0.8, 6), .init(.rotate, 0.4, 5)],
    ]

    private static let threeAugmentSteps: [[Step]] = [
        [.init(.solarize, 1, 5)], [.init(.desaturate, 1, 10)], [.init(.gaussianBlurRand, 1, 10)],
    ]

    private static let originalrSteps = originalSteps.map { $0.map(withIncreasingPosterize) }

    private static let v0rSteps = v0Steps.map { $0.map(withIncreasingPosterize) }

    private static func withIncreasingPosterize(_ step: Step) -> Step {
        let changes = step.operation == .posterize || step.operation == .posterizeOriginal
        return changes ? Step(.posterizeIncreasing, step.probability, step.magnitude) : step
    }
}
