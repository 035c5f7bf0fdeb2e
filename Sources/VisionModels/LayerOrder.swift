/// The layers of a network from the images to the classes, as timm counts them for layer-wise learning rates.
///
/// Layer 0 is what makes tokens or maps of images: the patches' projection, the tokens, the positions; of a
/// convolutional network its stem. Then every block is a layer. The normalisation or convolution after the last block
/// belongs to the last block, and the classifiers are the last layer.
///
/// ## Source
/// `timm/models/_manipulate.py`, `group_with_matcher`, with the `group_matcher(coarse=False)` of
/// `vision_transformer.py`, `deit.py`, `resnet.py`, `regnet.py` and `efficientnet.py`.
public struct LayerOrder: Sendable, Equatable {
    /// The number of layers.
    public let count: Int

    private let layers: [String: Int]

    /// Finds the layers of a network.
    ///
    /// - Parameter names: The keys of its weights.
    public init(names: [String]) {
        let places = names.map { (name: $0, place: Self.place(of: $0)) }
        var layers: [[Int]: Int] = [:]
        var next = -1
        for place in Set(places.map(\.place)).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            if next < 0 || place.last != Self.withPrevious { next += 1 }
            layers[place] = next
        }
        count = next + 1
        self.layers = Dictionary(
            places.map { ($0.name, layers[$0.place] ?? 0) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    /// The layer of a weight, from 0; nil for a name that the network does not have.
    public func layer(of name: String) -> Int? { layers[name] }

    /// Whether a weight belongs to a classifier.
    ///
    /// - Parameter name: The weight's key.
    /// - Returns: Whether it is one of `head`, `head_dist`, `fc` or `classifier`, as the families say.
    public static func isHead(_ name: String) -> Bool {
        heads.contains(where: name.hasPrefix)
    }

    /// Whether a weight makes tokens or maps of images: the layer 0.
    ///
    /// - Parameter name: The weight's key.
    /// - Returns: Whether it stands before the first block.
    public static func isStem(_ name: String) -> Bool {
        stems.contains(where: name.hasPrefix)
    }

    /// The number of the block that a weight belongs to, from 0; of a convolutional network, that of the stage.
    ///
    /// - Parameter name: The weight's key.
    /// - Returns: The number, or nil for a weight outside of the blocks.
    public static func block(of name: String) -> Int? { numbers(of: name)?.first }

    private static let heads = ModelFamilies.heads.map { $0 + "." }
    private static let stems = ModelFamilies.all.flatMap(\.stems)
    private static let tails = ModelFamilies.all.flatMap(\.tails)
    private static let withPrevious = 99_999

    /// What layers are sorted by: parts of the network in their order, then numbers.
    private static func place(of name: String) -> [Int] {
        if isStem(name) { return [0] }
        if let numbers = numbers(of: name) { return [1] + numbers }
        return tails.contains(where: name.hasPrefix) ? [1, withPrevious] : [2]
    }

    /// The number of a transformer's block; of a convolutional network the numbers of the stage and of the block in it.
    private static func numbers(of name: String) -> [Int]? {
        let parts = name.split(separator: ".")
        guard parts.count > 2 else { return nil }
        func number(_ text: Substring, after prefix: String) -> Int? {
            text.hasPrefix(prefix) ? Int(text.dropFirst(prefix.count)) : nil
        }
        if parts[0] == "blocks", let first = Int(parts[1]) {
            return [first] + (Int(parts[2]).map { [$0] } ?? [])
        }
        for prefix in ["layer", "s"] {
            guard let stage = number(parts[0], after: prefix) else { continue }
            let block = Int(parts[1]) ?? number(parts[1], after: "b")
            return [stage - 1] + (block.map { [$0] } ?? [])
        }
        return nil
    }
}
