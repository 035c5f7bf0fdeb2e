"""Hugging Face's DeiT for masked image modelling: hidden states, attentions, reconstructions, loss, gradients.

Runs transformers' own model with eager attention; its weights are stored by swift-deit's keys.
"""
import torch

from fixture import Case, fill_exact, import_timm, relative_difference, rounded

import_timm()  # transformers imports torchvision too
import transformers  # noqa: E402
from transformers import DeiTConfig, DeiTForMaskedImageModeling  # noqa: E402

SIZE, PATCH, CHANNELS, WIDTH = 16, 4, 2, 32
CONFIG = dict(
    hidden_size=WIDTH, num_hidden_layers=2, num_attention_heads=2, intermediate_size=4 * WIDTH, image_size=SIZE,
    patch_size=PATCH, num_channels=CHANNELS, encoder_stride=PATCH, layer_norm_eps=1e-12,
)
NAMES = {
    "embeddings.cls_token": "cls_token", "embeddings.distillation_token": "dist_token",
    "embeddings.position_embeddings": "pos_embed", "embeddings.mask_token": "mask_token",
    "embeddings.patch_embeddings.projection": "patch_embed.proj", "layernorm_before": "norm1", "layernorm_after": "norm2",
    "attention.o_proj": "attn.proj", "layernorm": "norm", "layers": "blocks",
}


def our_keys(state):
    """The state dict by timm's names, with query, key and value in one."""
    result = {}
    for name, value in state.items():
        name = name.removeprefix("deit.")
        if ".attention.k_proj." in name or ".attention.v_proj." in name:
            continue
        if ".attention.q_proj." in name:
            value = torch.cat([state["deit." + name.replace("q_proj", part)] for part in ("q_proj", "k_proj", "v_proj")])
            name = name.replace("attention.q_proj", "attn.qkv")
        for theirs, ours in NAMES.items():
            if name == theirs or name.startswith(theirs + ".") or f".{theirs}." in name:
                name = name.replace(theirs, ours)
        result[name] = value
    return result


def make_model(seed):
    model = DeiTForMaskedImageModeling._from_config(DeiTConfig(**CONFIG), attn_implementation="eager")
    fill_exact(model, seed)
    return model.eval()


def run(model, x, mask, large):
    output = model(x, bool_masked_pos=mask, output_hidden_states=True, output_attentions=True)
    output.loss.backward()
    tensors = {"reconstruction": output.reconstruction, "loss": output.loss, "gradient.mask_token": model.deit.embeddings.mask_token.grad}
    tensors["gradient.decoder.0.weight"] = model.decoder[0].weight.grad
    for index, value in enumerate(output.hidden_states):
        tensors[f"hidden_states.{index}"] = value
    for index, value in enumerate(output.attentions):
        tensors[f"attentions.{index}"] = value
    with torch.no_grad():
        tokens = model.deit(x, bool_masked_pos=mask).last_hidden_state
        tensors["tokens"] = tokens
        # What transformers did before the slice was corrected: the distillation token in, the last patch out.
        side = SIZE // PATCH
        grid = tokens[:, 1:-1].permute(0, 2, 1).reshape(len(x), WIDTH, side, side)
        tensors["reconstruction_legacy"] = model.decoder(grid)
        tensors["tokens_large"] = model.deit(large, interpolate_pos_encoding=True).last_hidden_state
    return {name: value.detach() for name, value in tensors.items()}


README = """
# masked

transformers' `DeiTForMaskedImageModeling` in evaluation with eager attention: two blocks of width 32 and two heads,
images of 16 × 16 pixels with two channels in patches of 4, layer norm eps 1e-12, seed 70. Made by
`Tools/parity/make_masked.py`.

- `model.safetensors`: the weights by swift-deit's keys, in bf16, which holds them exactly.
- `input` (2 images), `mask` ([2, 16], int64), `tokens`, `hidden_states.0` to `.2`, `attentions.0` and `.1`,
  `reconstruction`, `reconstruction_legacy` (the decoder on the tokens `[:, 1:-1]`, as transformers had it up to 2025),
  `loss`, `gradient.KEY` of the loss.
- `large`: 2 images of 24 × 12 pixels, and `tokens_large`: the last tokens without a mask and with
  `interpolate_pos_encoding=True`.

Computed in float64 (but for the softmax, which transformers computes in float32) and stored in float32. Made anew by
`make fixtures`.
"""

if __name__ == "__main__":
    case = Case("masked", __file__, seed=70)
    generator = torch.Generator().manual_seed(71)
    x = torch.randn(2, CHANNELS, SIZE, SIZE, generator=generator).bfloat16().double()
    large = torch.randn(2, CHANNELS, 24, 12, generator=generator).bfloat16().double()
    mask = torch.rand(2, (SIZE // PATCH) ** 2, generator=generator) < 0.5
    weights = {name: value.bfloat16() for name, value in our_keys(make_model(70).state_dict()).items()}
    case.write_tensors("model.safetensors", weights, format="pt")
    tensors = run(make_model(70).double(), x, mask, large)
    single = run(make_model(70), x.float(), mask, large.float())
    case.facts["transformers"] = transformers.__version__
    case.facts["transformers_float32"] = {n: rounded(relative_difference(single[n], tensors[n])) for n in tensors}
    case.write_tensors("expected.safetensors", {"input": x.bfloat16(), "large": large.bfloat16(), "mask": mask.long(), **tensors})
    case.finish(README)
