import Foundation

/// Mixup and CutMix: the images of a batch are mixed with one another, and their targets likewise.
///
/// The partner of image `i` of `count` is image `count - 1 - i`. In a batch with an odd number of images the
/// middle one has no partner and stays as it is; timm refuses such batches.
///
/// ## Source
/// Zhang et al., "mixup: Beyond Empirical Risk Minimization" (arXiv:1710.09412); Yun et al., "CutMix"
/// (arXiv:1905.04899); `timm/data/mixup.py, Mixup`.
public struct Mixing: Sendable, Equatable, Codable {
    /// What shares one draw of chance.
    public enum Mode: String, Sendable, Equatable, Codable, CaseIterable {
        /// The whole batch.
        case batch
        /// Two images that are each other's partners.
        case pair
        /// Nothing: each image has its own.
        case elem
    }

    /// The parameter of Mixup's beta distribution; Mixup is off at 0.
    public var mixupAlpha: Double
    /// The parameter of CutMix's beta distribution; CutMix is off at 0.
    public var cutmixAlpha: Double
    /// The least and the largest part of height and width that CutMix takes; `nil` lets `cutmixAlpha` decide.
    public var cutmixMinMax: [Double]?
    /// The probability of any mixing, 0 to 1.
    public var probability: Double
    /// The probability of CutMix rather than Mixup where both are on, 0 to 1.
    public var switchProbability: Double
    /// What shares one draw of chance.
    public var mode: Mode

    /// Creates a mixing; the defaults are DeiT's.
    ///
    /// - Parameters:
    ///   - mixupAlpha: The parameter of Mixup's beta distribution; 0 turns Mixup off.
    ///   - cutmixAlpha: The parameter of CutMix's beta distribution; 0 turns CutMix off.
    ///   - cutmixMinMax: The least and the largest part of height and width that CutMix takes, which turns CutMix on.
    ///   - probability: The probability of any mixing, 0 to 1.
    ///   - switchProbability: The probability of CutMix rather than Mixup where both are on, 0 to 1.
    ///   - mode: What shares one draw of chance.
    public init(
        mixupAlpha: Double = 0.8,
        cutmixAlpha: Double = 1,
        cutmixMinMax: [Double]? = nil,
        probability: Double = 1,
        switchProbability: Double = 0.5,
        mode: Mode = .batch
    ) {
        self.mixupAlpha = mixupAlpha
        self.cutmixAlpha = cutmixAlpha
        self.cutmixMinMax = cutmixMinMax
        self.probability = probability
        self.switchProbability = switchProbability
        self.mode = mode
    }

    /// Draws how the images of one batch are mixed.
    ///
    /// - Parameters:
    ///   - count: The number of images.
    ///   - height: Their rows.
    ///   - width: Their columns.
    ///   - generator: The source of chance.
    /// - Returns: The plan.
    /// - Throws: ``ImageError/invalid(_:)`` when a parameter or a size makes no sense.
    public func plan(
        count: Int,
        height: Int,
        width: Int,
        using generator: inout SplitMix64
    ) throws(ImageError) -> MixingPlan {
        try validate()
        guard count >= 0 else { throw .invalid("a batch of \(count) images cannot be mixed") }
        _ = try Image.byteCount(height: height, width: width, channels: 3)
        let size = (height, width)
        var mixes: [MixingPlan.Mix]
        switch mode {
        case .batch:
            let mix = draw(size: size, single: false, using: &generator)
            mixes = Array(repeating: mix, count: count)
        case .elem:
            mixes = (0..<count).map { _ in draw(size: size, single: true, using: &generator) }
        case .pair:
            let half = (0..<(count / 2)).map { _ in
                draw(size: size, single: true, using: &generator)
            }
            mixes = half + (count % 2 == 1 ? [.none] : []) + half.reversed()
        }
        if count % 2 == 1 { mixes[count / 2] = .none }
        return MixingPlan(mixes: mixes, height: height, width: width)
    }

    /// Draws one mix.
    ///
    /// timm keeps the share of a whole batch in double precision and those of single images in single precision.
    private func draw(
        size: (height: Int, width: Int),
        single: Bool,
        using generator: inout SplitMix64
    ) -> MixingPlan.Mix {
        guard generator.uniform() < probability else { return .none }
        let hasCutmix = cutmixMinMax != nil || cutmixAlpha > 0
        // The number is drawn in any case, so that what follows does not depend on which of the two are on.
        let switched = generator.uniform() < switchProbability
        let isCutmix = hasCutmix && (mixupAlpha <= 0 || switched)
        let alpha = isCutmix ? (cutmixMinMax == nil ? cutmixAlpha : 1) : mixupAlpha
        let drawn = generator.beta(alpha)
        let share = single ? Double(Float(drawn)) : drawn
        guard share != 1 else { return .none }
        guard isCutmix else {
            return MixingPlan.Mix(share: share, single: single)
        }
        let box = drawBox(share: share, size: size, single: single, using: &generator)
        return MixingPlan.Mix(box: box, height: size.height, width: size.width, single: single)
    }

    /// Draws the rectangle of a CutMix: of a given share, or with sides between the bounds.
    private func drawBox(
        share: Double,
        size: (height: Int, width: Int),
        single: Bool,
        using generator: inout SplitMix64
    ) -> Region {
        guard let bounds = cutmixMinMax else {
            return MixingPlan.box(
                share: share,
                centerRow: generator.integer(below: size.height),
                centerColumn: generator.integer(below: size.width),
                height: size.height,
                width: size.width,
                single: single
            )
        }
        func side(of whole: Int) -> Int {
            let least = Int(Double(whole) * bounds[0])
            return least + generator.integer(below: Int(Double(whole) * bounds[1]) - least)
        }
        let (rows, columns) = (side(of: size.height), side(of: size.width))
        return Region(
            top: generator.integer(below: size.height - rows + 1),
            left: generator.integer(below: size.width - columns + 1),
            height: rows,
            width: columns
        )
    }

    /// Refuses parameters that make no sense.
    ///
    /// - Throws: ``ImageError/invalid(_:)``.
    public func validate() throws(ImageError) {
        try ImageOperation.validate(probability: probability, of: "mixing")
        try ImageOperation.validate(probability: switchProbability, of: "CutMix instead of Mixup")
        for (name, alpha) in [("Mixup", mixupAlpha), ("CutMix", cutmixAlpha)] {
            guard alpha >= 0, alpha.isFinite else {
                throw .invalid("the alpha of \(name) must be at least 0, not \(alpha)")
            }
        }
        guard mixupAlpha > 0 || cutmixAlpha > 0 || cutmixMinMax != nil else {
            throw .invalid("mixing needs an alpha above 0 for Mixup or CutMix, or CutMix's bounds")
        }
        if let bounds = cutmixMinMax {
            guard bounds.count == 2, bounds[0] >= 0, bounds[0] <= bounds[1], bounds[1] <= 1 else {
                throw .invalid(
                    "CutMix bounds must be two ascending numbers from 0 to 1, not \(bounds)"
                )
            }
        }
    }
}
