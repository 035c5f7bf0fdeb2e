public import VisionModels

extension ModelConfiguration {
    /// The number of numbers that training changes, without making the network.
    public var parameterCount: Int { Int(exactly: estimatedParameterCount) ?? Int.max }

    /// The same as a `Double`, which is exact for every network that fits a memory and cannot overflow for
    /// one that does not.
    var estimatedParameterCount: Double {
        switch self {
        case .visionTransformer(let vit): Self.count(vit)
        case .resNet(let resNet): Self.count(resNet)
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

    private static func count(_ resNet: ResNetConfiguration) -> Double {
        // With its normalisation's scale and shift.
        func convolution(_ input: Double, _ output: Double, _ kernel: Double) -> Double {
            input * output * kernel * kernel + 2 * output
        }
        guard var input = resNet.widths.first.map(Double.init) else { return 0 }
        var sum = convolution(Double(resNet.inChannels), input, resNet.stem == .imagenet ? 7 : 3)
        for stage in resNet.layers.indices where stage < resNet.widths.count {
            let width = Double(resNet.widths[stage])
            let output = width * Double(resNet.block.expansion)
            for block in 0..<max(0, resNet.layers[stage]) {
                if input != output || (block == 0 && stage > 0) {
                    sum += convolution(input, output, 1)
                }
                switch resNet.block {
                case .basic: sum += convolution(input, width, 3) + convolution(width, width, 3)
                case .bottleneck:
                    sum += convolution(input, width, 1) + convolution(width, width, 3)
                    sum += convolution(width, output, 1)
                }
                input = output
            }
        }
        return sum + Double(resNet.numClasses) * (input + 1)
    }
}
