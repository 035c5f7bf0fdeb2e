/// Parts of transformers that are not built here, by the names of their tensors.
enum ForeignParts {
    private static let parts: [(matches: @Sendable (String) -> Bool, name: String)] = [
        ({ $0.contains("lora_A") || $0.contains("lora_B") }, "LoRA adapters"),
        ({ $0.contains("relative_position") || $0.contains("rel_pos") }, "relative positions"),
        ({ $0.contains(".mlp.fc1_g.") }, "gated feed-forward layers in two matrices (EVA)"),
        (
            { $0.contains(".mlp.norm.") || $0.contains(".attn.norm.") },
            "normalisations inside attention or the feed-forward layers (EVA)"
        ),
        (
            { $0.contains("q_bias") || $0.contains("v_bias") },
            "separate biases of queries and values"
        ),
        ({ $0.hasPrefix("layers.") && $0.contains(".blocks.") }, "stages, as Swin"),
    ]

    /// What a file's network has that none here has, and what to do; nil where it has nothing of the kind.
    ///
    /// - Parameter keys: The file's keys, in timm's names.
    /// - Returns: One sentence.
    static func sentence(_ keys: some Sequence<String>) -> String? {
        for (matches, name) in parts {
            guard let key = keys.filter(matches).min() else { continue }
            let advice =
                name == "LoRA adapters"
                ? "merge them into the weights with the library that trained them"
                : "use the library that it comes from, such as timm or transformers"
            return
                "The file's transformer has \(name) (\(key)), which this library does not support: \(advice)"
        }
        return nil
    }
}
