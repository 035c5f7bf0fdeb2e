"""Images a second that timm with Pillow brings from files to tensors on one core: beside `deit bench pipeline FOLDER`.

    pipeline.py FOLDER [SECONDS]    DeiT's training recipe, then evaluation, for so many seconds each (10)
"""
import itertools
import pathlib
import sys
import time

import torch
import torchvision_stub  # noqa: F401  # before timm, which imports torchvision
from PIL import Image
from timm.data import create_transform

torch.set_num_threads(1)
endings = {".jpg", ".jpeg", ".png", ".webp"}
files = sorted(path for path in pathlib.Path(sys.argv[1]).rglob("*") if path.suffix.lower() in endings)
seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 10
transforms = {
    "training": create_transform(
        224, is_training=True, color_jitter=0.3, auto_augment="rand-m9-mstd0.5-inc1", interpolation="bicubic", re_prob=0.25, re_mode="pixel"
    ),
    "evaluation": create_transform(224, is_training=False, interpolation="bicubic", crop_pct=0.875),
}
for name, transform in transforms.items():
    count, start = -20, 0.0
    for path in itertools.cycle(files):
        if count == 0:
            start = time.perf_counter()
        if count > 0 and time.perf_counter() - start > seconds:
            break
        transform(Image.open(path).convert("RGB"))
        count += 1
    print(f"timm with Pillow, {name}: {count / (time.perf_counter() - start):.1f} images/s", flush=True)
