"""Losses with their gradients, learning-rate schedules, optimiser steps and moving averages of torch and timm."""
import math

import torch
import torch.nn.functional as F

from fixture import Case, import_timm

timm = import_timm()
from timm.loss import LabelSmoothingCrossEntropy, SoftTargetCrossEntropy  # noqa: E402
from timm.utils import ModelEmaV2  # noqa: E402


def with_gradient(tensors, name, loss_of, logits):
    leaf = logits.clone().requires_grad_()
    loss = loss_of(leaf)
    loss.backward()
    tensors[name], tensors[f"{name}.gradient"] = loss.detach(), leaf.grad


def losses(seed):
    """Six samples, five classes; among the logits a row of large ones, where a careless softmax overflows."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(6, 5, generator=generator).float().double() * 3
    logits[5] = torch.tensor([900.0, -900.0, 899.5, 0.0, 880.0]).double()
    teacher = (torch.randn(6, 5, generator=generator) * 2).double()
    labels = torch.tensor([0, 4, 2, 2, 1, 0])
    soft = F.softmax(torch.randn(6, 5, generator=generator).double() * 2, -1).float().double()
    logits, teacher = logits.float().double(), teacher.float().double()
    t = {"logits": logits, "teacher_logits": teacher, "labels": labels, "soft_targets": soft}

    with_gradient(t, "cross_entropy", lambda x: F.cross_entropy(x, labels), logits)
    with_gradient(t, "cross_entropy_smoothed", lambda x: F.cross_entropy(x, labels, label_smoothing=0.1), logits)
    same = LabelSmoothingCrossEntropy(0.1)(logits, labels)
    assert torch.allclose(same, t["cross_entropy_smoothed"]), "timm and torch smooth alike: off = smoothing / classes"
    with_gradient(t, "cross_entropy_soft_targets", lambda x: SoftTargetCrossEntropy()(x, soft), logits)

    for temperature in (1.0, 3.0):
        def kl(x, reduction):
            inputs, targets = F.log_softmax(x / temperature, -1), F.log_softmax(teacher / temperature, -1)
            return F.kl_div(inputs, targets, reduction=reduction, log_target=True) * temperature**2

        suffix = f"temperature_{temperature:g}"
        with_gradient(t, f"kl_numel.{suffix}", lambda x: kl(x, "sum") / x.numel(), logits)
        with_gradient(t, f"kl_batchmean.{suffix}", lambda x: kl(x, "batchmean"), logits)
    with_gradient(t, "distillation_hard", lambda x: F.cross_entropy(x, teacher.argmax(-1)), logits)

    # What transformers takes for one number (MSELoss) and for several labels (BCEWithLogitsLoss).
    with_gradient(t, "mean_squared_error", lambda x: F.mse_loss(x, teacher), logits)
    several = (teacher > 0).double()
    t["several_labels"] = several
    with_gradient(t, "binary_cross_entropy", lambda x: F.binary_cross_entropy_with_logits(x, several), logits)

    # What DeiT-III makes of mixed targets: every class that has a share counts in full (engine.py: targets.gt(0.0)).
    from timm.loss import BinaryCrossEntropy

    mixed = torch.zeros(6, 5, dtype=torch.float64)
    for row in range(6):
        mixed[row, labels[row]] += 0.75
        mixed[row, labels[5 - row]] += 0.25
    t["mixed_targets"] = mixed
    thresholded = BinaryCrossEntropy(smoothing=0.0, target_threshold=0.0)
    with_gradient(t, "binary_cross_entropy_threshold", lambda x: thresholded(x, mixed), logits)

    case = Case("losses", __file__, seed)
    case.write_tensors("expected.safetensors", t)
    case.finish(LOSSES_README)


def cosine_lr(epoch, epochs, warmup_epochs, lr, warmup_lr, min_lr):
    """DeiT's schedule (timm CosineLRScheduler, warmup_prefix=False), without the lag of one epoch: requirements B1.2."""
    if epoch < warmup_epochs:
        return warmup_lr + epoch * (lr - warmup_lr) / warmup_epochs
    return min_lr + 0.5 * (lr - min_lr) * (1 + math.cos(math.pi * epoch / epochs))


def linear_lr(step, steps, warmup_steps, lr):
    """transformers.get_linear_schedule_with_warmup: up to lr over the warm-up, then down to 0 after the last step."""
    if step < warmup_steps:
        return lr * step / max(1, warmup_steps)
    return lr * max(0.0, (steps - step) / max(1, steps - warmup_steps))


def schedules():
    from timm.scheduler import CosineLRScheduler

    t = {}
    for name, arguments in {
        "deit_300": dict(epochs=300, warmup_epochs=5, lr=5e-4, warmup_lr=1e-6, min_lr=1e-5),
        "short_20": dict(epochs=20, warmup_epochs=3, lr=1e-3, warmup_lr=1e-6, min_lr=1e-5),
        "no_warmup_10": dict(epochs=10, warmup_epochs=0, lr=1e-3, warmup_lr=1e-6, min_lr=0.0),
    }.items():
        ours = [cosine_lr(epoch, **arguments) for epoch in range(arguments["epochs"])]
        optimizer = torch.optim.SGD([torch.zeros(1)], lr=arguments["lr"])
        reference = CosineLRScheduler(
            optimizer, t_initial=arguments["epochs"], lr_min=arguments["min_lr"], warmup_t=arguments["warmup_epochs"],
            warmup_lr_init=arguments["warmup_lr"], warmup_prefix=False,
        )
        for epoch, value in enumerate(ours):
            theirs = reference._get_lr(epoch)[0]
            assert math.isclose(value, theirs, rel_tol=1e-12), (name, epoch, value, theirs)
        t[f"cosine.{name}"] = torch.tensor(ours, dtype=torch.float64)
        t[f"cosine.{name}.epochs_warmup"] = torch.tensor([arguments["epochs"], arguments["warmup_epochs"]])
        t[f"cosine.{name}.lr_warmup_min"] = torch.tensor([arguments["lr"], arguments["warmup_lr"], arguments["min_lr"]], dtype=torch.float64)
    from transformers import get_linear_schedule_with_warmup

    for name, arguments in {
        "finetune_50": dict(steps=50, warmup_steps=5, lr=5e-5),
        "no_warmup_8": dict(steps=8, warmup_steps=0, lr=1e-3),
        "warmup_only_6": dict(steps=6, warmup_steps=9, lr=1e-3),
    }.items():
        # Two steps more than the schedule has: it stays where it ends.
        ours = [linear_lr(step, **arguments) for step in range(arguments["steps"] + 2)]
        optimizer = torch.optim.SGD([torch.zeros(1)], lr=arguments["lr"])
        reference = get_linear_schedule_with_warmup(optimizer, arguments["warmup_steps"], arguments["steps"])
        for step, value in enumerate(ours):
            theirs = reference.get_last_lr()[0]
            assert math.isclose(value, theirs, rel_tol=1e-12, abs_tol=1e-20), (name, step, value, theirs)
            optimizer.step()
            reference.step()
        t[f"linear.{name}"] = torch.tensor(ours, dtype=torch.float64)
        t[f"linear.{name}.steps_warmup"] = torch.tensor([arguments["steps"], arguments["warmup_steps"]])
        t[f"linear.{name}.lr"] = torch.tensor(arguments["lr"], dtype=torch.float64)
    case = Case("schedules", __file__, 0)
    case.write_tensors("expected.safetensors", t)
    case.finish(SCHEDULES_README)


def optimizers(seed):
    """Two parameters (one decayed, one not), ten steps with gradients that are given, not computed."""
    steps = 10
    generator = torch.Generator().manual_seed(seed)
    weight, bias = (torch.randn(3, 4, generator=generator), torch.randn(4, generator=generator))
    weight_gradients = torch.randn(steps, 3, 4, generator=generator)
    bias_gradients = torch.randn(steps, 4, generator=generator)
    weight_gradients[3], bias_gradients[3] = 0, 1e-9  # where epsilon matters
    t = {"weight": weight, "bias": bias, "weight_gradients": weight_gradients, "bias_gradients": bias_gradients}
    rates = [1e-3 * (1 + step % 3) for step in range(steps)]  # a schedule changes the rate between the steps
    t["learning_rates"] = torch.tensor(rates, dtype=torch.float64)

    def trace(name, make):
        w, b = weight.double().requires_grad_(), bias.double().requires_grad_()
        optimizer = make([{"params": [w], "weight_decay": 0.05}, {"params": [b], "weight_decay": 0.0}])
        weights, biases = [], []
        for step in range(steps):
            for group in optimizer.param_groups:
                group["lr"] = rates[step]
            w.grad, b.grad = weight_gradients[step].double(), bias_gradients[step].double()
            optimizer.step()
            weights.append(w.detach().clone())
            biases.append(b.detach().clone())
        t[f"{name}.weight"], t[f"{name}.bias"] = torch.stack(weights), torch.stack(biases)

    trace("adamw", lambda groups: torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.999), eps=1e-8))
    trace("adamw_betas", lambda groups: torch.optim.AdamW(groups, lr=1e-3, betas=(0.8, 0.95), eps=1e-6))
    trace("sgd", lambda groups: torch.optim.SGD(groups, lr=1e-3))
    trace("sgd_momentum", lambda groups: torch.optim.SGD(groups, lr=1e-3, momentum=0.9))
    trace("sgd_nesterov", lambda groups: torch.optim.SGD(groups, lr=1e-3, momentum=0.9, nesterov=True))

    from timm.optim import Lamb

    trace("lamb", lambda groups: Lamb(groups, lr=1e-3))
    trace("lamb_unclipped", lambda groups: Lamb(groups, lr=1e-3, betas=(0.8, 0.95), eps=1e-8, max_grad_norm=None))

    model = torch.nn.Linear(4, 3, dtype=torch.float64)
    with torch.no_grad():
        model.weight.copy_(weight)
    average, averages = ModelEmaV2(model, decay=0.9), []
    for step in range(steps):
        with torch.no_grad():
            model.weight.copy_(t["adamw.weight"][step].float())
        average.update(model)
        averages.append(average.module.weight.detach().clone())
    t["ema_decay_0.9"] = torch.stack(averages)

    big = [torch.tensor([3.0, 4.0]).double().requires_grad_(), torch.tensor([[12.0]]).double().requires_grad_()]
    for p in big:
        p.grad = p.detach().clone()
    t["clip.norm"] = torch.nn.utils.clip_grad_norm_(big, max_norm=1.0)
    t["clip.first"], t["clip.second"] = big[0].grad, big[1].grad

    case = Case("optimizers", __file__, seed)
    case.write_tensors("expected.safetensors", t)
    case.finish(OPTIMIZERS_README)


LOSSES_README = """
# losses

`logits` and `teacher_logits` [6, 5], `labels` [6], `soft_targets` [6, 5]. Each loss is a scalar; `NAME.gradient` is its
gradient with respect to `logits`. The last row of the logits is large, so that an unstable softmax overflows.

- `cross_entropy`, `cross_entropy_smoothed` (0.1; spread over all classes, as timm and torch do), `cross_entropy_soft_targets`.
- `kl_numel.temperature_T`: DeiT's soft distillation: KL of student and teacher at temperature T, summed, times T², over
  the number of elements (requirements B1.8). `kl_batchmean.temperature_T`: the textbook's, over the batch only.
- `distillation_hard`: cross-entropy with the teacher's most likely class.
- `mean_squared_error`: of the logits to `teacher_logits`. `binary_cross_entropy`: of every logit by itself to
  `several_labels` [6, 5]. `binary_cross_entropy_threshold`: timm's `BinaryCrossEntropy` on `mixed_targets` [6, 5] with
  all targets above 0 counted as 1, as DeiT-III's `engine.py` does.

Computed in float64, stored in float32. Made by `Tools/parity/make_training.py`; anew by `make fixtures`.
"""

SCHEDULES_README = """
# schedules

Learning rates, stored in float32.

- `cosine.NAME`: one value an epoch, timm's `CosineLRScheduler` as DeiT sets it up (the cosine runs over all epochs,
  warm-up included), without the lag of one epoch of DeiT's loop (requirements B1.2). `NAME.epochs_warmup` and
  `NAME.lr_warmup_min` are its arguments.
- `linear.NAME`: one value a step, up to the rate over the warm-up, then down to 0: the schedule of Hugging Face's
  fine-tuning examples.

Made by `Tools/parity/make_training.py`, which checks its cosine against timm; anew by `make fixtures`.
"""

OPTIMIZERS_README = """
# optimizers

Ten steps of torch's optimisers on `weight` [3, 4] (weight decay 0.05) and `bias` [4] (none), with the gradients
`weight_gradients` [10, 3, 4] and `bias_gradients` [10, 4] and the rates `learning_rates` [10]. In the fourth step one
gradient is 0 and the other 1e-9, where epsilon matters.

- `adamw` (betas 0.9, 0.999, epsilon 1e-8), `adamw_betas` (0.8, 0.95, 1e-6), `sgd`, `sgd_momentum` (0.9),
  `sgd_nesterov` (0.9): `.weight` and `.bias` after every step.
- `lamb` (timm's `Lamb` with its defaults: betas 0.9, 0.999, epsilon 1e-6, gradients clipped to norm 1) and
  `lamb_unclipped` (0.8, 0.95, 1e-8, not clipped): likewise.
- `ema_decay_0.9`: timm's `ModelEmaV2` of a weight that starts as `weight` and then takes the values of `adamw.weight`.
- `clip`: gradients [3, 4] and [[12]] clipped to norm 1: `clip.norm` before (13), `clip.first` and `clip.second` after.

Computed in float64, stored in float32. Made by `Tools/parity/make_training.py`; anew by `make fixtures`.
"""

if __name__ == "__main__":
    losses(seed=30)
    schedules()
    optimizers(seed=31)
