import ImagePipeline

/// A vision transformer by a name in timm's grammar, such as `vit_tiny_patch16_224.augreg_in21k_ft_in1k`.
///
/// ## Source
/// timm/models/vision_transformer.py and deit.py: the functions of the presets and `default_cfgs`.
struct TransformerName: Equatable {
    enum Family: String {
        case deit3
        case deit
        case vit
    }

    let family: Family
    let size: String
    let isDistilled: Bool
    let patchSize: Int
    let imageSize: Int

    /// Which training the weights come from, such as `augreg_in21k_ft_in1k`; nil where the name does not say.
    let tag: String?

    private static let sizes: [String: (width: Int, depth: Int, heads: Int)] = [
        "tiny": (192, 12, 3), "small": (384, 12, 6), "medium": (512, 12, 8), "base": (768, 12, 12),
        "large": (1024, 24, 16), "huge": (1280, 32, 16),
    ]

    /// Reads a name; nil for one that is not of this grammar.
    init?(_ name: String) {
        let parts = name.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        // Facebook's files end in the first digits of their digest.
        let words = (parts.first ?? "").split(separator: "-").first?.split(separator: "_") ?? []
        guard words.count == 4 || words.count == 5,
            let family = words.first.flatMap({ Family(rawValue: String($0)) }),
            Self.sizes[String(words[1])] != nil, words.count == 4 || words[2] == "distilled",
            words[words.count - 2].hasPrefix("patch"),
            let patchSize = Int(words[words.count - 2].dropFirst("patch".count)),
            let imageSize = Int(words[words.count - 1]),
            (1...1024).contains(patchSize), (1...16384).contains(imageSize),
            words.count == 4 || family == .deit
        else { return nil }
        self.family = family
        self.size = String(words[1])
        self.isDistilled = words.count == 5
        self.patchSize = patchSize
        self.imageSize = imageSize
        self.tag = parts.count > 1 ? String(parts[1]) : nil
    }

    /// The name without the training.
    var name: String {
        "\(family.rawValue)_\(size)\(isDistilled ? "_distilled" : "")_patch\(patchSize)_\(imageSize)"
    }

    /// What timm makes of the name.
    var configuration: ViTConfiguration {
        let (width, depth, heads) = Self.sizes[size] ?? (192, 12, 3)
        var configuration = ViTConfiguration(
            imageHeight: imageSize,
            imageWidth: imageSize,
            patchSize: patchSize,
            embedDim: width,
            depth: depth,
            numHeads: heads,
            isDistilled: isDistilled,
            layerNormEps: 1e-6
        )
        if family == .deit3 {
            configuration.noEmbedClass = true
            configuration.initValues = 1e-6
        }
        return configuration
    }

    /// How images were made for these weights; nil where the name does not tell.
    ///
    /// DeiT's, DINO's and the masked autoencoders' ways are those of their own code; the others are timm's.
    func processor(height: Int, width: Int) throws(ImageError) -> ImageProcessor? {
        let half: [Float] = [0.5, 0.5, 0.5]
        let isImageNet = tag == "dino" || tag == "mae"
        let tag = tag ?? "augreg"
        let isHalf = ["augreg", "orig", "sam"].contains { tag.hasPrefix($0) }
        if family == .deit || family == .vit && isImageNet {
            return height == width ? try .deit(size: height) : nil
        }
        guard family == .deit3 || isHalf else { return nil }
        let isWhole = imageSize > 224 || family == .deit3 && tag.contains("22k")
        let share = isWhole ? 1 : 0.9
        return try ImageProcessor(
            resize: CropMode.center.resize(height: height, width: width, share: Double(share)),
            cropHeight: height,
            cropWidth: width,
            mean: isHalf && family == .vit ? half : Normalization.imageNet.mean,
            std: isHalf && family == .vit ? half : Normalization.imageNet.std
        )
    }
}
