/// Draws a few operations for each image and carries them out with one magnitude.
///
/// ## Source
/// Cubuk et al., "RandAugment: Practical Automated Data Augmentation with a Reduced Search Space" (arXiv:1909.13719);
/// `timm/data/auto_augment.py, rand_augment_transform`.
public struct RandAugment: Sendable, Equatable, Codable {
    /// The operations to draw from.
    public var choices: RandAugmentChoices
    /// The magnitude, usually 0 to 10 (timm's `m`).
    public var magnitude: Double
    /// How many operations are drawn (timm's `n`).
    public var layers: Int
    /// The probability with which each drawn operation is carried out (timm's `p`).
    public var probability: Double
    /// Fill, interpolation, and how the magnitude varies (timm's `mstd` and `mmax`).
    public var settings: AugmentSettings

    /// Creates an augmentation.
    ///
    /// - Parameters:
    ///   - choices: The operations to draw from.
    ///   - magnitude: The magnitude, usually 0 to 10.
    ///   - layers: How many operations are drawn, at least 1.
    ///   - probability: The probability with which each drawn operation is carried out, 0 to 1.
    ///   - settings: Fill, interpolation, and how the magnitude varies.
    public init(
        choices: RandAugmentChoices = .standard,
        magnitude: Double = 10,
        layers: Int = 2,
        probability: Double = 0.5,
        settings: AugmentSettings = AugmentSettings()
    ) {
        self.choices = choices
        self.magnitude = magnitude
        self.layers = layers
        self.probability = probability
        self.settings = settings
    }

    /// Reads timm's notation, for example `rand-m9-mstd0.5-inc1`.
    ///
    /// After `rand`, in any order: `m9` the magnitude, `n2` the number of operations, `p0.5` their probability,
    /// `mstd0.5` the magnitude's deviation (above 100 uniform), `mmax10` its bound, `inc1` the operations that grow
    /// with the magnitude (`inc0` does not; the timm 0.3.2 of DeiT's code took it for `inc1`), `tweights`, `t3a`, `t3aw` other sets of operations. timm silently skips a part without a
    /// digit; here every part that means nothing is an error.
    ///
    /// - Parameters:
    ///   - text: The notation.
    ///   - fill: The colour outside of an image that was moved.
    ///   - interpolation: How samples are weighed where an image is moved; `nil` draws bilinear or bicubic.
    /// - Throws: ``ImageError/invalid(_:)`` that names the part which is wrong.
    public init(
        parsing text: String,
        fill: [UInt8] = [128, 128, 128],
        interpolation: Interpolation? = nil
    ) throws(ImageError) {
        let notation = AugmentNotation(text)
        guard notation.name == "rand" else {
            throw .invalid(
                "RandAugment's notation must start with \"rand\", not \"\(notation.name)\""
            )
        }
        self.init(settings: AugmentSettings(fill: fill, interpolation: interpolation))
        var increasing = false
        var set: RandAugmentChoices?
        for part in notation.parts {
            switch part.key {
            case "m": magnitude = Double(try notation.integer(part))
            case "n": layers = try notation.integer(part)
            case "p": probability = try notation.number(part)
            case "inc": increasing = try notation.integer(part) != 0
            case "mstd": settings.magnitudeStd = try notation.number(part)
            case "mmax":
                // timm takes 0 for "not given".
                let most = try notation.integer(part)
                settings.magnitudeMax = most == 0 ? AugmentSettings.usualMaximum : Double(most)
            default: set = try notation.choices(part)
            }
        }
        choices = set ?? (increasing ? .increasing : .standard)
        try validate()
    }

    /// Draws what is done to one image.
    ///
    /// - Parameter generator: The source of chance.
    /// - Returns: The steps, in the order in which they are carried out; at most ``layers`` of them.
    public func draw(using generator: inout SplitMix64) -> [AugmentStep] {
        var steps: [AugmentStep] = []
        for operation in drawOperations(using: &generator) where generator.uniform() < probability {
            steps.append(
                AugmentStep(operation, around: magnitude, settings: settings, using: &generator)
            )
        }
        return steps
    }

    /// Draws operations before probability decides on them; with weights none is drawn twice.
    private func drawOperations(using generator: inout SplitMix64) -> [AugmentOperation] {
        let operations = choices.operations
        guard !operations.isEmpty else { return [] }
        guard var weights = choices.weights, weights.count == operations.count else {
            return (0..<max(0, layers)).map { _ in
                operations[generator.integer(below: operations.count)]
            }
        }
        return (0..<max(0, min(layers, operations.count))).map { _ in
            var rest = generator.uniform() * weights.reduce(0, +)
            var place = weights.lastIndex { $0 > 0 } ?? 0
            for (i, weight) in weights.enumerated() where weight > 0 {
                rest -= weight
                if rest < 0 {
                    place = i
                    break
                }
            }
            weights[place] = 0
            return operations[place]
        }
    }

    func apply(to image: inout Image, using generator: inout SplitMix64) {
        for step in draw(using: &generator) { image.augment(step, fill: settings.fill) }
    }

    func validate() throws(ImageError) {
        try settings.validate()
        guard magnitude >= 0, magnitude.isFinite else {
            throw .invalid("RandAugment's magnitude m must be at least 0, not \(magnitude)")
        }
        guard (0...1).contains(probability) else {
            throw .invalid("RandAugment's probability p must be from 0 to 1, not \(probability)")
        }
        let most = choices.weights == nil ? 100 : choices.operations.count
        guard (1...most).contains(layers) else {
            throw .invalid(
                "RandAugment's number of operations n must be from 1 to \(most), not \(layers)"
            )
        }
    }
}
