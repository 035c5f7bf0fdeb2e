import ImagePipeline
import Storage

/// The configuration of a transformer of which there is nothing but weights, by the shapes of its tensors.
enum TransformerRecognition {
    /// - Parameters:
    ///   - weights: The file.
    ///   - named: What a name beside the weights tells.
    ///   - clues: What else stands beside the weights.
    ///   - imageSize: The size of images, for a grid of patches that is no square.
    /// - Returns: The configuration, and a sentence for everything that was assumed.
    /// - Throws: `StorageError` for weights of a transformer that is not built here.
    static func recognize(
        _ weights: StoredWeights,
        named: NamedModel?,
        _ clues: CheckpointClues,
        imageSize: ImageSize?
    ) throws(StorageError) -> RecognizedModel {
        if let foreign = ForeignParts.sentence(weights.allKeys) {
            throw weights.unsupported(foreign.prefix(1).lowercased() + foreign.dropFirst())
        }
        guard let patch = weights.shape("patch_embed.proj.weight"), patch.count == 4,
            patch[2] == patch[3],
            patch.allSatisfy({ (1...1_000_000).contains($0) })
        else { throw odd("patch_embed.proj.weight", weights) }
        let isDistilled = weights.has("dist_token")
        let width = patch[0]
        var configuration =
            named?.configuration.transformer ?? ViTConfiguration(layerNormEps: 1e-6)
        configuration.patchSize = patch[2]
        configuration.inChannels = patch[1]
        configuration.embedDim = width
        configuration.numClasses =
            weights.shape("head.weight")?.first ?? weights.shape("head.bias")?.first ?? 0
        configuration.depth = weights.count(after: "blocks.")
        configuration.isDistilled = isDistilled
        configuration.classToken = weights.has("cls_token")
        configuration.regTokens =
            weights.shape("reg_token").flatMap { $0.count == 3 ? $0[1] : nil } ?? 0
        configuration.preNorm = weights.has("norm_pre.weight")
        configuration.fcNorm = weights.has("fc_norm.weight")
        configuration.finalNorm = configuration.fcNorm || weights.has("norm.weight")
        try recognizeBlocks(weights, &configuration)
        recognizePooling(weights, &configuration, isNamed: named != nil)
        if weights.scheme == .huggingFace, configuration.preNorm || !configuration.classToken {
            guard configuration.numClasses == 0 else {
                throw weights.unsupported(
                    "its classifier is CLIPForImageClassification's or SiglipForImageClassification's, on the mean of "
                        + "the patches, which is not supported; leave its tensors out and train a new one"
                )
            }
            // The defaults of CLIPVisionConfig and SiglipVisionConfig.
            if named == nil {
                configuration.activation = configuration.preNorm ? .quickGELU : .geluTanh
            }
        }
        let isRotary = !weights.has("pos_embed") && weights.has("reg_token")
        // The feature of DINOv3's own code and of transformers' is the class token, timm's the mean of the patches.
        if isRotary, weights.scheme != .timm { configuration.globalPool = .token }
        configuration.rotaryTemperature = isRotary ? configuration.rotaryTemperature ?? 100 : nil
        let size: ImageSize
        if isRotary {
            let usual = named?.configuration.imageSize.height ?? 256
            size = imageSize ?? ImageSize(height: usual, width: usual)
        } else {
            let noEmbedClass: Bool
            (size, noEmbedClass) = try images(
                weights,
                patchSize: patch[2],
                prefix: configuration.prefixTokenCount,
                imageSize
            )
            configuration.noEmbedClass = noEmbedClass && configuration.prefixTokenCount > 0
        }
        (configuration.imageHeight, configuration.imageWidth) = (size.height, size.width)
        configuration.singleHead =
            isDistilled && weights.has("head.weight") && !weights.has("head_dist.weight")
        var assumptions: [String] = []
        if let named {
            assumptions.append("\(named.name), as \(named.source ?? "its name") says")
            if let side = clues.inputSize, side != size.height {
                assumptions.append(
                    "images of \(size.height) pixels by its positions, "
                        + "though its arguments say input_size \(side)"
                )
            }
        } else {
            let preset = nearestPreset(configuration)
            let heads = heads(weights, width: width)
            configuration.numHeads = heads ?? preset?.numHeads ?? max(1, width / 64)
            // CLIP's networks, which are those that are normalised first, and DINOv3 have 1e-5 in every library.
            if configuration.preNorm || isRotary { configuration.layerNormEps = 1e-5 }
            let count = configuration.numHeads
            let guess = heads == nil ? "\(count) attention head\(count == 1 ? "" : "s") and " : ""
            assumptions.append(
                "\(guess)a layer norm eps of "
                    + "\(configuration.layerNormEps == 1e-5 ? "1e-5" : "1e-6"), "
                    + "which weights do not tell"
            )
            if configuration.activation != .gelu {
                assumptions.append(
                    "the activation \(configuration.activation.rawValue), the default of its class in transformers"
                )
            }
            if isRotary {
                assumptions.append(
                    "rotary positions with a temperature of 100, as DINOv3, and images of \(size)"
                )
            }
        }
        return RecognizedModel(.visionTransformer(configuration), assumptions: assumptions)
    }

    /// The heads of a file of DINOv3's own code, which has a period for every four numbers of a head; nil for other files.
    private static func heads(_ weights: StoredWeights, width: Int) -> Int? {
        guard let shape = weights.shape(DINOv3Names.periods), shape.count == 1,
            (1...1_000_000).contains(shape[0]), width % (4 * shape[0]) == 0
        else { return nil }
        return width / (4 * shape[0])
    }

    /// The kind of blocks and of their parts, by the names and shapes of the first one's tensors.
    private static func recognizeBlocks(
        _ weights: StoredWeights,
        _ configuration: inout ViTConfiguration
    ) throws(StorageError) {
        let width = configuration.embedDim
        configuration.qkNorm =
            weights.has("blocks.0.attn.q_norm.weight") || weights.has("blocks.0.q_norm.weight")
        if let fused = weights.shape("blocks.0.in_proj.weight") {
            guard fused.count == 2, fused[0] > 3 * width else {
                throw odd("blocks.0.in_proj.weight", weights)
            }
            configuration.blockType = .parallelScaling
            configuration.mlpRatio = Double(fused[0] - 3 * width) / Double(width)
            configuration.qkvBias = weights.has("blocks.0.in_proj.bias")
            configuration.initValues = scale(weights, "blocks.0.ls.gamma", configuration)
            return
        }
        guard let hidden = weights.shape("blocks.0.mlp.fc1.weight"), hidden.count == 2 else {
            throw odd("blocks.0.mlp.fc1.weight", weights)
        }
        configuration.mlpRatio = Double(hidden[0]) / Double(width)
        if let back = weights.shape("blocks.0.mlp.fc2.weight"), back.count == 2 {
            guard back[1] == hidden[0] || back[1] * 2 == hidden[0] else {
                throw weights.unsupported(
                    "blocks.0.mlp.fc2.weight reads \(back[1]) values where blocks.0.mlp.fc1.weight gives "
                        + "\(hidden[0]): neither as many, as two plain layers, nor half, as a gated pair (SwiGLU)"
                )
            }
            configuration.mlpLayer = back[1] == hidden[0] ? .mlp : .swiglu
        }
        configuration.qkvBias = weights.has("blocks.0.attn.qkv.bias")
        configuration.keyBias = !configuration.qkvBias || weights.hasAll("blocks.0.attn.qkv.bias")
        if configuration.blockType != .resPost {
            configuration.blockType = .preNorm
            configuration.initValues = scale(weights, "blocks.0.ls1.gamma", configuration)
        }
    }

    // The weights do not tell what the scale began with; it only matters to a network without weights.
    private static func scale(
        _ weights: StoredWeights,
        _ key: String,
        _ named: ViTConfiguration
    ) -> Double? {
        weights.has(key) ? named.initValues ?? 1e-6 : nil
    }

    private static func recognizePooling(
        _ weights: StoredWeights,
        _ configuration: inout ViTConfiguration,
        isNamed: Bool
    ) {
        configuration.headBlocks = 1
        let headWidth = weights.shape("head.weight").flatMap { $0.count == 2 ? $0[1] : nil }
        if weights.has("attn_pool.latent") {
            configuration.globalPool = .map
        } else if configuration.classToken, !configuration.fcNorm, let headWidth,
            headWidth > configuration.embedDim, headWidth % configuration.embedDim == 0
        {
            // DINOv2's classifiers read the class tokens of some blocks and the mean of the patches.
            configuration.globalPool = .tokenAvg
            configuration.headBlocks = headWidth / configuration.embedDim - 1
        } else if !configuration.classToken || configuration.fcNorm {
            configuration.globalPool = .avg
        } else if !isNamed || configuration.globalPool == .map {
            configuration.globalPool = .token
        }
    }

    /// The size of images, and whether the tokens before the patches are without positions.
    private static func images(
        _ weights: StoredWeights,
        patchSize: Int,
        prefix: Int,
        _ imageSize: ImageSize?
    ) throws(StorageError) -> (size: ImageSize, noEmbedClass: Bool) {
        guard let positions = weights.shape("pos_embed"), positions.count == 3 else {
            throw odd("pos_embed", weights)
        }
        let counts = [positions[1] - prefix, positions[1]]
        for (count, noEmbedClass) in zip(counts, [false, true]) {
            if let grid = PatchGrid.square(of: count), grid.height <= 10_000 {
                let side = grid.height * patchSize
                return (ImageSize(height: side, width: side), noEmbedClass)
            }
        }
        guard let imageSize, imageSize.height > 0, imageSize.width > 0 else {
            throw weights.unsupported(
                "its \(max(0, counts[0])) patches do not form a square grid; specify the image size, "
                    + "height first, such as \(Self.sizes(of: counts, patchSize)): `deit features` and `deit convert` "
                    + "take it with --size, and what `deit convert` writes then works everywhere"
            )
        }
        let grid = PatchGrid(
            height: imageSize.height / patchSize,
            width: imageSize.width / patchSize
        )
        guard let index = counts.firstIndex(of: grid.count) else {
            throw weights.unsupported(
                "its \(max(0, counts[0])) patches are neither a square grid nor the \(grid) of "
                    + "images of \(ImageSize(height: imageSize.height, width: imageSize.width))"
            )
        }
        return (imageSize, index == 1)
    }

    /// The image size whose grid of patches is nearest to a square, as `--size` takes it.
    private static func sizes(of counts: [Int], _ patchSize: Int) -> String {
        let grids = counts.filter { $0 > 0 }.map { count -> (rows: Int, columns: Int) in
            let rows = (1...count).prefix { $0 * $0 <= count }.last { count % $0 == 0 } ?? 1
            return (rows, count / rows)
        }
        guard let best = grids.min(by: { $0.columns / $0.rows < $1.columns / $1.rows }) else {
            return "224x448"
        }
        let (short, long) = (best.rows * patchSize, best.columns * patchSize)
        return "\(short)x\(long) or \(long)x\(short)"
    }

    private static func odd(_ key: String, _ weights: StoredWeights) -> StorageError {
        weights.unsupported("the shape of \(key) is not a vision transformer's")
    }

    /// The preset of the same sizes that is most like a network in all else that weights tell.
    private static func nearestPreset(_ found: ViTConfiguration) -> ViTConfiguration? {
        func likeness(_ other: ViTConfiguration) -> Int {
            [
                other.regTokens == found.regTokens, other.classToken == found.classToken,
                other.preNorm == found.preNorm, other.fcNorm == found.fcNorm,
                other.globalPool == found.globalPool, other.mlpLayer == found.mlpLayer,
                other.blockType == found.blockType, other.patchSize == found.patchSize,
                other.rotaryTemperature == found.rotaryTemperature,
                (other.initValues == nil) == (found.initValues == nil),
            ].count { $0 }
        }
        var best: (preset: ViTConfiguration, likeness: Int)?
        for preset in TransformerPresets.all {
            guard let other = preset.configuration.transformer, other.embedDim == found.embedDim,
                other.depth == found.depth, abs(other.mlpRatio - found.mlpRatio) < 1e-3,
                likeness(other) > best?.likeness ?? -1
            else { continue }
            best = (other, likeness(other))
        }
        return best?.preset
    }
}
