/// The names of the files that facebookresearch/mae publishes.
///
/// The tensors in them have timm's names; the decoder's begin with `decoder_`.
///
/// ## Source
/// facebookresearch/mae, `README.md` and `FINETUNE.md`.
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
}
