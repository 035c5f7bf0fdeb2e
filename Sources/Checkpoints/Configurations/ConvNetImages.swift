public import ImagePipeline
import VisionModels

/// How images were made for the published weights of convolutional networks.
///
/// ## Source
/// The `default_cfgs` of timm/models/resnet.py, regnet.py and efficientnet.py.
public enum ConvNetImages {
    /// The processor of a preset's weights.
    ///
    /// - Parameters:
    ///   - preset: The preset's name, such as `tf_efficientnet_lite0`.
    ///   - tag: timm's name of the training, such as `tv_in1k`; nil takes that of the weights which the preset is known
    ///     for.
    ///   - height: The height of the input, in pixels.
    ///   - width: The width of the input, in pixels.
    /// - Returns: The processor; nil for presets and trainings that the table does not know.
    /// - Throws: `ImageError` for a size that no image has.
    public static func processor(
        preset: String,
        tag: String? = nil,
        height: Int,
        width: Int
    ) throws(ImageError) -> ImageProcessor? {
        guard let (share, interpolation, isHalf) = facts(preset, tag) else { return nil }
        let half: [Float] = [0.5, 0.5, 0.5]
        return try ImageProcessor(
            resize: CropMode.center.resize(height: height, width: width, share: share),
            interpolation: interpolation,
            cropHeight: height,
            cropWidth: width,
            mean: isHalf ? half : Normalization.imageNet.mean,
            std: isHalf ? half : Normalization.imageNet.std
        )
    }

    private typealias Facts = (share: Double, interpolation: Interpolation, isHalf: Bool)

    private static func facts(_ preset: String, _ tag: String?) -> Facts? {
        if preset.contains("efficientnet_lite") {
            let shares = ["0": 0.875, "1": 0.882, "2": 0.89]
            return (shares[String(preset.suffix(1))] ?? 0.875, .bicubic, preset.hasPrefix("tf_"))
        }
        let training = tag.map { String($0.prefix { $0 != "_" }) }
        if preset.hasPrefix("regnety_") {
            switch training {
            case "pycls": return (0.875, .bicubic, false)
            case "tv2": return (0.965, .bicubic, false)
            case "swag": return (1, .bicubic, false)
            default: return (preset.hasSuffix("_tv") ? 0.965 : 0.95, .bicubic, false)
            }
        }
        guard preset.hasPrefix("resnet") else { return nil }
        switch training {
        case "a1", "a1h", "a2", "a3": return (0.95, .bicubic, false)
        case "tv": return (0.875, .bilinear, false)
        case "tv2": return (0.965, .bilinear, false)
        // The CIFAR networks are ours, and others' files of ImageNet's are of many trainings.
        default: return nil
        }
    }
}
