public import Checkpoints

/// What a DINOv3 is made from: Hugging Face's `DINOv3ViTConfig`.
public typealias DINOv3ViTConfig = PretrainedConfig<DINOv3ViTFamily>

/// DINOv3 without head: Hugging Face's `DINOv3ViTModel`; transformers has no class with one.
///
/// It takes images of any size, as its rotary positions are computed for each.
public typealias DINOv3ViTModel = EncoderModel<DINOv3ViTFamily>

/// The way from an image to a DINOv3's input: Hugging Face's `DINOv3ViTImageProcessor`.
///
/// By default both sides become 224, bilinear, without crop, normalised with ImageNet's mean and deviation. Images are
/// resized in bytes here, in floating point there.
public typealias DINOv3ViTImageProcessor = PretrainedImageProcessor<DINOv3ViTFamily>

/// DINOv3 (`transformers/models/dinov3_vit`).
public typealias DINOv3ViTFamily = Checkpoints.DINOv3ViTFamily
