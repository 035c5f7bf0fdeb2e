/// timm's names for the tensors of networks with rotary positions, which are in its `eva.py`.
///
/// Three things differ from `vision_transformer.py`, whose names are ours: the layer scale, the biases of queries and
/// values, which are tensors of their own and leave out the keys', and gate and value of SwiGLU layers.
///
/// ## Source
/// timm/models/eva.py, `EvaAttention` and `EvaBlock`; timm/layers/mlp.py, `SwiGLU`.
package struct EvaNames: TensorNames {
    private static let scales = [("ls1.gamma", "gamma_1"), ("ls2.gamma", "gamma_2")]
    private static let biases = ["attn.q_bias", nil, "attn.v_bias"]
    private static let gated = ["mlp.fc1_g", "mlp.fc1_x"]

    private let isGated: Bool

    package var scheme: NameScheme { .timm }

    /// The names of a network.
    init(isGated: Bool) { self.isGated = isGated }

    /// Nil for names that are not those of a network that is built here.
    ///
    /// - Parameter tensors: The names and shapes.
    init?(_ tensors: [(name: String, shape: [Int])]) {
        let names = Set(tensors.map(\.name))
        let marks = ["gamma_1", "attn.q_bias", "mlp.fc1_g.weight"]
        // Networks of eva.py with learnt positions are not built here.
        guard !names.contains("pos_embed"), names.contains("reg_token"),
            marks.contains(where: { names.contains("blocks.0.\($0)") })
        else { return nil }
        isGated = names.contains("blocks.0.mlp.fc1_g.weight")
    }

    package func key(of name: String) -> String { place(of: name).key }

    package func place(of name: String) -> TensorPlace {
        guard let (block, rest) = Self.block(name) else { return TensorPlace(key: name) }
        if let (ours, _) = Self.scales.first(where: { $0.1 == rest }) {
            return TensorPlace(key: block + ours)
        }
        if let part = Self.biases.firstIndex(of: rest) {
            return TensorPlace(key: block + "attn.qkv.bias", part: part)
        }
        for (part, theirs) in Self.gated.enumerated() where rest.hasPrefix(theirs + ".") {
            return TensorPlace(key: block + "mlp.fc1" + rest.dropFirst(theirs.count), part: part)
        }
        return TensorPlace(key: name)
    }

    package func names(of key: String) -> [String?] {
        guard let (block, rest) = Self.block(key) else { return [key] }
        if let (_, theirs) = Self.scales.first(where: { $0.0 == rest }) { return [block + theirs] }
        if rest == "attn.qkv.bias" { return Self.biases.map { $0.map { block + $0 } } }
        if isGated, rest.hasPrefix("mlp.fc1.") {
            return Self.gated.map { block + $0 + rest.dropFirst("mlp.fc1".count) }
        }
        return [key]
    }

    /// A name in a block as `blocks.N.` and the rest.
    static func block(_ name: String) -> (block: String, rest: String)? {
        let parts = name.split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "blocks" else { return nil }
        return ("blocks.\(parts[1]).", String(parts[2]))
    }
}
