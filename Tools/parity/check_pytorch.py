"""Checks with PyTorch that a file which swift-deit wrote holds the same tensors as a safetensors file.

    check_pytorch.py FILE.pth EXPECTED.safetensors [KEY]
"""
import collections
import sys
import zipfile

import torch
from safetensors.torch import load_file

path, expected = sys.argv[1], load_file(sys.argv[2])
if zipfile.ZipFile(path).testzip() is not None:
    raise SystemExit("a checksum is wrong")
for options in ({}, {"mmap": True}):
    found = torch.load(path, weights_only=True, **options)
    for key in sys.argv[3:]:
        found = found[key]
    if not isinstance(found, collections.OrderedDict) or list(found) != sorted(expected):
        raise SystemExit(f"keys: {list(found)}")
    for name, tensor in expected.items():
        value = found[name]
        same = value.dtype == tensor.dtype and value.shape == tensor.shape and value.is_contiguous()
        if not same or not torch.equal(value.nan_to_num(), tensor.nan_to_num()):
            raise SystemExit(f"{name}: {value} instead of {tensor}")
print(f"ok {len(expected)}")
