/// The names that tensors have in efficientnet-lite-pytorch's files.
///
/// ## Source
/// PyPI `efficientnet-lite-pytorch`, `model.py`.
struct EfficientNetLiteNames: TensorNames {
    static let scheme = NameScheme("efficientnet-lite-pytorch's")

    var scheme: NameScheme { Self.scheme }

    /// The place of each block; they are counted through all stages.
    private let places: [(stage: Int, index: Int)]
    private let isNarrow: [Bool]

    /// Nil for names that are not that library's.
    ///
    /// - Parameter tensors: The names without what wrappers put before them, and the shapes.
    init?(_ tensors: [(name: String, shape: [Int])]) {
        let names = Set(tensors.map(\.name))
        guard names.contains("_conv_stem.weight"), names.contains("_conv_head.weight") else {
            return nil
        }
        let widths = Self.widths(tensors)
        var found: [(stage: Int, index: Int)] = []
        for (index, width) in widths.enumerated() {
            // Every stage of EfficientNet-Lite has a width of its own.
            if let last = found.last, index > 0, widths[index - 1] == width {
                found.append((last.stage, last.index + 1))
            } else {
                found.append(((found.last?.stage ?? -1) + 1, 0))
            }
        }
        places = found
        isNarrow = found.indices.map { !names.contains("_blocks.\($0)._expand_conv.weight") }
    }

    private static func widths(_ tensors: [(name: String, shape: [Int])]) -> [Int] {
        var widths: [Int: Int] = [:]
        for (name, shape) in tensors where name.hasSuffix("._project_conv.weight") {
            let parts = name.split(separator: ".")
            if parts.count == 4, parts[0] == "_blocks", let index = Int(parts[1]) {
                widths[index] = shape.first ?? 0
            }
        }
        return (0..<widths.count).map { widths[$0] ?? 0 }
    }

    // `_blocks.3._expand_conv.weight` is `blocks.2.0.conv_pw.weight` in a network of 1, 2, 2, … blocks.
    func key(of name: String) -> String {
        let outer = [
            ("_conv_stem.", "conv_stem."), ("_bn0.", "bn1."), ("_conv_head.", "conv_head."),
            ("_bn1.", "bn2."), ("_fc.", "classifier."),
        ]
        for (theirs, ours) in outer where name.hasPrefix(theirs) {
            return ours + name.dropFirst(theirs.count)
        }
        let parts = name.split(separator: ".", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0] == "_blocks", let number = Int(parts[1]),
            places.indices.contains(number)
        else { return name }
        // A block without the first convolution has other names in timm, not only fewer.
        let wide = [
            "_expand_conv": "conv_pw", "_bn0": "bn1", "_depthwise_conv": "conv_dw", "_bn1": "bn2",
            "_project_conv": "conv_pwl", "_bn2": "bn3",
        ]
        let narrow = [
            "_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2",
        ]
        guard let layer = (isNarrow[number] ? narrow : wide)[String(parts[2])] else { return name }
        let (stage, index) = places[number]
        return "blocks.\(stage).\(index).\(layer).\(parts[3])"
    }
}
