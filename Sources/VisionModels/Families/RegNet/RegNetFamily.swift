import ImagePipeline
import Storage

/// RegNetY, by timm's and torchvision's names.
struct RegNetFamily: ConvNetFamily {
    var presets: [ModelRegistry.Preset] { ModelRegistry.regNets }

    let published: [String: PublishedWeights] = [
        "regnety_040": .init("timm/regnety_040.ra3_in1k"),
        "regnety_080": .init("timm/regnety_080.ra3_in1k"),
        "regnety_080_tv": .init("timm/regnety_080_tv.tv2_in1k", license: "bsd-3-clause"),
        "regnety_120": .init("timm/regnety_120.sw_in12k_ft_in1k"),
        "regnety_160": .init("timm/regnety_160.deit_in1k"),
    ]

    let anchors = [
        NetworkAnchor("stem.conv.weight", companion: "s1.b1.", head: "head.fc"),
        NetworkAnchor("stem.0.weight", companion: "trunk_output.", head: "fc"),
    ]
    let heads = ["head.fc"]
    let stems = ["stem."]
    let firstConv = "stem.conv"
    let ownName = "regnet_swift_deit"

    func otherNames(_ tensors: [(name: String, shape: [Int])]) -> (any TensorNames)? {
        TorchvisionNames(tensors.map(\.name))
    }

    func recognize(
        _ weights: StoredWeights,
        named: NamedModel?,
        _ clues: CheckpointClues,
        imageSize: ImageSize?
    ) throws(StorageError) -> RecognizedModel? {
        guard let stem = weights.shape("stem.conv.weight"),
            weights.shape("s1.b1.conv1.conv.weight") != nil
        else { return nil }
        let network = "a supported network"
        guard stem.count == 4 else { throw weights.odd("stem.conv.weight", network) }
        var depths: [Int] = []
        var widths: [Int] = []
        var groupSize = 1
        for stage in 1...4 {
            let key = "s\(stage).b1.conv2.conv.weight"
            guard let filters = weights.shape(key), filters.count == 4 else {
                throw weights.odd(key, network)
            }
            // Blocks are counted from 1.
            depths.append(weights.count(after: "s\(stage).b") - 1)
            widths.append(filters[0])
            groupSize = max(groupSize, filters[1])
        }
        guard weights.shape("s1.b1.se.fc1.weight") != nil else {
            throw weights.unsupported(
                "it is a RegNetX (no squeeze-and-excitation), which is not supported"
            )
        }
        return RecognizedModel(
            .regNet(
                RegNetConfiguration(
                    depths: depths,
                    widths: widths,
                    groupSize: groupSize,
                    stemWidth: stem[0],
                    inChannels: stem[1],
                    numClasses: weights.shape("head.fc.weight")?.first ?? 0
                )
            )
        )
    }

    func ownFields(of network: RegNetConfiguration) -> JSONObject {
        [
            "depths": .array(network.depths.map(JSONValue.integer)),
            "widths": .array(network.widths.map(JSONValue.integer)),
            "group_size": .integer(network.groupSize), "se_ratio": .number(network.seRatio),
            "stem_width": .integer(network.stemWidth),
        ]
    }

    func configuration(own: ConfigurationFields) throws(StorageError) -> RegNetConfiguration? {
        guard own.value("depths") != nil else { return nil }
        return RegNetConfiguration(
            depths: try own.ints("depths"),
            widths: try own.ints("widths"),
            groupSize: try own.int("group_size"),
            seRatio: try own.double("se_ratio"),
            stemWidth: try own.int("stem_width"),
            imageSize: try own.int("image_size")
        )
    }

    /// By the `default_cfgs` of timm/models/regnet.py.
    func processor(
        for model: NamedModel,
        size: ImageSize
    ) throws(ImageError) -> ImageProcessor? {
        let share =
            switch model.tag.map({ String($0.prefix { $0 != "_" }) }) {
            case "pycls": 0.875
            case "tv2": 0.965
            case "swag": 1.0
            default: model.name.hasSuffix("_tv") ? 0.965 : 0.95
            }
        return try ConvNetImages(share: share).processor(size: size)
    }
}
