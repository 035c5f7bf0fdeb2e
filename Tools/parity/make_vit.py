"""Stages, gradients and optimiser steps of timm's VisionTransformer: two models of two blocks, and DeiT-Ti with its real weights.

Everything is computed in float64 and stored in float32: the reference then has no rounding of its own, and the manifest
tells how far timm's own float32 run is from it.
"""
import os

import torch
import torch.nn.functional as F

from fixture import SHARED, Case, adamw, fill_exact, import_timm, put, relative_difference, rounded, sample

timm = import_timm()
from timm.models.deit import VisionTransformerDistilled  # noqa: E402
from timm.models.vision_transformer import VisionTransformer  # noqa: E402

SMOOTHING = 0.1
STEPS = 10


def record_stages(model, x):
    """The outputs on the way, by name, from hooks on timm's own forward pass; heads apart for a distilled model."""
    stages, hooks = {}, []

    def keep(name):
        return lambda module, inputs, output: stages.__setitem__(name, output)

    def keep_input(name):
        return lambda module, inputs: stages.__setitem__(name, inputs[0])

    hooks.append(model.patch_embed.register_forward_hook(keep("patch_embed")))
    hooks.append(model.blocks[0].register_forward_pre_hook(keep_input("position_sum")))
    hooks.append(model.blocks[0].attn.register_forward_hook(keep("blocks.0.attn")))
    hooks.append(model.blocks[0].mlp.register_forward_hook(keep("blocks.0.mlp")))
    for index, block in enumerate(model.blocks):
        hooks.append(block.register_forward_hook(keep(f"blocks.{index}")))
    hooks.append(model.norm.register_forward_hook(keep("norm")))
    hooks.append(model.head.register_forward_hook(keep("head")))
    if hasattr(model, "head_dist"):
        hooks.append(model.head_dist.register_forward_hook(keep("head_dist")))
    model(x)
    for hook in hooks:
        hook.remove()
    return stages


def loss_of(model, x, labels, teacher):
    """Cross-entropy with smoothing on the class head; distilled: half of it, and half of the teacher's hard label on the other head."""
    output = model(x)
    if isinstance(output, tuple):
        cls, dist = output
        return 0.5 * F.cross_entropy(cls, labels, label_smoothing=SMOOTHING) + 0.5 * F.cross_entropy(dist, teacher)
    return F.cross_entropy(output, labels, label_smoothing=SMOOTHING)


def losses_of_steps(model, x, labels, teacher, lr):
    """The loss before the first step and after each of ten, all on the same batch."""
    optimizer, losses = adamw(model, lr), []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = loss_of(model, x, labels, teacher)
        losses.append(loss.detach())
        loss.backward()
        optimizer.step()
    losses.append(loss_of(model, x, labels, teacher).detach())
    return torch.stack(losses)


def run(make_model, x, labels, teacher, lr):
    """Everything the fixtures hold, for one precision (that of `x`)."""
    model = make_model().to(x.dtype).train()
    if hasattr(model, "set_distilled_training"):
        model.set_distilled_training(True)
    stages = {name: value.detach() for name, value in record_stages(model, x).items()}
    loss = loss_of(model, x, labels, teacher)
    loss.backward()
    gradients = {name: parameter.grad.clone() for name, parameter in model.named_parameters()}
    return stages, gradients, losses_of_steps(model, x, labels, teacher, lr)


def compare(case, ours, theirs):
    """Notes how far timm's float32 run is from float64: what no float32 implementation can be asked to beat."""
    (stages, gradients, losses), (stages32, gradients32, losses32) = ours, theirs
    case.facts["timm_float32_stages"] = {name: rounded(relative_difference(stages32[name], stages[name])) for name in stages}
    case.facts["timm_float32_gradients"] = rounded(max(relative_difference(gradients32[n], gradients[n]) for n in gradients))
    case.facts["timm_float32_losses"] = rounded(relative_difference(losses32, losses))


def mini(name, kind, seed):
    case = Case(name, __file__, seed)
    arguments = dict(
        img_size=(12, 8), patch_size=4, in_chans=3, num_classes=5, embed_dim=32, depth=2, num_heads=2, mlp_ratio=4,
        qkv_bias=True, drop_rate=0.0, drop_path_rate=0.0,
    )

    def make_model():
        model = kind(**arguments)
        fill_exact(model, seed)
        return model

    generator = torch.Generator().manual_seed(seed + 1)
    x = torch.randn(4, 3, 12, 8, generator=generator).bfloat16().double()
    labels, teacher = torch.tensor([0, 3, 1, 4]), torch.tensor([0, 2, 1, 1])
    results = run(make_model, x, labels, teacher, lr=1e-3)
    compare(case, results, run(make_model, x.float(), labels, teacher, lr=1e-3))
    stages, gradients, losses = results

    weights = {key: value.bfloat16() for key, value in make_model().state_dict().items()}
    case.write_tensors("model.safetensors", weights, format="pt")
    tensors = {"input": x.bfloat16(), "labels": labels, "losses": losses}
    if kind is VisionTransformerDistilled:
        tensors["teacher_labels"] = teacher
    for key, value in stages.items():
        tensors[f"stage.{key}"] = value[:2]
    for key, value in gradients.items():
        put(tensors, f"gradient.{key}", value, limit=128)
    case.write_tensors("expected.safetensors", tensors, lr=1e-3, weight_decay=0.05, smoothing=SMOOTHING, sample_limit=128)
    case.facts["parameters"] = sum(p.numel() for p in make_model().parameters())
    distilled = kind is VisionTransformerDistilled
    case.finish(MINI_README.format(
        name=name, kind=kind.__name__, seed=seed, parameters=case.facts["parameters"],
        loss="0.5 · (cross-entropy of the class head with smoothing 0.1) + 0.5 · (cross-entropy of the distillation head with `teacher_labels`, without smoothing)"
        if distilled else "cross-entropy with label smoothing 0.1, mean over the batch",
        heads="`stage.head`, `stage.head_dist`" if distilled else "`stage.head`",
    ))


def deit_tiny(seed):
    weights = os.path.join(SHARED, "data", "deit_tiny_patch16_224.safetensors")
    if not os.path.exists(weights):
        print(f"deit_tiny: skipped, there is no {weights}")
        return
    import numpy
    from safetensors.torch import load_file

    case, limit, lr = Case("deit_tiny", __file__, seed), 32, 1e-4
    golden = [numpy.load(os.path.join(SHARED, "data", "golden", f"{i}.npy")) for i in (0, 1)]
    x, labels = torch.from_numpy(numpy.concatenate(golden)).double(), torch.tensor([285, 207])

    def make_model():
        model = timm.create_model("deit_tiny_patch16_224")
        model.load_state_dict(load_file(weights), strict=True)
        return model

    results = run(make_model, x, labels, None, lr)
    compare(case, results, run(make_model, x.float(), labels, None, lr))
    stages, gradients, losses = results
    tensors = {"labels": labels, "losses": losses}
    for key, value in stages.items():
        put(tensors, f"stage.{key}", value, limit=256)
    for key, value in gradients.items():
        put(tensors, f"gradient.{key}", value, limit=limit)
    case.write_tensors("expected.safetensors", tensors, lr=lr, weight_decay=0.05, smoothing=SMOOTHING, sample_limit=limit, stage_sample_limit=256)
    case.finish(TINY_README)


COMMON = """
- `gradient.KEY`: of a parameter with at most {limit} elements all, in order; of a larger one {limit}, at the flat indices
  0, 7919, 2 · 7919 … modulo its size. `gradient.KEY.norm_max`: Euclidean norm and largest magnitude of the whole gradient.
- `losses`: the loss before the first of ten AdamW steps and after each (11 values), always on the same batch; learning
  rate {lr}, betas 0.9 and 0.999, epsilon 1e-8, weight decay 0.05, but none for one-dimensional parameters, biases,
  `pos_embed`, `cls_token` and `dist_token`.

Computed in float64 and stored in float32. `manifest.json` tells versions, digests, and how far timm's own float32 run
is from these numbers. Made anew by `make fixtures`.
"""

MINI_README = """
# {name}

timm's `{kind}` with two blocks of width 32 and two heads, images of 12 × 8 pixels in patches of 4, five classes
({parameters:,} parameters), seed {seed}. Made by `Tools/parity/make_vit.py`.

- `model.safetensors`: the weights in bf16, which holds them exactly; load them as fp32. No bias is 0 and no scale is 1.
- `expected.safetensors`: `input` (4 images, bf16, exact) and `labels`; training mode, no dropout, no stochastic depth.
- `stage.NAME`: outputs for the first two images: `patch_embed`, `position_sum` (what enters the first block),
  `blocks.0.attn`, `blocks.0.mlp`, `blocks.0`, `blocks.1`, `norm`; {heads}.
- The loss is {loss}.
""" + COMMON.format(limit=128, lr="1e-3")

TINY_README = """
# deit_tiny

DeiT-Ti with Facebook's weights, on golden inputs 0 and 1 with labels 285 and 207. Weights and inputs are in
`../shared/data` beside the checkout, not here; the test says so and is skipped where they are absent.
Made by `Tools/parity/make_vit.py`.

- `stage.NAME`: 256 samples of each stage's output (batch 2), by the rule below, with `stage.NAME.norm_max`.
  timm's own float32 run is up to 8e-5 of the largest element away from float64 in blocks 7 to 11, in about one element
  of 5000 that belong to a few background tokens (the manifest lists every stage); the samples happen to hold none of
  these before `norm`, where it is 1.2e-5.
- The loss is cross-entropy with label smoothing 0.1, mean over the batch; training mode, no dropout, no stochastic depth.
""" + COMMON.format(limit=32, lr="1e-4")

if __name__ == "__main__":
    torch.use_deterministic_algorithms(True)
    mini("vit_mini", VisionTransformer, seed=20)
    mini("deit_mini_distilled", VisionTransformerDistilled, seed=21)
    deit_tiny(seed=0)
