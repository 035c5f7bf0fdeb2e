"""The learning-rate factors and weight decays that timm's layer-wise decay gives every parameter of its models."""
from fixture import Case, import_timm

timm = import_timm()
import torch  # noqa: E402
from timm.models import group_parameters  # noqa: E402
from timm.optim import param_groups_layer_decay  # noqa: E402

LAYER_DECAY, WEIGHT_DECAY = 0.65, 0.05
MODELS = (
    "deit_tiny_patch16_224",
    "deit_tiny_distilled_patch16_224",
    "deit3_small_patch16_224",
    "resnet18",
    "regnety_040",
    "tf_efficientnet_lite0",
)

README = """
# layer_decay

What timm's `param_groups_layer_decay` makes of models with `layer_decay=0.65` and `weight_decay=0.05`: a line for each
parameter with its key, its layer, the factor of its learning rate, and its weight decay. Made by
`Tools/parity/make_layer_decay.py`; anew by `make fixtures`.
"""

if __name__ == "__main__":
    case = Case("layer_decay", __file__, seed=0)
    for name in MODELS:
        with torch.device("meta"):
            model = timm.create_model(name)
        no_weight_decay = model.no_weight_decay() if hasattr(model, "no_weight_decay") else ()
        layers = group_parameters(model, model.group_matcher(coarse=False), reverse=True)
        groups = param_groups_layer_decay(
            model, weight_decay=WEIGHT_DECAY, layer_decay=LAYER_DECAY, no_weight_decay_list=no_weight_decay
        )
        settings = {id(p): (g["lr_scale"], g["weight_decay"]) for g in groups for p in g["params"]}
        lines = []
        for key, parameter in model.named_parameters():
            scale, decay = settings[id(parameter)]
            lines.append(f"{key} {layers[key]} {scale!r} {decay!r}")
        case.write(f"{name}.txt", ("\n".join(lines) + "\n").encode())
        case.facts[name] = {"layers": max(layers.values()) + 1, "groups": len(groups)}
    case.finish(README)
