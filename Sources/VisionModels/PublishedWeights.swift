/// Weights that others have published for a preset.
public struct PublishedWeights: Sendable, Equatable {
    /// Where they are from: a name on Hugging Face's hub.
    public let source: String

    /// The share of ImageNet-1k's 50,000 validation images whose class they predict, in per cent, as their authors
    /// measured it; nil where this table does not know.
    public let top1: Double?

    /// What is known of a preset's weights; nil where there are none.
    ///
    /// - Parameter preset: The preset's name.
    public init?(of preset: String) {
        guard let known = Self.table[preset] else { return nil }
        self = known
    }

    init(_ source: String, top1: Double? = nil) {
        self.source = source
        self.top1 = top1
    }

    /// The presets that weights are known for.
    public static var presets: [String] { table.keys.sorted() }

    private static let table = ModelFamilies.all.reduce(into: [String: PublishedWeights]()) {
        $0.merge($1.published) { first, _ in first }
    }
}
