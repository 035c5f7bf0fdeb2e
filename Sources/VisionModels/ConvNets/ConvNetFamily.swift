import ImagePipeline
package import Storage

/// A family of convolutional networks: what they have in common in files.
package protocol ConvNetFamily: ModelFamily where Configuration: ConvNetConfiguration {
    /// The first convolution, by timm's name.
    var firstConv: String { get }

    /// The architecture's name for a network that is none of the presets.
    var ownName: String { get }

    /// The numbers of a network, by names of ours: they tell networks that have no name.
    func ownFields(of configuration: Configuration) -> JSONObject
}

extension ConvNetFamily {
    package func huggingFaceRefusal(of configuration: Configuration) -> String? {
        "it has no convolutional networks of this family"
    }

    package func timmFields(of configuration: Configuration, preset: String?) -> TimmFields {
        let model = ModelConfiguration(configuration)
        let known = presets.first { model.isSameNetwork(as: $0.configuration) }
        var object: JSONObject = [
            "architecture": .string(known?.name ?? ownName),
            "num_classes": .integer(configuration.numClasses),
            "num_features": .integer(configuration.numFeatures),
            "global_pool": "avg",
        ]
        if configuration.inChannels != 3 {
            object["model_args"] = ["in_chans": .integer(configuration.inChannels)]
        }
        var own: JSONObject = ["image_size": .integer(configuration.imageSize)]
        let numbers = ownFields(of: configuration)
        for key in numbers.keys { own[key] = numbers[key] }
        return TimmFields(
            object: object,
            pretrained: [
                "fixed_input_size": false, "first_conv": .string(firstConv),
                "classifier": .string(heads[0]),
            ],
            own: own
        )
    }

    package func configuration(
        _ named: Configuration,
        in file: TimmFile
    ) throws(StorageError) -> Configuration {
        var configuration = named
        if let channels = try file.fields.object("model_args")?.value("in_chans")?.intValue {
            configuration.inChannels = channels
        } else if let channels = file.inputSize?.channels {
            configuration.inChannels = channels
        }
        if file.own?.value("image_size") == nil, let size = file.inputSize {
            configuration.inputSize = (size.height, size.width)
        }
        return configuration
    }

    /// A preset by names such as `tf_efficientnet_lite0-0aa007d2` or `resnet50.tv_in1k`.
    package func model(in clues: CheckpointClues, _ weights: StoredWeights) -> NamedModel? {
        for (name, source) in clues.names {
            let parts = name.split(separator: ".", maxSplits: 1).map(String.init)
            let words = (parts.first ?? "").replacing("-", with: "_") + "_"
            let fitting = presets.filter { words.hasPrefix($0.name + "_") }
            guard let preset = fitting.max(by: { $0.name.count < $1.name.count }) else { continue }
            return NamedModel(
                name: preset.name,
                tag: parts.count > 1 ? parts[1] : nil,
                configuration: preset.configuration,
                source: source
            )
        }
        return nil
    }
}

/// How images were made for weights of a convolutional network: a share of the image around a square crop.
struct ConvNetImages {
    let share: Double
    var interpolation = Interpolation.bicubic
    /// Whether mean and deviation are 0.5 instead of ImageNet's.
    var isHalf = false

    func processor(size: ImageSize) throws(ImageError) -> ImageProcessor {
        let half: [Float] = [0.5, 0.5, 0.5]
        return try ImageProcessor(
            resize: CropMode.center.resize(height: size.height, width: size.width, share: share),
            interpolation: interpolation,
            cropHeight: size.height,
            cropWidth: size.width,
            mean: isHalf ? half : Normalization.imageNet.mean,
            std: isHalf ? half : Normalization.imageNet.std
        )
    }
}
