"""Small networks of every variant of timm's VisionTransformer that is built here: stages and gradients on two grids.

The same references as in make_vit.py. Weights are in bf16, which holds them exactly; values are computed in float64.
"""
from functools import partial

import torch

from fixture import Case, fill_exact, import_timm, put, relative_difference, rounded

timm = import_timm()
from timm.layers import LayerNorm, SwiGLUPacked  # noqa: E402
from timm.models.eva import Eva  # noqa: E402
from timm.models.vision_transformer import ParallelScalingBlock, ResPostBlock, VisionTransformer  # noqa: E402

SIZE = dict(patch_size=4, in_chans=3, embed_dim=32, depth=2, num_heads=2, num_classes=5)
GRIDS = ((12, 8), (8, 16))  # images, height and width

VARIANTS = {
    "reg": dict(reg_tokens=3),
    "reg_no_embed": dict(reg_tokens=4, no_embed_class=True, init_values=1e-5),
    "reg_gap": dict(class_token=False, reg_tokens=1, global_pool="avg", init_values=1e-5, no_embed_class=True),
    "gap": dict(class_token=False, global_pool="avg", fc_norm=False, qkv_bias=False, init_values=1e-6),
    "avg_with_class": dict(global_pool="avg"),
    "avg_with_prefix": dict(global_pool="avg", pool_include_prefix=True),
    "map": dict(class_token=False, global_pool="map", act_layer="gelu_tanh"),
    "map_reg": dict(class_token=False, reg_tokens=4, global_pool="map", mlp_ratio=2.572),
    "clip": dict(pre_norm=True, norm_layer=partial(LayerNorm, eps=1e-5)),
    "clip_quickgelu": dict(pre_norm=True, norm_layer=partial(LayerNorm, eps=1e-5), act_layer="quick_gelu"),
    "qk_norm": dict(qk_norm=True),
    "swiglu": dict(mlp_ratio=2.66667 * 2, mlp_layer=SwiGLUPacked, act_layer=torch.nn.SiLU, init_values=1e-5),
    "res_post": dict(block_fn=ResPostBlock, init_values=1e-5, qkv_bias=False),
    "parallel": dict(block_fn=ParallelScalingBlock, init_values=1e-5),
    "parallel_qk_norm": dict(block_fn=ParallelScalingBlock, qkv_bias=False, qk_norm=True, init_values=1e-5),
    "no_final_norm": dict(reg_tokens=7, no_embed_class=True, final_norm=False),
    "no_pool": dict(global_pool="", num_classes=0),
}

DINOV3 = dict(
    init_values=1e-5, rope_type="dinov3", rope_temperature=100, rope_rotate_half=True, use_rot_pos_emb=True, use_abs_pos_emb=False,
    num_reg_tokens=4, use_fc_norm=False, norm_layer=partial(LayerNorm, eps=1e-5), dynamic_img_size=True, global_pool="token",
)
ROTARY = {
    "dinov3": dict(DINOV3, qkv_bias=False),
    "dinov3_qkvb": dict(DINOV3, qkv_bias=True),
    "dinov3_plus": dict(DINOV3, qkv_bias=False, swiglu_mlp=True, swiglu_align_to=8),
}


def our_names(state):
    """timm's names in eva.py as those of its vision_transformer.py, gate and value packed, the keys' bias 0."""
    out = {}
    for key, value in state.items():
        stem = key.rsplit(".", 1)[0]
        if key.endswith(".q_bias"):
            out[f"{stem}.qkv.bias"] = torch.cat([value, torch.zeros_like(value), state[f"{stem}.v_bias"]])
        elif ".fc1_g." in key:
            out[key.replace("fc1_g", "fc1")] = torch.cat([value, state[key.replace("fc1_g", "fc1_x")]])
        elif not key.endswith(".v_bias") and ".fc1_x." not in key:
            out[key.replace("gamma_1", "ls1.gamma").replace("gamma_2", "ls2.gamma")] = value
    return out


def build(arguments, size, seed):
    """The network for images of a size: the weights are the same for every size but for the positions."""
    if "rope_type" in arguments:
        model = Eva(img_size=size, **{**SIZE, **arguments})
        fill_exact(model, seed)
        return model
    model = VisionTransformer(img_size=size, **{**SIZE, **arguments})
    fill_exact(model, seed)
    if size != GRIDS[0]:
        same = VisionTransformer(img_size=GRIDS[0], **{**SIZE, **arguments})
        fill_exact(same, seed)
        model.load_state_dict({**same.state_dict(), "pos_embed": model.pos_embed.detach()})
    return model


def stages_of(model, x):
    """What enters the first block, what every block returns, the last tokens and the output."""
    stages, hooks = {}, []
    hooks.append(model.blocks[0].register_forward_pre_hook(lambda _, inputs: stages.update(embedding=inputs[0])))
    for index, block in enumerate(model.blocks):
        hooks.append(block.register_forward_hook(lambda _, __, out, i=index: stages.update({f"blocks.{i}": out})))
    tokens = model.forward_features(x)
    stages["tokens"] = tokens
    stages["head"] = model.forward_head(tokens)
    for hook in hooks:
        hook.remove()
    return stages


def images(size, seed):
    return torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(seed)).bfloat16().double()


def run(model, x):
    model = model.to(x.dtype).train()
    stages = stages_of(model, x)
    # A smooth function of all outputs, with and without classes.
    stages["head"].tanh().mean().backward()
    return {k: v.detach() for k, v in stages.items()}, {n: p.grad.clone() for n, p in model.named_parameters()}


def add_variant(case, name, arguments, seed):
    tensors, weights = {}, {}
    for index, size in enumerate(GRIDS):
        x = images(size, seed + 1)
        model = build(arguments, size, seed)
        state = our_names({k: v.bfloat16() for k, v in model.state_dict().items()})
        if index == 0:
            weights = state
        else:
            assert all(torch.equal(v, weights[k]) for k, v in state.items() if k != "pos_embed")
        if "pos_embed" in state:
            tensors[f"{index}.pos_embed"] = state["pos_embed"]
        stages, gradients = run(model, x)
        stages32, gradients32 = run(build(arguments, size, seed), x.float())
        tensors[f"{index}.input"] = x.bfloat16()
        tensors.update({f"{index}.stage.{key}": value for key, value in stages.items()})
        # A constant added to all keys changes no softmax: the gradient of the keys' bias is 0, and all of it is rounding.
        gradients = {key: value for key, value in gradients.items() if not key.endswith("k_norm.bias")}
        if "rope_type" in arguments:
            # The keys' bias is a buffer of zeros there, a part of a parameter here: no gradient to compare.
            gradients = {k: v for k, v in our_names(gradients).items() if not k.endswith("qkv.bias")}
            gradients32 = our_names(gradients32)
        for key, value in gradients.items():
            put(tensors, f"{index}.gradient.{key}", value, limit=24)
        worst = max(relative_difference(stages32[n], stages[n]) for n in stages)
        worst_gradient = max(relative_difference(gradients32[n], gradients[n]) for n in gradients)
        case.facts[f"{name}.{index}"] = f"stages {rounded(worst)}, gradients {rounded(worst_gradient)}"
    tensors.update({f"weight.{key}": value for key, value in weights.items() if key != "pos_embed"})
    case.write_tensors(f"{name}.safetensors", tensors, sample_limit=24)


def add_token_avg(case, seed):
    """DINOv2's classifiers (dinov2/hub/classifiers.py): class tokens of the last blocks, then the mean of the patches."""
    tensors = {}
    x = images(GRIDS[0], seed + 1)
    model = build(dict(num_classes=0, init_values=1e-5), GRIDS[0], seed).double().eval()
    tensors["input"] = x.bfloat16()
    tensors.update({f"weight.{key}": value.bfloat16() for key, value in model.state_dict().items()})
    for count in (1, 2):
        head = torch.nn.Linear(32 * (count + 1), 5)
        fill_exact(head, seed + 2 + count)
        tensors.update({f"head{count}.{key}": value.bfloat16() for key, value in head.state_dict().items()})
        with torch.no_grad():
            blocks = model.forward_intermediates(x, indices=count, norm=True, return_prefix_tokens=True, output_fmt="NLC", intermediates_only=True)
            read = [prefix[:, 0] for _, prefix in blocks] + [blocks[-1][0].mean(dim=1)]
            tensors[f"logits{count}"] = head.double()(torch.cat(read, dim=1))
    case.write_tensors("token_avg.safetensors", tensors)


README = """
# vit_variants

timm's `VisionTransformer` with two blocks of width 32 and two heads, patches of 4, five classes, one file a variant; the
arguments are those of `VARIANTS` in `Tools/parity/make_vit_variants.py`, which made the files. Seed 70.

- `weight.KEY`: the weights without `pos_embed`, in bf16, which holds them exactly.
- `0.` and `1.`: images of 12 × 8 and of 8 × 16 pixels: `pos_embed`, `input` (2 images), `stage.NAME` (`embedding`,
  `blocks.0`, `blocks.1`, `tokens`, `head`), `gradient.KEY` of the mean of the output's tanh, samples as in vit_mini, 24 of
  each at most, and `gradient.KEY.norm_max`; the gradient of `k_norm.bias` is 0 and left out.
- `dinov3*.safetensors`: timm's `Eva` as DINOv3, by the names of `VisionTransformer`; without the gradient of `qkv.bias`.
- `token_avg.safetensors`: a network without a classifier, `head1` and `head2` as DINOv2 publishes classifiers on one and on
  several blocks, and their `logits1` and `logits2`.

Computed in float64 and stored in float32; training mode, no dropout. Made anew by `make fixtures`.
"""

if __name__ == "__main__":
    torch.use_deterministic_algorithms(True)
    case = Case("vit_variants", __file__, 70)
    for name, arguments in {**VARIANTS, **ROTARY}.items():
        add_variant(case, name, arguments, 70)
    add_token_avg(case, 70)
    case.finish(README)
