public import Checkpoints
public import TorchNN
public import VisionModels

extension PretrainedConfig {
    /// The network's configuration, of which all classes of the family are made.
    ///
    /// An image whose sides are no multiples of the patch loses its last rows and columns, as a convolution drops them.
    ///
    /// - Parameter numClasses: The classes of the network's own heads; 0 for none.
    /// - Returns: The configuration, checked.
    /// - Throws: `ConfigurationError` for what does not fit together, and for an activation other than `gelu` or patches
    ///   that are not square, which the network does not have.
    public func network(numClasses: Int) throws(ConfigurationError) -> ViTConfiguration {
        guard hiddenAct == "gelu" else {
            throw .unknownValue(name: "hidden_act", value: hiddenAct, known: ["gelu"])
        }
        guard patchSize.height == patchSize.width else {
            throw .outOfRange(
                name: "patch_size",
                value: "\(patchSize.height) × \(patchSize.width)",
                expected: "square"
            )
        }
        let patch = patchSize.height
        for (name, side) in [("image height", imageSize.height), ("image width", imageSize.width)]
        where patch < 1 || side < patch {
            throw .outOfRange(name: name, value: "\(side)", expected: "at least one patch")
        }
        for (name, value) in [("hidden_size", hiddenSize), ("intermediate_size", intermediateSize)]
        where !(1...1_000_000).contains(value) {
            throw .outOfRange(name: name, value: "\(value)", expected: "from 1 to 1000000")
        }
        var result = ViTConfiguration(
            imageHeight: imageSize.height / patch * patch,
            imageWidth: imageSize.width / patch * patch,
            patchSize: patch,
            inChannels: numChannels,
            numClasses: numClasses,
            embedDim: hiddenSize,
            depth: numHiddenLayers,
            numHeads: numAttentionHeads,
            mlpRatio: Double(intermediateSize) / Double(hiddenSize),
            qkvBias: qkvBias,
            isDistilled: Family.isDistilled,
            layerNormEps: layerNormEps,
            dropRate: hiddenDropoutProb,
            attnDropRate: attentionProbsDropoutProb
        )
        // The quotient may be a hair below what gives the width back after truncation.
        if result.mlpDim < intermediateSize { result.mlpRatio = result.mlpRatio.nextUp }
        try result.validate()
        return result
    }

    /// Describes a network of ours in Hugging Face's words.
    ///
    /// - Parameters:
    ///   - network: The network's configuration.
    ///   - labels: The names of its classes; nil names them by number.
    /// - Throws: `ConfigurationError` when the network is of the other family, or has what neither family has: layer scale,
    ///   class tokens without position.
    public init(
        _ network: ViTConfiguration,
        labels: ClassLabels? = nil
    ) throws(ConfigurationError) {
        guard network.isDistilled == Family.isDistilled else {
            throw .unknownValue(
                name: "model_type",
                value: network.isDistilled ? "deit" : "vit",
                known: [Family.modelType]
            )
        }
        guard network.initValues == nil, !network.noEmbedClass else {
            throw .unknownValue(name: "architecture", value: "deit3", known: ["vit", "deit"])
        }
        self.init(
            hiddenSize: network.embedDim,
            numHiddenLayers: network.depth,
            numAttentionHeads: network.numHeads,
            intermediateSize: network.mlpDim,
            hiddenDropoutProb: network.dropRate,
            attentionProbsDropoutProb: network.attnDropRate,
            layerNormEps: network.layerNormEps,
            imageSize: PixelSize(height: network.imageHeight, width: network.imageWidth),
            patchSize: PixelSize(height: network.patchSize, width: network.patchSize),
            numChannels: network.inChannels,
            qkvBias: network.qkvBias,
            encoderStride: network.patchSize,
            numLabels: network.numClasses
        )
        if let labels { setLabels(labels.names) }
    }
}
