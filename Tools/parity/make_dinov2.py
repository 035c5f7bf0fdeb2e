"""Makes tiny DINOv2 and MAE checkpoints as their authors' code writes them, with what that code gives.

    DINOV2_REFERENCE=path/to/dinov2 python Tools/parity/make_dinov2.py

`DINOV2_REFERENCE` is a checkout of facebookresearch/dinov2 at commit b8931f7bf91576930313be2c6d6af376033b35f0; its model,
its interpolation and its linear classifiers run as they are. MAE's encoder is timm's VisionTransformer with `global_pool`
and `fc_norm`, as facebookresearch/mae, `models_vit.py`, makes it; the decoder's tensors are random.

Every checkpoint has a `NAME.probe.safetensors` beside it: `images` and `other.images` (another grid), and the outputs by
their names. The weights are random and bf16's; only names, nesting and numbers matter. Needs torch 2.13, timm 1.0.31,
transformers 5.23 and safetensors.
"""
import os
import shutil
import sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ["XFORMERS_DISABLED"] = "1"
from fixture import ROOT, fill_exact, import_timm  # noqa: E402

timm = import_timm()
import torch  # noqa: E402
import transformers  # noqa: E402
from safetensors.torch import save_file  # noqa: E402
from timm.models import save_for_hf  # noqa: E402

REFERENCE = os.environ.get("DINOV2_REFERENCE")
if not REFERENCE:
    sys.exit("DINOV2_REFERENCE names no checkout of facebookresearch/dinov2")
sys.path.insert(0, REFERENCE)
from dinov2.hub.classifiers import _LinearClassifierWrapper  # noqa: E402
from dinov2.models.vision_transformer import DinoVisionTransformer  # noqa: E402
from dinov2.layers import MemEffAttention, NestedTensorBlock  # noqa: E402
from functools import partial  # noqa: E402

transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
OUT = os.path.join(ROOT, "Tests", "CheckpointsTests", "Fixtures", "DINOv2")
# One head, as a width below 128 is taken for by those who have nothing but weights.
PATCH, WIDTH, DEPTH, HEADS, SIZE = 4, 24, 5, 1, 20
OTHER = (16, 28)  # 4 x 7 patches: the positions shrink one way and grow the other
CLASSES = 7
# name: arguments of DINOv2's model beside the sizes
MODELS = {
    "plain": {},
    "reg4": dict(num_register_tokens=4, interpolate_antialias=True, interpolate_offset=0.0),
    "swiglu_reg4": dict(
        num_register_tokens=4, interpolate_antialias=True, interpolate_offset=0.0, ffn_layer="swiglufused"
    ),
}


def dinov2(seed, block_chunks=0, **arguments):
    model = DinoVisionTransformer(
        img_size=SIZE, patch_size=PATCH, embed_dim=WIDTH, depth=DEPTH, num_heads=HEADS, mlp_ratio=4, init_values=1.0,
        block_chunks=block_chunks, block_fn=partial(NestedTensorBlock, attn_class=MemEffAttention), **arguments,
    )
    fill_exact(model, seed, scale=0.25)
    return model.eval()


def blocks_of(model):
    return [block for chunk in model.blocks for block in chunk if not isinstance(block, torch.nn.Identity)] \
        if model.chunked_blocks else list(model.blocks)


def outputs(model, images, prefix):
    """All hidden states, the tokens and their parts."""
    states = [model.prepare_tokens_with_masks(images)]
    for block in blocks_of(model):
        states.append(block(states[-1]))
    parts = model.forward_features(images)
    tokens = model.norm(states[-1])
    assert torch.equal(tokens[:, 0], parts["x_norm_clstoken"])
    return {prefix + "hidden_states": torch.stack(states), prefix + "tokens": tokens, prefix + "cls": model(images)}


def linear(layers, seed):
    head = torch.nn.Linear((1 + layers) * WIDTH, CLASSES)
    fill_exact(head, seed, scale=0.25)
    return head.eval()


def probe(name, images, other, **tensors):
    tensors.update({"images": images, "other.images": other})
    path = f"{OUT}/{name}.probe.safetensors"
    save_file({key: value.detach().clone().contiguous() for key, value in tensors.items()}, path)


@torch.no_grad()
def make_dinov2(images, other):
    for index, (name, arguments) in enumerate(MODELS.items()):
        model = dinov2(10 + index, **arguments)
        torch.save(model.state_dict(), f"{OUT}/{name}.pth")
        found = {**outputs(model, images, ""), **outputs(model, other, "other.")}
        for layers in (1, 4):
            head = linear(layers, 20 + index + layers)
            torch.save(head.state_dict(), f"{OUT}/{name}_linear{layers}.pth")
            whole = _LinearClassifierWrapper(backbone=model, linear_head=head, layers=layers)
            found[f"linear{layers}"], found[f"other.linear{layers}"] = whole(images), whole(other)
            if name == "reg4" and layers == 1:
                # The state dict of the whole classifier, as torch.hub's `dinov2_vits14_reg_lc` has it.
                torch.save(whole.state_dict(), f"{OUT}/whole.pth")
        probe(name, images, other, **found)


@torch.no_grad()
def make_training(images, other):
    """What DINOv2's training writes: student and teacher in chunks of blocks, and their heads."""
    state = {}
    models = {}
    for seed, role in ((30, "student"), (31, "teacher")):
        models[role] = dinov2(seed, block_chunks=2, drop_path_rate=0.0)
        state.update({f"{role}.backbone.{key}": value for key, value in models[role].state_dict().items()})
        for head in ("dino_head", "ibot_head"):
            state[f"{role}.{head}.mlp.0.weight"] = torch.randn(8, WIDTH)
            state[f"{role}.{head}.last_layer.weight_v"] = torch.randn(6, 8)
    torch.save({"model": state, "iteration": 9}, f"{OUT}/training.pth")
    teacher = {key[len("teacher."):]: value for key, value in state.items() if key.startswith("teacher.")}
    torch.save({"teacher": teacher}, f"{OUT}/teacher_checkpoint.pth")
    probe("training", images, other, **outputs(models["teacher"], images, ""))


@torch.no_grad()
def make_timm(images):
    """timm's own form of all three: SwiGLU has no word in `model_args`, so it is timm's state dict alone."""
    base = dict(
        img_size=SIZE, patch_size=PATCH, embed_dim=WIDTH, depth=DEPTH, num_heads=HEADS, init_values=1e-5, num_classes=0
    )
    for index, (name, arguments) in enumerate({
        "plain": {}, "reg4": dict(reg_tokens=4, no_embed_class=True),
        "swiglu_reg4": dict(
            reg_tokens=4, no_embed_class=True, mlp_ratio=2.66667 * 2, mlp_layer=timm.layers.SwiGLUPacked,
            act_layer=torch.nn.SiLU,
        ),
    }.items()):
        model = timm.create_model("vit_small_patch16_224", **base, **arguments)
        theirs = torch.load(f"{OUT}/{name}.pth", weights_only=True)
        from timm.models.vision_transformer import checkpoint_filter_fn

        model.load_state_dict(checkpoint_filter_fn(dict(theirs), model), strict=True)
        model.eval()
        if name == "swiglu_reg4":
            save_file(model.state_dict(), f"{OUT}/{name}.timm.safetensors")
        reference = torch.load(f"{OUT}/{name}.pth", weights_only=True)
        original = dinov2(10 + index, **MODELS[name])
        original.load_state_dict(reference)
        difference = (model.forward_features(images) - original.norm(
            original._get_intermediate_layers_not_chunked(images, 1)[0])).abs().max()
        print(f"{name}: timm differs from DINOv2 by {float(difference):.1e}")
        if name != "swiglu_reg4":
            save_for_hf(model, f"{OUT}/{name}.timm", model_args={**base, **arguments}, safe_serialization=True)


@torch.no_grad()
def make_mae(images):
    base = dict(img_size=SIZE, patch_size=PATCH, embed_dim=WIDTH, depth=2, num_heads=HEADS)
    model = timm.create_model("vit_base_patch16_224", num_classes=CLASSES, global_pool="avg", **base)
    fill_exact(model, 40, scale=0.25)
    assert model.fc_norm.weight is not None and not hasattr(model.norm, "weight")
    torch.save({"model": model.state_dict(), "epoch": 3}, f"{OUT}/mae_finetuned.pth")
    probe("mae_finetuned", images, images, logits=model.eval()(images))

    model = timm.create_model("vit_base_patch16_224", num_classes=0, **base)
    fill_exact(model, 41, scale=0.25)
    state = dict(model.state_dict())
    state["mask_token"] = torch.randn(1, 1, 16)
    state["decoder_pos_embed"] = torch.randn(1, 26, 16)
    state["decoder_embed.weight"] = torch.randn(16, WIDTH)
    state["decoder_blocks.0.norm1.weight"] = torch.randn(16)
    state["decoder_norm.weight"] = torch.randn(16)
    state["decoder_pred.weight"] = torch.randn(48, 16)
    torch.save({"model": state}, f"{OUT}/mae_pretrain.pth")
    probe("mae_pretrain", images, images, tokens=model.eval().forward_features(images))

    config = transformers.ViTMAEConfig(
        hidden_size=WIDTH, num_hidden_layers=2, num_attention_heads=HEADS, intermediate_size=4 * WIDTH, image_size=SIZE,
        patch_size=PATCH, decoder_hidden_size=16, decoder_num_hidden_layers=1, decoder_num_attention_heads=2,
        decoder_intermediate_size=32, mask_ratio=0.0,
    )
    model = transformers.ViTMAEForPreTraining(config).eval()
    fill_exact(model, 42, scale=0.25)
    model.save_pretrained(f"{OUT}/vit_mae")
    # No patch is masked, and the noise keeps their order.
    noise = torch.arange(25).float()[None].expand(len(images), -1)
    output = model.vit(images, noise=noise)
    assert torch.equal(output.ids_restore[0], torch.arange(25))
    probe("vit_mae", images, images, tokens=output.last_hidden_state)


if __name__ == "__main__":
    shutil.rmtree(OUT, ignore_errors=True)
    os.makedirs(OUT)
    torch.manual_seed(0)
    images, other = torch.randn(2, 3, SIZE, SIZE), torch.randn(1, 3, *OTHER)
    make_dinov2(images, other)
    make_training(images, other)
    make_timm(images)
    make_mae(images)
    total = sum(os.path.getsize(os.path.join(at, f)) for at, _, files in os.walk(OUT) for f in files)
    print(f"{len(os.listdir(OUT))} files, {total:,} bytes")
