"""Position embeddings brought to another grid by the four references that swift-deit names.

`timm` and `hf` run the libraries themselves. `deit` and `dino` are the calls to torch that these repositories make, in
the form for height and width apart:

- facebookresearch/deit, `main.py` at commit 7e160fe43f0252d17191b71cbb5826254114ea5b, the block under `args.finetune`;
- facebookresearch/dino, `vision_transformer.py` at commit de9ee3df6cf39fac952ab558447af1fa1365362a, `interpolate_pos_encoding`.
"""
import torch
import torch.nn.functional as F

from fixture import Case, import_timm

timm = import_timm()
from timm.layers import resample_abs_pos_embed  # noqa: E402
import transformers  # noqa: E402
from transformers import DeiTConfig, ViTConfig  # noqa: E402
from transformers.models.deit.modeling_deit import DeiTEmbeddings  # noqa: E402
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


def by_timm(embedding, prefix, old, new):
    return resample_abs_pos_embed(embedding, list(new), list(old), num_prefix_tokens=prefix)


def hf(embedding, prefix, old, new):
    kind, config = {1: (ViTEmbeddings, ViTConfig), 2: (DeiTEmbeddings, DeiTConfig)}[prefix]
    module = kind(config(hidden_size=WIDTH, image_size=old[0] * PATCH, patch_size=PATCH, num_attention_heads=2))
    with torch.no_grad():
        module.position_embeddings.copy_(embedding)
        tokens = torch.zeros(1, prefix + new[0] * new[1], WIDTH)
        return module.interpolate_pos_encoding(tokens, new[0] * PATCH, new[1] * PATCH)


def cases():
    for old, new in SQUARE + ANY:
        for prefix in (0, 1, 2):
            for name, function in (("deit", deit), ("timm", by_timm), ("hf", hf), ("dino", dino)):
                # transformers has no model without prefix tokens, and takes square sources only.
                if name == "hf" and (prefix == 0 or old[0] != old[1]):
                    continue
                yield name, function, prefix, old, new


README = """
# positions

Position embeddings of width 6 on one grid of patches and what each of the four references makes of them on another,
behind 0, 1 or 2 prefix tokens. Made by `Tools/parity/make_positions.py`, which says what the references are.

- `source.PREFIX.HxW`: an embedding, [1, PREFIX + H · W, 6], fp32.
- `WAY.PREFIX.HxW.hxw`: what `deit`, `timm`, `hf` or `dino` made of it for a grid of h by w. transformers takes square
  sources only and has no model without prefix tokens.

Computed in float32, as all four do. Made anew by `make fixtures`.
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
    case.facts["transformers"] = transformers.__version__
    case.facts["cases"] = sum(not key.startswith("source") for key in tensors)
    case.write_tensors("expected.safetensors", tensors)
    case.finish(README)
