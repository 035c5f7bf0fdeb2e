"""Lets timm and transformers be imported where torchvision was built for another torch than the one beside it.

PyPI's torchvision is built for CUDA. Beside a CPU build of torch its compiled part does not load, and its Python part stops
at the first operator that it describes. Once these operators have names it loads, and timm and transformers need no more of
it. Where torchvision loads by itself, or is not installed, this does nothing. The one place for this: Tools/parity and
`deit bench peers` use this file too.
"""
import sys

import torch

try:
    import torchvision  # noqa: F401
except ModuleNotFoundError:
    pass
except (ImportError, OSError, RuntimeError):
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    operators = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        operators.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import torchvision  # noqa: F401
