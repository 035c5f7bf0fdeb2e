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
        guard let hidden = weights.shape("blocks.0.mlp.fc1.weight"), hidden.count == 2 else {
            throw odd("blocks.0.mlp.fc1.weight", weights)
        }
        let isDistilled = weights.has("dist_token")
        let (size, noEmbedClass) = try images(
            weights,
            patchSize: patch[2],
            prefix: isDistilled ? 2 : 1,
            imageSize
        )
        let width = patch[0]
        var configuration = ViTConfiguration(
            imageHeight: size.height,
            imageWidth: size.width,
            patchSize: patch[2],
            inChannels: patch[1],
            numClasses: weights.shape("head.weight")?.first ?? weights.shape("head.bias")?.first
                ?? 0,
            embedDim: width,
            depth: weights.count(after: "blocks."),
            numHeads: max(1, width / 64),
            mlpRatio: Double(hidden[0]) / Double(width),
            qkvBias: weights.has("blocks.0.attn.qkv.bias"),
            isDistilled: isDistilled,
            layerNormEps: 1e-6
        )
        configuration.noEmbedClass = noEmbedClass
        configuration.singleHead =
            isDistilled && weights.has("head.weight") && !weights.has("head_dist.weight")
        // The weights do not tell what the scale began with; it only matters to a network without weights.
        if weights.has("blocks.0.ls1.gamma") { configuration.initValues = 1e-6 }
        var assumptions: [String] = []
        if let named, let transformer = named.configuration.transformer {
            configuration.numHeads = transformer.numHeads
            assumptions.append("\(named.name), as \(named.source ?? "its name") says")
            if let side = clues.inputSize, side != size.height {
                assumptions.append(
                    "images of \(size.height) pixels by its positions, "
                        + "though its arguments say input_size \(side)"
                )
            }
        } else if let heads = presetHeads(configuration) {
            configuration.numHeads = heads
        }
        if named == nil {
            let count = configuration.numHeads
            assumptions.append(
                "\(count) attention head\(count == 1 ? "" : "s") and a layer norm eps of 1e-6, "
                    + "which weights do not tell"
            )
        }
        return RecognizedModel(.visionTransformer(configuration), assumptions: assumptions)
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

    /// The heads of a preset that is the same in all that the weights tell.
    private static func presetHeads(_ found: ViTConfiguration) -> Int? {
        for preset in ModelRegistry.presets {
            guard let other = preset.configuration.transformer else { continue }
            if other.embedDim == found.embedDim, other.depth == found.depth,
                other.mlpRatio == found.mlpRatio
            {
                return other.numHeads
            }
        }
        return nil
    }
}
