/// Weights that others have published for a preset.
public struct PublishedWeights: Sendable, Equatable {
    /// Where they are from: a name on Hugging Face's hub.
    public let source: String

    /// The share of ImageNet-1k's 50,000 validation images whose class they predict, in per cent, as their authors
    /// measured it; nil where this table does not know.
    public let top1: Double?

    /// What is known of a preset's weights; nil where there are none.
    ///
    /// - Parameter preset: The preset's name.
    public init?(of preset: String) {
        guard let known = Self.table[preset] else { return nil }
        self = known
    }

    private init(_ source: String, top1: Double? = nil) {
        self.source = source
        self.top1 = top1
    }

    /// The presets that weights are known for.
    public static var presets: [String] { table.keys.sorted() }

    // The accuracies are those of facebookresearch/deit, README.md: images resized to 256 and cropped to 224, or 438
    // and 384.
    private static let table: [String: PublishedWeights] = [
        "deit_tiny_patch16_224": .init("facebook/deit-tiny-patch16-224", top1: 72.202),
        "deit_small_patch16_224": .init("facebook/deit-small-patch16-224", top1: 79.854),
        "deit_base_patch16_224": .init("facebook/deit-base-patch16-224", top1: 81.846),
        "deit_base_patch16_384": .init("facebook/deit-base-patch16-384", top1: 82.890),
        "deit_tiny_distilled_patch16_224": .init(
            "facebook/deit-tiny-distilled-patch16-224",
            top1: 74.476
        ),
        "deit_small_distilled_patch16_224": .init(
            "facebook/deit-small-distilled-patch16-224",
            top1: 81.164
        ),
        "deit_base_distilled_patch16_224": .init(
            "facebook/deit-base-distilled-patch16-224",
            top1: 83.372
        ),
        "deit_base_distilled_patch16_384": .init(
            "facebook/deit-base-distilled-patch16-384",
            top1: 85.224
        ),
        "deit3_small_patch16_224": .init("timm/deit3_small_patch16_224.fb_in1k"),
        "deit3_small_patch16_384": .init("timm/deit3_small_patch16_384.fb_in1k"),
        "deit3_medium_patch16_224": .init("timm/deit3_medium_patch16_224.fb_in1k"),
        "deit3_base_patch16_224": .init("timm/deit3_base_patch16_224.fb_in1k"),
        "deit3_base_patch16_384": .init("timm/deit3_base_patch16_384.fb_in1k"),
        "deit3_large_patch16_224": .init("timm/deit3_large_patch16_224.fb_in1k"),
        "deit3_large_patch16_384": .init("timm/deit3_large_patch16_384.fb_in1k"),
        "deit3_huge_patch14_224": .init("timm/deit3_huge_patch14_224.fb_in1k"),
        "vit_tiny_patch16_224": .init("timm/vit_tiny_patch16_224.augreg_in21k_ft_in1k"),
        "vit_small_patch16_224": .init("timm/vit_small_patch16_224.augreg_in21k_ft_in1k"),
        "vit_base_patch16_224": .init("timm/vit_base_patch16_224.augreg2_in21k_ft_in1k"),
        "vit_tiny_patch16_384": .init("timm/vit_tiny_patch16_384.augreg_in21k_ft_in1k"),
        "vit_small_patch16_384": .init("timm/vit_small_patch16_384.augreg_in21k_ft_in1k"),
        "vit_base_patch16_384": .init("timm/vit_base_patch16_384.augreg_in21k_ft_in1k"),
        "vit_large_patch16_224": .init("timm/vit_large_patch16_224.augreg_in21k_ft_in1k"),
        "vit_large_patch16_384": .init("timm/vit_large_patch16_384.augreg_in21k_ft_in1k"),
        "vit_small_patch16_224.dino": .init("facebook/dino-vits16"),
        "vit_small_patch8_224.dino": .init("facebook/dino-vits8"),
        "vit_base_patch16_224.dino": .init("facebook/dino-vitb16"),
        "vit_base_patch8_224.dino": .init("facebook/dino-vitb8"),
        "resnet18": .init("timm/resnet18.a1_in1k"),
        "resnet34": .init("timm/resnet34.a1_in1k"),
        "resnet50": .init("timm/resnet50.a1_in1k"),
        "resnet101": .init("timm/resnet101.a1h_in1k"),
        "regnety_040": .init("timm/regnety_040.ra3_in1k"),
        "regnety_080": .init("timm/regnety_080.ra3_in1k"),
        "regnety_080_tv": .init("timm/regnety_080_tv.tv2_in1k"),
        "regnety_120": .init("timm/regnety_120.sw_in12k_ft_in1k"),
        "regnety_160": .init("timm/regnety_160.deit_in1k"),
        "efficientnet_lite0": .init("timm/efficientnet_lite0.ra_in1k"),
        "tf_efficientnet_lite0": .init("timm/tf_efficientnet_lite0.in1k"),
        "tf_efficientnet_lite1": .init("timm/tf_efficientnet_lite1.in1k"),
        "tf_efficientnet_lite2": .init("timm/tf_efficientnet_lite2.in1k"),
    ]
}
