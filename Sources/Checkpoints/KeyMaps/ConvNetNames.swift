/// The names that the teachers' tensors have in torchvision's and efficientnet-lite-pytorch's files, and the ones of
/// timm that they become.
///
/// ## Source
/// timm/models/regnet.py, `_filter_fn`; PyPI `efficientnet-lite-pytorch`, `model.py`.
struct ConvNetNames {
    let scheme: WeightsFile.Scheme
    /// The place of each of efficientnet-lite-pytorch's blocks, which are counted through all stages.
    private let places: [(stage: Int, index: Int)]
    private let isNarrow: [Bool]

    /// Finds out whose names a file has; nil for names that are read as they are.
    ///
    /// - Parameter tensors: The names without what wrappers put before them, and the shapes.
    init?(_ tensors: [(name: String, shape: [Int])]) {
        let names = Set(tensors.map(\.name))
        if names.contains("stem.0.weight"),
            names.contains(where: { $0.hasPrefix("trunk_output.") })
        {
            (scheme, places, isNarrow) = (.torchvision, [], [])
        } else if names.contains("_conv_stem.weight"), names.contains("_conv_head.weight") {
            scheme = .efficientNetLite
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
        } else {
            return nil
        }
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

    /// timm's name of a tensor; a name of no known part stays as it is.
    func key(of name: String) -> String {
        switch scheme {
        case .torchvision: Self.torchvisionKey(of: name)
        case .efficientNetLite: liteKey(of: name)
        case .timm, .huggingFace: name
        }
    }

    // `trunk_output.block2.block2-0.f.a.0.weight` is `s2.b1.conv1.conv.weight`.
    private static func torchvisionKey(of name: String) -> String {
        for (theirs, ours) in [
            ("stem.0.", "stem.conv."), ("stem.1.", "stem.bn."), ("fc.", "head.fc."),
        ]
        where name.hasPrefix(theirs) {
            return ours + name.dropFirst(theirs.count)
        }
        let parts = name.split(separator: ".", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0] == "trunk_output", parts[1].hasPrefix("block"),
            let stage = Int(parts[1].dropFirst("block".count)),
            let number = parts[2].split(separator: "-").last.flatMap({ Int($0) }), number < 1000
        else { return name }
        let layers = [
            ("f.a.0.", "conv1.conv."), ("f.a.1.", "conv1.bn."), ("f.b.0.", "conv2.conv."),
            ("f.b.1.", "conv2.bn."), ("f.se.", "se."), ("f.c.0.", "conv3.conv."),
            ("f.c.1.", "conv3.bn."), ("proj.0.", "downsample.conv."), ("proj.1.", "downsample.bn."),
        ]
        for (theirs, ours) in layers where parts[3].hasPrefix(theirs) {
            return "s\(stage).b\(number + 1).\(ours)\(parts[3].dropFirst(theirs.count))"
        }
        return name
    }

    // `_blocks.3._expand_conv.weight` is `blocks.2.0.conv_pw.weight` in a network of 1, 2, 2, … blocks.
    private func liteKey(of name: String) -> String {
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
