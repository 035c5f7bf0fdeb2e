"""Class weights, weighted losses, and precision, recall, F1 and balanced accuracy by scikit-learn, torch and timm.

    python Tools/parity/make_imbalance.py

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
from sklearn.metrics import balanced_accuracy_score, precision_recall_fscore_support  # noqa: E402
from sklearn.utils.class_weight import compute_class_weight  # noqa: E402
from timm.data.mixup import mixup_target  # noqa: E402


def effective(counts, beta):
    """github.com/richardaecn/class-balanced-loss, class_balanced_loss.py, in numbers of more digits."""
    counts = np.asarray(counts, dtype=np.longdouble)
    weights = (1 - np.longdouble(beta)) / (1 - np.power(np.longdouble(beta), counts))
    return [float(w) for w in weights / weights.sum() * len(counts)]


def class_weights():
    cases = []
    for counts in ([500, 20, 100], [7, 7], [1, 1, 1, 10000], [3], [2569, 633, 898, 641, 699, 1]):
        labels = np.repeat(np.arange(len(counts)), counts)
        balanced = compute_class_weight("balanced", classes=np.arange(len(counts)), y=labels)
        cases.append({
            "counts": counts,
            "balanced": balanced.tolist(),
            "effective": {str(beta): effective(counts, beta) for beta in (0.9, 0.99, 0.999, 0.9999)},
        })
    return cases


def scores(name, labels, predictions, classes, logits=None):
    """All of scikit-learn's numbers; what its zero_division replaces is null."""
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        columns = precision_recall_fscore_support(labels, predictions, labels=np.arange(classes), zero_division=np.nan)
        # Without `labels`, as a user calls it: over the classes that have images or predictions.
        macro = precision_recall_fscore_support(labels, predictions, average="macro", zero_division=0)
        balanced = balanced_accuracy_score(labels, predictions)
    finite = [[None if np.isnan(v) else float(v) for v in column] for column in columns[:3]]
    case = {
        "name": name,
        "classes": classes,
        "labels": labels.tolist(),
        "predictions": predictions.tolist(),
        "precision": finite[0],
        "recall": finite[1],
        "f1": finite[2],
        "support": [int(v) for v in columns[3]],
        "macro_f1": float(macro[2]),
        "balanced_accuracy": float(balanced),
    }
    if logits is not None:
        case["logits"] = logits.reshape(-1).tolist()
    return case


def metrics(seed):
    generator = np.random.default_rng(seed)
    labels = np.repeat([0, 1, 2, 3], [60, 25, 10, 5])
    noisy = np.where(generator.random(100) < 0.6, labels, generator.integers(0, 4, 100))
    # Whole numbers from a small range: most rows have ties, of which the first is the prediction.
    logits = generator.integers(0, 3, (100, 4)).astype(float)
    logits[np.arange(100), labels] += generator.integers(0, 2, 100)
    tied = [np.repeat([0, 1, 2, 3], 25), logits.argmax(1)]
    return [
        scores("imbalanced", labels, noisy, 4),
        scores("ties", *tied, 4, logits),
        scores("a class without images that is predicted", [0, 0, 1, 1, 1], [0, 2, 1, 2, 1], 3),
        scores("a class that is never predicted", [0, 0, 1, 2, 2], [0, 1, 1, 0, 1], 3),
        scores("a class with neither", [0, 0, 2, 2], [0, 2, 2, 2], 4),
        scores("a single class", [0, 0, 0], [0, 0, 0], 1),
        scores("a single class, mistaken", [1, 1, 1], [0, 1, 2], 3),
        scores("all wrong", [0, 1, 2], [1, 2, 0], 3),
    ]


def losses(seed):
    generator = torch.Generator().manual_seed(seed)
    logits = (torch.randn(6, 5, generator=generator) * 3).float().double()
    # A fresh head gives zeros, where a careless logistic loss has the wrong gradient.
    logits[1] = 0
    logits[5] = torch.tensor([900.0, -900.0, 899.5, 0.0, 880.0]).double()
    labels = torch.tensor([0, 4, 2, 2, 1, 0])
    weights = torch.tensor([0.25, 4.0, 1.0, 0.0, 2.5], dtype=torch.float64)
    lam = 0.75
    t = {"logits": logits, "labels": labels, "class_weights": weights}
    t["mixed"] = mixup_target(labels, 5, lam, 0.0).double()
    t["mixed_smoothed"] = mixup_target(labels, 5, lam, 0.1).double()
    of_label = weights[labels]
    of_mixed = lam * of_label + (1 - lam) * of_label.flip(0)

    def put(name, loss_of):
        leaf = logits.clone().requires_grad_()
        loss = loss_of(leaf)
        loss.backward()
        t[name], t[f"{name}.gradient"] = loss.detach(), leaf.grad

    put("cross_entropy", lambda x: F.cross_entropy(x, labels, weight=weights, reduction="none").mean())
    put("cross_entropy_smoothed", lambda x: (F.cross_entropy(x, labels, label_smoothing=0.1, reduction="none") * of_label).mean())
    for name in ("mixed", "mixed_smoothed"):
        put(f"cross_entropy_{name}", lambda x: (F.cross_entropy(x, t[name], reduction="none") * of_mixed).mean())
    one_hot = F.one_hot(labels, 5).double()

    def binary(x, targets, weights):
        return (F.binary_cross_entropy_with_logits(x, targets, reduction="none").mean(1) * weights).mean()

    put("binary", lambda x: binary(x, one_hot, of_label))
    put("binary_mixed", lambda x: binary(x, t["mixed"].gt(0.0).double(), of_mixed))
    return t


README = """
# imbalance

`expected.json`: `class_weights` by scikit-learn's `compute_class_weight("balanced")` and by the code of Cui et al. (2019)
in extended precision, for numbers of images; `metrics` by scikit-learn's `precision_recall_fscore_support` and
`balanced_accuracy_score`, null where `zero_division` would step in, `macro_f1` with `zero_division=0` over the classes that
occur. Where `logits` are given, the predictions are their first largest.

`expected.safetensors`: the loss of `logits` [6, 5] for `labels` [6] or mixed targets [6, 5] (timm's `mixup_target`, λ 0.75
with the batch in reverse, smoothing 0 or 0.1) and `class_weights` [5], each image's loss times its weight, the mean over
the images; `NAME.gradient` is the gradient with respect to `logits`. The weight of a mixed image is λ times that of its
first class and 1 - λ times that of its second. One row of the logits is zero, one is large.
"""


def main():
    case = Case("imbalance", __file__, 31)
    case.facts["scikit-learn"] = sklearn.__version__
    text = json.dumps({"class_weights": class_weights(), "metrics": metrics(31)}, indent=1)
    case.write("expected.json", (text + "\n").encode())
    case.write_tensors("expected.safetensors", losses(31))
    case.finish(README)


main()
