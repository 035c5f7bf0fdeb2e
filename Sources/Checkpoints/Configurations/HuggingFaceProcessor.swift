import ImagePipeline
import Storage

/// An image processor in the words of Hugging Face's `preprocessor_config.json`.
///
/// ## Source
/// transformers/models/vit/image_processing_vit.py, transformers/models/deit/image_processing_deit.py;
/// the defaults of keys that are absent are those of the class that the file names.
enum HuggingFaceProcessor {
    private static let scale = 1.0 / 255

    /// Whether the form has words for what a processor does.
    static func canHold(_ processor: ImageProcessor) -> Bool {
        switch processor.resize {
        case .none, .shortestSide, .exact: true
        case .cover, .contain: false
        }
    }

    static func encode(_ processor: ImageProcessor) -> JSONObject {
        let isCropped = processor.cropHeight != nil
        var object: JSONObject = [
            // ViT's class in older versions of transformers does not crop.
            "image_processor_type": .string(isCropped ? "DeiTImageProcessor" : "ViTImageProcessor"),
            "do_resize": .bool(processor.resize != .none),
            "resample": .integer(codes.first { $0.1 == processor.interpolation }?.0 ?? 3),
            "do_center_crop": .bool(isCropped),
            "do_rescale": true,
            "rescale_factor": .number(scale),
            "do_normalize": true,
            "image_mean": .array(processor.mean.map { JSONValue($0) }),
            "image_std": .array(processor.std.map { JSONValue($0) }),
        ]
        switch processor.resize {
        // Nobody writes the last two, which ``canHold(_:)`` refuses.
        case .none, .cover, .contain: break
        case .shortestSide(let side): object["size"] = ["shortest_edge": .integer(side)]
        case .exact(let height, let width):
            object["size"] = ["height": .integer(height), "width": .integer(width)]
        }
        if let height = processor.cropHeight, let width = processor.cropWidth {
            object["crop_size"] = ["height": .integer(height), "width": .integer(width)]
        }
        return object
    }

    private static let codes: [(Int, Interpolation)] = [
        (0, .nearest), (2, .bilinear), (3, .bicubic),
    ]

    static func decode(
        _ fields: JSONFields,
        channels: Int
    ) throws(CheckpointError) -> ImageProcessor {
        let oldType = try fields.string("feature_extractor_type") ?? ""
        let type = try fields.string("image_processor_type") ?? oldType
        let isDeiT = type.hasPrefix("DeiT")
        try checkScale(fields)
        let isNormalized = try fields.bool("do_normalize", default: true)
        // The old extractor's default differs from the class of today: see requirements, B5.
        let isOldExtractor = type == "DeiTFeatureExtractor"
        let usual = isOldExtractor ? Normalization.imageNet : nil
        let givenMean = try fields.floats("image_mean") ?? usual?.mean
        let givenStd = try fields.floats("image_std") ?? usual?.std
        let mean = isNormalized ? givenMean : [0]
        let std = isNormalized ? givenStd : [1]
        let isCropped = try fields.bool("do_center_crop", default: isDeiT)
        let givenCrop = try fields.size("crop_size") ?? (224, 224)
        let crop = isCropped ? givenCrop : nil
        let resize = try resize(fields, isDeiT: isDeiT)
        let code = try fields.int("resample", default: isDeiT ? 3 : 2)
        guard let interpolation = codes.first(where: { $0.0 == code })?.1 else {
            throw fields.unsupported(
                "resample",
                "is \(code); 0 (nearest), 2 (bilinear) and 3 (bicubic) are understood"
            )
        }
        return try makeProcessor(file: fields.file) { () throws(ImageError) in
            try ImageProcessor(
                resize: resize,
                interpolation: interpolation,
                cropHeight: crop?.height,
                cropWidth: crop?.width,
                channels: channels,
                mean: spread(mean ?? [0.5], over: channels),
                std: spread(std ?? [0.5], over: channels)
            )
        }
    }

    /// One value given for all channels, or as many as there are.
    private static func spread(_ values: [Float], over channels: Int) -> [Float] {
        values.count == 1 && (1...4).contains(channels)
            ? Array(repeating: values[0], count: channels) : values
    }

    private static func checkScale(_ fields: JSONFields) throws(CheckpointError) {
        guard try fields.bool("do_rescale", default: true) else {
            throw fields.unsupported("do_rescale", "is false; images are always scaled to 0…1")
        }
        let factor = try fields.double("rescale_factor", default: scale)
        guard abs(factor - scale) < 1e-9 else {
            throw fields.unsupported("rescale_factor", "is \(factor); only 1/255 is understood")
        }
    }

    private static func resize(
        _ fields: JSONFields,
        isDeiT: Bool
    ) throws(CheckpointError) -> ResizeRule {
        guard try fields.bool("do_resize", default: true) else { return .none }
        if let side = fields.value("size")?["shortest_edge"] {
            guard let side = side.intValue else {
                throw fields.malformed("size", "is no whole number")
            }
            return .shortestSide(side)
        }
        let usual = isDeiT ? 256 : 224
        let size = try fields.size("size") ?? (usual, usual)
        return .exact(height: size.height, width: size.width)
    }
}
