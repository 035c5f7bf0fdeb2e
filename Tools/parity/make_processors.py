"""Makes Tests/ImagePipelineTests/Fixtures/processors: fingerprints of what Pillow makes of images.

    python Tools/parity/make_processors.py

`imagenet500.txt` has a line for each image of ../shared/data/imagenet-500 (or DEIT_SHARED), `odd.txt` one for each of
some made-up images of odd shapes: fingerprints of the pixels after each of the processors' flavours. Before one is
written, the same image goes through timm's transforms and Hugging Face's PIL processors, which must agree with Pillow.
Needs Pillow 11, numpy, torch, timm and transformers.
"""
import os
import sys
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "Tests" / "ImagePipelineTests" / "Fixtures" / "processors"
SHARED = Path(os.environ.get("DEIT_SHARED", ROOT.parent / "shared"))
sys.path.append(str(ROOT / "Benchmarks" / "peers"))
import torchvision_stub  # noqa: E402,F401
from fingerprints import fingerprint  # noqa: E402
from timm.data import create_transform  # noqa: E402
from transformers.models.deit.image_processing_pil_deit import DeiTImageProcessorPil  # noqa: E402
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil  # noqa: E402

Image.MAX_IMAGE_PIXELS = None
BICUBIC, BILINEAR = Image.BICUBIC, Image.BILINEAR


# --- The flavours, by Pillow alone


def shortest(image, side, resample):
    width, height = image.size
    long = int(side * max(width, height) / min(width, height))
    size = (side, long) if width <= height else (long, side)
    return image if size == image.size else image.resize(size, resample)


def crop(image, side, floored=False):
    """The middle; half a pixel rounds to the even side, as in torchvision, or down, as in transformers."""
    width, height = image.size
    place = [(width - side) / 2.0, (height - side) / 2.0]
    left, top = [int(p) if floored else int(round(p)) for p in place]
    return image.crop((left, top, left + side, top + side))


def squash(image, height, width, resample):
    return image if image.size == (width, height) else image.resize((width, height), resample)


def deit224(image):
    return crop(shortest(image, 256, BICUBIC), 224)


def deit384(image):
    return crop(shortest(image, 438, BICUBIC), 384)


def squash224(image):
    return crop(squash(image, 256, 256, BICUBIC), 224, floored=True)


def whole224(image):
    return squash(image, 224, 224, BILINEAR)


def floored231(image):
    return crop(shortest(image, 259, BILINEAR), 224, floored=True)


# --- What must agree with them

TIMM = {
    deit224: create_transform((3, 224, 224), interpolation="bicubic", crop_pct=0.875, normalize=False),
    deit384: create_transform((3, 384, 384), interpolation="bicubic", crop_pct=0.875, normalize=False),
}
HF = {
    squash224: DeiTImageProcessorPil(),
    whole224: ViTImageProcessorPil(),
    floored231: ViTImageProcessorPil(size={"shortest_edge": 259}, do_center_crop=True,
                                     crop_size={"height": 224, "width": 224}),
}


def check(image):
    for flavour, transform in TIMM.items():
        values = transform(image).numpy().transpose(1, 2, 0)
        assert values.dtype == np.uint8
        assert np.array_equal(values, np.asarray(flavour(image))), flavour
    for flavour, processor in HF.items():
        values = processor(image, do_rescale=False, do_normalize=False, return_tensors="np")["pixel_values"][0]
        assert np.array_equal(values.astype(np.uint8).transpose(1, 2, 0), np.asarray(flavour(image))), flavour


# --- The cases

TARGETS = ((1, 224), (224, 1), (96, 288), (288, 96), (17, 401), (401, 17), (1, 1), (640, 480), (512, 700), (3, 1000))


def part(image, kind):
    """A part of odd shape: a row, a column, three to one, one to three, a narrow column."""
    width, height = image.size
    short = min(width, height)
    left, top, w, h = (
        (0, height // 2, width, 1), (width // 2, 0, 1, height), (0, 0, short, max(1, short // 3)),
        (0, 0, max(1, short // 3), short), (width // 3, 0, min(17, width), height))[kind]
    if left + w > width:
        left = 0
    return image.crop((left, top, left + w, top + h))


def images():
    lines = []
    for i, file in enumerate(sorted((SHARED / "data" / "imagenet-500").glob("*/*"))):
        image = Image.open(file).convert("RGB")
        if i % 25 == 0:
            check(image)
        height, width = TARGETS[i % len(TARGETS)]
        odd = part(image, i % 5)
        results = (image, deit224(image), squash224(image), whole224(image), deit384(image), floored231(image),
                   squash(image, height, width, BICUBIC), squash(image, height, width, BILINEAR),
                   deit224(odd), whole224(odd))
        lines.append(" ".join([file.parent.name] + [fingerprint(r) for r in results]))
    return lines


SHAPES = ((1, 300), (300, 1), (100, 300), (300, 100), (4001, 17), (17, 4001), (1, 1), (2, 3), (223, 225), (257, 256),
          (256, 256), (224, 224), (999, 1000), (60, 64))


def made_up(height, width, channels):
    """Noise that Swift makes as well."""
    index = np.arange(height * width * channels, dtype=np.uint64)
    samples = ((index * np.uint64(2654435761)) >> np.uint64(13)).astype(np.uint8)
    shape = (height, width, 3) if channels == 3 else (height, width)
    return Image.fromarray(samples.reshape(shape))


def odd_shapes():
    lines = []
    for height, width in SHAPES:
        for channels in (3, 1):
            image = made_up(height, width, channels)
            if channels == 3:
                check(image)
            results = [flavour(image) for flavour in (deit224, squash224, whole224, deit384, floored231)]
            lines.append(" ".join([f"{height} {width} {channels}"] + [fingerprint(r) for r in results]))
    return lines


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for name, lines in (("odd.txt", odd_shapes()), ("imagenet500.txt", images())):
        (OUT / name).write_text("\n".join(lines) + "\n")
        print(name, len(lines), "lines")


if __name__ == "__main__":
    main()
