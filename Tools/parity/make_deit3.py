"""A small DeiT-III and a DINO backbone without a classifier, by timm: stages, gradients, features.

The same references as in make_vit.py, whose recording of stages is used here.
"""
import torch

from fixture import Case, fill_exact, import_timm, put, relative_difference, rounded

timm = import_timm()
from timm.models.deit import VisionTransformerDistilled  # noqa: E402
from timm.models.vision_transformer import VisionTransformer  # noqa: E402

from make_vit import record_stages  # noqa: E402

ARGUMENTS = dict(img_size=(12, 8), patch_size=4, in_chans=3, embed_dim=32, depth=2, num_heads=2, mlp_ratio=4, qkv_bias=True)


def images(seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, 3, 12, 8, generator=generator).bfloat16().double()


def deit3(seed):
    case = Case("deit3_mini", __file__, seed)

    def make_model():
        model = VisionTransformer(**ARGUMENTS, num_classes=5, no_embed_class=True, init_values=1e-6)
        fill_exact(model, seed)
        return model

    def run(x):
        model = make_model().to(x.dtype).train()
        stages = {name: value.detach() for name, value in record_stages(model, x).items()}
        torch.nn.functional.cross_entropy(model(x), torch.tensor([0, 3])).backward()
        return stages, {name: parameter.grad.clone() for name, parameter in model.named_parameters()}

    x = images(seed + 1)
    (stages, gradients), (stages32, gradients32) = run(x), run(x.float())
    case.write_tensors("model.safetensors", {k: v.bfloat16() for k, v in make_model().state_dict().items()}, format="pt")
    tensors = {"input": x.bfloat16(), "labels": torch.tensor([0, 3])}
    tensors.update({f"stage.{key}": value for key, value in stages.items()})
    for key, value in gradients.items():
        put(tensors, f"gradient.{key}", value, limit=64)
    case.write_tensors("expected.safetensors", tensors, sample_limit=64)
    case.facts["timm_float32_stages"] = {n: rounded(relative_difference(stages32[n], stages[n])) for n in stages}
    case.facts["timm_float32_gradients"] = rounded(max(relative_difference(gradients32[n], gradients[n]) for n in gradients))
    case.finish(DEIT3_README)


def headless(seed):
    case, tensors = Case("headless", __file__, seed), {}
    x = images(seed + 1)
    tensors["input"] = x.bfloat16()
    for name, kind in (("vit", VisionTransformer), ("deit", VisionTransformerDistilled)):
        model = kind(**ARGUMENTS, num_classes=0)
        fill_exact(model, seed)
        tensors.update({f"{name}.{key}": value.bfloat16() for key, value in model.state_dict().items()})
        model = model.double().eval()
        with torch.no_grad():
            tensors[f"{name}_output"] = model(x)
            # get_intermediate_layers of DINO: the last blocks' tokens, each normalised.
            blocks = model.forward_intermediates(x, indices=2, norm=True, return_prefix_tokens=True, output_fmt="NLC", intermediates_only=True)
            for index, (patches, prefix) in enumerate(blocks):
                tensors[f"{name}_block.{index}"] = torch.cat([prefix, patches], dim=1)
    case.write_tensors("expected.safetensors", tensors)
    case.finish(HEADLESS_README)


DEIT3_README = """
# deit3_mini

timm's `VisionTransformer` as DeiT-III uses it (`no_embed_class=True`, `init_values`), two blocks of width 32 and two
heads, images of 12 × 8 pixels in patches of 4, five classes, seed 50. The scales `ls1.gamma` and `ls2.gamma` are far
from their first value 1e-6, or nothing of the blocks would show. Made by `Tools/parity/make_deit3.py`.

- `model.safetensors`: the weights in bf16, which holds them exactly.
- `expected.safetensors`: `input` (2 images), `labels`; `stage.NAME` as in vit_mini; `gradient.KEY` of the cross-entropy,
  samples as in vit_mini, 64 of each at most, and `gradient.KEY.norm_max`.

Computed in float64 and stored in float32; training mode, no dropout. Made anew by `make fixtures`.
"""

HEADLESS_README = """
# headless

timm's `VisionTransformer` and `VisionTransformerDistilled` with `num_classes=0`, the model of deit3_mini's sizes, seed 60.
Made by `Tools/parity/make_deit3.py`.

- `input` (2 images); `vit.KEY`, `deit.KEY`: the weights in bf16, which holds them exactly.
- `vit_output`, `deit_output`: what calling the model gives: the class token, and the mean of class and distillation token.
- `vit_block.0`, `.1`, `deit_block.0`, `.1`: the normalised tokens after each of the two blocks, prefix tokens first
  (`forward_intermediates`, which for a ViT is DINO's `get_intermediate_layers`).

Computed in float64 and stored in float32. Made anew by `make fixtures`.
"""

if __name__ == "__main__":
    torch.use_deterministic_algorithms(True)
    deit3(seed=50)
    headless(seed=60)
