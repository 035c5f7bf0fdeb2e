extension ModelConfiguration {
    /// The multiplications with an addition that one image takes: those of matrix products and convolutions.
    ///
    /// Attention's two products count, biases, normalisations, activations and softmax do not. The numbers that timm
    /// publishes in billions ("GMACs") count normalisations as well and are up to 0.5 % larger, 4 % for EfficientNet-Lite.
    ///
    /// - Returns: The count, or `Int.max` for a network too large for any machine.
    public var macs: Int { Int(exactly: estimatedMACs.rounded()) ?? Int.max }

    // A Double is exact below 2^53 and cannot overflow.
    private var estimatedMACs: Double {
        switch self {
        case .visionTransformer(let vit): Self.macs(vit)
        case .resNet, .regNet, .efficientNet: convNet?.networkSize.macs ?? 0
        }
    }

    private static func macs(_ vit: ViTConfiguration) -> Double {
        let (width, hidden) = (Double(vit.embedDim), Double(vit.mlpDim))
        let (side, patches) = (Double(vit.patchSize), Double(vit.patchCount))
        let tokens = patches + Double(vit.prefixTokenCount)
        let patchEmbed = patches * Double(vit.inChannels) * side * side * width
        let projections = tokens * 4 * width * width
        let attention = 2 * tokens * tokens * width
        let mlp = tokens * 2 * width * hidden
        let heads = Double(vit.headCount) * Double(vit.numClasses) * width
        return patchEmbed + Double(vit.depth) * (projections + attention + mlp) + heads
    }
}
