public import VisionModels

extension ModelConfiguration {
    /// The number of numbers that training changes, without making the network.
    public var parameterCount: Int { Int(exactly: estimatedParameterCount) ?? Int.max }

    /// The same as a `Double`, which is exact for every network that fits a memory and cannot overflow for
    /// one that does not.
    var estimatedParameterCount: Double {
        switch self {
        case .visionTransformer(let vit): Self.count(vit)
        case .resNet, .regNet, .efficientNet: convNet?.networkSize.parameters ?? 0
        }
    }

    private static func count(_ vit: ViTConfiguration) -> Double {
        let (width, hidden) = (Double(vit.embedDim), Double(vit.mlpDim))
        let (side, prefix) = (Double(vit.patchSize), Double(vit.prefixTokenCount))
        let patch = width * Double(vit.inChannels) * side * side + width
        let patches = Double(vit.grid.height) * Double(vit.grid.width)
        let positions = (patches + Double(vit.embeddedPrefixCount)) * width
        let attention = 4 * width * width + (vit.qkvBias ? 3 * width : 0) + width
        let mlp = 2 * width * hidden + hidden + width
        let norm = 2 * width
        let scales = vit.initValues == nil ? 0 : 2 * width
        let head = Double(vit.numClasses) * (width + 1)
        let block = attention + mlp + 2 * norm + scales
        return patch + prefix * width + positions + Double(vit.depth) * block
            + norm + Double(vit.headCount) * head
    }
}
