// How large a vision transformer is, by arithmetic: tests compare it with networks that were made and with timm's figures.

extension ViTConfiguration {
    /// The numbers and the multiplications of the network, without making it.
    public var networkSize: NetworkSize {
        NetworkSize(parameters: estimatedParameters, macs: estimatedMACs)
    }

    private var estimatedParameters: Double {
        let (width, side) = (Double(embedDim), Double(patchSize))
        let patch = width * Double(inChannels) * side * side + (preNorm ? 0 : width)
        let patches = Double(grid.height) * Double(grid.width)
        let positions =
            rotaryTemperature == nil ? (patches + Double(embeddedPrefixCount)) * width : 0
        let norms = ((preNorm ? 1 : 0) + (finalNorm ? 1 : 0)) * 2 * width
        let head = Double(numClasses) * (Double(headWidth) + 1)
        return patch + Double(prefixTokenCount) * width + positions
            + Double(depth) * blockParameters + norms + poolParameters + Double(headCount) * head
    }

    private var blockParameters: Double {
        let (width, hidden) = (Double(embedDim), Double(mlpDim))
        let norm = 2 * width
        let inner = mlpLayer == .swiglu ? hidden / 2 : hidden
        let mlp = width * hidden + hidden + inner * width + width
        let biases: Double = qkvBias ? (keyBias ? 3 : 2) : 0
        let attention = 4 * width * width + biases * width + width
        let qkNorms = qkNorm ? 4 * width / Double(numHeads) : 0
        let scale = initValues == nil ? 0 : width
        return switch blockType {
        case .preNorm: attention + mlp + 2 * norm + 2 * scale + qkNorms
        case .resPost: attention + mlp + 2 * norm + qkNorms
        case .parallelScaling: attention + mlp + norm + scale + qkNorms
        }
    }

    private var poolParameters: Double {
        guard globalPool == .map else { return 0 }
        let (width, hidden) = (Double(embedDim), Double(mlpDim))
        let mlp = 2 * width * hidden + hidden + width
        return width + 4 * width * width + 4 * width + 2 * width + mlp
    }

    private var estimatedMACs: Double {
        let (width, hidden) = (Double(embedDim), Double(mlpDim))
        let (side, patches) = (Double(patchSize), Double(patchCount))
        let tokens = patches + Double(prefixTokenCount)
        let patchEmbed = patches * Double(inChannels) * side * side * width
        let projections = tokens * 4 * width * width
        let attention = 2 * tokens * tokens * width
        let inner = mlpLayer == .swiglu ? hidden / 2 : hidden
        let mlp = tokens * width * (hidden + inner)
        // The latent query attends to all tokens: its keys and values are most of the work.
        let pool = globalPool == .map ? (2 * tokens + 2) * width * width + 2 * width * hidden : 0
        let heads = Double(headCount) * Double(numClasses) * Double(headWidth)
        return patchEmbed + Double(depth) * (projections + attention + mlp) + pool + heads
    }
}
