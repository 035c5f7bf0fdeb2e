import Storage
import VisionModels

/// A convolutional network in timm's words, and in ours beside them, which tell networks that have no name.
enum TimmConvNet {
    /// The outer keys, and those that go into `pretrained_cfg` and into our own object.
    static func encode(
        _ configuration: ModelConfiguration,
        _ pretrained: inout JSONObject,
        _ own: inout JSONObject
    ) -> JSONObject {
        var object: JSONObject = [
            "architecture": .string(architecture(of: configuration)),
            "num_classes": .integer(configuration.numClasses),
            "num_features": .integer(configuration.convNet?.numFeatures ?? 0),
            "global_pool": "avg",
        ]
        if configuration.inChannels != 3 {
            object["model_args"] = ["in_chans": .integer(configuration.inChannels)]
        }
        pretrained["fixed_input_size"] = false
        own["image_size"] = .integer(configuration.imageSize.height)
        switch configuration.network {
        case let network as ResNetConfiguration:
            (pretrained["first_conv"], pretrained["classifier"]) = ("conv1", "fc")
            own["block"] = .string(network.block.rawValue)
            own["stem"] = .string(network.stem.rawValue)
            own["layers"] = .array(network.layers.map(JSONValue.integer))
            own["widths"] = .array(network.widths.map(JSONValue.integer))
        case let network as RegNetConfiguration:
            (pretrained["first_conv"], pretrained["classifier"]) = ("stem.conv", "head.fc")
            own["depths"] = .array(network.depths.map(JSONValue.integer))
            own["widths"] = .array(network.widths.map(JSONValue.integer))
            own["group_size"] = .integer(network.groupSize)
            own["se_ratio"] = .number(network.seRatio)
            own["stem_width"] = .integer(network.stemWidth)
        case let network as EfficientNetConfiguration:
            (pretrained["first_conv"], pretrained["classifier"]) = ("conv_stem", "classifier")
            own["stages"] = .array(network.stages.map(encode))
            own["stem_width"] = .integer(network.stemWidth)
            own["features"] = .integer(network.numFeatures)
            own["padding"] = .string(network.padding.rawValue)
            own["norm_eps"] = .number(network.normEps)
        default: break
        }
        return object
    }

    private static func encode(_ stage: EfficientNetConfiguration.Stage) -> JSONValue {
        let numbers = [stage.depth, stage.kernel, stage.stride, stage.expansion, stage.width]
        return .array(numbers.map(JSONValue.integer))
    }

    /// The preset with these layers, whatever its classes, channels and size, or a name of ours.
    static func architecture(of configuration: ModelConfiguration) -> String {
        for preset in ModelRegistry.presets
        where configuration.isSameNetwork(as: preset.configuration) {
            return preset.name
        }
        switch configuration.network {
        case is RegNetConfiguration: return "regnet_swift_deit"
        case is EfficientNetConfiguration: return "efficientnet_swift_deit"
        default: return "resnet_swift_deit"
        }
    }

    /// The network that our own object tells; nil for one that it does not tell.
    static func decode(_ own: JSONFields) throws(CheckpointError) -> ModelConfiguration? {
        if own.value("layers") != nil { return .resNet(try resNet(own)) }
        if own.value("depths") != nil { return .regNet(try regNet(own)) }
        if own.value("stages") != nil { return .efficientNet(try efficientNet(own)) }
        return nil
    }

    private static func integers(
        _ own: JSONFields,
        _ key: String
    ) throws(CheckpointError) -> [Int] {
        try integers(own.value(key), own, key)
    }

    private static func integers(
        _ value: JSONValue?,
        _ own: JSONFields,
        _ key: String
    ) throws(CheckpointError) -> [Int] {
        var list: [Int] = []
        for element in value?.arrayValue ?? [] {
            guard let number = element.intValue else {
                throw own.malformed(key, "is no list of whole numbers")
            }
            list.append(number)
        }
        return list
    }

    private static func resNet(_ own: JSONFields) throws(CheckpointError) -> ResNetConfiguration {
        guard let block = ResNetConfiguration.BlockKind(rawValue: try own.string("block") ?? ""),
            let stem = ResNetConfiguration.Stem(rawValue: try own.string("stem") ?? "")
        else { throw own.malformed("block or stem", "is unknown") }
        return ResNetConfiguration(
            block: block,
            stem: stem,
            layers: try integers(own, "layers"),
            widths: try integers(own, "widths"),
            imageSize: try own.int("image_size")
        )
    }

    private static func regNet(_ own: JSONFields) throws(CheckpointError) -> RegNetConfiguration {
        RegNetConfiguration(
            depths: try integers(own, "depths"),
            widths: try integers(own, "widths"),
            groupSize: try own.int("group_size"),
            seRatio: try own.double("se_ratio"),
            stemWidth: try own.int("stem_width"),
            imageSize: try own.int("image_size")
        )
    }

    private static func efficientNet(
        _ own: JSONFields
    ) throws(CheckpointError) -> EfficientNetConfiguration {
        var stages: [EfficientNetConfiguration.Stage] = []
        for value in own.value("stages")?.arrayValue ?? [] {
            let numbers = try integers(value, own, "stages")
            guard numbers.count == 5 else {
                throw own.malformed("stages", "is no list of five numbers each")
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
}
