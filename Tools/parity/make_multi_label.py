"""Losses, targets and scores of images with several labels by timm, torch and scikit-learn.

    python Tools/parity/make_multi_label.py

Needs scikit-learn beside torch and timm.
"""
import json
import warnings

import numpy as np
import sklearn
import torch
import torch.nn.functional as F

from fixture import Case, import_timm

timm = import_timm()
from sklearn.metrics import average_precision_score, f1_score, precision_recall_curve  # noqa: E402
from sklearn.metrics import precision_recall_fscore_support  # noqa: E402
from timm.data.mixup import mixup_target  # noqa: E402
from timm.loss import AsymmetricLossMultiLabel, BinaryCrossEntropy  # noqa: E402


def null(values):
    return [None if np.isnan(v) else float(v) for v in values]


def scores(name, logits, targets):
    """All of scikit-learn's numbers; what its zero_division replaces is null."""
    decisions = (logits >= 0).astype(int)
    support = targets.sum(0)
    averages, best = [], []
    for label in range(targets.shape[1]):
        if support[label] == 0:
            averages.append(np.nan)
            best.append(np.nan)
            continue
        averages.append(average_precision_score(targets[:, label], logits[:, label]))
        precision, recall, _ = precision_recall_curve(targets[:, label], logits[:, label])
        total = precision + recall
        best.append(np.max(np.divide(2 * precision * recall, total, out=np.zeros_like(total), where=total > 0)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        columns = precision_recall_fscore_support(targets, decisions, zero_division=np.nan)
        macro = f1_score(targets, decisions, average="macro", zero_division=np.nan)
        micro = f1_score(targets, decisions, average="micro")
        samples = f1_score(targets, decisions, average="samples", zero_division=1)
    present = support > 0
    return {
        "name": name,
        "classes": targets.shape[1],
        "logits": logits.reshape(-1).tolist(),
        "labels": [np.flatnonzero(row).tolist() for row in targets],
        "average_precisions": null(averages),
        "map": float(average_precision_score(targets[:, present], logits[:, present], average="macro")),
        "micro_ap": float(average_precision_score(targets, logits, average="micro")),
        "best_f1": null(best),
        "precision": null(columns[0]),
        "recall": null(columns[1]),
        "f1": null(columns[2]),
        "macro_f1": float(macro),
        "micro_f1": float(micro),
        "samples_f1": float(samples),
        "loss": float(F.binary_cross_entropy_with_logits(torch.tensor(logits), torch.tensor(targets).double())),
    }


def metrics(seed):
    generator = np.random.default_rng(seed)
    targets = (generator.random((80, 5)) < [0.6, 0.3, 0.1, 0.05, 0.3]).astype(int)
    targets[:4] = 0
    logits = np.round(generator.normal(0, 1.5, (80, 5)) + targets * 1.5 - 0.7, 3)
    # Whole numbers: most scores have equals.
    tied = generator.integers(-2, 3, (80, 5)).astype(float) + targets
    lacking = targets.copy()
    lacking[:, 3] = 0
    # Beyond 17 the logistic function is 1 in single precision, and the order would be lost.
    large = logits * 6
    return [
        scores("random", logits, targets),
        scores("ties", tied, targets),
        scores("a class without images", logits, lacking),
        scores("large outputs", large, targets),
        scores("all equal", np.zeros((80, 5)), targets),
        scores("two images", logits[4:6], np.array([[1, 0, 0, 1, 1], [0, 1, 0, 0, 1]])),
    ]


def losses(seed):
    generator = torch.Generator().manual_seed(seed)
    logits = (torch.randn(6, 5, generator=generator) * 3).float().double()
    # A fresh head gives zeros, where a careless logistic loss has the wrong gradient.
    logits[1] = 0
    logits[5] = torch.tensor([40.0, -40.0, 12.5, 0.0, -12.5]).double()
    targets = torch.tensor([[1, 0, 0, 1, 0], [0, 1, 0, 0, 0], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1], [0, 0, 1, 0, 1],
                            [1, 0, 0, 1, 0]]).double()
    weight = torch.tensor([0.25, 4.0, 1.0, 0.0, 2.5], dtype=torch.float64)
    pos_weight = torch.tensor([3.0, 0.5, 1.0, 10.0, 2.0], dtype=torch.float64)
    teacher = (torch.randn(6, 5, generator=generator) * 3).float().double()
    thresholds = torch.tensor([0.5, 0.2, 0.9, 0.35, 0.6], dtype=torch.float64)
    t = {"logits": logits, "targets": targets, "weight": weight, "pos_weight": pos_weight, "teacher": teacher,
         "thresholds": thresholds}
    # In single precision, as both compute them.
    for name, smoothing in (("mixed", 0.0), ("mixed_smoothed", 0.1)):
        t[name] = mixup_target(targets.float(), 5, 0.75, smoothing, multi_label=True)
    t["smoothed"] = mixup_target(targets.float(), 5, 1.0, 0.1, multi_label=True)

    def put(name, loss_of):
        leaf = logits.clone().requires_grad_()
        loss = loss_of(leaf)
        loss.backward()
        t[name], t[f"{name}.gradient"] = loss.detach(), leaf.grad

    both = {"weight": weight, "pos_weight": pos_weight}
    put("binary", lambda x: BinaryCrossEntropy(smoothing=0)(x, targets))
    put("binary_mixed", lambda x: BinaryCrossEntropy(smoothing=0)(x, t["mixed_smoothed"].double()))
    put("binary_weighted", lambda x: BinaryCrossEntropy(smoothing=0, **both)(x, targets))
    # timm computes these in single precision whatever it gets.
    put("asymmetric", lambda x: AsymmetricLossMultiLabel()(x, targets))
    put("asymmetric_mixed", lambda x: AsymmetricLossMultiLabel()(x, t["mixed_smoothed"].double()))
    put("asymmetric_weighted", lambda x: AsymmetricLossMultiLabel(
        gamma_neg=2, gamma_pos=0, clip=0, weight=weight.float(), pos_weight=pos_weight.float())(x, targets))

    def soft(x, tau):
        """The KL divergence of two outcomes for each class, by torch's own."""
        def logs(z):
            return torch.stack([F.logsigmoid(z / tau), F.logsigmoid(-z / tau)], -1)

        return F.kl_div(logs(x), logs(teacher), reduction="sum", log_target=True) * tau * tau

    put("soft_numel", lambda x: soft(x, 3.0) / x.numel())
    put("soft_batchmean", lambda x: soft(x, 1.0) / x.shape[0])
    for name, limits in (("hard", 0.5), ("hard_thresholds", thresholds)):
        decisions = (teacher.sigmoid() > limits).double()
        put(name, lambda x: F.binary_cross_entropy_with_logits(x, decisions))
    return t


README = """
# multi_label

`expected.json`: average precisions, precision, recall and F1 of `logits` [images, classes] for images with any number of
`labels`, by scikit-learn, with the decision at logit 0; null where `zero_division` would step in. `map` is the mean over the
classes that have images, `macro_f1` that over the classes that have images or predictions, `samples_f1` has
`zero_division=1`, and `best_f1` is the highest on `precision_recall_curve`.

`expected.safetensors`: timm's `mixup_target` of `targets` [6, 5] with `multi_label`, λ 0.75 with the batch in reverse
(`mixed`, `mixed_smoothed`) or none (`smoothed`), smoothing 0.1; the losses of `logits` [6, 5] by timm's `BinaryCrossEntropy`
and `AsymmetricLossMultiLabel`, with `weight` and `pos_weight` [5], and those of distillation by torch, with `teacher` [6, 5]
and `thresholds` [5]; `NAME.gradient` is the gradient with respect to `logits`. One row of the logits is zero, one is large,
and one image has no label.
"""


def main():
    case = Case("multi_label", __file__, 43)
    case.facts["scikit-learn"] = sklearn.__version__
    case.write("expected.json", (json.dumps({"metrics": metrics(43)}, indent=1) + "\n").encode())
    case.write_tensors("expected.safetensors", losses(43))
    case.finish(README)


main()
