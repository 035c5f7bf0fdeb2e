public import ImagePipeline

/// A family of Hugging Face's vision transformers: what tells `DeiT…` from `ViT…`.
///
/// The classes of both families are the same code over one network; they differ in the distillation token, the names in
/// files and the defaults of the image processor.
public protocol PretrainedFamily: Sendable {
    /// The `model_type` in `config.json`, which is the prefix of the names in a file too.
    static var modelType: String { get }

    /// What the family's class names begin with.
    static var classPrefix: String { get }

    /// Whether there is a distillation token after the class token.
    static var isDistilled: Bool { get }

    /// Whether new tokens and positions start at zero instead of being drawn.
    static var startsEmbeddingsAtZero: Bool { get }

    /// What the image processor's class does where a file says nothing.
    static var processorDefaults: ProcessorDefaults { get }
}

/// DeiT: class token and distillation token (`transformers/models/deit`).
public enum DeiTFamily: PretrainedFamily {
    /// `deit`.
    public static var modelType: String { "deit" }

    /// `DeiT`.
    public static var classPrefix: String { "DeiT" }

    /// True.
    public static var isDistilled: Bool { true }

    /// True: `DeiTPreTrainedModel._init_weights`.
    public static var startsEmbeddingsAtZero: Bool { true }

    /// Squash to 256 × 256, bicubic, crop 224 × 224.
    public static var processorDefaults: ProcessorDefaults {
        ProcessorDefaults(
            size: .exact(PixelSize(height: 256, width: 256)),
            resample: .bicubic,
            cropSize: PixelSize(height: 224, width: 224)
        )
    }
}

/// ViT: class token alone (`transformers/models/vit`).
///
/// DeiT's checkpoints without distillation are of this family on the hub.
public enum ViTFamily: PretrainedFamily {
    /// `vit`.
    public static var modelType: String { "vit" }

    /// `ViT`.
    public static var classPrefix: String { "ViT" }

    /// False.
    public static var isDistilled: Bool { false }

    /// False: drawn from a normal distribution.
    public static var startsEmbeddingsAtZero: Bool { false }

    /// Squash to 224 × 224, bilinear, no crop.
    public static var processorDefaults: ProcessorDefaults {
        ProcessorDefaults(
            size: .exact(PixelSize(height: 224, width: 224)),
            resample: .bilinear,
            cropSize: nil
        )
    }
}

/// What an image processor's class does where neither a file nor the caller says otherwise.
///
/// Mean and deviation are 0.5 in both families. That is the class's default only: DeiT's own checkpoints say ImageNet's.
public struct ProcessorDefaults: Sendable, Equatable {
    /// The size before the crop.
    public let size: ProcessorSize

    /// The resampling filter.
    public let resample: Interpolation

    /// The centre crop, or nil for none.
    public let cropSize: PixelSize?
}
