import Checkpoints
public import ImagePipeline
import Storage

/// DeiT's way from an image to the model's input: Hugging Face's `DeiTImageProcessor`.
///
/// By default an image is squashed to 256 × 256, bicubic, cropped to 224 × 224 and normalised with 0.5; DeiT's
/// checkpoints say ImageNet's mean and deviation, so read theirs.
public typealias DeiTImageProcessor = PretrainedImageProcessor<DeiTFamily>

/// The old name of ``DeiTImageProcessor``.
@available(*, deprecated, renamed: "DeiTImageProcessor")
public typealias DeiTFeatureExtractor = DeiTImageProcessor

/// ViT's way from an image to the model's input: Hugging Face's `ViTImageProcessor`.
///
/// By default an image is squashed to 224 × 224, bilinear, without crop, and normalised with 0.5.
public typealias ViTImageProcessor = PretrainedImageProcessor<ViTFamily>

/// The way from an image to a model's input, in the words of Hugging Face's `preprocessor_config.json`.
///
/// Resizing is Pillow's, to the byte: the class that transformers calls `…Pil`. Its other one resizes with torchvision,
/// whose numbers differ by up to a few levels of 255.
///
/// A processor that was read is written back as it was, with the keys that nobody here knows.
///
/// ```swift
/// import ImagePipeline
///
/// let processor = try await DeiTImageProcessor.fromPretrained("deit-tiny-distilled")
/// let inputs = try processor.preprocess([Image(contentsOf: "daisy.jpg")])
/// ```
///
/// ## Source
/// `transformers/models/deit/image_processing_pil_deit.py`, `transformers/models/vit/image_processing_pil_vit.py`,
/// `transformers/image_processing_backends.py`, `PilBackend`.
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
        imageMean = [0.5, 0.5, 0.5]
        imageStd = [0.5, 0.5, 0.5]
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
    /// - Returns: The processor.
    /// - Throws: `ImageError` when the values do not fit together.
    public func imageProcessor() throws(ImageError) -> ImageProcessor {
        let normalization = try self.normalization()
        return try ImageProcessor(
            resize: doResize ? size.rule : .none,
            interpolation: resample,
            cropHeight: doCenterCrop ? cropSize.height : nil,
            cropWidth: doCenterCrop ? cropSize.width : nil,
            centering: .floored,
            channels: normalization.mean.count,
            mean: normalization.mean,
            std: normalization.std
        )
    }

    /// Mean and deviation for samples divided by 255, with the factor of the rescale in them.
    func normalization() throws(ImageError) -> Normalization {
        let factor = doRescale ? rescaleFactor : 1
        guard factor.isFinite, factor > 0 else {
            throw .invalid("rescale_factor is \(factor); it must be above 0")
        }
        let channels = imageMean.count
        let mean = doNormalize ? imageMean : Array(repeating: 0, count: channels)
        let std = doNormalize ? imageStd : Array(repeating: 1, count: channels)
        // (v · f - m) / s = (v / 255 - m / (255 f)) / (s / (255 f)); exact for the usual factor.
        let unit = factor * 255
        guard unit != 1 else { return try Normalization(mean: mean, std: std) }
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
