"""Position embeddings brought to another grid by the five references that swift-deit names.

`timm` and `hf` run the libraries themselves. `deit`, `dino` and `dinov2` are the calls to torch that these repositories
make, in the form for height and width apart:

- facebookresearch/deit, `main.py` at commit 7e160fe43f0252d17191b71cbb5826254114ea5b, the block under `args.finetune`;
- facebookresearch/dino, `vision_transformer.py` at commit de9ee3df6cf39fac952ab558447af1fa1365362a, `interpolate_pos_encoding`;
- facebookresearch/dinov2, `dinov2/models/vision_transformer.py` at commit b8931f7bf91576930313be2c6d6af376033b35f0,
  `interpolate_pos_encoding`, with `interpolate_offset` and `interpolate_antialias` of `dinov2/hub/backbones.py`.
"""
import torch
import torch.nn.functional as F

from fixture import Case, import_timm

timm = import_timm()
from timm.layers import resample_abs_pos_embed  # noqa: E402
import transformers  # noqa: E402
from transformers import DeiTConfig, Dinov2Config, Dinov2WithRegistersConfig, ViTConfig  # noqa: E402
from transformers.models.deit.modeling_deit import DeiTEmbeddings  # noqa: E402
from transformers.models.dinov2.modeling_dinov2 import Dinov2Embeddings  # noqa: E402
from transformers.models.dinov2_with_registers.modeling_dinov2_with_registers import (  # noqa: E402
    Dinov2WithRegistersEmbeddings,
)
from transformers.models.vit.modeling_vit import ViTEmbeddings  # noqa: E402

WIDTH, PATCH = 6, 4
# The source of each is what the reference can take: transformers' and dino's are square.
SQUARE = [((4, 4), (7, 7)), ((7, 7), (4, 4)), ((5, 5), (3, 8)), ((3, 3), (12, 2)), ((14, 14), (24, 24)), ((14, 14), (6, 9))]
ANY = [((4, 6), (6, 4)), ((3, 7), (5, 4)), ((6, 2), (3, 9)), ((4, 6), (4, 9))]


def grid_of(embedding, prefix, old):
    return embedding[:, prefix:].reshape(1, old[0], old[1], -1).permute(0, 3, 1, 2)


def joined(embedding, prefix, grid):
    return torch.cat([embedding[:, :prefix], grid.permute(0, 2, 3, 1).flatten(1, 2)], dim=1)


def deit(embedding, prefix, old, new):
    grid = F.interpolate(grid_of(embedding, prefix, old), size=new, mode="bicubic", align_corners=False)
    return joined(embedding, prefix, grid)


def dino(embedding, prefix, old, new):
    factors = ((new[0] + 0.1) / old[0], (new[1] + 0.1) / old[1])
    grid = F.interpolate(grid_of(embedding, prefix, old), scale_factor=factors, mode="bicubic")
    assert tuple(grid.shape[-2:]) == new
    return joined(embedding, prefix, grid)


def dinov2(embedding, prefix, old, new, offset=0.1, antialias=False):
    previous, embedding = embedding.dtype, embedding.float()
    if offset:
        kwargs = {"scale_factor": (float(new[0] + offset) / old[0], float(new[1] + offset) / old[1])}
    else:
        kwargs = {"size": new}
    grid = F.interpolate(grid_of(embedding, prefix, old), mode="bicubic", antialias=antialias, **kwargs)
    assert tuple(grid.shape[-2:]) == new
    return joined(embedding, prefix, grid).to(previous)


def dinov2_reg(embedding, prefix, old, new):
    return dinov2(embedding, prefix, old, new, offset=0.0, antialias=True)


def by_timm(embedding, prefix, old, new):
    return resample_abs_pos_embed(embedding, list(new), list(old), num_prefix_tokens=prefix)


def hf(embedding, prefix, old, new):
    return by_transformers(*{1: (ViTEmbeddings, ViTConfig), 2: (DeiTEmbeddings, DeiTConfig)}[prefix], embedding, old, new)


def hf_dinov2(embedding, prefix, old, new):
    return by_transformers(Dinov2Embeddings, Dinov2Config, embedding, old, new)


def hf_reg(embedding, prefix, old, new):
    return by_transformers(Dinov2WithRegistersEmbeddings, Dinov2WithRegistersConfig, embedding, old, new)


def by_transformers(kind, config, embedding, old, new):
    prefix = embedding.shape[1] - old[0] * old[1]
    module = kind(config(hidden_size=WIDTH, image_size=old[0] * PATCH, patch_size=PATCH, num_attention_heads=2))
    with torch.no_grad():
        module.to(embedding.dtype).position_embeddings.copy_(embedding)
        tokens = torch.zeros(1, prefix + new[0] * new[1], WIDTH)
        return module.interpolate_pos_encoding(tokens, new[0] * PATCH, new[1] * PATCH)


def cases():
    for old, new in SQUARE + ANY:
        for prefix in (0, 1, 2):
            for name, function in WAYS.items():
                # transformers has no model without prefix tokens, and takes square sources only; its DINOv2 has one token
                # with a position.
                if name.startswith("hf") and (prefix not in ((1, 2) if name == "hf" else (1,)) or old[0] != old[1]):
                    continue
                yield name, function, prefix, old, new


# Networks with registers are resampled otherwise by two of the libraries.
WAYS = {
    "deit": deit, "timm": by_timm, "hf": hf, "hf_dinov2": hf_dinov2, "hf_reg": hf_reg, "dino": dino, "dinov2": dinov2,
    "dinov2_reg": dinov2_reg,
}
# These compute in float32 whatever the embedding's type; the numbers are those of its type.
IN_FLOAT32 = ("timm", "hf_reg", "dinov2", "dinov2_reg")


README = """
# positions

Position embeddings of width 6 on one grid of patches and what each of the five references makes of them on another,
behind 0, 1 or 2 prefix tokens. Made by `Tools/parity/make_positions.py`, which says what the references are.

- `source.PREFIX.HxW`: an embedding, [1, PREFIX + H · W, 6], fp32.
- `WAY.PREFIX.HxW.hxw`: what `deit`, `timm`, `hf`, `dino` or `dinov2` made of it for a grid of h by w. transformers takes
  square sources only and has no model without prefix tokens; `hf_dinov2` is its Dinov2. `hf_reg` and `dinov2_reg` are the
  ways of the networks with registers.
- `half.WAY.…`: the same of the source in bf16, by the ways that compute in float32; the numbers are bf16's.

Computed in float32, as all five do. Made anew by `make fixtures`.
"""

if __name__ == "__main__":
    case = Case("positions", __file__, seed=40)
    generator = torch.Generator().manual_seed(40)
    tensors = {}
    for name, function, prefix, old, new in cases():
        source = "source.{}.{}x{}".format(prefix, *old)
        if source not in tensors:
            tensors[source] = torch.randn(1, prefix + old[0] * old[1], WIDTH, generator=generator)
        result = function(tensors[source], prefix, old, new)
        assert result.shape == (1, prefix + new[0] * new[1], WIDTH), (name, result.shape)
        tensors["{}.{}.{}x{}.{}x{}".format(name, prefix, *old, *new)] = result
        if name in IN_FLOAT32 and prefix == 1 and (old, new) == SQUARE[1]:
            half = function(tensors[source].bfloat16(), prefix, old, new)
            assert half.dtype == torch.bfloat16
            tensors["half.{}.{}.{}x{}.{}x{}".format(name, prefix, *old, *new)] = half.float()
    case.facts["transformers"] = transformers.__version__
    case.facts["cases"] = sum(not key.startswith("source") for key in tensors)
    case.write_tensors("expected.safetensors", tensors)
    case.finish(README)
