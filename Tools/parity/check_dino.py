"""Checks with PyTorch that a full checkpoint goes into networks and an optimiser made as DINO's own code makes them.

    check_dino.py FILE.pth EXPECTED.safetensors

EXPECTED holds `images`, what the two networks make of them (`student`, `teacher`), the centre, and the optimiser's first
moments under the student's names (`exp_avg.NAME`). The backbone is timm's, whose names are those of DINO's own.
"""
import sys

from fixture import import_timm

timm = import_timm()
import torch  # noqa: E402
from safetensors.torch import load_file  # noqa: E402
from timm.models.vision_transformer import VisionTransformer  # noqa: E402


class Head(torch.nn.Module):
    """A head of three layers with the names of DINO's."""

    def __init__(self, width, hidden, bottleneck, outputs):
        super().__init__()
        layers = [torch.nn.Linear(width, hidden), torch.nn.Linear(hidden, hidden), torch.nn.Linear(hidden, bottleneck)]
        gelu = torch.nn.GELU()
        self.mlp = torch.nn.Sequential(layers[0], gelu, layers[1], gelu, layers[2])
        self.last_layer = torch.nn.utils.weight_norm(torch.nn.Linear(bottleneck, outputs, bias=False))
        self.last_layer.weight_g.requires_grad = False

    def forward(self, x):
        return self.last_layer(torch.nn.functional.normalize(self.mlp(x), dim=-1))


class Network(torch.nn.Module):
    def __init__(self, arguments):
        super().__init__()
        self.backbone = VisionTransformer(
            img_size=8, patch_size=arguments["patch_size"], embed_dim=64, depth=4, num_heads=2, num_classes=0)
        self.head = Head(64, 16, 8, arguments["out_dim"])

    def forward(self, x):
        return self.head(self.backbone(x))


def groups(model):
    """Weights that decay, and those that do not: vectors and biases."""
    named = [(name, value) for name, value in model.named_parameters() if value.requires_grad]
    plain = [value for name, value in named if name.endswith(".bias") or value.dim() == 1]
    names = {id(value) for value in plain}
    return [{"params": [value for _, value in named if id(value) not in names]}, {"params": plain, "weight_decay": 0.0}]


checkpoint, expected = torch.load(sys.argv[1], map_location="cpu"), load_file(sys.argv[2])
student, teacher = Network(checkpoint["args"]), Network(checkpoint["args"])
student.load_state_dict({name.removeprefix("module."): value for name, value in checkpoint["student"].items()})
assert all(name.startswith("module.") for name in checkpoint["student"]), "the student is not wrapped"
teacher.load_state_dict(checkpoint["teacher"])
for name, network in (("student", student), ("teacher", teacher)):
    found = network.eval()(expected["images"]).detach()
    difference = (found - expected[name]).abs().max() / expected[name].abs().max()
    assert difference < 1e-4, f"{name}: {difference}"
optimizer = torch.optim.AdamW(groups(student))
optimizer.load_state_dict(checkpoint["optimizer"])
steps = set()
for name, value in student.named_parameters():
    state = optimizer.state.get(value)
    moment = expected.get(f"exp_avg.{name}")
    if not state:
        assert moment is None or not moment.any(), f"{name} has no memory"
        continue
    steps.add(float(state["step"]))
    assert torch.equal(state["exp_avg"], moment), f"{name}: another memory"
assert torch.equal(checkpoint["dino_loss"]["center"], expected["center"]), "another centre"
# It goes on from there.
student.train()(expected["images"]).square().sum().backward()
optimizer.step()
print(f"ok epoch {checkpoint['epoch']}, steps {sorted(steps)}, lr {optimizer.param_groups[0]['lr']:.6g}")
