import ImagePipeline
import Storage

/// The names of facebookresearch/dinov3 for a vision transformer's tensors, and for its published files.
///
/// They are timm's but for the registers and the gated feed-forward layers. Beside the network's tensors there are the
/// periods of the rotary positions, and a mask of the bias of queries, keys and values, which takes out that of the keys.
///
/// ## Source
/// facebookresearch/dinov3, `dinov3/models/vision_transformer.py`, `dinov3/layers/` and `dinov3/hub/backbones.py`.
package struct DINOv3Names: TensorNames {
    package static let scheme = NameScheme("DINOv3's")

    package var scheme: NameScheme { Self.scheme }

    private static let registers = "storage_tokens"
    private static let gated = ["mlp.w1", "mlp.w2"]
    private static let gatedOutput = "mlp.w3"

    /// The periods of the rotary positions.
    package static let periods = "rope_embed.periods"

    /// What stands after the name of a bias of queries, keys and values in the name of its mask.
    package static let maskSuffix = "_mask"

    private let isGated: Bool

    /// The names of a network.
    package init(isGated: Bool) { self.isGated = isGated }

    /// Nil for names that are not DINOv3's.
    ///
    /// - Parameter tensors: The names and shapes.
    package init?(_ tensors: [(name: String, shape: [Int])]) {
        let names = Set(tensors.map(\.name))
        guard names.contains(Self.periods) || names.contains(Self.registers) else { return nil }
        isGated = names.contains("blocks.0.mlp.w1.weight")
    }

    package func key(of name: String) -> String { place(of: name).key }

    package func place(of name: String) -> TensorPlace {
        if name == Self.registers { return TensorPlace(key: "reg_token") }
        guard let (block, rest) = EvaNames.block(name) else { return TensorPlace(key: name) }
        for (part, theirs) in Self.gated.enumerated() where rest.hasPrefix(theirs + ".") {
            return TensorPlace(key: block + "mlp.fc1" + rest.dropFirst(theirs.count), part: part)
        }
        if rest.hasPrefix(Self.gatedOutput + ".") {
            return TensorPlace(key: block + "mlp.fc2" + rest.dropFirst(Self.gatedOutput.count))
        }
        return TensorPlace(key: name)
    }

    package func names(of key: String) -> [String?] {
        if key == "reg_token" { return [Self.registers] }
        guard isGated, let (block, rest) = EvaNames.block(key) else { return [key] }
        if rest.hasPrefix("mlp.fc1.") {
            return Self.gated.map { block + $0 + rest.dropFirst("mlp.fc1".count) }
        }
        if rest.hasPrefix("mlp.fc2.") {
            return [block + Self.gatedOutput + rest.dropFirst("mlp.fc2".count)]
        }
        return [key]
    }

    /// Whether a tensor of the file is none of the network's: of training alone, or computed from the configuration.
    package static func isBesideNetwork(_ name: String) -> Bool {
        name == periods || name.hasSuffix(".attn.qkv.bias" + maskSuffix)
            || name.hasPrefix("local_cls_norm.")
    }

    /// Why DINOv3's code has no place for a network's layers; nil where it has.
    ///
    /// - Parameter vit: The network; its classifier does not matter, as backbones have none.
    /// - Returns: A clause about what the code does not have.
    package static func refusal(of vit: ViTConfiguration) -> String? {
        if let reason = TransformerInHuggingFace.rotaryRefusal(of: vit) { return reason }
        return vit.regTokens > 0 ? nil : "its networks have registers"
    }

    // MARK: - Published files

    /// timm's name for weights by the name of a published file or repository; nil for another name.
    ///
    /// `dinov3_vits16plus_pretrain_lvd1689m` is `vit_small_plus_patch16_dinov3_qkvb.lvd1689m`, and so is the repository
    /// `dinov3-vits16plus-pretrain-lvd1689m`.
    package static func timmName(of file: String) -> String? {
        let words = file.replacing("-", with: "_").split(separator: "_")
        let sizes = [
            "vits16": "small", "vits16plus": "small_plus", "vitb16": "base", "vitl16": "large",
            "vith16plus": "huge_plus", "vit7b16": "7b",
        ]
        guard words.count >= 4, words[0] == "dinov3", words[2] == "pretrain",
            let size = sizes[String(words[1])], ["lvd1689m", "sat493m"].contains(words[3])
        else { return nil }
        // All but the largest have biases, most of them zeros.
        let biases = size == "7b" ? "" : "_qkvb"
        return "vit_\(size)_patch16_dinov3\(biases).\(words[3])"
    }

    /// How DINOv3's own code makes images: both sides resized, which changes the shape.
    ///
    /// ## Source
    /// facebookresearch/dinov3, `README.md`, `make_transform`.
    ///
    /// - Parameters:
    ///   - statistics: A processor with the mean and deviation of the weights.
    ///   - size: The size of the input.
    /// - Returns: The processor.
    /// - Throws: `ImageError` for a size that no image has.
    static func processor(
        _ statistics: ImageProcessor,
        size: ImageSize
    ) throws(ImageError) -> ImageProcessor {
        try ImageProcessor(
            resize: .exact(height: size.height, width: size.width),
            interpolation: .bilinear,
            mean: statistics.mean,
            std: statistics.std
        )
    }
}
