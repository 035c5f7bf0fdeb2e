"""Loads model directories that swift-deit wrote with transformers and timm, and compares what the models give.

    python Tools/parity/check_directories.py DIR|FILE...

Every DIR holds, beside the model, `probe.safetensors`: `images` (the model's input), `logits` (what swift-deit computed;
for distilled models also `cls` and `dist`), `image` (bytes, height x width x channels) and `pixels` (what its processor
made of them). A FILE is of bare weights in such a DIR of timm's form. One line for each check; the exit status is 1 when any fails. The test DirectoryParityTests runs it where
PEERS_PYTHON, or the usual environment, has what is imported here.
"""
import json
import os
import sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")
from fixture import import_timm  # noqa: E402

timm = import_timm()
import numpy  # noqa: E402
import torch  # noqa: E402
import transformers  # noqa: E402
from PIL import Image  # noqa: E402
from safetensors.torch import load_file  # noqa: E402

transformers.logging.set_verbosity_error()
failures = 0


def report(folder, what, found, expected, tolerance=1e-5):
    global failures
    scale = expected.abs().max().item()
    same = found.shape == expected.shape
    difference = (found - expected).abs().max().item() / scale if same else float("inf")
    passes = difference <= tolerance  # False for NaN
    failures += not passes
    print(f"{'ok  ' if passes else 'FAIL'} {os.path.basename(folder)}: {what}, difference {difference:.2e}")


def fail(folder, what, error):
    global failures
    failures += 1
    print(f"FAIL {os.path.basename(folder)}: {what}: {type(error).__name__}: {error}")


def check_transformers(folder, probe):
    config = transformers.AutoConfig.from_pretrained(folder)
    kind = (config.architectures or [""])[0]
    if kind == "DeiTForImageClassificationWithTeacher":
        auto = transformers.DeiTForImageClassificationWithTeacher
    elif kind.endswith("Model"):
        auto = transformers.AutoModel
    else:
        auto = transformers.AutoModelForImageClassification
    model, info = auto.from_pretrained(folder, output_loading_info=True)
    leftovers = {key: sorted(value) for key, value in info.items() if key.endswith("_keys") and value}
    if leftovers:
        fail(folder, "transformers loads every key", ValueError(leftovers))
    model.eval()
    with torch.no_grad():
        output = model(probe["images"])
    if kind.endswith("Model"):
        return report(folder, f"feature of transformers' {type(model).__name__}", output.pooler_output, probe["logits"])
    report(folder, f"logits of transformers' {type(model).__name__}", output.logits, probe["logits"])
    if "dist" in probe and kind == "DeiTForImageClassificationWithTeacher":
        report(folder, "class head", output.cls_logits, probe["cls"])
        report(folder, "distillation head", output.distillation_logits, probe["dist"])
    names = [config.id2label[index] for index in range(config.num_labels)]
    expected = json.load(open(os.path.join(folder, "names.json")))
    if names != expected:
        fail(folder, "class names", ValueError(names))


def check_timm(folder, probe):
    model = timm.create_model(f"local-dir:{folder}", pretrained=True).eval()
    with torch.no_grad():
        report(folder, "logits of timm", model(probe["images"]), probe["logits"])
    config = timm.data.resolve_model_data_config(model)
    transform = timm.data.create_transform(**config, is_training=False)
    report(folder, "timm's transform", transform(image(probe))[None], probe["pixels"], 1e-5)


def check_processor(folder, probe):
    processor = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
    found = processor(images=image(probe), return_tensors="pt")["pixel_values"]
    report(folder, f"pixels of {type(processor).__name__}", found, probe["pixels"], 1e-5)


def check_file(path):
    """A file of bare tensors, or of Facebook's form, whose folder has the probe: torch reads it, timm loads it strictly."""
    folder = os.path.dirname(path)
    probe = load_file(os.path.join(folder, "probe.safetensors"))
    if path.endswith(".safetensors"):
        state = load_file(path)
    else:
        state = torch.load(path, weights_only=True)
        if os.path.basename(path).startswith("deit"):
            state = state["model"]
    model = timm.create_model(f"local-dir:{folder}", pretrained=False).eval()
    model.load_state_dict(state, strict=True)
    with torch.no_grad():
        report(path, "logits of timm with these tensors", model(probe["images"]), probe["logits"])


def image(probe):
    array = probe["image"].numpy()
    return Image.fromarray(numpy.ascontiguousarray(array[:, :, 0] if array.shape[2] == 1 else array))


for folder in sys.argv[1:]:
    if os.path.isfile(folder):
        try:
            check_file(folder)
        except Exception as error:
            fail(folder, "check_file", error)
        continue
    probe = load_file(os.path.join(folder, "probe.safetensors"))
    config = json.load(open(os.path.join(folder, "config.json")))
    checks = [check_transformers, check_processor]
    if config.get("model_type") == "dinov3_vit":
        checks.remove(check_processor)  # its class resizes with torchvision alone
    if "architecture" in config:
        checks.append(check_timm)
    if config.get("architecture", "").startswith(("deit", "vit")):
        checks.remove(check_processor)  # the wrapper takes timm's own transform, which is checked
    if not timm.is_model(config.get("architecture", "resnet18")):
        print(f"ok   {os.path.basename(folder)}: {config['architecture']} is swift-deit's own, not loaded")
        checks = [check_processor]
    for check in checks:
        try:
            check(folder, probe)
        except Exception as error:
            fail(folder, check.__name__, error)
sys.exit(1 if failures else 0)
