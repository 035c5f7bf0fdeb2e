import ImagePipeline
import Storage

/// Residual networks, by timm's and torchvision's names, which are the same.
struct ResNetFamily: ConvNetFamily {
    var presets: [ModelRegistry.Preset] { ModelRegistry.residualNetworks }

    let published: [String: PublishedWeights] = [
        "resnet18": .init("timm/resnet18.a1_in1k"),
        "resnet34": .init("timm/resnet34.a1_in1k"),
        "resnet50": .init("timm/resnet50.a1_in1k"),
        "resnet101": .init("timm/resnet101.a1h_in1k"),
    ]

    let anchors = [
        NetworkAnchor("conv1.weight", companion: "layer1.0.conv1.weight", head: "fc")
    ]
    let heads = ["fc"]
    let stems = ["conv1.", "bn1."]
    let firstConv = "conv1"
    let ownName = "resnet_swift_deit"

    func recognize(
        _ weights: StoredWeights,
        named: NamedModel?,
        _ clues: CheckpointClues,
        imageSize: ImageSize?
    ) throws(StorageError) -> RecognizedModel? {
        guard let stem = weights.shape("conv1.weight"),
            weights.shape("layer1.0.conv1.weight") != nil
        else { return nil }
        guard stem.count == 4 else {
            throw weights.odd("conv1.weight", "a supported network")
        }
        var layers: [Int] = []
        var widths: [Int] = []
        for stage in 1...4 {
            let count = weights.count(after: "layer\(stage).")
            guard count > 0 else { break }
            layers.append(count)
            widths.append(weights.shape("layer\(stage).0.conv1.weight")?.first ?? 0)
        }
        let isLarge = stem[2] == 7
        return RecognizedModel(
            .resNet(
                ResNetConfiguration(
                    block: weights.shape("layer1.0.conv3.weight") == nil ? .basic : .bottleneck,
                    stem: isLarge ? .imagenet : .cifar,
                    layers: layers,
                    widths: widths,
                    inChannels: stem[1],
                    numClasses: weights.shape("fc.weight")?.first ?? 0,
                    imageSize: isLarge ? 224 : 32
                )
            )
        )
    }

    func ownFields(of network: ResNetConfiguration) -> JSONObject {
        [
            "block": .string(network.block.rawValue), "stem": .string(network.stem.rawValue),
            "layers": .array(network.layers.map(JSONValue.integer)),
            "widths": .array(network.widths.map(JSONValue.integer)),
        ]
    }

    func configuration(own: ConfigurationFields) throws(StorageError) -> ResNetConfiguration? {
        guard own.value("layers") != nil else { return nil }
        guard let block = ResNetConfiguration.BlockKind(rawValue: try own.string("block") ?? ""),
            let stem = ResNetConfiguration.Stem(rawValue: try own.string("stem") ?? "")
        else { throw own.malformed("block or stem", "is unknown") }
        return ResNetConfiguration(
            block: block,
            stem: stem,
            layers: try own.ints("layers"),
            widths: try own.ints("widths"),
            imageSize: try own.int("image_size")
        )
    }

    /// By the `default_cfgs` of timm/models/resnet.py.
    func processor(
        for model: NamedModel,
        size: ImageSize
    ) throws(ImageError) -> ImageProcessor? {
        let images: ConvNetImages
        switch model.tag.map({ String($0.prefix { $0 != "_" }) }) {
        case "a1", "a1h", "a2", "a3": images = ConvNetImages(share: 0.95)
        case "tv": images = ConvNetImages(share: 0.875, interpolation: .bilinear)
        case "tv2": images = ConvNetImages(share: 0.965, interpolation: .bilinear)
        // The CIFAR networks are ours, and others' files of ImageNet's are of many trainings.
        default: return nil
        }
        return try images.processor(size: size)
    }
}
