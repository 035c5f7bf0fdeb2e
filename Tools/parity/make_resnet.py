"""Small residual networks of timm's blocks: logits, loss, gradients, and running statistics after training steps."""
import torch
import torch.nn.functional as F
from torch import nn

from fixture import Case, fill_exact, import_timm, put, relative_difference, rounded

timm = import_timm()
from timm.models.resnet import BasicBlock, Bottleneck, make_blocks  # noqa: E402

STEPS, RATE = 3, 0.05


class SmallResNet(nn.Module):
    """timm's ResNet, whose stem is always 64 channels wide, with a stem as narrow as its first stage.

    The stem of the CIFAR kind is a 3×3 convolution without pooling (He et al., section 4.2).
    """

    def __init__(self, block, layers, widths, cifar, classes):
        super().__init__()
        self.cifar, stem = cifar, widths[0]
        self.conv1 = nn.Conv2d(3, stem, 3, 1, 1, bias=False) if cifar else nn.Conv2d(3, stem, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(stem)
        stages, _ = make_blocks([block] * len(layers), widths, layers, stem)
        for name, stage in stages:
            self.add_module(name, stage)
        self.stages = [name for name, _ in stages]
        self.fc = nn.Linear(widths[-1] * block.expansion, classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        if not self.cifar:
            x = F.max_pool2d(x, 3, 2, 1)
        for name in self.stages:
            x = getattr(self, name)(x)
        return self.fc(x.mean((2, 3)))


def run_case(case, make_plain, seed, size):
    """Writes the weights of a network and what it computes in evaluation and in training, for five classes."""

    def make_model(dtype):
        model = make_plain()
        fill_exact(model, seed)
        with torch.no_grad():  # statistics other than those of a new layer
            for key, buffer in model.named_buffers():
                if key.endswith("running_mean"):
                    buffer.copy_(torch.linspace(-0.25, 0.25, buffer.numel()).bfloat16())
                if key.endswith("running_var"):
                    buffer.copy_(torch.linspace(0.5, 1.5, buffer.numel()).bfloat16())
        return model.to(dtype)

    generator = torch.Generator().manual_seed(seed + 1)
    x = torch.randn(6, 3, size, size, generator=generator).bfloat16()
    labels = torch.tensor([0, 3, 1, 4, 2, 3])

    def run(dtype):
        model, images = make_model(dtype), x.to(dtype)
        t = {"eval_logits": model.eval()(images).detach()}
        model.train()
        optimizer = torch.optim.SGD(model.parameters(), lr=RATE, momentum=0.9)
        losses = []
        for step in range(STEPS):
            optimizer.zero_grad()
            logits = model(images)
            loss = F.cross_entropy(logits, labels)
            loss.backward()
            if step == 0:
                t["train_logits"] = logits.detach()
                gradients = {key: parameter.grad.clone() for key, parameter in model.named_parameters()}
            losses.append(loss.detach())
            optimizer.step()
        t["losses"] = torch.stack(losses)
        t["eval_logits_after"] = model.eval()(images).detach()
        buffers = {key: value.clone() for key, value in model.named_buffers()}
        return t, gradients, buffers

    values, gradients, buffers = run(torch.float64)
    # A shift before a 1×1 convolution and a normalisation by the batch has no effect: its gradient is 0 but for rounding.
    gradients = {key: value for key, value in gradients.items() if value.abs().max() > 1e-9}
    values32, gradients32, buffers32 = run(torch.float32)
    case.facts["timm_float32_values"] = rounded(max(relative_difference(values32[k], values[k]) for k in values))
    case.facts["timm_float32_gradients"] = rounded(max(relative_difference(gradients32[k], gradients[k]) for k in gradients))

    weights = {k: v.bfloat16() if v.is_floating_point() else v for k, v in make_model(torch.float32).state_dict().items()}
    case.write_tensors("model.safetensors", weights, format="pt")
    tensors = {"input": x, "labels": labels, **values}
    for key, value in gradients.items():
        put(tensors, f"gradient.{key}", value, limit=64)
    for key, value in buffers.items():
        tensors[f"buffer.{key}"] = value
    case.write_tensors("expected.safetensors", tensors, lr=RATE, momentum=0.9, sample_limit=64)


def case_of(name, seed, size, **arguments):
    case = Case(name, __file__, seed)
    run_case(case, lambda: SmallResNet(classes=5, **arguments), seed, size)
    case.finish(README.format(name=name, seed=seed, size=size, steps=STEPS, rate=RATE, **{
        k: getattr(v, "__name__", v) for k, v in arguments.items()}))


README = """
# {name}

A residual network of timm's `{block}`, {layers} blocks a stage of widths {widths}, stem of the CIFAR kind: {cifar}; six
images of {size} × {size} pixels, five classes, seed {seed}. Made by `Tools/parity/make_resnet.py`.

- `model.safetensors`: the weights and running statistics in bf16, which holds them exactly; load them as fp32.
- `eval_logits`: in evaluation, from the running statistics as they are; `train_logits`: in training, from the batch's.
- `gradient.KEY`: of the mean cross-entropy of `train_logits` with `labels`; sampled as in `vit_mini`, 64 at most.
- `losses`: before each of {steps} steps of SGD on the same batch, rate {rate}, momentum 0.9, no weight decay.
- `buffer.KEY`: the running statistics after those steps; `eval_logits_after`: evaluation with them.

Computed in float64 and stored in float32. `manifest.json` tells versions, digests, and how far torch's own float32 run is
from these numbers. Made anew by `make fixtures`.
"""

if __name__ == "__main__":
    torch.use_deterministic_algorithms(True)
    case_of("resnet_basic", 40, 32, block=BasicBlock, layers=(1, 1, 1, 1), widths=(4, 6, 8, 8), cifar=False)
    case_of("resnet_bottleneck", 41, 32, block=Bottleneck, layers=(1, 2, 1), widths=(4, 4, 6), cifar=False)
    case_of("resnet_cifar", 42, 14, block=BasicBlock, layers=(1, 1, 1), widths=(4, 8, 12), cifar=True)
