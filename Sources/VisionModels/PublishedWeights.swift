/// Weights that others have published.
public struct PublishedWeights: Sendable, Equatable {
    /// Where they are from: a name on Hugging Face's hub, or a URL.
    public let source: String

    /// The share of ImageNet-1k's 50,000 validation images whose class they predict, in per cent, as their authors or
    /// timm measured it; nil where this table does not know.
    public let top1: Double?

    /// The license in the hub's words, such as `apache-2.0`; nil where this table does not know.
    public let license: String?

    /// What is known of weights; nil where there are none.
    ///
    /// - Parameter name: A preset's name, which means its usual weights, or the full name of weights, such as
    ///   `vit_small_patch14_dinov2.lvd142m`.
    public init?(of name: String) {
        guard let known = Self.table[name] else { return nil }
        self = known
    }

    init(_ source: String, top1: Double? = nil, license: String? = "apache-2.0") {
        self.source = source
        self.top1 = top1
        self.license = license
    }

    /// The repository on the hub; nil for weights at another URL.
    public var repository: String? { source.contains("://") ? nil : source }

    /// The names that weights are known for: those of presets and those of weights.
    public static var presets: [String] { table.keys.sorted() }

    private static let table = ModelFamilies.all.reduce(into: [String: PublishedWeights]()) {
        $0.merge($1.published) { first, _ in first }
    }
}
