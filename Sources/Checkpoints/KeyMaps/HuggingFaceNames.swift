/// The names that one kind of transformers' networks gives to the tensors of a vision transformer.
///
/// A kind that is written is one entry here and one in ``HuggingFaceArchitecture`` for each of its classes; one that is only
/// read is an entry in ``readable``.
///
/// ## Source
/// transformers 5.23: `modeling_vit.py`, `modeling_deit.py`, `modeling_dinov2.py`, `modeling_dinov3_vit.py`,
/// `modeling_clip.py`, `modeling_siglip.py` and, for the names that `save_pretrained` writes, `conversion_mapping.py`.
struct HuggingFaceNames: Sendable {
    /// The tensors outside the blocks.
    var whole = HuggingFaceNames.usual

    /// What stands before the number of a layer.
    let layers: String

    /// timm's names of tensors in a block, and the names here.
    let inBlock: [(ours: String, theirs: String)]

    /// timm's names of tensors in a block whose rows are several tensors here, in their order.
    let parts: [(ours: String, theirs: [String])]

    /// The tensors outside the blocks as most kinds call them.
    private static let usual = [
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

    // MARK: DINOv3

    private static let dinov3Whole = [
        (ours: "cls_token", theirs: "embeddings.cls_token"),
        (ours: "reg_token", theirs: "embeddings.register_tokens"),
        (ours: "mask_token", theirs: "embeddings.mask_token"),
        (ours: "patch_embed.proj", theirs: "embeddings.patch_embeddings"),
        (ours: "norm", theirs: "norm"),
    ]

    private static func makeDINOv3(
        layers: String,
        fc1: [(ours: String, theirs: String)],
        parts: [(ours: String, theirs: [String])]
    ) -> HuggingFaceNames {
        HuggingFaceNames(
            whole: dinov3Whole,
            layers: layers,
            inBlock: dinov2Block + fc1 + [
                ("attn.proj", "attention.o_proj"), ("mlp.fc2", "mlp.down_proj"),
            ],
            parts: [qkvInMemory] + parts
        )
    }

    // Written as `layer.`, in memory `model.layer.`.
    private static let dinov3Layers = ["layer.", "model.layer."]

    private static let dinov3Kinds = dinov3Layers.map {
        makeDINOv3(layers: $0, fc1: [("mlp.fc1", "mlp.up_proj")], parts: [])
    }
    private static let dinov3GatedKinds = dinov3Layers.map {
        makeDINOv3(layers: $0, fc1: [], parts: [("mlp.fc1", ["mlp.gate_proj", "mlp.up_proj"])])
    }

    /// DINOv3 with plain feed-forward layers.
    static let dinov3 = dinov3Kinds[0]

    /// DINOv3 with gated feed-forward layers.
    static let dinov3Gated = dinov3GatedKinds[0]

    // MARK: The image towers of CLIP and SigLIP

    /// SigLIP's pooling has the projection of its query, and of keys and values, as two parts of one tensor, which
    /// ``TowerTensors`` takes apart.
    static let tower = HuggingFaceNames(
        whole: [
            (ours: "cls_token", theirs: "embeddings.class_embedding"),
            (ours: "pos_embed", theirs: TowerTensors.positions),
            (ours: "patch_embed.proj", theirs: "embeddings.patch_embedding"),
            // Misspelt in transformers too.
            (ours: "norm_pre", theirs: "pre_layrnorm"), (ours: "norm", theirs: "post_layernorm"),
            (ours: "attn_pool.latent", theirs: "head.probe"),
            (ours: "attn_pool.q", theirs: TowerTensors.query),
            (ours: "attn_pool.kv", theirs: TowerTensors.keyValue),
            (ours: "attn_pool.proj", theirs: "head.attention.out_proj"),
            (ours: "attn_pool.norm", theirs: "head.layernorm"),
            (ours: "attn_pool.mlp.fc1", theirs: "head.mlp.fc1"),
            (ours: "attn_pool.mlp.fc2", theirs: "head.mlp.fc2"),
        ],
        layers: "encoder.layers.",
        inBlock: [
            ("norm1", "layer_norm1"), ("attn.proj", "self_attn.out_proj"), ("norm2", "layer_norm2"),
            ("mlp.fc1", "mlp.fc1"), ("mlp.fc2", "mlp.fc2"),
        ],
        parts: [("attn.qkv", ["q", "k", "v"].map { "self_attn.\($0)_proj" })]
    )

    /// All kinds whose names are read; no name has two meanings among them.
    static let readable = others + dinov3GatedKinds

    /// The same for a network whose feed-forward layers have no gate, where the `up_proj` of DINOv3 is all of the first.
    static let readableWithoutGate = others + dinov3Kinds

    private static let others = [vit, dinov2, dinov2Gated, vitInMemory, dinov2InMemory, tower]
}
