"""Small PyTorch files of every kind that people bring, for the reader's tests, each beside its tensors in safetensors.

Every file's expected tensors come from torch.load, so a test compares two independent readers.
"""
import argparse
import collections
import io
import json
import os
import pathlib
import pickle
import shutil
import zipfile

import numpy
import torch
from safetensors.torch import save_file

FIXTURES = os.path.join(
    os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))),
    "Tests", "CheckpointsTests", "Fixtures", "PyTorch",
)


def state(seed=0, prefix=""):
    """Every element type, a scalar, an empty tensor and a parameter."""
    generator = torch.Generator().manual_seed(seed)
    random = lambda *shape: torch.randn(*shape, generator=generator)
    return collections.OrderedDict([
        (prefix + "f32", random(3, 4)),
        (prefix + "f64", random(5).double()),
        (prefix + "f16", random(2, 3).half()),
        (prefix + "bf16", random(7).bfloat16()),
        (prefix + "i64", torch.tensor([-(2**62), 0, 2**62])),
        (prefix + "i32", torch.tensor([-(2**30), 7], dtype=torch.int32)),
        (prefix + "i16", torch.tensor([-300, 300], dtype=torch.int16)),
        (prefix + "i8", torch.tensor([-128, 127], dtype=torch.int8)),
        (prefix + "u8", torch.tensor([[0, 255]], dtype=torch.uint8)),
        (prefix + "bool", torch.tensor([True, False, True])),
        (prefix + "scalar", torch.tensor(2.5)),
        (prefix + "empty", torch.zeros(0, 3)),
        (prefix + "parameter", torch.nn.Parameter(random(2, 2))),
    ])


def views():
    """Tensors that share a storage, with offsets and strides."""
    base = torch.arange(120, dtype=torch.float32).reshape(2, 3, 4, 5)
    return {
        "base": base,
        "offset": base[1, 1:],
        "transposed": base.transpose(1, 3),
        "channels_last": base.clone().contiguous(memory_format=torch.channels_last),
        "every_other": base[:, ::2, 1:, ::3],
        "column": base.reshape(24, 5)[:, 2],
        "expanded": torch.tensor([1.0, 2.0])[:, None].expand(2, 3),
        "tied": base,
        "one_wide": base[:, 1:2, :, :],
    }


def namespace():
    return argparse.Namespace(
        model="deit_tiny_patch16_224", lr=5e-4, epochs=300, distributed=True, teacher_path="",
        output_dir=pathlib.PurePosixPath("/out/run"), opt_betas=None, color=[0.4, 0.5], device=torch.device("cpu"),
    )


def linear_state():
    """A real module's state dict, which carries `_metadata`."""
    torch.manual_seed(1)
    return torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2)).state_dict()


def dino():
    student = {f"module.backbone.{key}": value for key, value in linear_state().items()}
    teacher = {f"backbone.{key}": value + 1 for key, value in linear_state().items()}
    network = torch.nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(network.parameters())
    network(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    return {
        "student": student, "teacher": teacher, "optimizer": optimizer.state_dict(), "epoch": 100,
        "args": namespace(), "fp16_scaler": {"scale": 65536.0, "growth_factor": 2.0},
        "dino_loss": collections.OrderedDict(center=torch.zeros(1, 4)),
    }


def write(name, value, expected, **options):
    path = os.path.join(FIXTURES, name + ".pth")
    torch.save(value, path, **options)
    loaded = torch.load(path, weights_only=False, map_location="cpu")
    for key in expected[1]:
        loaded = loaded[key]
    tensors = {
        key: tensor.detach().clone().contiguous() for key, tensor in loaded.items()
        if isinstance(key, str) and isinstance(tensor, torch.Tensor)
    }
    save_file(tensors, os.path.join(FIXTURES, expected[0] + ".safetensors"), {"order": json.dumps(list(tensors))})


def main():
    shutil.rmtree(FIXTURES, ignore_errors=True)
    os.makedirs(FIXTURES)
    old = {"_use_new_zipfile_serialization": False}
    write("flat", state(), ("state", ()))
    write("flat_old", state(), ("state", ()), **old)
    for protocol in (3, 4, 5):
        write(f"flat_protocol{protocol}", state(), ("state", ()), pickle_protocol=protocol)
    write("views", views(), ("views", ()))
    write("views_old", views(), ("views", ()), **old)
    full = {
        "model": linear_state(), "model_ema": {key: value + 2 for key, value in linear_state().items()},
        "optimizer": {"state": {}, "param_groups": [{"lr": 1e-3, "params": [0, 1]}]}, "epoch": 299,
        "best_acc": numpy.float64(72.25), "args": namespace(),
    }
    write("full", full, ("full_model", ("model",)))
    write("full", full, ("full_model_ema", ("model_ema",)))
    write("full_old", full, ("full_model", ("model",)), **old)
    write("dino", dino(), ("dino_student", ("student",)))
    write("dino", dino(), ("dino_teacher", ("teacher",)))
    write("state_dict", {"state_dict": linear_state(), "arch": "vit", "version": 2}, ("full_model", ("state_dict",)))
    write("beside", {**linear_state(), "epoch": 3, 7: torch.ones(1), "name": "x"}, ("beside", ()))

    malicious()
    containers()


class Command:
    def __reduce__(self):
        return os.system, ("touch /tmp/deit-was-here",)


class Evaluation:
    def __reduce__(self):
        return eval, ("1",)


def malicious():
    torch.save({"w": torch.ones(2), "x": Command()}, os.path.join(FIXTURES, "bad_os.pth"))
    torch.save({"w": Command()}, os.path.join(FIXTURES, "bad_os_old.pth"), _use_new_zipfile_serialization=False)
    torch.save({"w": Evaluation()}, os.path.join(FIXTURES, "bad_eval.pth"))
    torch.save(torch.nn.Linear(1, 1), os.path.join(FIXTURES, "bad_module.pth"))
    torch.save({"w": torch.ones(2, dtype=torch.complex64)}, os.path.join(FIXTURES, "bad_complex.pth"))
    torch.save([torch.ones(2)], os.path.join(FIXTURES, "bad_list.pth"))
    with open(os.path.join(FIXTURES, "bad_plain.pth"), "wb") as file:
        pickle.dump({"w": [1.0]}, file, protocol=2)


def containers():
    """Zip archives that torch did not write."""
    with zipfile.ZipFile(os.path.join(FIXTURES, "flat_old.pth").replace("flat_old", "bad_compressed"), "w") as target:
        with zipfile.ZipFile(os.path.join(FIXTURES, "flat.pth")) as source:
            for name in source.namelist():
                target.writestr(name, source.read(name), zipfile.ZIP_DEFLATED)
    with zipfile.ZipFile(os.path.join(FIXTURES, "bad_order.pth"), "w") as target:
        with zipfile.ZipFile(os.path.join(FIXTURES, "flat.pth")) as source:
            for name in source.namelist():
                target.writestr(name, b"big" if name.endswith("byteorder") else source.read(name))
    numpy.savez(os.path.join(FIXTURES, "bad_numpy.npz"), a=numpy.ones(2))
    os.rename(os.path.join(FIXTURES, "bad_numpy.npz"), os.path.join(FIXTURES, "bad_numpy.pth"))
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.script(torch.nn.Linear(1, 1)), buffer)
    with open(os.path.join(FIXTURES, "bad_script.pth"), "wb") as file:
        file.write(buffer.getvalue())


if __name__ == "__main__":
    main()
