public import ImagePipeline

/// A family of Hugging Face's vision transformers: what tells `DeiT…`, `ViT…` and `Dinov2…` apart.
///
/// The classes of all families are the same code over one network; they differ in the tokens, the blocks, the names in files
/// and the defaults of the configuration and the image processor. A family is one type here, and its classes are entries of
/// ``HuggingFaceArchitecture``.
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

    /// The kind of network, and the fields of `config.json` that tell of it.
    static var kind: PretrainedKind { get }

    /// Whether there are register tokens.
    static var hasRegisters: Bool { get }

    /// What the family's image processor is called: `DeiTImageProcessor`.
    static var processorClass: String { get }

    /// What layer normalisation adds to the variance where a configuration does not say.
    static var defaultLayerNormEps: Double { get }

    /// The patches' size where a configuration does not say.
    static var defaultPatchSize: PixelSize { get }

    /// The width of a token where a configuration does not say; a head has 64, the feed-forward layers have four times it.
    static var defaultHiddenSize: Int { get }

    /// The activation where a configuration does not say.
    static var defaultHiddenAct: String { get }

    /// The class of the transformer alone.
    static var baseArchitecture: HuggingFaceArchitecture { get }

    /// The class with one classifier.
    static var classifierArchitecture: HuggingFaceArchitecture { get }
}

extension PretrainedFamily {
    /// ViT's and DeiT's.
    public static var kind: PretrainedKind { .vit }

    /// Whether the network has DINOv2's blocks.
    public static var isDINOv2: Bool { kind == .dinov2 }

    /// False.
    public static var hasRegisters: Bool { false }

    /// The class prefix and `ImageProcessor`.
    public static var processorClass: String { "\(classPrefix)ImageProcessor" }

    /// 1e-12, which is not DeiT's 1e-6.
    public static var defaultLayerNormEps: Double { 1e-12 }

    /// 16.
    public static var defaultPatchSize: PixelSize { 16 }

    /// 768.
    public static var defaultHiddenSize: Int { 768 }

    /// `gelu`, the exact one.
    public static var defaultHiddenAct: String { "gelu" }
}

/// What tells the networks of transformers' families apart, and the fields of their configurations.
public enum PretrainedKind: Sendable {
    /// Plain blocks.
    case vit

    /// Layer scale, and SwiGLU where the configuration says so.
    case dinov2

    /// The same with rotary positions.
    case dinov3

    /// CLIP's image tower: normalised before the first block.
    case clip

    /// SigLIP's image tower: no class token, pooled by attention.
    case siglip

    /// Whether it is the image half of a model of images and texts.
    var isTower: Bool { self == .clip || self == .siglip }
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

    /// `DeiTModel`.
    public static var baseArchitecture: HuggingFaceArchitecture { .deitModel }

    /// `DeiTForImageClassification`.
    public static var classifierArchitecture: HuggingFaceArchitecture {
        .deitForImageClassification
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

    /// `ViTModel`.
    public static var baseArchitecture: HuggingFaceArchitecture { .vitModel }

    /// `ViTForImageClassification`.
    public static var classifierArchitecture: HuggingFaceArchitecture { .vitForImageClassification }
}

/// The encoder of a masked autoencoder (`transformers/models/vit_mae`): read as a ViT without classifier, never written.
///
/// Its decoder is left out, and no patch is masked.
enum ViTMAEFamily: PretrainedFamily {
    static var modelType: String { "vit_mae" }
    static var classPrefix: String { "ViTMAE" }
    static var isDistilled: Bool { false }
    static var startsEmbeddingsAtZero: Bool { false }
    static var processorClass: String { ViTFamily.processorClass }
    static var processorDefaults: ProcessorDefaults { ViTFamily.processorDefaults }
    static var baseArchitecture: HuggingFaceArchitecture { .vitModel }
    static var classifierArchitecture: HuggingFaceArchitecture { .vitForImageClassification }
}

/// DINOv3: rotary positions and registers (`transformers/models/dinov3_vit`).
public enum DINOv3ViTFamily: PretrainedFamily {
    /// `dinov3_vit`.
    public static var modelType: String { "dinov3_vit" }

    /// `DINOv3ViT`.
    public static var classPrefix: String { "DINOv3ViT" }

    /// False.
    public static var isDistilled: Bool { false }

    /// False: drawn from a normal distribution.
    public static var startsEmbeddingsAtZero: Bool { false }

    /// DINOv3's.
    public static var kind: PretrainedKind { .dinov3 }

    /// Both sides to 224, bilinear, no crop, ImageNet's mean and deviation.
    public static var processorDefaults: ProcessorDefaults {
        ProcessorDefaults(
            size: .exact(PixelSize(height: 224, width: 224)),
            resample: .bilinear,
            cropSize: nil,
            mean: Normalization.imageNet.mean,
            std: Normalization.imageNet.std
        )
    }

    /// 1e-5.
    public static var defaultLayerNormEps: Double { 1e-5 }

    /// 384.
    public static var defaultHiddenSize: Int { 384 }

    /// `DINOv3ViTModel`.
    public static var baseArchitecture: HuggingFaceArchitecture { .dinov3ViTModel }

    /// `DINOv3ViTModel`: transformers has no class with a classifier.
    public static var classifierArchitecture: HuggingFaceArchitecture { .dinov3ViTModel }
}

/// CLIP's image tower (`transformers/models/clip`): read, by itself or from a whole CLIP, never written.
enum CLIPVisionFamily: PretrainedFamily {
    static var modelType: String { "clip_vision_model" }

    /// The `model_type` of a configuration that holds this one's as `vision_config`.
    static var wholeModelType: String { "clip" }

    static var classPrefix: String { "CLIPVision" }
    static var isDistilled: Bool { false }
    static var startsEmbeddingsAtZero: Bool { false }
    static var kind: PretrainedKind { .clip }
    static var processorClass: String { "CLIPImageProcessor" }
    static var processorDefaults: ProcessorDefaults { Dinov2Family.processorDefaults }
    static var defaultLayerNormEps: Double { 1e-5 }
    static var defaultPatchSize: PixelSize { 32 }
    static var defaultHiddenAct: String { "quick_gelu" }
    static var baseArchitecture: HuggingFaceArchitecture { .vitModel }
    static var classifierArchitecture: HuggingFaceArchitecture { .vitForImageClassification }
}

/// SigLIP's image tower (`transformers/models/siglip`): read, by itself or from a whole SigLIP, never written.
enum SiglipVisionFamily: PretrainedFamily {
    static var modelType: String { "siglip_vision_model" }

    /// The `model_type` of a configuration that holds this one's as `vision_config`.
    static var wholeModelType: String { "siglip" }

    static var classPrefix: String { "SiglipVision" }
    static var isDistilled: Bool { false }
    static var startsEmbeddingsAtZero: Bool { false }
    static var kind: PretrainedKind { .siglip }
    static var processorClass: String { "SiglipImageProcessor" }
    static var processorDefaults: ProcessorDefaults {
        ProcessorDefaults(
            size: .exact(PixelSize(height: 224, width: 224)),
            resample: .bicubic,
            cropSize: nil,
            convertsToRGB: true
        )
    }
    static var defaultLayerNormEps: Double { 1e-6 }
    static var defaultHiddenAct: String { "gelu_pytorch_tanh" }
    static var baseArchitecture: HuggingFaceArchitecture { .vitModel }
    static var classifierArchitecture: HuggingFaceArchitecture { .vitForImageClassification }
}

/// DINOv2: class token, layer scale and, in the largest model, gated feed-forward layers (`transformers/models/dinov2`).
public enum Dinov2Family: PretrainedFamily {
    /// `dinov2`.
    public static var modelType: String { "dinov2" }

    /// `Dinov2`.
    public static var classPrefix: String { "Dinov2" }

    /// False.
    public static var isDistilled: Bool { false }

    /// False: drawn from a normal distribution.
    public static var startsEmbeddingsAtZero: Bool { false }

    /// DINOv2's.
    public static var kind: PretrainedKind { .dinov2 }

    /// `BitImageProcessor`.
    public static var processorClass: String { "BitImageProcessor" }

    /// The shorter side to 224, bicubic, crop 224 × 224, CLIP's mean and deviation.
    ///
    /// DINOv2's checkpoints say 256 and ImageNet's.
    public static var processorDefaults: ProcessorDefaults {
        ProcessorDefaults(
            size: .shortestEdge(224),
            resample: .bicubic,
            cropSize: PixelSize(height: 224, width: 224),
            mean: [0.48145466, 0.4578275, 0.40821073],
            std: [0.26862954, 0.26130258, 0.27577711],
            convertsToRGB: true
        )
    }

    /// 1e-6.
    public static var defaultLayerNormEps: Double { 1e-6 }

    /// 14.
    public static var defaultPatchSize: PixelSize { 14 }

    /// `Dinov2Model`.
    public static var baseArchitecture: HuggingFaceArchitecture { .dinov2Model }

    /// `Dinov2ForImageClassification`.
    public static var classifierArchitecture: HuggingFaceArchitecture {
        .dinov2ForImageClassification
    }
}

/// DINOv2 with register tokens between the class token and the patches (`transformers/models/dinov2_with_registers`).
public enum Dinov2WithRegistersFamily: PretrainedFamily {
    /// `dinov2_with_registers`.
    public static var modelType: String { "dinov2_with_registers" }

    /// `Dinov2WithRegisters`.
    public static var classPrefix: String { "Dinov2WithRegisters" }

    /// False.
    public static var isDistilled: Bool { false }

    /// False: drawn from a normal distribution.
    public static var startsEmbeddingsAtZero: Bool { false }

    /// DINOv2's.
    public static var kind: PretrainedKind { .dinov2 }

    /// True.
    public static var hasRegisters: Bool { true }

    /// `BitImageProcessor`.
    public static var processorClass: String { Dinov2Family.processorClass }

    /// As ``Dinov2Family/processorDefaults``.
    public static var processorDefaults: ProcessorDefaults { Dinov2Family.processorDefaults }

    /// 1e-6.
    public static var defaultLayerNormEps: Double { 1e-6 }

    /// `Dinov2WithRegistersModel`.
    public static var baseArchitecture: HuggingFaceArchitecture { .dinov2WithRegistersModel }

    /// `Dinov2WithRegistersForImageClassification`.
    public static var classifierArchitecture: HuggingFaceArchitecture {
        .dinov2WithRegistersForImageClassification
    }
}

/// What an image processor's class does where neither a file nor the caller says otherwise.
///
/// Mean and deviation are the class's defaults only: DeiT's and DINOv2's own checkpoints say ImageNet's.
public struct ProcessorDefaults: Sendable, Equatable {
    /// The size before the crop.
    public let size: ProcessorSize

    /// The resampling filter.
    public let resample: Interpolation

    /// The centre crop, or nil for none.
    public let cropSize: PixelSize?

    /// The mean of each channel.
    public var mean: [Float] = [0.5, 0.5, 0.5]

    /// The deviation of each channel.
    public var std: [Float] = [0.5, 0.5, 0.5]

    /// Whether the class says that it makes three channels of any image; all do what there are means for.
    public var convertsToRGB = false
}
