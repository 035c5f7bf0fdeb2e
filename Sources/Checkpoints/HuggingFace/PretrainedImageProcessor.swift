public import ImagePipeline
public import Storage

/// The way from an image to a model's input, in the words of Hugging Face's `preprocessor_config.json`.
///
/// Resizing is Pillow's, to the byte: the class that transformers calls `…Pil`. Its other one resizes with torchvision,
/// whose numbers differ by up to a few levels of 255.
///
/// A processor that was read is written back as it was, with the keys that nobody here knows.
///
/// The library `HuggingFace` names it `DeiTImageProcessor`, `ViTImageProcessor` and `BitImageProcessor` and reads and writes folders of it;
/// ``ModelDirectory`` reads Hugging Face's folders by it.
///
/// ## Source
/// `transformers/models/deit/image_processing_pil_deit.py`, `transformers/models/vit/image_processing_pil_vit.py`,
/// `transformers/models/bit/image_processing_pil_bit.py`, `transformers/image_processing_backends.py`, `PilBackend`.
public struct PretrainedImageProcessor<Family: PretrainedFamily>: Sendable {
    /// Whether images are resized.
    public var doResize: Bool

    /// What they are resized to.
    public var size: ProcessorSize

    /// The filter of the resize.
    public var resample: Interpolation

    /// Whether the middle is cropped; what is too small is padded with black.
    public var doCenterCrop: Bool

    /// The size of the crop.
    public var cropSize: PixelSize

    /// Whether samples are multiplied by ``rescaleFactor``.
    public var doRescale: Bool

    /// What samples from 0 to 255 are multiplied by.
    public var rescaleFactor: Double

    /// Whether mean and deviation are applied.
    public var doNormalize: Bool

    /// The mean of each channel after rescaling; one for grey images, three for colour.
    public var imageMean: [Float]

    /// The deviation of each channel, above 0.
    public var imageStd: [Float]

    /// The file that this was read from; empty for one made in code.
    var origin: JSONObject = [:]

    /// Creates a processor with the defaults of the family's class.
    public init() {
        let defaults = Family.processorDefaults
        doResize = true
        size = defaults.size
        resample = defaults.resample
        doCenterCrop = defaults.cropSize != nil
        cropSize = defaults.cropSize ?? 224
        doRescale = true
        rescaleFactor = 1.0 / 255
        doNormalize = true
        imageMean = defaults.mean
        imageStd = defaults.std
    }

    /// Takes over a processor of ours, as a model's description has it.
    ///
    /// `ResizeRule.cover` and `ResizeRule.contain` of timm's models, for which Hugging Face's processors have no word,
    /// become the exact size, which changes the shape of images.
    ///
    /// - Parameter processor: The processor.
    public init(_ processor: ImageProcessor) {
        self.init()
        switch processor.resize {
        case .none: doResize = false
        case .shortestSide(let side): size = .shortestEdge(side)
        case .exact(let height, let width), .cover(let height, let width),
            .contain(let height, let width):
            size = .exact(PixelSize(height: height, width: width))
        }
        resample = processor.interpolation
        if let height = processor.cropHeight, let width = processor.cropWidth {
            doCenterCrop = true
            cropSize = PixelSize(height: height, width: width)
        } else {
            doCenterCrop = false
        }
        imageMean = processor.mean
        imageStd = processor.std
    }

    /// The same as a processor of ours, for training and evaluation.
    ///
    /// Grey images become colour ones where there are three means, and the reverse.
    ///
    /// - Parameters:
    ///   - centering: Where the crop begins when an odd number of pixels is left over: floored as in the class of
    ///     transformers that resizes with Pillow, rounded as in torchvision and DeiT's own evaluation.
    ///   - channels: The channels of the result, over which one mean and one deviation are spread; nil for as many as there
    ///     are means.
    /// - Returns: The processor.
    /// - Throws: `ImageError` when the values do not fit together.
    public func imageProcessor(
        centering: CropCentering = .floored,
        channels: Int? = nil
    ) throws(ImageError) -> ImageProcessor {
        let channels = channels ?? imageMean.count
        let normalization = try normalization(channels: channels)
        return try ImageProcessor(
            resize: doResize ? size.rule : .none,
            interpolation: resample,
            cropHeight: doCenterCrop ? cropSize.height : nil,
            cropWidth: doCenterCrop ? cropSize.width : nil,
            centering: centering,
            channels: channels,
            mean: normalization.mean,
            std: normalization.std
        )
    }

    /// Mean and deviation for samples divided by 255, with the factor of the rescale in them.
    private func normalization(channels: Int) throws(ImageError) -> Normalization {
        let factor = doRescale ? rescaleFactor : 1
        guard factor.isFinite, factor > 0 else {
            throw .invalid("rescale_factor is \(factor); it must be above 0")
        }
        func spread(_ values: [Float]) -> [Float] {
            values.count == 1 && (1...4).contains(channels)
                ? Array(repeating: values[0], count: channels) : values
        }
        let mean = spread(doNormalize ? imageMean : [0])
        let std = spread(doNormalize ? imageStd : [1])
        // (v · f - m) / s = (v / 255 - m / (255 f)) / (s / (255 f)); exact for the usual factor.
        let unit = factor * 255
        guard abs(unit - 1) > 1e-6 else { return try Normalization(mean: mean, std: std) }
        return try Normalization(
            mean: mean.map { Float(Double($0) / unit) },
            std: std.map { Float(Double($0) / unit) }
        )
    }
}

extension PretrainedImageProcessor: Equatable {
    /// Whether all fields are equal and the unknown keys of the files, in whatever order.
    public static func == (a: Self, b: Self) -> Bool {
        a.canonical == b.canonical
            && JSONValue.object(a.unknownFields).ordered
                == JSONValue.object(b.unknownFields).ordered
    }
}

extension PretrainedImageProcessor {
    /// The file's object: of a processor that was read, the object that was read with what changed since.
    public var json: JSONObject {
        guard !origin.keys.isEmpty, let before = try? Self(json: origin, file: "") else {
            return canonical
        }
        return origin.replacing(from: before.canonical, to: canonical)
    }

    /// Reads the object of a `preprocessor_config.json`.
    ///
    /// - Parameters:
    ///   - json: The object; sizes may be whole numbers, as in old files.
    ///   - file: The file's name, for errors.
    /// - Throws: `CheckpointError` when a field has another type than Hugging Face's.
    public init(
        json: JSONObject,
        file: String = "preprocessor_config.json"
    ) throws(CheckpointError) {
        let fields = JSONFields(object: json, file: file)
        self.init()
        // The old extractor of DeiT had ImageNet's statistics, the class of today has 0.5.
        if try fields.string("feature_extractor_type") == "DeiTFeatureExtractor",
            fields.value("image_processor_type") == nil
        {
            imageMean = Normalization.imageNet.mean
            imageStd = Normalization.imageNet.std
        }
        doResize = try fields.bool("do_resize", default: doResize)
        var isShortest = false
        if case .shortestEdge = Family.processorDefaults.size { isShortest = true }
        if let size = try ProcessorSize(fields, numberIsShortest: isShortest) { self.size = size }
        if fields.value("resample") != nil {
            resample = try Self.filter(fields)
        }
        doCenterCrop = try fields.bool("do_center_crop", default: doCenterCrop)
        if let size = try fields.size("crop_size") {
            cropSize = PixelSize(height: size.height, width: size.width)
        }
        doRescale = try fields.bool("do_rescale", default: doRescale)
        rescaleFactor = try fields.double("rescale_factor", default: rescaleFactor)
        doNormalize = try fields.bool("do_normalize", default: doNormalize)
        imageMean = try fields.floats("image_mean") ?? imageMean
        imageStd = try fields.floats("image_std") ?? imageStd
        origin = json
    }

    private static func filter(_ fields: JSONFields) throws(CheckpointError) -> Interpolation {
        let code = try fields.int("resample")
        guard let filter = filters.first(where: { $0.code == code })?.filter else {
            throw fields.unsupported(
                "resample",
                "is \(code); 0 (nearest), 2 (bilinear) and 3 (bicubic) are understood"
            )
        }
        return filter
    }

    private static var filters: [(code: Int, filter: Interpolation)] {
        [(0, .nearest), (2, .bilinear), (3, .bicubic)]
    }

    /// The keys of the file that no field represents; they are written back as they were.
    public var unknownFields: JSONObject {
        let known = Set(Self().canonical.keys + ["crop_size"])
        var result = JSONObject()
        for key in origin.keys where !known.contains(key) { result[key] = origin[key] }
        return result
    }

    /// The object that Hugging Face would write for these fields.
    var canonical: JSONObject {
        var object = JSONObject()
        if doCenterCrop { object["crop_size"] = cropSize.namedJSON }
        object["do_center_crop"] = .bool(doCenterCrop)
        if Family.processorDefaults.convertsToRGB { object["do_convert_rgb"] = true }
        object["do_normalize"] = .bool(doNormalize)
        object["do_rescale"] = .bool(doRescale)
        object["do_resize"] = .bool(doResize)
        object["image_mean"] = .array(imageMean.map { JSONValue($0) })
        object["image_processor_type"] = .string(Family.processorClass)
        object["image_std"] = .array(imageStd.map { JSONValue($0) })
        object["resample"] = .integer(Self.filters.first { $0.filter == resample }?.code ?? 3)
        object["rescale_factor"] = .number(rescaleFactor)
        object["size"] = size.json
        return object
    }
}
