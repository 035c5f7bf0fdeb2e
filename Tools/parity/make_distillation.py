"""The distillation loss of facebookresearch/deit, with its gradients: needs that repository's losses.py.

    DEIT_REFERENCE=PATH/TO/deit make_distillation.py
"""
import importlib.util
import os
import sys

import torch
import torch.nn.functional as F

from fixture import Case, import_timm

timm = import_timm()
from timm.loss import LabelSmoothingCrossEntropy, SoftTargetCrossEntropy  # noqa: E402


def reference(folder):
    spec = importlib.util.spec_from_file_location("deit_losses", os.path.join(folder, "losses.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.DistillationLoss


def main(folder, seed=6):
    generator = torch.Generator().manual_seed(seed)
    draw = lambda scale: (torch.randn(6, 5, generator=generator) * scale).float().double()
    cls, dist, teacher = draw(3), draw(3), draw(2)
    labels = torch.tensor([0, 4, 2, 2, 1, 0])
    # As Mixup gives them: two classes, smoothed already.
    shares = (0.7 * F.one_hot(labels, 5) + 0.3 * F.one_hot(labels.flip(0), 5)).double() * 0.9 + 0.02
    shares = shares.float().double()
    t = {"cls_logits": cls, "dist_logits": dist, "teacher_logits": teacher, "labels": labels, "shares": shares}
    kinds = {"none": ("none", 1.0), "soft_1": ("soft", 1.0), "soft_3": ("soft", 3.0), "hard": ("hard", 1.0)}
    for base, criterion, target in [
        ("smoothed", LabelSmoothingCrossEntropy(0.1), labels),
        ("mixed", SoftTargetCrossEntropy(), shares),
    ]:
        for name, (kind, tau) in kinds.items():
            for alpha in (0.5, 0.1):
                loss = reference(folder)(criterion, lambda _: teacher, kind, alpha, tau)
                leaves = cls.clone().requires_grad_(), dist.clone().requires_grad_()
                value = loss(None, leaves, target)
                value.backward()
                case = f"{base}.{name}.alpha_{alpha:g}"
                t[case] = value.detach()
                for head, leaf in zip(("cls", "dist"), leaves):
                    t[f"{case}.{head}_gradient"] = torch.zeros_like(leaf) if leaf.grad is None else leaf.grad
    case = Case("distillation", __file__, seed)
    case.write_tensors("expected.safetensors", t)
    case.finish(README)


README = """
# distillation

`DistillationLoss` of facebookresearch/deit (`losses.py`) on `cls_logits`, `dist_logits` and `teacher_logits` [6, 5]:
`BASE.KIND.alpha_A` is the loss, `.cls_gradient` and `.dist_gradient` its gradients with respect to both heads' logits.

- BASE: `smoothed` is timm's cross-entropy with smoothing 0.1 against `labels` [6]; `mixed` is timm's against `shares`
  [6, 5], what Mixup leaves of the labels.
- KIND: `none`, `soft_1` and `soft_3` (τ 1 and 3, divided by the number of elements), `hard`. A: 0.5 and 0.1.

Computed in float64, stored in float32. Made by `Tools/parity/make_distillation.py`, which needs that
file: DEIT_REFERENCE names its folder.
"""

if __name__ == "__main__":
    if "DEIT_REFERENCE" not in os.environ:
        print("distillation: left as it is, DEIT_REFERENCE names no folder with losses.py")
        sys.exit(0)
    main(os.environ["DEIT_REFERENCE"])
