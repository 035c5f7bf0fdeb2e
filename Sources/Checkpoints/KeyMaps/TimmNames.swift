import VisionModels

/// The names that tensors of timm, DeiT and DINO have in files, and how they become the ones of our networks.
///
/// ## Source
/// facebookresearch/dino, utils.py, `load_pretrained_weights`; timm/models/vision_transformer.py,
/// `checkpoint_filter_fn`.
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

    /// A name without what `torch.compile`, FSDP and checkpointing of activations put before single layers.
    static func withoutInnerWrappers(_ name: String) -> String {
        let wrappers = ["_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module."]
        guard wrappers.contains(where: name.contains) else { return name }
        return wrappers.reduce(name) { $0.replacing($1, with: "") }
    }

    /// The key in our networks of a tensor of timm, DeiT or DINO, as the families spell it.
    static func key(of name: String) -> String {
        ModelFamilies.all.reduce(name) { $1.key(of: $0) }
    }

    /// Whether a tensor belongs to the head that DINO trains with, which is no classifier.
    static func isProjectionHeadOfDINO(_ key: String) -> Bool {
        key.hasPrefix("head.mlp.") || key.hasPrefix("head.last_layer.")
    }

    /// Whether a tensor belongs to layers that training without labels puts in a classifier's place, such as `head.0.weight`
    /// of MoCo v3 and `fc.2.bias` of SimSiam.
    static func isProjectionHead(_ key: String) -> Bool {
        if isProjectionHeadOfDINO(key) { return true }
        for head in ["head.", "fc."] where key.hasPrefix(head) {
            let number = key.dropFirst(head.count).prefix { $0 != "." }
            return !number.isEmpty && number.allSatisfy(\.isNumber)
        }
        return false
    }

    /// Whether a tensor is a counter that wrappers of averaged weights keep beside a network, as torch's `AveragedModel`.
    static func isBookkeeping(_ key: String) -> Bool {
        ["n_averaged", "num_updates", "initted", "step", "decay"].contains(key)
    }

    /// Whether a tensor belongs to a part that classification does not use, by our key.
    static func isExtra(_ key: String) -> Bool {
        key.hasPrefix("pre_logits.") || key == "mask_token" || key.hasPrefix("decoder.")
            || key.hasPrefix("decoder_")
    }
}
