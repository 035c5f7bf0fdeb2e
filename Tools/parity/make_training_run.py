"""Whole training runs of timm's parts on a tiny transformer: what optimiser, schedule, clipping, accumulation, smoothing and the
moving averages come to together, as DeiT's main.py and timm's train.py put them together.

The images and the first weights follow from whole numbers, so that the test makes the same ones without a file.
"""
from functools import partial

import torch

from fixture import Case, import_timm

timm = import_timm()
from timm.loss import LabelSmoothingCrossEntropy  # noqa: E402
from timm.models.vision_transformer import VisionTransformer  # noqa: E402
from timm.optim import create_optimizer_v2  # noqa: E402
from timm.scheduler import create_scheduler_v2  # noqa: E402
from timm.utils import ModelEmaV3, dispatch_clip_grad  # noqa: E402

EPOCHS, TRAIN, VALIDATION, CLASSES, SIDE = 6, 24, 12, 3, 8
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

RUNS = {
    "adamw": dict(
        opt="adamw", lr=5e-3, weight_decay=0.1, eps=1e-3, betas=(0.8, 0.95), layer_decay=0.7, clip=0.5, smoothing=0.1, parts=3,
        sched="cosine", warmup_epochs=2, warmup_lr=1e-4, min_lr=2e-4, ema=0.9, ema_warmup=True,
    ),
    "sgd": dict(
        opt="sgd", lr=0.05, weight_decay=0.01, momentum=0.8, smoothing=0.0, parts=1, sched="step", decay_epochs=2, decay_rate=0.3,
        ema=0.8,
    ),
    "momentum": dict(
        opt="momentum", lr=0.05, weight_decay=0.05, momentum=0.9, layer_decay=0.8, clip=0.2, smoothing=0.2, parts=2,
        sched="cosine", warmup_epochs=1, warmup_lr=1e-3, min_lr=1e-3, lag=True, ema=0.7,
    ),
    "lamb": dict(
        opt="lamb", lr=0.02, weight_decay=0.05, eps=1e-3, binary=True, smoothing=0.0, parts=2, sched="cosine", min_lr=1e-3, ema=0.5,
    ),
}


def images(first, count):
    index, c, y, x = torch.meshgrid(
        torch.arange(first, first + count), torch.arange(3), torch.arange(SIDE), torch.arange(SIDE), indexing="ij"
    )
    values = (index * 37 + (index % CLASSES * 3 + 2) * (7 * c + 11 * y + 13 * x + 5) * 5) % 256
    pixels = values.double() / 255
    mean, std = (torch.tensor(v, dtype=torch.float64).view(1, 3, 1, 1) for v in (MEAN, STD))
    return (pixels - mean) / std, torch.arange(first, first + count) % CLASSES


def fill(model):
    """Multiples of 1/4096 between -1/4 and 1/4 that follow from a weight's place among the sorted names; scales get 1 more."""
    with torch.no_grad():
        for place, (name, parameter) in enumerate(sorted(model.named_parameters())):
            index = torch.arange(parameter.numel(), dtype=torch.int64)
            values = ((index * 7919 + place * 104729) * 40503 // 64 % 2048 - 1024).double() / 4096
            is_scale = parameter.ndim == 1 and name.endswith("weight")
            parameter.copy_((values + 1 if is_scale else values).view(parameter.shape))


def run(settings):
    s = dict(momentum=0.9, eps=None, betas=None, layer_decay=None, clip=None, warmup_epochs=0, warmup_lr=0.0, min_lr=0.0,
             decay_epochs=30, decay_rate=0.1, lag=False, binary=False, ema_warmup=False) | settings
    model = VisionTransformer(
        img_size=SIDE, patch_size=4, embed_dim=8, depth=2, num_heads=2, num_classes=CLASSES,
        norm_layer=partial(torch.nn.LayerNorm, eps=1e-6),
    ).double()
    fill(model)
    optional = {k: s[k] for k in ("eps", "betas", "layer_decay") if s[k] is not None}
    optimizer = create_optimizer_v2(
        model, opt=s["opt"], lr=s["lr"], weight_decay=s["weight_decay"], momentum=s["momentum"], **optional
    )
    scheduler, _ = create_scheduler_v2(
        optimizer, sched=s["sched"], num_epochs=EPOCHS, decay_epochs=s["decay_epochs"], decay_rate=s["decay_rate"],
        min_lr=s["min_lr"], warmup_lr=s["warmup_lr"], warmup_epochs=s["warmup_epochs"], warmup_prefix=False,
    )
    cross_entropy = LabelSmoothingCrossEntropy(s["smoothing"]) if s["smoothing"] > 0 else torch.nn.CrossEntropyLoss()

    def criterion(logits, labels):
        if s["binary"]:
            targets = torch.nn.functional.one_hot(labels, CLASSES).to(logits.dtype)
            return torch.nn.functional.binary_cross_entropy_with_logits(logits, targets)
        return cross_entropy(logits, labels)

    average = ModelEmaV3(model, decay=s["ema"], use_warmup=s["ema_warmup"])
    images, labels = images(0, TRAIN)
    unseen, their_labels = images(TRAIN, VALIDATION)
    losses, val_losses, average_losses, rates = [], [], [], []
    for epoch in range(EPOCHS):
        # DeiT's loop sets the rate after an epoch, which is one epoch late.
        if not s["lag"]:
            scheduler.step(epoch)
        rates.append(max(g["lr"] / g.get("lr_scale", 1.0) for g in optimizer.param_groups))
        optimizer.zero_grad()
        total = 0.0
        for some, theirs in zip(images.chunk(s["parts"]), labels.chunk(s["parts"])):
            loss = criterion(model(some), theirs) / s["parts"]
            loss.backward()
            total += loss.item()
        if s["clip"] is not None:
            dispatch_clip_grad(model.parameters(), s["clip"], mode="norm")
        optimizer.step()
        average.update(model, step=epoch + 1 if s["ema_warmup"] else None)
        if s["lag"]:
            scheduler.step(epoch)
        losses.append(total)
        model.eval()
        with torch.no_grad():
            for network, found in ((model, val_losses), (average.module, average_losses)):
                found.append(torch.nn.functional.cross_entropy(network(unseen), their_labels).item())
        model.train()
    tensors = {f"model.{k}": v for k, v in model.state_dict().items()}
    tensors |= {f"ema.{k}": v for k, v in average.module.state_dict().items()}
    for name, values in (("loss", losses), ("val_loss", val_losses), ("ema_val_loss", average_losses), ("lr", rates)):
        tensors[name] = torch.tensor(values, dtype=torch.float64)
    return tensors


README = """
# training_run

Four runs of six epochs on a transformer of two blocks and 8 channels, in float64, all 24 images in a step: timm's
`create_optimizer_v2` (layer-wise and weight decay), `create_scheduler_v2`, `dispatch_clip_grad`, `ModelEmaV3`, label smoothing
or a binary cross-entropy, gradients added over parts. `NAME.safetensors` holds the last weights (`model.…`), the averaged ones
(`ema.…`), and of each epoch the loss, both losses on 12 other images and the rate. Images and first weights follow from whole
numbers. Made by `Tools/parity/make_training_run.py`; anew by `make fixtures`.
"""

if __name__ == "__main__":
    case = Case("training_run", __file__, seed=0)
    for name, settings in RUNS.items():
        tensors = run(settings)
        case.write_tensors(f"{name}.safetensors", tensors)
        case.facts[name] = {"last_loss": float(f"{tensors['loss'][-1]:.6f}")}
        print(name, [round(v, 6) for v in tensors["loss"].tolist()], tensors["lr"].tolist())
    case.finish(README)
