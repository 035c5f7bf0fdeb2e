import Storage

/// The tensors of transformers' CLIP and SigLIP whose shapes are not ours.
///
/// A class token without dimensions for the batch, positions as the table of an embedding, and of SigLIP's pooling one
/// matrix whose rows are the query's projection and then those of keys and values.
///
/// ## Source
/// transformers 5.23: `modeling_clip.py`, `CLIPVisionEmbeddings`; `modeling_siglip.py`,
/// `SiglipMultiheadAttentionPoolingHead`; `torch.nn.MultiheadAttention`.
enum TowerTensors {
    static let positions = "embeddings.position_embedding.weight"

    // Names of ours for the parts of `head.attention.in_proj_weight` and `…_bias`.
    static let query = "head.attention.in_proj.q"
    static let keyValue = "head.attention.in_proj.kv"

    private static let classToken = "embeddings.class_embedding"
    static let patches = "embeddings.patch_embedding.weight"
    private static let projection = "head.attention.in_proj_"

    /// The views of a file's tensors that have our shapes.
    ///
    /// - Parameter tensors: The file's tensors.
    /// - Returns: The views; nil for a file without an image tower.
    static func views(_ tensors: [ArchivedTensor]) -> [DerivedArchive.View]? {
        let prefixes = tensors.filter { $0.name.hasSuffix(patches) }
            .map { String($0.name.dropLast(patches.count)) }
        guard !prefixes.isEmpty else { return nil }
        var views: [DerivedArchive.View] = []
        for tensor in tensors {
            guard
                let prefix = prefixes.first(where: {
                    tensor.name.hasPrefix($0 + "embeddings.") || tensor.name.hasPrefix($0 + "head.")
                })
            else { continue }
            let rest = tensor.name.dropFirst(prefix.count)
            if rest == classToken || rest == positions {
                let missing = Array(repeating: 1, count: max(0, 3 - tensor.shape.count))
                views.append(.init(tensor.name, of: tensor, shape: missing + tensor.shape))
            } else if rest.hasPrefix(projection), let rows = tensor.shape.first, rows % 3 == 0 {
                let suffix = rest.dropFirst(projection.count)
                views += [
                    .init("\(prefix)\(query).\(suffix)", of: tensor, rows: 0..<(rows / 3)),
                    .init("\(prefix)\(keyValue).\(suffix)", of: tensor, rows: (rows / 3)..<rows),
                ]
            }
        }
        return views
    }
}
