"""Names, shapes and parameter counts of timm's models, for the golden lists of keys."""
from fixture import Case, TEACHERS, import_timm

timm = import_timm()
import torch  # noqa: E402

# Requirements E1; the two 384-pixel presets that timm has no name for follow from the larger position embedding.
PUBLISHED = {
    "deit_tiny_patch16_224": 5_717_416,
    "deit_small_patch16_224": 22_050_664,
    "deit_base_patch16_224": 86_567_656,
    "deit_tiny_distilled_patch16_224": 5_910_800,
    "deit_small_distilled_patch16_224": 22_436_432,
    "deit_base_distilled_patch16_224": 87_338_192,
    "deit_base_patch16_384": 86_859_496,
    "deit_base_distilled_patch16_384": 87_630_032,
}


def presets():
    for distilled in ("", "distilled_"):
        for size in ("tiny", "small", "base"):
            for pixels in (224, 384):
                yield f"deit_{size}_{distilled}patch16_{pixels}", f"deit_{size}_{distilled}patch16_224", {"img_size": pixels}
    for size, pixels in (("small", (224, 384)), ("medium", (224,)), ("base", (224, 384)), ("large", (224, 384))):
        for side in pixels:
            yield f"deit3_{size}_patch16_{side}", f"deit3_{size}_patch16_{side}", {}
    yield "deit3_huge_patch14_224", "deit3_huge_patch14_224", {}
    for size in ("tiny", "small", "base", "large"):
        for side in (224, 384):
            yield f"vit_{size}_patch16_{side}", f"vit_{size}_patch16_{side}", {}
    # The tag's own configuration says num_classes=0.
    for size in ("small", "base"):
        for patch in (16, 8):
            name = f"vit_{size}_patch{patch}_224.dino"
            yield name, name, {"pretrained": False}
    for name in TEACHERS:
        yield name, name, {}


README = """
# timm_keys

The state dict of each of timm's models in its own order, one line a tensor: its key, then its shape (a scalar has none).
The first line is a comment with the number of trainable parameters. The eight counts that Facebook's repository
publishes were checked when these files were made. The tiny and small models at 384 pixels are timm's 224-pixel ones
with `img_size=384`. Made by `Tools/parity/make_keys.py`; anew by `make fixtures`.
"""

if __name__ == "__main__":
    case = Case("timm_keys", __file__, seed=0)
    for name, timm_name, arguments in presets():
        with torch.device("meta"):
            model = timm.create_model(timm_name, **arguments)
        count = sum(parameter.numel() for parameter in model.parameters())
        if PUBLISHED.get(name, count) != count:
            raise SystemExit(f"{name}: {count} parameters, published are {PUBLISHED[name]}")
        lines = [f"# parameters {count}"]
        lines += [" ".join([key, *map(str, value.shape)]) for key, value in model.state_dict().items()]
        case.write(f"{name}.txt", ("\n".join(lines) + "\n").encode())
    case.finish(README)
