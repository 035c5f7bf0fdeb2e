/// The names that tensors of timm, DeiT and DINO have in files, and how they become the ones of our networks.
///
/// ## Source
/// facebookresearch/dino, utils.py, `load_pretrained_weights`; timm/models/vision_transformer.py,
/// `checkpoint_filter_fn`; facebookresearch/deit, models_v2.py (`gamma_1`, `gamma_2`).
enum TimmNames {
    /// What wrappers put before all names: transformers' of timm, `torch.compile`, data parallelism, DINO's.
    static let wrappers = ["timm_model.", "_orig_mod.", "module.", "backbone."]

    /// A name without what wrappers put before it.
    static func unwrapped(_ name: String) -> (prefix: String, rest: String) {
        var rest = name[...]
        while let wrapper = wrappers.first(where: { rest.hasPrefix($0) }) {
            rest = rest.dropFirst(wrapper.count)
        }
        return (String(name.prefix(name.count - rest.count)), String(rest))
    }

    /// The key in our networks of a tensor of timm, DeiT or DINO: DeiT-III calls the layer scale otherwise.
    static func key(of name: String) -> String {
        guard name.hasPrefix("blocks.") else { return name }
        for (theirs, ours) in [(".gamma_1", ".ls1.gamma"), (".gamma_2", ".ls2.gamma")]
        where name.hasSuffix(theirs) {
            return name.dropLast(theirs.count) + ours
        }
        return name
    }

    /// Whether a tensor belongs to the head that DINO trains with, which is no classifier.
    static func isProjectionHead(_ key: String) -> Bool {
        key.hasPrefix("head.mlp.") || key.hasPrefix("head.last_layer.")
    }

    /// Whether a tensor belongs to a part that classification does not use, by our key.
    static func isExtra(_ key: String) -> Bool {
        key.hasPrefix("pre_logits.") || key == "mask_token" || key.hasPrefix("decoder.")
    }
}
