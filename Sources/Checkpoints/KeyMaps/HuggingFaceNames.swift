/// The names that one kind of transformers' networks gives to the tensors of a vision transformer.
///
/// A kind that is written is one entry here and one in ``HuggingFaceArchitecture`` for each of its classes; one that is only
/// read is an entry in ``readable``.
///
/// ## Source
/// transformers 5.23: `modeling_vit.py`, `modeling_deit.py`, `modeling_dinov2.py` and, for the names that
/// `save_pretrained` writes, `conversion_mapping.py`.
struct HuggingFaceNames: Sendable {
    /// What stands before the number of a layer.
    let layers: String

    /// timm's names of tensors in a block, and the names here.
    let inBlock: [(ours: String, theirs: String)]

    /// timm's names of tensors in a block whose rows are several tensors here, in their order.
    let parts: [(ours: String, theirs: [String])]

    /// The tensors outside the blocks, which all kinds call alike.
    static let whole = [
        (ours: "cls_token", theirs: "embeddings.cls_token"),
        (ours: "dist_token", theirs: "embeddings.distillation_token"),
        (ours: "reg_token", theirs: "embeddings.register_tokens"),
        (ours: "mask_token", theirs: "embeddings.mask_token"),
        (ours: "pos_embed", theirs: "embeddings.position_embeddings"),
        (ours: "patch_embed.proj", theirs: "embeddings.patch_embeddings.projection"),
        (ours: "norm", theirs: "layernorm"),
        // Older versions of timm had the pooler by this name.
        (ours: "pre_logits.fc", theirs: "pooler.dense"),
    ]

    private static let qkv = (
        ours: "attn.qkv", theirs: ["query", "key", "value"].map { "attention.attention.\($0)" }
    )
    private static let qkvInMemory = (
        ours: "attn.qkv", theirs: ["q", "k", "v"].map { "attention.\($0)_proj" }
    )

    /// ViT, DeiT and the encoder of ViTMAE.
    static let vit = HuggingFaceNames(
        layers: "encoder.layer.",
        inBlock: [
            ("norm1", "layernorm_before"),
            ("attn.proj", "attention.output.dense"),
            ("norm2", "layernorm_after"),
            ("mlp.fc1", "intermediate.dense"),
            ("mlp.fc2", "output.dense"),
        ],
        parts: [qkv]
    )

    private static let dinov2Block = [
        (ours: "norm1", theirs: "norm1"), (ours: "ls1.gamma", theirs: "layer_scale1.lambda1"),
        (ours: "norm2", theirs: "norm2"), (ours: "ls2.gamma", theirs: "layer_scale2.lambda1"),
    ]

    /// DINOv2 with plain feed-forward layers.
    static let dinov2 = HuggingFaceNames(
        layers: "encoder.layer.",
        inBlock: dinov2Block + [
            ("attn.proj", "attention.output.dense"), ("mlp.fc1", "mlp.fc1"), ("mlp.fc2", "mlp.fc2"),
        ],
        parts: [qkv]
    )

    /// DINOv2 with gated feed-forward layers.
    static let dinov2Gated = HuggingFaceNames(
        layers: "encoder.layer.",
        inBlock: dinov2Block + [
            ("attn.proj", "attention.output.dense"), ("mlp.fc1", "mlp.weights_in"),
            ("mlp.fc2", "mlp.weights_out"),
        ],
        parts: [qkv]
    )

    // transformers 5 has these names in memory, and so in a state dict that somebody saves himself; `save_pretrained`
    // writes the older ones.
    private static let vitInMemory = HuggingFaceNames(
        layers: "layers.",
        inBlock: [
            ("norm1", "layernorm_before"), ("attn.proj", "attention.o_proj"),
            ("norm2", "layernorm_after"), ("mlp.fc1", "mlp.fc1"), ("mlp.fc2", "mlp.fc2"),
        ],
        parts: [qkvInMemory]
    )
    private static let dinov2InMemory = HuggingFaceNames(
        layers: "encoder.layer.",
        inBlock: [("attn.proj", "attention.o_proj"), ("mlp.fc2", "mlp.down_proj")],
        parts: [qkvInMemory, ("mlp.fc1", ["mlp.gate_proj", "mlp.up_proj"])]
    )

    /// All kinds whose names are read; no name has two meanings among them.
    static let readable = [vit, dinov2, dinov2Gated, vitInMemory, dinov2InMemory]
}
