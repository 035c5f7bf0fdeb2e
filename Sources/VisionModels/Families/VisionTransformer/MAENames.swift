import ImagePipeline
import Storage

/// The names of the files that facebookresearch/mae publishes, and its way from an image to the input.
///
/// The tensors in them have timm's names; the decoder's begin with `decoder_`.
///
/// ## Source
/// facebookresearch/mae, `README.md`, `FINETUNE.md` and `util/datasets.py`.
enum MAENames {
    /// timm's name for weights by the name of a published file; nil for another name.
    ///
    /// `mae_pretrain_vit_base` and `mae_finetuned_vit_base` are `vit_base_patch16_224.mae`.
    static func timmName(of file: String) -> String? {
        let words = file.split(separator: "_")
        guard words.count >= 4, words[0] == "mae",
            words[1] == "pretrain" || words[1] == "finetuned",
            words[2] == "vit", ["base", "large", "huge"].contains(words[3])
        else { return nil }
        return "vit_\(words[3])_patch\(words[3] == "huge" ? 14 : 16)_224.mae"
    }

    /// How MAE's own code evaluates: DeiT's way up to 224 pixels, and no margin above.
    ///
    /// timm's weights of the same networks have a `crop_pct` of 0.9.
    ///
    /// - Parameter size: The size of the input.
    /// - Returns: The processor; nil for a size that is no square, of which the code has none.
    /// - Throws: `ImageError` for a size that no image has.
    static func processor(size: ImageSize) throws(ImageError) -> ImageProcessor? {
        guard size.height == size.width else { return nil }
        if size.height <= 224 { return try .deit(size: size.height) }
        return try ImageProcessor(
            resize: .shortestSide(size.height),
            interpolation: .bicubic,
            cropHeight: size.height,
            cropWidth: size.width,
            mean: Normalization.imageNet.mean,
            std: Normalization.imageNet.std
        )
    }
}
