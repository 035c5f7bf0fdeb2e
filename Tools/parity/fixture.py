"""What the fixture scripts share: exact weights, samples of large tensors, and files whose bytes do not change from run to run.

Python is a reference here, never a part of the product. The tests read what these scripts leave in Tests/ParityTests/Fixtures.
"""
import hashlib
import json
import math
import os
import platform
import struct
import sys

import torch

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FIXTURES = os.path.join(ROOT, "Tests", "ParityTests", "Fixtures")
sys.path.append(os.path.join(ROOT, "Benchmarks", "peers"))  # torchvision_stub
SHARED = os.environ.get("DEIT_SHARED", os.path.join(os.path.dirname(ROOT), "shared"))

# The convolutional networks of timm that are built here.
TEACHERS = (
    *(f"resnet{depth}" for depth in (18, 34, 50, 101)),
    *(f"regnety_{size}" for size in ("040", "080", "080_tv", "120", "160")),
    *(f"{origin}efficientnet_lite{size}" for origin in ("", "tf_") for size in range(3)),
)

DTYPES = {torch.float32: "F32", torch.bfloat16: "BF16", torch.int64: "I64"}
SAMPLE_STEP = 7919  # a prime that divides no tensor size here, so that the samples visit all rows and columns


def import_timm():
    """timm, also where torchvision was built for another torch; transformers can be imported after it too."""
    import torchvision_stub  # noqa: F401
    import timm

    return timm


def fill_exact(module, seed, scale=0.12):
    """Gives every parameter a value that bf16 holds exactly, biases and normalisation weights too, so that none hides."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in sorted(module.named_parameters()):
            noise = torch.randn(parameter.shape, generator=generator) * scale
            is_norm_weight = parameter.ndim == 1 and name.endswith("weight")
            parameter.copy_((noise + 1 if is_norm_weight else noise).bfloat16())


def no_decay(name, parameter):
    """The parameters without weight decay: one-dimensional ones, biases, tokens and the position embedding."""
    return parameter.ndim <= 1 or name.endswith(".bias") or name in ("pos_embed", "cls_token", "dist_token")


def adamw(module, lr, weight_decay=0.05):
    named = list(module.named_parameters())
    return torch.optim.AdamW(
        [
            {"params": [p for n, p in named if not no_decay(n, p)], "weight_decay": weight_decay},
            {"params": [p for n, p in named if no_decay(n, p)], "weight_decay": 0.0},
        ],
        lr=lr,
        betas=(0.9, 0.999),
        eps=1e-8,
    )


def sample(tensor, limit):
    """All of a small tensor; of a large one the elements 0, 7919, 15838 … modulo its size, `limit` of them."""
    flat = tensor.detach().reshape(-1)
    if flat.numel() <= limit:
        return flat.clone()
    return flat[torch.arange(limit) * SAMPLE_STEP % flat.numel()]


def put(tensors, name, tensor, limit):
    """Stores samples, the Euclidean norm and the largest magnitude of a tensor under `name`."""
    tensors[name] = sample(tensor, limit)
    tensors[name + ".norm_max"] = torch.stack([tensor.detach().double().norm(), tensor.detach().abs().max().double()])


def safetensors_bytes(tensors, metadata):
    header, payload = {"__metadata__": dict(sorted(metadata.items()))}, b""
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        if tensor.dtype == torch.float64:
            tensor = tensor.float()
        data = tensor.reshape(-1).view(torch.uint8).numpy().tobytes() if tensor.numel() else b""
        header[name] = {
            "dtype": DTYPES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [len(payload), len(payload) + len(data)],
        }
        payload += data
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + payload


class Case:
    """A folder of fixtures: the files, README.md, and manifest.json with their digests."""

    def __init__(self, name, script, seed):
        self.folder = os.path.join(FIXTURES, name)
        self.name, self.script, self.seed, self.files, self.facts = name, os.path.basename(script), seed, {}, {}
        os.makedirs(self.folder, exist_ok=True)

    def write(self, file, data):
        with open(os.path.join(self.folder, file), "wb") as out:
            out.write(data)
        self.files[file] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}

    def write_tensors(self, file, tensors, **metadata):
        for name, tensor in tensors.items():
            if tensor.is_floating_point() and not torch.isfinite(tensor).all():
                raise SystemExit(f"{self.name}/{file}: {name} is not finite")
        self.write(file, safetensors_bytes(tensors, {k: str(v) for k, v in metadata.items()}))

    def finish(self, readme):
        timm = sys.modules.get("timm")
        manifest = {
            "case": self.name,
            "made_by": f"Tools/parity/{self.script}",
            "seed": self.seed,
            "versions": {
                "python": platform.python_version(),
                "torch": torch.__version__.split("+")[0],
                **({"timm": timm.__version__} if timm else {}),
            },
            "facts": self.facts,
            "files": dict(sorted(self.files.items())),
        }
        with open(os.path.join(self.folder, "README.md"), "w") as out:
            out.write(readme.strip() + "\n")
        with open(os.path.join(self.folder, "manifest.json"), "w") as out:
            json.dump(manifest, out, indent=2)
            out.write("\n")
        total = sum(f["bytes"] for f in self.files.values())
        print(f"{self.name}: {len(self.files)} files, {total:,} bytes", *(f"{k}={v}" for k, v in self.facts.items() if not isinstance(v, dict)))


def relative_difference(a, b):
    """The largest difference over the largest magnitude, as the tests measure it."""
    return float((a.double() - b.double()).abs().max() / b.double().abs().max().clamp_min(1e-30))


def rounded(value):
    return float(f"{value:.1e}") if math.isfinite(value) else value
