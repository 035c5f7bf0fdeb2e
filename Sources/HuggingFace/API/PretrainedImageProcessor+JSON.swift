public import Checkpoints
import ImagePipeline
public import Storage

extension PretrainedImageProcessor {
    /// Reads the `preprocessor_config.json` of a model.
    ///
    /// What the file does not say is as the family's class has it in transformers, whichever class the file names.
    ///
    /// - Parameter nameOrPath: The model's folder, or its name on the hub.
    /// - Returns: The processor.
    /// - Throws: ``PretrainedError/notFound(_:)``, ``HubError``, or `CheckpointError` for a file that is damaged.
    public static func fromPretrained(_ nameOrPath: String) async throws -> Self {
        let folder = try await PretrainedLocation.resolve(nameOrPath)
        let path = "\(folder)/preprocessor_config.json"
        return try Self(json: CheckpointError.of(try SmallFile.readObject(path)), file: path)
    }

    /// Writes `preprocessor_config.json` into a folder, which is made where it does not exist.
    ///
    /// - Parameter folder: The folder.
    /// - Throws: `CheckpointError` when it cannot be written.
    public func savePretrained(to folder: String) throws {
        try PretrainedFolder.make(folder)
        let text = JSONValue.object(json).text() + "\n"
        try CheckpointError.of(
            try AtomicFile.write(text.utf8, to: "\(folder)/preprocessor_config.json")
        )
    }

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
        if let size = try ProcessorSize(fields) { self.size = size }
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

    /// The keys of the file that no field stands for; they are written back as they were.
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
        object["do_normalize"] = .bool(doNormalize)
        object["do_rescale"] = .bool(doRescale)
        object["do_resize"] = .bool(doResize)
        object["image_mean"] = .array(imageMean.map { JSONValue($0) })
        object["image_processor_type"] = .string("\(Family.classPrefix)ImageProcessor")
        object["image_std"] = .array(imageStd.map { JSONValue($0) })
        object["resample"] = .integer(Self.filters.first { $0.filter == resample }?.code ?? 3)
        object["rescale_factor"] = .number(rescaleFactor)
        object["size"] = size.json
        return object
    }
}
