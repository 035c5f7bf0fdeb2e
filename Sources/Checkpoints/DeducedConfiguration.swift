import ImagePipeline
import VisionModels

/// The configuration of a model of which there is nothing but weights, by the shapes of its tensors.
enum DeducedConfiguration {
    /// The configuration, and what had to be assumed.
    static func deduce(
        _ weights: WeightsFile
    ) throws(CheckpointError) -> (configuration: ModelConfiguration, assumptions: [String]) {
        let path = weights.file.path
        if weights.shape("patch_embed.proj.weight") != nil {
            return try transformer(weights)
        }
        if let shape = weights.shape("conv1.weight"), weights.shape("layer1.0.conv1.weight") != nil
        {
            return (.resNet(try resNet(weights, stem: shape)), [])
        }
        let names = weights.file.header.entries.prefix(3).map(\.name).joined(separator: ", ")
        throw CheckpointError.unsupported(
            file: path,
            reason: "it is neither a vision transformer's nor a residual network's weights "
                + "(its tensors begin with \(names.isEmpty ? "nothing" : names))"
        )
    }

    private static func transformer(
        _ weights: WeightsFile
    ) throws(CheckpointError) -> (ModelConfiguration, [String]) {
        func odd(_ key: String) -> CheckpointError {
            .unsupported(
                file: weights.file.path,
                reason: "the shape of \(key) is not a vision transformer's"
            )
        }
        guard let patch = weights.shape("patch_embed.proj.weight"), patch.count == 4,
            patch[2] == patch[3],
            patch.allSatisfy({ (1...1_000_000).contains($0) })
        else { throw odd("patch_embed.proj.weight") }
        guard let positions = weights.shape("pos_embed"), positions.count == 3 else {
            throw odd("pos_embed")
        }
        let isDistilled = weights.shape("dist_token") != nil
        let patches = positions[1] - (isDistilled ? 2 : 1)
        let side = Int(Double(max(0, patches)).squareRoot().rounded())
        guard (1...10_000).contains(side), side * side == patches else { throw odd("pos_embed") }
        guard let hidden = weights.shape("blocks.0.mlp.fc1.weight"), hidden.count == 2 else {
            throw odd("blocks.0.mlp.fc1.weight")
        }
        guard let classes = weights.shape("head.weight")?.first ?? weights.shape("head.bias")?.first
        else {
            throw CheckpointError.unsupported(
                file: weights.file.path,
                reason: "it has no classifier (head.weight)"
            )
        }
        let (width, patchSize) = (patch[0], patch[2])
        var configuration = ViTConfiguration(
            imageHeight: side * patchSize,
            imageWidth: side * patchSize,
            patchSize: patchSize,
            inChannels: patch[1],
            numClasses: classes,
            embedDim: width,
            depth: weights.count(after: "blocks."),
            numHeads: max(1, width / 64),
            mlpRatio: Double(hidden[0]) / Double(width),
            qkvBias: hasQKVBias(weights),
            isDistilled: isDistilled,
            layerNormEps: 1e-6
        )
        if let heads = presetHeads(configuration) { configuration.numHeads = heads }
        return (
            .visionTransformer(configuration),
            [
                "\(configuration.numHeads) attention heads and a layer norm eps of 1e-6, which weights do not tell"
            ]
        )
    }

    private static func hasQKVBias(_ weights: WeightsFile) -> Bool {
        weights.entries.keys.contains { $0.key == "blocks.0.attn.qkv.bias" }
    }

    /// The heads of a preset that is the same in all that the weights tell.
    private static func presetHeads(_ found: ViTConfiguration) -> Int? {
        for preset in ModelRegistry.presets {
            guard case .visionTransformer(let other) = preset.configuration else { continue }
            if other.embedDim == found.embedDim, other.depth == found.depth,
                other.mlpRatio == found.mlpRatio
            {
                return other.numHeads
            }
        }
        return nil
    }

    private static func resNet(
        _ weights: WeightsFile,
        stem: [Int]
    ) throws(CheckpointError) -> ResNetConfiguration {
        var layers: [Int] = []
        var widths: [Int] = []
        for stage in 1...4 {
            let count = weights.count(after: "layer\(stage).")
            guard count > 0 else { break }
            layers.append(count)
            widths.append(weights.shape("layer\(stage).0.conv1.weight")?.first ?? 0)
        }
        guard let classes = weights.shape("fc.weight")?.first, stem.count == 4 else {
            throw CheckpointError.unsupported(
                file: weights.file.path,
                reason: "it has no classifier (fc.weight)"
            )
        }
        let isLarge = stem[2] == 7
        return ResNetConfiguration(
            block: weights.shape("layer1.0.conv3.weight") == nil ? .basic : .bottleneck,
            stem: isLarge ? .imagenet : .cifar,
            layers: layers,
            widths: widths,
            inChannels: stem[1],
            numClasses: classes,
            imageSize: isLarge ? 224 : 32
        )
    }
}
