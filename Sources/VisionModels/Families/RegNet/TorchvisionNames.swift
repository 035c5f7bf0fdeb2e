/// The names that a RegNet's tensors have in torchvision's files.
///
/// ## Source
/// timm/models/regnet.py, `_filter_fn`.
struct TorchvisionNames: TensorNames {
    var scheme: NameScheme { NameScheme("torchvision's") }

    /// Nil for names that are not torchvision's.
    init?(_ names: [String]) {
        guard names.contains("stem.0.weight"),
            names.contains(where: { $0.hasPrefix("trunk_output.") })
        else { return nil }
    }

    // `trunk_output.block2.block2-0.f.a.0.weight` is `s2.b1.conv1.conv.weight`.
    func key(of name: String) -> String {
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
}
