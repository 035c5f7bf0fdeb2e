"""Makes Tests/EvaluationTests/Fixtures/features.safetensors: timm's features of one photograph by DeiT-Tiny.

    python Tools/parity/make_features.py

The image and Facebook's weights are those of ../shared (or DEIT_SHARED); the fixture holds numbers only. Needs timm and
Pillow.
"""
import os

import torch
from fixture import ROOT, SHARED, import_timm, sample, safetensors_bytes

timm = import_timm()
from PIL import Image  # noqa: E402
from safetensors.torch import load_file  # noqa: E402
from timm.data import create_transform  # noqa: E402

OUT = os.path.join(ROOT, "Tests", "EvaluationTests", "Fixtures")
IMAGE = "imagenet-500/n01440764/n01440764_tench.JPEG"
LIMIT = 2048


def main():
    model = timm.create_model("deit_tiny_patch16_224").eval().double()
    model.load_state_dict(load_file(os.path.join(SHARED, "data", "deit_tiny_patch16_224.safetensors")))
    transform = create_transform((3, 224, 224), interpolation="bicubic", crop_pct=0.875)
    image = Image.open(os.path.join(SHARED, "data", IMAGE)).convert("RGB")
    x = transform(image)[None].double()
    with torch.no_grad():
        last = model.forward_features(x)
        # With the prefix tokens each layer is a pair: patches, prefix.
        layers = model.get_intermediate_layers(x, 4, return_prefix_tokens=True, norm=True)
    assert torch.equal(layers[-1][0], last[:, 1:]) and torch.equal(layers[-1][1], last[:, :1])
    tensors = {
        "cls": torch.cat([prefix[:, 0] for _, prefix in layers], -1)[0],
        "mean": torch.cat([patches.mean(1) for patches, _ in layers], -1)[0],
        # The patches' vectors, the four layers behind one another: [196, 4 * 192], a sample of them.
        "patch": sample(torch.cat([patches for patches, _ in layers], -1), LIMIT),
        "last.cls": torch.nn.functional.normalize(last[:, 0], dim=-1)[0],
    }
    os.makedirs(OUT, exist_ok=True)
    data = safetensors_bytes({name: tensor.float() for name, tensor in tensors.items()},
                             {"image": IMAGE, "timm": timm.__version__, "torch": torch.__version__})
    with open(os.path.join(OUT, "features.safetensors"), "wb") as file:
        file.write(data)
    print(len(data), "bytes")


if __name__ == "__main__":
    main()
