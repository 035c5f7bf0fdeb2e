/// The names of facebookresearch/dinov2 for a vision transformer's tensors, and for its published files.
///
/// They are timm's but for the registers, the gated feed-forward layers and the number of a chunk of blocks, which training
/// checkpoints put before the number of a block: `blocks.0.11.norm1.weight` is block 11.
///
/// ## Source
/// facebookresearch/dinov2, `dinov2/models/vision_transformer.py`, `dinov2/layers/swiglu_ffn.py` and `dinov2/hub/`;
/// timm/models/vision_transformer.py, `_convert_dinov2`.
package struct DINOv2Names: TensorNames {
    package static let scheme = NameScheme("DINOv2's")

    package var scheme: NameScheme { Self.scheme }

    /// What DINOv2 and transformers call the registers; timm calls them `reg_token`.
    ///
    /// In files with this name the class token's position begins the positions although registers follow the token; timm has
    /// that position in the class token.
    package static let registers = "register_tokens"

    private static let whole = [("reg_token", registers)]
    private static let gated = [("mlp.fc1", "mlp.w12"), ("mlp.fc2", "mlp.w3")]

    /// Nil for names that are not DINOv2's.
    ///
    /// - Parameter tensors: The names and shapes.
    package init?(_ tensors: [(name: String, shape: [Int])]) {
        guard tensors.contains(where: { $0.name == "pos_embed" }) else { return nil }
        // The mask token is a row; those of masked modelling have three dimensions.
        let isDINOv2 = tensors.contains { name, shape in
            name == Self.registers || name == "mask_token" && shape.count == 2
                || name.hasPrefix("blocks.")
                    && (name.contains(".mlp.w12.") || Self.withoutChunk(name) != name)
        }
        guard isDINOv2 else { return nil }
    }

    package func key(of name: String) -> String {
        if let (ours, _) = Self.whole.first(where: { $0.1 == name }) { return ours }
        let name = Self.withoutChunk(name)
        guard name.hasPrefix("blocks.") else { return name }
        return Self.gated.reduce(name) { $0.replacing(".\($1.1).", with: ".\($1.0).") }
    }

    /// DINOv2's name of a tensor by its key here, without chunks, as the published files have it.
    ///
    /// - Parameters:
    ///   - key: timm's key.
    ///   - isGated: Whether the feed-forward layers are gated.
    /// - Returns: The name.
    package static func name(of key: String, isGated: Bool) -> String {
        if let (_, theirs) = whole.first(where: { $0.0 == key }) { return theirs }
        guard isGated, key.hasPrefix("blocks.") else { return key }
        return gated.reduce(key) { $0.replacing(".\($1.0).", with: ".\($1.1).") }
    }

    /// `blocks.CHUNK.NUMBER.` without the chunk, whose blocks are numbered through.
    private static func withoutChunk(_ name: String) -> String {
        let parts = name.split(
            separator: ".",
            maxSplits: 3,
            omittingEmptySubsequences: false
        )
        guard parts.count == 4, parts[0] == "blocks", Int(parts[1]) != nil, Int(parts[2]) != nil
        else { return name }
        return "blocks.\(parts[2]).\(parts[3])"
    }

    /// Why DINOv2's code has no place for a network's layers; nil where it has.
    ///
    /// - Parameter vit: The network; its classifier does not matter, as backbones have none.
    /// - Returns: A clause about what the code does not have.
    package static func refusal(of vit: ViTConfiguration) -> String? {
        if vit.isDistilled { return "it has no distillation token" }
        return TransformerInHuggingFace.layersRefusal(of: vit)
    }

    /// timm's name for weights by the name of a published file or repository; nil for another name.
    ///
    /// `dinov2_vitb14_reg4_pretrain` is `vit_base_patch14_reg4_dinov2.lvd142m`, and so is the repository
    /// `dinov2-with-registers-base`.
    package static func timmName(of file: String) -> String? {
        let hub = file.replacing("-", with: "_")
        for (prefix, registers) in [("dinov2_with_registers_", "_reg4"), ("dinov2_", "")]
        where hub.hasPrefix(prefix) {
            let size = String(hub.dropFirst(prefix.count))
            guard ["small", "base", "large", "giant"].contains(size) else { continue }
            return "vit_\(size)_patch14\(registers)_dinov2.lvd142m"
        }
        let words = file.split(separator: "_", omittingEmptySubsequences: false)
        let sizes = ["s": "small", "b": "base", "l": "large", "g": "giant"]
        guard words.count >= 3, words[0] == "dinov2", words[1].hasPrefix("vit"),
            let letter = words[1].dropFirst(3).first, let size = sizes[String(letter)],
            let patch = Int(words[1].dropFirst(4)), words.last == "pretrain"
        else { return nil }
        let registers = words[2].hasPrefix("reg") ? "_\(words[2])" : ""
        return "vit_\(size)_patch\(patch)\(registers)_dinov2.lvd142m"
    }
}
