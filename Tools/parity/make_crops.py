"""Makes Tests/ImagePipelineTests/Fixtures/processors/crops.txt: fingerprints of what timm makes of images.

    python Tools/parity/make_crops.py

A line for each of timm's crop modes, some sizes, shares and shapes of images: the pixels of `create_transform` before
normalisation. A line begins with the words of a `pretrained_cfg` (mode, height, width, crop_pct, interpolation), then come
the image's rows, columns and channels, and the fingerprint; `error` where timm itself refuses the image.
Needs Pillow 11, numpy, torch and timm.
"""
import os
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "Tests" / "ImagePipelineTests" / "Fixtures" / "processors" / "crops.txt"
SHARED = Path(os.environ.get("DEIT_SHARED", ROOT.parent / "shared"))
sys.path.insert(0, str(SHARED / "peers"))
import torchvision_stub  # noqa: E402,F401
from fingerprints import of_bytes  # noqa: E402
from make_processors import made_up  # noqa: E402
from timm.data import create_transform  # noqa: E402

MODES = ("center", "squash", "border")
SIZES = ((64, 64), (56, 112), (112, 56), (48, 72), (33, 97), (97, 33), (80, 81))
SHARES = (1.0, 0.9, 0.875, 0.95)
SHAPES = ((60, 60), (61, 97), (97, 61), (30, 200), (200, 30), (75, 100), (224, 448), (13, 9), (1, 37), (301, 7))
MEAN = {3: (0.485, 0.456, 0.406), 1: (0.5,)}
STD = {3: (0.229, 0.224, 0.225), 1: (0.5,)}


def line(mode, size, share, shape, channels):
    interpolation = "bilinear" if share == 0.95 else "bicubic"
    transform = create_transform(
        (channels, *size), interpolation=interpolation, crop_pct=share, crop_mode=mode, mean=MEAN[channels],
        std=STD[channels], normalize=False)
    words = [mode, *size, share, interpolation, *shape, channels]
    try:
        values = transform(made_up(*shape, channels)).numpy()
    except ValueError:
        return " ".join(map(str, words + ["error"]))
    assert values.dtype == np.uint8 and values.shape == (channels, *size), values.shape
    return " ".join(map(str, words + [of_bytes(np.ascontiguousarray(values.transpose(1, 2, 0)).tobytes())]))


def main():
    lines = []
    for mode in MODES:
        for i, size in enumerate(SIZES):
            for j, shape in enumerate(SHAPES):
                # Every share comes up with every size and every shape.
                for share in SHARES[(i + j) % 2::2]:
                    lines.append(line(mode, size, share, shape, 3))
            lines.append(line(mode, size, SHARES[i % 4], SHAPES[i], 1))
    OUT.write_text("\n".join(lines) + "\n")
    print(OUT.name, len(lines), "lines")


if __name__ == "__main__":
    main()
