"""Makes tiny DINOv3 checkpoints as facebookresearch/dinov3, timm and transformers write them, with what those give.

    DINOV3_REFERENCE=path/to/dinov3 python Tools/parity/make_dinov3.py

`DINOV3_REFERENCE` is a checkout of facebookresearch/dinov3 at commit 6876159a11b4df116f30f667f8c9888617df0751; its model
runs as it is.

`NAME.pth` is DINOv3's own, `NAME.timm` timm's and `NAME.hf` transformers' folder; each has weights of its own and a
`….probe.safetensors`: `images` and `other.images` (another grid), and for both the hidden states, the tokens and what the
network pools. The weights are random and bf16's; only names, nesting and numbers matter. Needs torch 2.13, timm 1.0.31,
transformers 5.23 and safetensors.
"""
import os
import shutil
import sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")
from fixture import ROOT, fill_exact, import_timm  # noqa: E402

timm = import_timm()
import torch  # noqa: E402
import transformers  # noqa: E402
from safetensors.torch import save_file  # noqa: E402
from timm.models import save_for_hf  # noqa: E402

REFERENCE = os.environ.get("DINOV3_REFERENCE")
if not REFERENCE:
    sys.exit("DINOV3_REFERENCE names no checkout of facebookresearch/dinov3")
sys.path.insert(0, REFERENCE)
from dinov3.models.vision_transformer import DinoVisionTransformer  # noqa: E402

transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
OUT = os.path.join(ROOT, "Tests", "CheckpointsTests", "Fixtures", "DINOv3")
PATCH, WIDTH, DEPTH, SIZE, CLASSES = 4, 32, 2, 20, 5
OTHER = (16, 28)
# name: DINOv3's arguments, timm's model, transformers' arguments
MODELS = {
    "plain": (dict(qkv_bias=False), "vit_small_patch16_dinov3", dict(query_bias=False, value_bias=False)),
    "qkvb": (dict(qkv_bias=True, mask_k_bias=True), "vit_small_patch16_dinov3_qkvb", {}),
    "plus": (
        dict(qkv_bias=True, mask_k_bias=True, ffn_layer="swiglu", ffn_ratio=6),
        "vit_small_plus_patch16_dinov3_qkvb",
        dict(use_gated_mlp=True, hidden_act="silu", intermediate_size=4 * WIDTH),
    ),
}


def probe(name, images, other, found):
    tensors = {"images": images, "other.images": other, **found}
    tensors = {key: value.detach().clone().contiguous() for key, value in tensors.items()}
    save_file(tensors, f"{OUT}/{name}.probe.safetensors")


def dinov3(seed, arguments):
    model = DinoVisionTransformer(
        img_size=SIZE, patch_size=PATCH, embed_dim=WIDTH, depth=DEPTH, num_heads=2, n_storage_tokens=4,
        layerscale_init=1e-5, norm_layer="layernormbf16", pos_embed_rope_dtype="fp32", pos_embed_rope_rescale_coords=2,
        untie_global_and_local_cls_norm=True, **arguments,
    )
    model.init_weights()  # the mask of the bias and the periods
    # The keys' bias too, which the mask takes out.
    fill_exact(model, seed, scale=0.25)
    return model.eval()


@torch.no_grad()
def own(model, images, prefix):
    tokens, grid = model.prepare_tokens_with_masks(images)
    states = [tokens]
    for block in model.blocks:
        states.append(block(states[-1], model.rope_embed(H=grid[0], W=grid[1])))
    tokens = model.norm(states[-1])
    assert torch.equal(model(images), tokens[:, 0])
    return {prefix + "hidden_states": torch.stack(states), prefix + "tokens": tokens, prefix + "pooled": tokens[:, 0]}


@torch.no_grad()
def of_timm(model, images, prefix):
    states = []
    hooks = [model.blocks[0].register_forward_pre_hook(lambda _, inputs: states.append(inputs[0]))]
    hooks += [block.register_forward_hook(lambda *given: states.append(given[-1])) for block in model.blocks]
    tokens = model.forward_features(images)
    for hook in hooks:
        hook.remove()
    return {
        prefix + "hidden_states": torch.stack(states), prefix + "tokens": tokens, prefix + "pooled": model.forward_head(tokens)
    }


@torch.no_grad()
def of_transformers(model, images, prefix):
    output = model(images, output_hidden_states=True)
    return {
        prefix + "hidden_states": torch.stack(output.hidden_states),
        prefix + "tokens": output.last_hidden_state,
        prefix + "pooled": output.pooler_output,
    }


if __name__ == "__main__":
    shutil.rmtree(OUT, ignore_errors=True)
    os.makedirs(OUT)
    torch.manual_seed(0)
    images, other = torch.randn(2, 3, SIZE, SIZE), torch.randn(1, 3, *OTHER)
    for index, (name, (arguments, architecture, config)) in enumerate(MODELS.items()):
        model = dinov3(10 + index, arguments)
        torch.save(model.state_dict(), f"{OUT}/{name}.pth")
        probe(name, images, other, {**own(model, images, ""), **own(model, other, "other.")})

        sizes = dict(img_size=SIZE, patch_size=PATCH, embed_dim=WIDTH, depth=DEPTH, num_heads=2)
        model = timm.create_model(architecture, num_classes=CLASSES, **sizes)
        fill_exact(model, 20 + index, scale=0.25)
        model.eval()
        save_for_hf(model, f"{OUT}/{name}.timm", model_args=sizes, safe_serialization=True)
        probe(f"{name}.timm", images, other, {**of_timm(model, images, ""), **of_timm(model, other, "other.")})

        usual = dict(intermediate_size=4 * WIDTH, num_register_tokens=4, image_size=SIZE, patch_size=PATCH)
        model = transformers.DINOv3ViTModel(transformers.DINOv3ViTConfig(
            hidden_size=WIDTH, num_hidden_layers=DEPTH, num_attention_heads=2, **{**usual, **config}
        ))
        fill_exact(model, 30 + index, scale=0.25)
        model.eval().save_pretrained(f"{OUT}/{name}.hf")
        if name == "plus":
            # The names in memory, which a state dict that somebody saves himself has.
            save_file(model.state_dict(), f"{OUT}/{name}.memory.safetensors")
        probe(
            f"{name}.hf", images, other, {**of_transformers(model, images, ""), **of_transformers(model, other, "other.")}
        )
    total = sum(os.path.getsize(os.path.join(at, f)) for at, _, files in os.walk(OUT) for f in files)
    print(f"{len(os.listdir(OUT))} files, {total:,} bytes")
