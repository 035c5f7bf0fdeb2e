"""Makes the fixtures of HuggingFaceTests: tiny models of every class that transformers itself saves, with inputs and all outputs.

    python Tools/parity/make_huggingface.py

Every folder below Tests/HuggingFaceTests/Fixtures is what `save_pretrained` wrote, and `outputs.safetensors`: what the
class returned in float32 with eager attention. `hidden_states` and `attentions` are stacked along a first dimension.
`check_huggingface.py` shares the functions here for the way back.
"""
import json
import os
import shutil

os.environ.setdefault("HF_HUB_OFFLINE", "1")
from fixture import ROOT, fill_exact, safetensors_bytes  # noqa: E402

import torchvision_stub  # noqa: E402, F401
import numpy  # noqa: E402
import torch  # noqa: E402
import transformers  # noqa: E402
from PIL import Image  # noqa: E402

transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
FIXTURES = os.path.join(ROOT, "Tests", "HuggingFaceTests", "Fixtures")

CLASSES = [
    "DeiTModel", "DeiTForMaskedImageModeling", "DeiTForImageClassification",
    "DeiTForImageClassificationWithTeacher", "ViTModel", "ViTForImageClassification",
]
# name: configuration, size of an image for interpolate_pos_encoding (only a square grid has one in transformers)
CONFIGS = {
    # Odd sides, grey, three heads.
    "odd": (dict(hidden_size=12, num_hidden_layers=2, num_attention_heads=3, intermediate_size=20, image_size=21,
                 patch_size=7, num_channels=1, encoder_stride=7, num_labels=5), (28, 14)),
    # Not square, four channels, the smallest patch, no bias, a narrower pooler, regression of one number.
    "wide": (dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=40, image_size=[6, 10],
                  patch_size=2, num_channels=4, qkv_bias=False, encoder_stride=2, pooler_output_size=6, pooler_act="gelu",
                  num_labels=1), None),
    # The usual patch, DeiT's own eps, several labels at once.
    "large_patch": (dict(hidden_size=12, num_hidden_layers=2, num_attention_heads=4, intermediate_size=31, image_size=32,
                         patch_size=16, num_channels=3, layer_norm_eps=1e-6, encoder_stride=16, num_labels=4), (48, 48)),
    # Sides that the patch does not divide, two channels, another stride than the patch, regression of three numbers.
    "rest": (dict(hidden_size=10, num_hidden_layers=1, num_attention_heads=1, intermediate_size=12, image_size=[22, 29],
                  patch_size=5, num_channels=2, encoder_stride=3, num_labels=3, problem_type="regression"), None),
}

DINOV2_CLASSES = [
    "Dinov2Model", "Dinov2ForImageClassification", "Dinov2WithRegistersModel", "Dinov2WithRegistersForImageClassification",
]
# The size of other images needs no square grid here, only that of the positions is one. A single image's mask token is
# tried by `mask`.
DINOV2_CONFIGS = {
    # An odd patch, three heads, another eps.
    "odd": (dict(hidden_size=12, num_hidden_layers=2, num_attention_heads=3, mlp_ratio=2, image_size=21, patch_size=7,
                 num_channels=1, layer_norm_eps=1e-5, layerscale_value=0.5, num_labels=5), (28, 14)),
    # Gated feed-forward layers, positions for 5 x 5 patches, several labels at once, no bias.
    "swiglu": (dict(hidden_size=20, num_hidden_layers=2, num_attention_heads=2, use_swiglu_ffn=True,
                    image_size=20, patch_size=4, qkv_bias=False, num_labels=4), (12, 32)),
    # The usual patch, regression of one number, images that the patch does not divide.
    "usual": (dict(hidden_size=16, num_hidden_layers=3, num_attention_heads=2, image_size=42, patch_size=14,
                   num_labels=1), (60, 45)),
}


def config_of(class_name, values):
    """The class's configuration; `num_labels` is no field of transformers' dataclass, so it goes in by the property."""
    kinds = {
        "DeiT": transformers.DeiTConfig, "ViT": transformers.ViTConfig,
        "Dinov2WithRegisters": transformers.Dinov2WithRegistersConfig, "Dinov2": transformers.Dinov2Config,
    }
    kind = next(kind for prefix, kind in kinds.items() if class_name.startswith(prefix))
    if kind is transformers.Dinov2WithRegistersConfig:
        values = {**values, "num_register_tokens": 4 if values["hidden_size"] != 20 else 2}
    return kind(**values)


def sides(config):
    size = config.image_size
    return tuple(size) if isinstance(size, (list, tuple)) else (size, size)


def labels_of(config, batch, generator):
    """Labels of the kind that the configuration's loss takes."""
    if config.problem_type == "regression" or config.num_labels == 1:
        shape = (batch,) if config.num_labels == 1 else (batch, config.num_labels)
        return torch.randn(shape, generator=generator)
    if config.num_labels == 4:
        return (torch.rand((batch, 4), generator=generator) > 0.5).float()
    return torch.randint(0, config.num_labels, (batch,), generator=generator)


def reconstruct(model, images, mask, first=2, last=None):
    """Masked modelling by its parts, for grids that are not square (which transformers refuses) and the slice of old."""
    sequence = model.deit(images, bool_masked_pos=mask).last_hidden_state[:, first:last]
    patch = model.config.patch_size
    rows, columns = images.shape[2] // patch, images.shape[3] // patch
    grid = sequence.permute(0, 2, 1).reshape(len(images), -1, rows, columns)
    return model.decoder(grid)


def masked_loss(config, images, reconstruction, mask):
    """The loss of transformers' class, with the grid's own rows and columns."""
    rows, columns = (side // config.patch_size for side in sides(config))
    grid = mask.reshape(-1, rows, columns)
    whole = grid.repeat_interleave(config.patch_size, 1).repeat_interleave(config.patch_size, 2).unsqueeze(1)
    difference = torch.nn.functional.l1_loss(images, reconstruction, reduction="none")
    return (difference * whole).sum() / (whole.sum() + 1e-5) / config.num_channels


def collect(outputs, prefix=""):
    """All outputs of a class as tensors."""
    found = {}
    for key, value in outputs.items():
        if isinstance(value, tuple):
            assert value, f"{key} is empty: attentions need the eager implementation"
            value = torch.stack(value)
        found[prefix + key] = value.detach().clone().reshape(value.shape or (1,))
    return found


@torch.no_grad()
def outputs_of(model, tensors):
    """What a class returns for `images`, and for `labels` and `mask` where the file has them."""
    model.eval()
    model.set_attn_implementation("eager")
    wanted = dict(output_hidden_states=True, output_attentions=True)
    images, config = tensors["images"], model.config
    if not isinstance(model, transformers.DeiTForMaskedImageModeling):
        if "labels" in tensors:
            wanted["labels"] = tensors["labels"]
        if "mask" in tensors:
            wanted["bool_masked_pos"] = tensors["mask"].bool()
        return collect(model(images, **wanted))
    mask = tensors["mask"].bool()
    rows, columns = (side // config.patch_size for side in sides(config))
    if rows == columns and images.shape[2] == rows * config.encoder_stride:
        found = collect(model(images, bool_masked_pos=mask, **wanted))
    else:
        found = collect(model.deit(images, bool_masked_pos=mask, **wanted))
        del found["last_hidden_state"]
        found["reconstruction"] = reconstruct(model, images, mask)
        if found["reconstruction"].shape == images.shape:
            found["loss"] = masked_loss(config, images, found["reconstruction"], mask).reshape(1)
    found["legacy.reconstruction"] = reconstruct(model, images, mask, 1, -1)
    return found


def make_model(class_name, name, seed, configs=CONFIGS):
    values, other_size = configs[name]
    torch.manual_seed(seed)
    config = config_of(class_name, values)
    model = getattr(transformers, class_name)(config)
    fill_exact(model, seed, scale=0.3)
    generator = torch.Generator().manual_seed(seed + 1)
    batch = 2
    tensors = {"images": torch.randn((batch, config.num_channels, *sides(config)), generator=generator)}
    if class_name.endswith("ForImageClassification"):
        tensors["labels"] = labels_of(config, batch, generator)
    patches = (sides(config)[0] // config.patch_size) * (sides(config)[1] // config.patch_size)
    is_dinov2 = class_name.startswith("Dinov2")
    if class_name == "DeiTForMaskedImageModeling" or is_dinov2 and class_name.endswith("Model"):
        mask = torch.rand((batch, patches), generator=generator) > 0.5
        mask[:, 0] = True
        tensors["mask"] = mask.long()
    folder = os.path.join(FIXTURES, f"{class_name}-{name}")
    model.save_pretrained(folder)
    tensors.update(outputs_of(model, tensors))
    if other_size:
        images = torch.randn((1, config.num_channels, *other_size), generator=generator)
        tensors["other.images"] = images
        with torch.no_grad():
            if class_name != "DeiTForMaskedImageModeling" or other_size[0] == other_size[1]:
                wanted = dict(output_hidden_states=True)
                if not is_dinov2:  # which always does
                    wanted["interpolate_pos_encoding"] = True
                tensors.update(collect(model(images, **wanted), "other."))
            else:
                del tensors["other.images"]
    check_sdpa(model, tensors)
    with open(os.path.join(folder, "outputs.safetensors"), "wb") as out:
        out.write(safetensors_bytes(tensors, {}))


@torch.no_grad()
def check_sdpa(model, tensors):
    """The other implementation gives the same tokens, and an empty tuple of attentions."""
    model.set_attn_implementation("sdpa")
    base = getattr(model, model.base_model_prefix, model)
    mask = {"bool_masked_pos": tensors["mask"].bool()} if "mask" in tensors else {}
    outputs = base(tensors["images"], output_hidden_states=True, output_attentions=True, **mask)
    assert outputs.attentions == ()
    assert torch.allclose(torch.stack(outputs.hidden_states), tensors["hidden_states"], atol=1e-5)


# ---- Images

PROCESSORS = {
    "deit_squash_crop": ("DeiT", {"size": {"height": 24, "width": 26}, "crop_size": {"height": 17, "width": 21}}),
    "deit_old_integers": ("DeiT", {"feature_extractor_type": "DeiTFeatureExtractor", "size": 24, "crop_size": 20,
                                   "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225],
                                   "resample": 3, "do_resize": True, "do_center_crop": True, "do_normalize": True}),
    "deit_shortest_edge": ("DeiT", {"size": {"shortest_edge": 25}, "crop_size": {"height": 20, "width": 20}}),
    "deit_too_small": ("DeiT", {"do_resize": False, "crop_size": {"height": 42, "width": 20}}),
    "vit_squash": ("ViT", {"size": {"height": 18, "width": 30}}),
    "vit_old_integer": ("ViT", {"feature_extractor_type": "ViTFeatureExtractor", "size": 19, "resample": 2}),
    "vit_nearest": ("ViT", {"size": {"height": 50, "width": 31}, "resample": 0}),
    "vit_unscaled": ("ViT", {"size": {"height": 12, "width": 12}, "do_rescale": False, "image_mean": [120, 110, 100],
                             "image_std": [60, 61, 62]}),
    "vit_factor": ("ViT", {"size": {"height": 12, "width": 12}, "rescale_factor": 0.0078125}),
    # facebook/dinov2-base's values, smaller.
    "bit_dinov2": ("Bit", {"size": {"shortest_edge": 25}, "crop_size": {"height": 22, "width": 22}, "resample": 3,
                           "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225],
                           "do_convert_rgb": True}),
    "bit_defaults": ("Bit", {"size": {"shortest_edge": 30}, "crop_size": {"height": 24, "width": 24}}),
    "vit_not_normalized": ("ViT", {"size": {"height": 12, "width": 12}, "do_normalize": False}),
}


def image():
    """Edges and slopes, so that filters and crops show; bytes, rows x columns x 3."""
    y, x = numpy.mgrid[0:37, 0:29]
    red = (x * 8 + y * 3) % 256
    green = numpy.where((x // 5 + y // 4) % 2 == 0, 230, 12)
    blue = (x * x + y * y * 2) % 251
    return numpy.stack([red, green, blue], axis=2).astype(numpy.uint8)


def make_processors():
    folder = os.path.join(FIXTURES, "processors")
    os.makedirs(folder, exist_ok=True)
    tensors = {"image": torch.from_numpy(image()).long()}
    for name, (family, fields) in PROCESSORS.items():
        with open(os.path.join(folder, f"{name}.json"), "w") as out:
            json.dump(fields, out, indent=2)
            out.write("\n")
        kind = getattr(transformers, f"{family}ImageProcessorPil")
        processor = kind(**{k: v for k, v in fields.items() if k != "feature_extractor_type"})
        tensors[name] = processor(images=Image.fromarray(image()), return_tensors="pt")["pixel_values"].float()
        report_torchvision(name, family, fields, tensors[name])
    for family in ("DeiT", "ViT", "Bit"):
        getattr(transformers, f"{family}ImageProcessorPil")().save_pretrained(os.path.join(folder, family))
    with open(os.path.join(folder, "expected.safetensors"), "wb") as out:
        out.write(safetensors_bytes(tensors, {}))


def report_torchvision(name, family, fields, expected):
    """How far transformers' torchvision class is from its Pillow class; printed only."""
    try:
        kind = getattr(transformers, f"{family}ImageProcessor")
        processor = kind(**{k: v for k, v in fields.items() if k != "feature_extractor_type"})
        found = processor(images=Image.fromarray(image()), return_tensors="pt")["pixel_values"]
        same = found.shape == expected.shape
        print(f"{name}: torchvision differs from Pillow by", float((found - expected).abs().max()) if same else found.shape)
    except Exception as error:
        print(f"{name}: torchvision's class does not run here: {type(error).__name__}: {error}")


def main():
    shutil.rmtree(FIXTURES, ignore_errors=True)
    os.makedirs(FIXTURES)
    for index, name in enumerate(CONFIGS):
        for class_name in CLASSES:
            make_model(class_name, name, 100 * index + CLASSES.index(class_name))
    for index, name in enumerate(DINOV2_CONFIGS):
        for class_name in DINOV2_CLASSES:
            make_model(class_name, name, 1000 + 100 * index + DINOV2_CLASSES.index(class_name), DINOV2_CONFIGS)
    make_processors()
    versions = {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__}
    with open(os.path.join(FIXTURES, "manifest.json"), "w") as out:
        json.dump({"made_by": "Tools/parity/make_huggingface.py", "versions": versions}, out, indent=2)
        out.write("\n")
    total = sum(os.path.getsize(os.path.join(at, f)) for at, _, files in os.walk(FIXTURES) for f in files)
    print(f"{len(os.listdir(FIXTURES))} cases, {total:,} bytes")


if __name__ == "__main__":
    main()
