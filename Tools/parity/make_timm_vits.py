"""timm's vision transformers by name: the list that the presets are compared with, and the Swift table of published weights.

    make_timm_vits.py                              # the fixture timm_vits
    make_timm_vits.py --swift results-imagenet.csv # PublishedTransformersTable.swift as well

The CSV is `results/results-imagenet.csv` of github.com/huggingface/pytorch-image-models: top-1 accuracies as timm measured
them. It is read for the table alone and is no part of this repository.
"""
import csv
import hashlib
import json
import os
import sys

from fixture import Case, ROOT, import_timm

timm = import_timm()
import torch  # noqa: E402
from timm.models import _registry, get_pretrained_cfg  # noqa: E402

BUILT = ("vision_transformer", "deit")
# Of eva.py DINOv3's networks and those like them.
BUILT_EVA = ("_dinov3", "_lingbot")
# Differential attention is not built.
NOT_BUILT = ("vit_dlittle_", "vit_dwee_", "vit_dpwee_")
TABLE = os.path.join(ROOT, "Sources", "VisionModels", "Families", "VisionTransformer", "PublishedTransformersTable.swift")

# Mean and standard deviation by the words of the table.
STATISTICS = {
    ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)): "imagenet",
    ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)): "clip",
    ((0.43, 0.411, 0.296), (0.213, 0.156, 0.143)): "satellite",
    ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)): "half",
    ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)): "none",
}


def module(name):
    return _registry._model_to_module[name.split(".")[0]]


def names():
    """Every name with weights, and those of vision_transformer.py and deit.py without any, the default weights first."""
    found = []
    for architecture in timm.list_models("vit_*") + timm.list_models("deit*"):
        full = timm.list_pretrained(f"{architecture}.*")
        default = f"{architecture}.{get_pretrained_cfg(architecture).tag}"
        if full:
            found += sorted(full, key=lambda name: name != default)
        elif module(architecture) in BUILT:
            found.append(architecture)
    return found


def shapes(name):
    """The number of parameters, and the digest of the sorted lines "key sizes" of the state dict."""
    with torch.device("meta"):
        model = timm.create_model(name, pretrained=False)
    lines = sorted(" ".join([key, *map(str, value.shape)]) for key, value in model.state_dict().items())
    digest = hashlib.sha256("".join(line + "\n" for line in lines).encode()).hexdigest()
    return sum(parameter.numel() for parameter in model.parameters()), digest


def record(name, cache):
    cfg = get_pretrained_cfg(name)
    key = (name.split(".")[0], cfg.num_classes, cfg.input_size)
    if key not in cache:
        cache[key] = shapes(name)
    parameters, digest = cache[key]
    return {
        "name": name,
        "module": module(name),
        "parameters": parameters,
        "sha256": digest,
        "num_classes": cfg.num_classes,
        "input_size": cfg.input_size,
        "fixed_input_size": cfg.fixed_input_size,
        "mean": cfg.mean,
        "std": cfg.std,
        "interpolation": cfg.interpolation,
        "crop_pct": cfg.crop_pct,
        "crop_mode": cfg.crop_mode,
        "license": cfg.license,
        "hf_hub_id": cfg.hf_hub_id,
        "url": cfg.url or None if cfg.hf_hub_id is None else None,
    }


def row(record, accuracies):
    name = record["name"]
    statistics = STATISTICS[tuple(record["mean"]), tuple(record["std"])]
    source = record["hf_hub_id"] or record["url"]
    accuracy = accuracies.get(name)
    return " ".join(
        [
            name,
            str(record["num_classes"]),
            statistics,
            record["interpolation"],
            f"{record['crop_pct']:g}",
            record["crop_mode"],
            record["license"] or "-",
            "=" if source == f"timm/{name}" else source,
            f"{accuracy:g}" if accuracy else "-",
        ]
    )


def aliases(known):
    """timm's deprecated names of weights that are in the table; two of timm's lead to no weights any more."""
    return sorted((old, new) for old, new in _registry._deprecated_models.items() if new in known)


HEADER = """\
// Made by `Tools/parity/make_timm_vits.py --swift` from timm {timm}; do not edit.
//
// Top-1 accuracies: results/results-imagenet.csv of github.com/huggingface/pytorch-image-models, timm's own measurements
// with the preprocessing that the row names.

extension PublishedTransformers {{
    /// A line for each weights, an architecture's default first: name, classes, mean and standard deviation,
    /// interpolation, `crop_pct`, `crop_mode`, license, Hub repository or URL (`=` is `timm/NAME`), top-1 in per cent.
    static let table = \"\"\"
{rows}
        \"\"\"

    /// timm's deprecated names, and what they mean now.
    static let deprecated = \"\"\"
{aliases}
        \"\"\"
}}
"""


def write_table(records, results):
    with open(results, newline="") as file:
        accuracies = {line["model"]: float(line["top1"]) for line in csv.DictReader(file)}
    sizes = {}
    for entry in records:
        architecture = entry["name"].split(".")[0]
        # The table has no size of images: it is the architecture's.
        if sizes.setdefault(architecture, entry["input_size"]) != entry["input_size"]:
            raise SystemExit(f"{entry['name']}: another input size than {sizes[architecture]}")
    records = [entry for entry in records if "." in entry["name"] and not entry["name"].startswith(NOT_BUILT)]
    rows = [row(entry, accuracies) for entry in records]
    pairs = [" ".join(pair) for pair in aliases({entry["name"] for entry in records})]
    indented = ("\n".join(" " * 8 + line for line in lines) for lines in (rows, pairs))
    with open(TABLE, "w") as file:
        file.write(HEADER.format(timm=timm.__version__, rows=next(indented), aliases=next(indented)))
    print(f"{os.path.relpath(TABLE, ROOT)}: {len(rows)} lines")


README = """
# timm_vits

timm's pretrained vision transformers (`vit_*`, `deit*`) by name, and the architectures of `vision_transformer.py` and
`deit.py` without weights: the module, the number of parameters, the SHA-256 of the sorted lines `key sizes` of the state
dict, and what the weights' configuration says of classes and images. Made by `Tools/parity/make_timm_vits.py`.
"""

if __name__ == "__main__":
    cache = {}
    records = [record(name, cache) for name in names()]
    case = Case("timm_vits", __file__, seed=0)
    lines = ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in records)
    case.write("names.json", f"[\n{lines}\n]\n".encode())
    pretrained = [entry for entry in records if entry["name"].startswith("vit_") and "." in entry["name"]]
    case.facts = {
        "vit_* with weights": len(pretrained),
        "of vision_transformer.py": sum(entry["module"] == "vision_transformer" for entry in pretrained),
    }
    case.finish(README)
    if "--swift" in sys.argv:
        built = [entry for entry in records if entry["module"] in BUILT or entry["name"].split(".")[0].removesuffix("_qkvb").endswith(BUILT_EVA)]
        write_table(built, sys.argv[sys.argv.index("--swift") + 1])
