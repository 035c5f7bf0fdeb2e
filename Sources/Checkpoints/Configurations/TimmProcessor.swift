import ImagePipeline
import Storage

/// An image processor in the words of timm's `pretrained_cfg`.
///
/// timm resizes to `floor(size / crop_pct)` by its crop mode and crops the middle; see `CropMode`. What is absent has
/// the values of `timm/data/config.py, resolve_data_config`.
///
/// ## Source
/// timm/data/transforms_factory.py, `transforms_imagenet_eval`.
enum TimmProcessor {
    /// Whether the form has words for what a processor does.
    static func canHold(_ processor: ImageProcessor, height: Int, width: Int) -> Bool {
        let fields = JSONFields(object: encode(processor, height: height, width: width), file: "")
        return (try? decode(fields, channels: processor.channels))
            == processor.seeing(upright: true)
    }

    static func encode(_ processor: ImageProcessor, height: Int, width: Int) -> JSONObject {
        let height = processor.cropHeight ?? height
        let width = processor.cropWidth ?? width
        var share = 1.0
        switch processor.resize {
        case .none: break
        case .shortestSide(let side): share = cropShare(of: min(height, width), in: side)
        case .exact(let rows, let columns), .cover(let rows, let columns),
            .contain(let rows, let columns):
            // One share for both sides: the smaller one gives the other too, where one can.
            share = min(cropShare(of: height, in: rows), cropShare(of: width, in: columns))
        }
        return [
            "input_size": [.integer(processor.channels), .integer(height), .integer(width)],
            "interpolation": .string(processor.interpolation.rawValue),
            "crop_pct": .number(share),
            "crop_mode": .string((processor.resize.cropMode ?? .center).rawValue),
            "mean": .array(processor.mean.map { JSONValue($0) }),
            "std": .array(processor.std.map { JSONValue($0) }),
        ]
    }

    /// The largest share that gives `whole` for `part`: `part / whole`, a hair smaller where rounding would make
    /// `part / share` too small.
    private static func cropShare(of part: Int, in whole: Int) -> Double {
        var share = Double(part) / Double(whole)
        while share > 0, (Double(part) / share).rounded(.down) < Double(whole) {
            share = share.nextDown
        }
        return share
    }

    /// The processor; nil where the configuration says nothing of the images.
    static func decode(
        _ fields: JSONFields,
        channels: Int
    ) throws(CheckpointError) -> ImageProcessor? {
        guard let sizes = fields.value("input_size")?.arrayValue else { return nil }
        let mean = try fields.floats("mean") ?? Normalization.imageNet.mean
        let std = try fields.floats("std") ?? Normalization.imageNet.std
        guard sizes.count == 3, let height = sizes[1].intValue, let width = sizes[2].intValue,
            (1...1_000_000).contains(height), (1...1_000_000).contains(width)
        else { throw fields.malformed("input_size", "is not a list of channels, height and width") }
        let share = try fields.double("crop_pct", default: 0.875)
        guard share > 0.01, share <= 100 else {
            throw fields.malformed("crop_pct", "is out of range")
        }
        let name = try fields.string("crop_mode") ?? CropMode.center.rawValue
        guard let mode = CropMode(rawValue: name) else {
            let known = CropMode.allCases.map(\.rawValue).joined(separator: ", ")
            throw fields.unsupported("crop_mode", "is \"\(name)\"; use \(known)")
        }
        let resize = mode.resize(height: height, width: width, share: share)
        let isCropped = resize != .exact(height: height, width: width)
        return try makeProcessor(file: fields.file) { () throws(ImageError) in
            try ImageProcessor(
                resize: resize,
                interpolation: Interpolation(rawValue: try interpolation(fields)) ?? .bilinear,
                cropHeight: isCropped ? height : nil,
                cropWidth: isCropped ? width : nil,
                channels: channels,
                mean: mean.count == channels
                    ? mean : Array(repeating: mean.first ?? 0.5, count: channels),
                std: std.count == channels
                    ? std : Array(repeating: std.first ?? 0.5, count: channels)
            )
        }
    }

    private static func interpolation(_ fields: JSONFields) throws(ImageError) -> String {
        let name = fields.value("interpolation")?.stringValue ?? "bicubic"
        guard Interpolation(rawValue: name) != nil else {
            throw ImageError.invalid("the interpolation \"\(name)\" is unknown")
        }
        return name
    }
}

/// Makes a processor from a file's values; inconsistent values are reported with the file's name.
func makeProcessor(
    file: String,
    _ make: () throws(ImageError) -> ImageProcessor
) throws(CheckpointError) -> ImageProcessor {
    do throws(ImageError) {
        return try make()
    } catch {
        throw CheckpointError.malformed(file: file, reason: "\(error)")
    }
}
