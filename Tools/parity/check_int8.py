"""Loads an 8-bit directory of Hugging Face's form, as docs/checkpoints.md says, and the same one dequantised by deit.

    python check_int8.py INT8 FP32 PROBE

PROBE is a safetensors file with `images` and the `logits` that they have.
"""

import os
import sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")
from fixture import import_timm  # noqa: E402

import_timm()  # with what transformers imports, too
import torch  # noqa: E402
from safetensors.torch import load_file  # noqa: E402
from transformers import AutoModelForImageClassification, ViTConfig, ViTForImageClassification  # noqa: E402

folder, plain, probe = sys.argv[1:]
probe = load_file(probe)

tensors = load_file(f"{folder}/model.safetensors")
weights = {name: tensors.pop(f"{name}_scale")[:, None] * tensor if tensor.dtype == torch.int8 else tensor
           for name, tensor in list(tensors.items()) if not name.endswith("_scale")}
config = ViTConfig.from_pretrained(folder)
del config.quantization_config
by_hand = ViTForImageClassification.from_pretrained(None, config=config, state_dict=weights)

for name, model in [("by hand", by_hand), ("by deit", AutoModelForImageClassification.from_pretrained(plain))]:
    with torch.no_grad():
        logits = model.eval()(pixel_values=probe["images"]).logits
    assert torch.allclose(logits, probe["logits"], rtol=0, atol=1e-5), name
    print("ok", name)
