public import VisionModels

extension ModelConfiguration {
    /// The number of numbers that training changes, without making the network.
    public var parameterCount: Int {
        switch self {
        case .visionTransformer(let vit): Self.count(vit)
        case .resNet(let resNet): Self.count(resNet)
        }
    }

    private static func count(_ vit: ViTConfiguration) -> Int {
        let (width, hidden) = (vit.embedDim, vit.mlpDim)
        let patch = width * vit.inChannels * vit.patchSize * vit.patchSize + width
        let tokens = vit.prefixTokenCount * width
        let positions = (vit.patchCount + vit.prefixTokenCount) * width
        let attention = 3 * width * width + (vit.qkvBias ? 3 * width : 0) + width * width + width
        let mlp = 2 * width * hidden + hidden + width
        let norm = 2 * width
        let head = vit.numClasses * (width + 1)
        return patch + tokens + positions + vit.depth * (attention + mlp + 2 * norm) + norm
            + (vit.isDistilled ? 2 : 1) * head
    }

    private static func count(_ resNet: ResNetConfiguration) -> Int {
        // With its normalisation's scale and shift.
        func convolution(_ input: Int, _ output: Int, _ kernel: Int) -> Int {
            input * output * kernel * kernel + 2 * output
        }
        guard var input = resNet.widths.first else { return 0 }
        var sum = convolution(resNet.inChannels, input, resNet.stem == .imagenet ? 7 : 3)
        for (stage, (blocks, width)) in zip(resNet.layers, resNet.widths).enumerated() {
            let output = width * resNet.block.expansion
            for block in 0..<blocks {
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
        return sum + resNet.numClasses * (input + 1)
    }
}
