"""Loads model directories that swift-deit's Hugging Face classes wrote with transformers, and compares all outputs.

    python Tools/parity/check_huggingface.py DIR...

Every DIR holds, beside the model, `probe.safetensors`: `images`, `labels` or `mask` where the class takes them, and what
swift-deit computed under the names of `make_huggingface.py`. One line for each directory; the exit status is 1 when any
fails. The test RoundTripParityTests runs it.
"""
import os
import sys

from make_huggingface import outputs_of  # noqa: E402

import torch  # noqa: E402
import transformers  # noqa: E402
from safetensors.torch import load_file  # noqa: E402

TOLERANCE = 1e-4
INPUTS = ("images", "labels", "mask")


def check(folder):
    probe = load_file(os.path.join(folder, "probe.safetensors"))
    config = transformers.AutoConfig.from_pretrained(folder)
    kind = getattr(transformers, config.architectures[0])
    model, info = kind.from_pretrained(folder, output_loading_info=True)
    leftovers = {key: sorted(value) for key, value in info.items() if key.endswith("_keys") and value}
    if leftovers:
        raise ValueError(leftovers)
    found = outputs_of(model, {key: probe[key] for key in INPUTS if key in probe})
    expected = {key: value for key, value in probe.items() if key not in INPUTS}
    if set(found) != set(expected):
        raise ValueError(f"outputs {sorted(found)}, expected {sorted(expected)}")
    worst = 0.0
    for key, value in expected.items():
        if found[key].shape != value.shape:
            raise ValueError(f"{key}: shape {tuple(found[key].shape)}, expected {tuple(value.shape)}")
        difference = float((found[key] - value).abs().max() / value.abs().max())
        if not difference <= TOLERANCE:  # NaN fails
            raise ValueError(f"{key} differs by {difference:.2e}")
        worst = max(worst, difference)
    return f"{kind.__name__}, {len(expected)} outputs, difference {worst:.1e}"


failures = 0
for folder in sys.argv[1:]:
    try:
        print(f"ok   {os.path.basename(folder)}: {check(folder)}")
    except Exception as error:
        failures += 1
        print(f"FAIL {os.path.basename(folder)}: {type(error).__name__}: {error}")
sys.exit(1 if failures else 0)
