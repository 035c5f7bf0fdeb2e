extension ModelConfiguration {
    /// The multiplications with an addition that one picture takes: those of matrix products and convolutions.
    ///
    /// Attention's two products count, biases, normalisations, activations and softmax do not. The numbers that timm
    /// publishes in billions ("GMACs") count normalisations as well and are up to 0.5 % larger.
    ///
    /// - Returns: The count, or `Int.max` for a network too large for any machine.
    public var macs: Int { Int(exactly: estimatedMACs.rounded()) ?? Int.max }

    // A Double is exact below 2^53 and cannot overflow.
    private var estimatedMACs: Double {
        switch self {
        case .visionTransformer(let vit): Self.macs(vit)
        case .resNet(let resNet): Self.macs(resNet)
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

    private static func macs(_ resNet: ResNetConfiguration) -> Double {
        let isLarge = resNet.stem == .imagenet
        var channels = Double(resNet.widths.first ?? 0)
        var side = halved(Double(resNet.imageSize), times: isLarge ? 1 : 0)
        var sum = side * side * Double(resNet.inChannels) * channels * (isLarge ? 49 : 9)
        side = halved(side, times: isLarge ? 1 : 0)  // the max-pooling
        for stage in resNet.layers.indices where stage < resNet.widths.count {
            let width = Double(resNet.widths[stage])
            let output = width * Double(resNet.block.expansion)
            for block in 0..<max(0, resNet.layers[stage]) {
                let input = side
                if block == 0, stage > 0 { side = halved(side, times: 1) }
                let pixels = side * side
                if channels != output || (block == 0 && stage > 0) {
                    sum += pixels * channels * output
                }
                switch resNet.block {
                case .basic: sum += pixels * 9 * width * (channels + width)
                case .bottleneck:
                    // The first convolution sees the picture before the stride.
                    sum += input * input * channels * width + pixels * width * (9 * width + output)
                }
                channels = output
            }
        }
        return sum + Double(resNet.numClasses) * channels
    }

    // Every layer with a stride of 2 is padded, so that an odd side is rounded up.
    private static func halved(_ side: Double, times: Int) -> Double {
        times > 0 ? (side / 2).rounded(.up) : side
    }
}
