/// Draws one of 25 pairs of operations for each image, each with its own probability and magnitude.
///
/// ## Source
/// Cubuk et al., "AutoAugment: Learning Augmentation Policies from Data" (arXiv:1805.09501);
/// `timm/data/auto_augment.py, auto_augment_transform`.
public struct AutoAugment: Sendable, Equatable, Codable {
    /// The pairs to draw from.
    public var policy: AutoAugmentPolicy
    /// Fill, interpolation, and how the magnitudes vary (timm's `mstd`).
    public var settings: AugmentSettings

    /// Creates an augmentation.
    ///
    /// - Parameters:
    ///   - policy: The pairs to draw from.
    ///   - settings: Fill, interpolation, and how the magnitudes vary.
    public init(policy: AutoAugmentPolicy, settings: AugmentSettings = AugmentSettings()) {
        self.policy = policy
        self.settings = settings
    }

    /// Reads timm's notation, for example `original-mstd0.5`.
    ///
    /// - Parameters:
    ///   - text: The notation: `original`, `originalr`, `v0`, `v0r` or `3a`, and perhaps `mstd`.
    ///   - fill: The colour outside of an image that was moved.
    ///   - interpolation: How samples are weighed where an image is moved; `nil` draws bilinear or bicubic.
    /// - Throws: ``ImageError/invalid(_:)`` that names the part which is wrong.
    public init(
        parsing text: String,
        fill: [UInt8] = [128, 128, 128],
        interpolation: Interpolation? = nil
    ) throws(ImageError) {
        let notation = AugmentNotation(text)
        guard let policy = AutoAugmentPolicy(rawValue: notation.name) else {
            let known = AutoAugmentPolicy.allCases.map(\.rawValue).joined(separator: ", ")
            throw .invalid("\"\(notation.name)\" is not an AutoAugment policy; use one of \(known)")
        }
        self.init(
            policy: policy,
            settings: AugmentSettings(fill: fill, interpolation: interpolation)
        )
        for part in notation.parts {
            guard part.key == "mstd" else {
                throw notation.wrong(part, "AutoAugment supports only mstd, as in \"mstd0.5\"")
            }
            settings.magnitudeStd = try notation.number(part)
        }
        try validate()
    }

    /// Draws what is done to one image.
    ///
    /// - Parameter generator: The source of chance.
    /// - Returns: The steps, in the order in which they are carried out; at most two.
    public func draw(using generator: inout SplitMix64) -> [AugmentStep] {
        let pairs = policy.steps
        guard !pairs.isEmpty else { return [] }
        var steps: [AugmentStep] = []
        for step in pairs[generator.integer(below: pairs.count)]
        where generator.uniform() < step.probability {
            steps.append(
                AugmentStep(
                    step.operation,
                    around: step.magnitude,
                    settings: settings,
                    using: &generator
                )
            )
        }
        return steps
    }

    func apply(to image: inout Image, using generator: inout SplitMix64) {
        for step in draw(using: &generator) { image.augment(step, fill: settings.fill) }
    }

    func validate() throws(ImageError) {
        try settings.validate()
    }
}
