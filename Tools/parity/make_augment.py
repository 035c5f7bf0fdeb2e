"""Makes Tests/ImagePipelineTests/Fixtures/augment: what Pillow, timm and torchvision do to images and batches.

    python Tools/parity/make_augment.py

`photographs.txt` has a line for each image of ../shared/data/imagenet-500 (or DEIT_SHARED), brought to a size: the
fingerprints after some of the cases of `index.json`. `chains.txt` has what timm's transforms drew for each of these
images, and the result's fingerprint. `odd.txt` has all cases for made-up images of odd shapes. `index.json` has the
cases, timm's tables of arguments, what it reads out of its notation, the statistics of what it draws, and mixed batches.
Needs Pillow 11, numpy, torch, timm and torchvision.
"""
import json
import os
import random
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "Tests" / "ImagePipelineTests" / "Fixtures" / "augment"
SHARED = Path(os.environ.get("DEIT_SHARED", ROOT.parent / "shared"))
sys.path.append(str(ROOT / "Benchmarks" / "peers"))
import torchvision_stub  # noqa: E402,F401
import torchvision.transforms.functional as F  # noqa: E402
from fingerprints import fingerprint, of_bytes  # noqa: E402
from timm.data import auto_augment as aa  # noqa: E402
from timm.data import mixup as mx  # noqa: E402
from timm.data.random_erasing import RandomErasing  # noqa: E402

FILTERS = {"nearest": Image.NEAREST, "bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC}
NAMES = {value: name for name, value in FILTERS.items()}
FILL = (124, 116, 104)


# --- The cases: an operation, its argument, and a filter where samples move


def effect_cases():
    cases = [("AutoContrast", 0, ""), ("Equalize", 0, ""), ("Invert", 0, "")]
    cases += [("Solarize", value, "") for value in (0, 1, 26, 128, 200, 256)]
    cases += [("SolarizeAdd", value, "") for value in (0, 33, 99, 128)]
    cases += [("Posterize", value, "") for value in (-4, 0, 1, 3, 4, 7, 8)]
    for name in ("Brightness", "Contrast", "Color", "Sharpness"):
        cases += [(name, value, "") for value in (0.0, 0.1, 0.19, 0.5517, 1.0, 1.4499, 1.81, 1.9, -0.5, 3.25)]
    cases += [("Desaturate", value, "") for value in (0.5, 0.81, 1.0)]
    cases += [("GaussianBlur", value, "") for value in (0.1, 0.37, 0.5, 0.9, 1.0, 1.3337, 1.7, 2.0, 5.0, 23.0)]
    for kind in FILTERS:
        cases += [("Rotate", value, kind) for value in (27.0, -30.0, 3.7, -0.001, 44.9, 133.0)]
        cases += [(name, value, kind) for name in ("ShearX", "ShearY") for value in (0.27, -0.3, 0.0123)]
        cases += [(name, value, kind) for name in ("TranslateXRel", "TranslateYRel")
                  for value in (0.405, -0.45, 0.0123, 1.2)]
    cases += [("Rotate", value, "bicubic") for value in (0.0, 90.0, 180.0, 270.0, -90.0, 360.0, -720.0)]
    cases += [("hue", value, "") for value in (-0.5, -0.1, -0.004, 0.0, 0.004, 0.1, 0.31, 0.5)]
    cases += [("mirror", 0, ""), ("flip", 0, ""), ("grey", 0, "")]
    return cases


def effect(image, name, argument, kind):
    if name == "hue":
        return F.adjust_hue(image, argument)
    if name == "mirror":
        return F.hflip(image)
    if name == "flip":
        return F.vflip(image)
    if name == "grey":
        return F.rgb_to_grayscale(image, 3) if image.mode == "RGB" else image
    fill = FILL if image.mode == "RGB" else (116,)
    keywords = dict(fillcolor=fill, resample=FILTERS[kind]) if kind else {}
    function = aa.NAME_TO_OP[name]
    return function(image, argument, **keywords) if aa.LEVEL_TO_ARG[name] else function(image, **keywords)


# --- Images

SIZES = ((224, 224), (160, 240), (225, 223), (96, 97))
STRIDE = 12
SHAPES = ((1, 1), (1, 9), (9, 1), (2, 2), (3, 3), (2, 40), (31, 3), (5, 64), (65, 22), (48, 48), (17, 190))


def base(file, i):
    height, width = SIZES[i % len(SIZES)]
    image = Image.open(file).convert("RGB").resize((width, height), Image.BICUBIC)
    return image.convert("L") if i % 10 == 9 else image


def files():
    found = sorted((SHARED / "data" / "imagenet-500").glob("*/*"))
    assert len(found) == 500
    return found


def photographs(cases):
    lines = []
    for i, file in enumerate(files()):
        image = base(file, i)
        chosen = [cases[(i * STRIDE + k) % len(cases)] for k in range(STRIDE)]
        lines.append(" ".join([file.parent.name] + [fingerprint(effect(image, *case)) for case in chosen]))
    return lines


def made_up(height, width, channels):
    """Noise that Swift makes as well."""
    index = np.arange(height * width * channels, dtype=np.uint64)
    samples = ((index * np.uint64(2654435761)) >> np.uint64(13)).astype(np.uint8)
    return Image.fromarray(samples.reshape((height, width, 3) if channels == 3 else (height, width)))


def odd(cases):
    lines = []
    for height, width in SHAPES:
        for channels in (3, 1):
            image = made_up(height, width, channels)
            prints = [fingerprint(effect(image, *case)) for case in cases]
            lines.append(" ".join([f"{height} {width} {channels}"] + prints))
    return lines


def reflections():
    """Images with a mirrored border, as torchvision pads them."""
    rows = []
    for height, width, channels, border in ((5, 7, 3, 4), (9, 6, 1, 5), (2, 2, 3, 1), (16, 11, 3, 0), (40, 33, 3, 4)):
        image = F.pad(made_up(height, width, channels), border, padding_mode="reflect")
        rows.append(dict(height=height, width=width, channels=channels, border=border, pixels=fingerprint(image)))
    return rows


# --- What timm draws

RANDOM = random.Random(1)


class Recorder:
    """Stands between timm's operations and Pillow, and notes what is carried out."""

    def __init__(self, transform):
        self.steps = []
        ops = getattr(transform, "ops", None) or [op for pair in transform.policy for op in pair]
        for op in ops:
            if not hasattr(op, "noted"):
                op.noted = True
                op.aug_fn = self.noting(op.name, op.aug_fn)

    def noting(self, name, function):
        def call(image, *arguments, **keywords):
            kind = ""
            if name in ("Rotate", "ShearX", "ShearY", "TranslateXRel", "TranslateYRel"):
                keywords["resample"] = aa._interpolation(dict(keywords))
                kind = NAMES[keywords["resample"]]
            argument = arguments[0] if arguments else 0
            if name == "GaussianBlurRand":
                argument = random.uniform(0.1, 2.0 * argument)
                result = aa.gaussian_blur(image, argument) if image else image
            else:
                result = function(image, *arguments, **keywords) if image else image
            self.steps.append((name, argument, kind))
            return result

        return call


NOTATIONS = ("rand-m9-mstd0.5-inc1", "rand-m7-n3-p0.8", "rand-mstd1-tweights-n3", "rand-m8-mstd101-inc1", "rand",
             "rand-m20-mmax30-inc1-mstd2", "rand-t3a-m6-n1", "rand-t3aw-m10-mstd0.5-p1-n4", "rand-inc0-m0")
POLICIES = ("original", "originalr-mstd0.5", "v0", "v0r-mstd1.0", "3a")


def transform_of(text, **parameters):
    parameters = dict(translate_const=100, img_mean=FILL, **parameters)
    make = aa.rand_augment_transform if text.startswith("rand") else aa.auto_augment_transform
    return make(text, parameters)


def chains():
    texts = NOTATIONS + POLICIES
    lines = []
    for i, file in enumerate(files()):
        random.seed(i)
        np.random.seed(i)
        parameters = {} if i % 3 else {"interpolation": Image.BICUBIC}
        image = base(file, i - i % 10)  # in colour, because timm's fill is one
        transform = transform_of(texts[i % len(texts)], **parameters)
        recorder = Recorder(transform)
        for _ in range(50):
            recorder.steps.clear()
            result = transform(image)
            if recorder.steps:
                break
        steps = [f"{name},{argument!r},{kind}" for name, argument, kind in recorder.steps]
        lines.append(" ".join([file.parent.name, fingerprint(result)] + steps))
    return lines


def statistics(text, count=40000):
    """How often each operation is carried out for an image, and its argument's mean, deviation and range."""
    random.seed(7)
    np.random.seed(7)
    transform = transform_of(text)
    recorder = Recorder(transform)
    for _ in range(count):
        transform(None)
    result = {}
    for name in sorted({step[0] for step in recorder.steps}):
        values = np.array([step[1] for step in recorder.steps if step[0] == name], dtype=np.float64)
        kinds = [step[2] for step in recorder.steps if step[0] == name]
        result[name] = dict(share=len(values) / count, mean=values.mean(), deviation=values.std(), least=values.min(),
                            most=values.max(), bicubic=sum(k == "bicubic" for k in kinds) / len(kinds))
    return result


def meaning(text):
    """What timm reads out of its notation."""
    transform = transform_of(text)
    op = transform.ops[0]
    weights = transform.choice_weights
    return dict(
        text=text, magnitude=float(op.magnitude), layers=transform.num_layers, probability=op.prob,
        magnitudeStd=1000.0 if op.magnitude_std == float("inf") else float(op.magnitude_std),
        magnitudeMax=float(op.magnitude_max or 10), operations=[o.name for o in transform.ops],
        weights=None if weights is None else [float(w) for w in weights])


def policy(name):
    return [[[op.name, op.prob, op.magnitude] for op in pair] for pair in aa.auto_augment_policy(name)]


def levels():
    """Each operation's argument at magnitudes from 0 to 30, with and without the sign."""
    rows = []
    magnitudes = [x / 4 for x in range(0, 41)] + [RANDOM.uniform(0, 10) for _ in range(40)] + [12.0, 20.0, 30.0]
    original = random.random
    for name, function in aa.LEVEL_TO_ARG.items():
        if function is None or name in ("TranslateX", "TranslateY"):
            continue
        for draw, negated in ((0.25, False), (0.75, True)):
            random.random = lambda: draw
            rows.append(dict(name=name, negated=negated,
                             values=[float(function(m, aa._HPARAMS_DEFAULT)[0]) for m in magnitudes]))
    random.random = original
    return dict(magnitudes=magnitudes, rows=rows)


# --- Random erasing


def erasing():
    results = []
    for height, width, probability, count in ((64, 48, 0.25, 1), (32, 32, 1.0, 3), (40, 90, 0.6, 1)):
        random.seed(3)
        erase = RandomErasing(probability, mode="const", max_count=count, device="cpu")
        shares, rows = [], []
        for _ in range(8000):
            values = torch.ones(1, height, width)
            erase(values)
            gone = values[0].numpy() == 0
            shares.append(gone.mean())
            rows.append(gone.any(axis=1).sum())
        shares, rows = np.array(shares), np.array(rows, dtype=np.float64)
        results.append(dict(
            height=height, width=width, probability=probability, count=count, untouched=float((shares == 0).mean()),
            share=float(shares.mean()), shareDeviation=float(shares.std()), rows=float(rows.mean()),
            rowsDeviation=float(rows.std())))
    return results


# --- Mixing


def batch_values(count, channels, height, width):
    """Numbers that Swift makes as well: exact in single precision."""
    index = np.arange(count * channels * height * width, dtype=np.uint64)
    samples = ((index * np.uint64(2654435761)) >> np.uint64(11)) % np.uint64(4001)
    return (samples.astype(np.float32) - np.float32(2000)) / np.float32(512)


def bits(values):
    return [int(v) for v in np.asarray(values, dtype=np.float32).reshape(-1).view(np.uint32)]


def mixes():
    """Batches that timm mixed, with what it drew for each image."""
    results = []
    settings = [dict(mode=mode, **kind) for mode in ("batch", "pair", "elem") for kind in (
        dict(mixup_alpha=0.8, cutmix_alpha=0.0), dict(mixup_alpha=0.0, cutmix_alpha=1.0),
        dict(mixup_alpha=0.8, cutmix_alpha=1.0), dict(mixup_alpha=0.2, cutmix_alpha=0.0, cutmix_minmax=[0.2, 0.8]),
        dict(mixup_alpha=0.8, cutmix_alpha=1.0, prob=0.5))]
    original = mx.cutmix_bbox_and_lam
    for seed, parameters in enumerate(settings * 4):
        np.random.seed(seed)
        count, channels, height, width, classes = 6, 3, 13, 17, 10
        smoothing = (0.1, 0.0, 0.3)[seed % 3]
        mixer = mx.Mixup(num_classes=classes, label_smoothing=smoothing, **parameters)
        drawn = []  # of each rectangle: the share before, the rectangle

        def noting(shape, lam, **keywords):
            (yl, yh, xl, xh), corrected = original(shape, lam, **keywords)
            drawn.append((float(lam), [int(yl), int(xl), int(yh - yl), int(xh - xl)]))
            return (yl, yh, xl, xh), corrected

        shares = []
        batch, elem = mixer._params_per_batch, mixer._params_per_elem

        def noting_batch():
            lam, cutmix = batch()
            shares.append((float(lam), bool(cutmix)))
            return lam, cutmix

        def noting_elem(size):
            lam, cutmix = elem(size)
            shares.extend(zip(map(float, lam), map(bool, cutmix)))
            return lam, cutmix

        mixer._params_per_batch, mixer._params_per_elem, mx.cutmix_bbox_and_lam = noting_batch, noting_elem, noting
        x = torch.from_numpy(batch_values(count, channels, height, width)).view(count, channels, height, width).clone()
        labels = [(seed * 5 + 3 * i) % classes for i in range(count)]
        if seed % 4 == 0:
            labels[-1] = labels[0]
        y, targets = mixer(x, torch.tensor(labels))
        mx.cutmix_bbox_and_lam = original
        rectangles = iter(drawn)
        plan = [dict(share=lam, box=next(rectangles)[1] if cutmix and lam != 1 else None) for lam, cutmix in shares]
        assert next(rectangles, None) is None
        results.append(dict(
            mode=parameters["mode"], count=count, channels=channels, height=height, width=width, classes=classes,
            smoothing=smoothing, labels=labels, mixes=plan, values=of_bytes(y.numpy().tobytes()),
            targets=bits(targets)))
    return results


def boxes():
    """CutMix's rectangles for given shares and middles, in double and in single precision."""
    rows = []
    original = np.random.randint
    for i in range(200):
        height, width = RANDOM.choice(((224, 224), (13, 17), (1, 5), (96, 33)))
        single = i % 2 == 1
        lam = RANDOM.choice((RANDOM.random(), 0.0, 0.5, 0.999999))
        lam = np.float32(lam) if single else lam
        middle = [RANDOM.randrange(height), RANDOM.randrange(width)]
        places = iter(middle)
        np.random.randint = lambda *_, **__: next(places)
        yl, yh, xl, xh = mx.rand_bbox((3, height, width), lam)
        rows.append(dict(height=height, width=width, share=float(lam), single=single, middle=middle,
                         box=[int(yl), int(xl), int(yh - yl), int(xh - xl)]))
    np.random.randint = original
    return rows


def quantiles():
    generator = np.random.default_rng(5)
    parts = [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99]
    return dict(parts=parts, rows=[
        dict(alpha=alpha, values=[float(q) for q in np.quantile(generator.beta(alpha, alpha, 2000000), parts)])
        for alpha in (0.1, 0.2, 0.8, 1.0, 2.5)])


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    cases = effect_cases()
    index = dict(
        fill=list(FILL), sizes=SIZES, stride=STRIDE,
        cases=[dict(name=name, argument=float(argument), interpolation=kind or None) for name, argument, kind in cases],
        levels=levels(), notations=[meaning(text) for text in NOTATIONS],
        policies={name: policy(name) for name in ("original", "originalr", "v0", "v0r", "3a")},
        draws={text: statistics(text) for text in NOTATIONS + POLICIES}, erasing=erasing(), mixes=mixes(),
        boxes=boxes(), beta=quantiles(), reflections=reflections())
    (OUT / "index.json").write_text(json.dumps(index, separators=(",", ":")) + "\n")
    for name, lines in (("odd.txt", odd(cases)), ("photographs.txt", photographs(cases)), ("chains.txt", chains())):
        (OUT / name).write_text("\n".join(lines) + "\n")
        print(name, len(lines), "lines")


if __name__ == "__main__":
    main()
