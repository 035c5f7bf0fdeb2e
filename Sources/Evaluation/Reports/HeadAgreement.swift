/// How often the two heads of a distilled model say the same, and which of them is right.
///
/// ## Source
/// Touvron et al. (arXiv:2012.12877), table 4: disagreement between convnet, class and distillation embeddings.
public struct HeadAgreement: Sendable, Equatable {
    /// The images.
    public let count: Int
    /// Those of which both heads say the same class, right or wrong.
    public let same: Int
    /// Those that both recognise.
    public let bothRight: Int
    /// Those that only the class head recognises.
    public let onlyCls: Int
    /// Those that only the distillation head recognises.
    public let onlyDist: Int

    /// Compares the heads; nil of a model with one.
    ///
    /// - Parameter outcomes: The predictions.
    public init?(_ outcomes: [ImageOutcome]) {
        let pairs = outcomes.compactMap { outcome in outcome.heads.map { (outcome.label, $0) } }
        guard !pairs.isEmpty else { return nil }
        count = pairs.count
        same = pairs.count { $1.cls != nil && $1.cls == $1.dist }
        bothRight = pairs.count { $1.cls == $0 && $1.dist == $0 }
        onlyCls = pairs.count { $1.cls == $0 && $1.dist != $0 }
        onlyDist = pairs.count { $1.cls != $0 && $1.dist == $0 }
    }

    /// The share of images of which both say the same class, 0 to 1.
    public var share: Double { Double(same) / Double(max(count, 1)) }
    /// The images that no head recognises.
    public var neither: Int { count - bothRight - onlyCls - onlyDist }
}
