"""Five steps of a small model by DINO's own code, its head, its schedules: python make_dino.py CHECKOUT

CHECKOUT holds main_dino.py, utils.py and vision_transformer.py of facebookresearch/dino at 7c446df. Only numbers are kept.
"""
import sys
import types

import torch

from fixture import Case, fill_exact

COMMIT = "7c446df5b9f45747937fb0d72314eb9f7b66930a"


def import_dino(checkout):
    """The official modules; torchvision, of which nothing here needs anything, is stood in for."""
    for name in ("torchvision", "torchvision.datasets", "torchvision.transforms", "torchvision.models"):
        sys.modules[name] = types.ModuleType(name)
    parent = sys.modules["torchvision"]
    for name in ("datasets", "transforms", "models"):
        setattr(parent, name, sys.modules[f"torchvision.{name}"])
    sys.path.insert(0, checkout)
    import main_dino
    import utils
    import vision_transformer

    return main_dino, utils, vision_transformer


PATCH, GLOBAL, LOCAL, LOCALS, BATCH, STEPS, PER_EPOCH, EPOCHS = 4, 16, 8, 3, 3, 5, 2, 3
OUT, HIDDEN, BOTTLENECK, CLIP = 32, 40, 16, 1.0


def networks(vits, utils):
    def backbone():
        return vits.VisionTransformer(
            img_size=[GLOBAL], patch_size=PATCH, embed_dim=24, depth=2, num_heads=3, mlp_ratio=4, qkv_bias=True,
            norm_layer=lambda width: torch.nn.LayerNorm(width, eps=1e-6))

    def network():
        head = vits.DINOHead(24, OUT, norm_last_layer=True, hidden_dim=HIDDEN, bottleneck_dim=BOTTLENECK)
        return utils.MultiCropWrapper(backbone(), head)

    student, teacher = network(), network()
    fill_exact(student, 3)
    with torch.no_grad():
        student.head.last_layer.weight_g.fill_(1)
    teacher.load_state_dict(student.state_dict())
    return student.double(), teacher.double()


def steps(main, utils, vits, seed):
    student, teacher = networks(vits, utils)
    t = {f"initial.{name}": value.clone() for name, value in student.state_dict().items()}
    for parameter in teacher.parameters():
        parameter.requires_grad = False
    loss_of = main.DINOLoss(OUT, LOCALS + 2, 0.04, 0.07, 2, EPOCHS).double()
    optimizer = torch.optim.AdamW(utils.get_params_groups(student))
    lr = utils.cosine_scheduler(0.02, 1e-4, EPOCHS, PER_EPOCH, warmup_epochs=1)
    wd = utils.cosine_scheduler(0.04, 0.4, EPOCHS, PER_EPOCH)
    momentum = utils.cosine_scheduler(0.9, 1, EPOCHS, PER_EPOCH)
    generator = torch.Generator().manual_seed(seed)
    losses, centers = [], []
    for step in range(STEPS):
        epoch = step // PER_EPOCH
        sizes = [GLOBAL] * 2 + [LOCAL] * LOCALS
        crops = [torch.randn(BATCH, 3, size, size, generator=generator).bfloat16().double() for size in sizes]
        # One row an image, its crops one after the other, as the loader here hands them over.
        t[f"rows.{step}"] = torch.cat([crop.reshape(BATCH, -1) for crop in crops], 1).bfloat16()
        for index, group in enumerate(optimizer.param_groups):
            group["lr"] = lr[step]
            if index == 0:
                group["weight_decay"] = wd[step]
        teacher_output, student_output = teacher(crops[:2]), student(crops)
        if step == 0:
            t["teacher_output"], t["student_output"] = teacher_output, student_output.detach()
        loss = loss_of(student_output, teacher_output, epoch)
        losses.append(loss.detach())
        centers.append(loss_of.center[0].clone())
        optimizer.zero_grad()
        loss.backward()
        norms = torch.tensor(utils.clip_gradients(student, CLIP))
        assert (norms > CLIP).any() and (norms < CLIP).any(), "some gradients are clipped, some are not"
        utils.cancel_gradients_last_layer(epoch, student, 1)
        optimizer.step()
        with torch.no_grad():
            for q, k in zip(student.parameters(), teacher.parameters()):
                k.data.mul_(momentum[step]).add_((1 - momentum[step]) * q.detach().data)
    t["losses"], t["centers"] = torch.stack(losses), torch.stack(centers)
    for prefix, network in (("student", student), ("teacher", teacher)):
        t.update({f"{prefix}.{name}": value for name, value in network.state_dict().items()})
    return t


def head(vits, seed):
    """A head with batch normalisation and lengths that are learnt."""
    module = vits.DINOHead(24, OUT, use_bn=True, norm_last_layer=False, hidden_dim=HIDDEN, bottleneck_dim=BOTTLENECK)
    fill_exact(module, 5)
    module = module.double()
    x = torch.randn(6, 24, generator=torch.Generator().manual_seed(seed)).bfloat16().double()
    t = {f"head.{name}": value.clone() for name, value in module.state_dict().items()}
    output = module(x)
    (output ** 2).sum().backward()
    t["head_input"], t["head_output"] = x, output.detach()
    for name, parameter in module.named_parameters():
        t[f"head_gradient.{name}"] = parameter.grad
    return t


def main():
    dino, utils, vits = import_dino(sys.argv[1])
    torch.distributed.init_process_group("gloo", init_method="tcp://127.0.0.1:29517", rank=0, world_size=1)
    seed = 11
    t = steps(dino, utils, vits, seed) | head(vits, seed)
    t["schedule_warmup"] = torch.tensor(utils.cosine_scheduler(5e-4, 1e-6, 7, 3, warmup_epochs=2))
    t["schedule_up"] = torch.tensor(utils.cosine_scheduler(0.996, 1, 7, 3))
    t["teacher_temps"] = torch.tensor(dino.DINOLoss(4, 2, 0.04, 0.07, 5, 9).teacher_temp_schedule)
    case = Case("dino", __file__, seed)
    case.write_tensors("expected.safetensors", {name: value for name, value in t.items()})
    case.finish(README.format(commit=COMMIT))


README = """Five steps of DINO's own code (facebookresearch/dino {commit}) on a small model, in float64.

`rows.STEP` are the crops of the images of a step, `initial.*` the weights that student and teacher begin with,
`student.*` and `teacher.*` those after five steps, `losses` and `centers` the loss of each step and the centre after it,
`student_output` and `teacher_output` the heads' outputs at the first step. `head.*` is a head with batch normalisation,
with its output for `head_input` and the gradients of the sum of its squares. `schedule_*` and `teacher_temps` are what
`cosine_scheduler` and `DINOLoss` make. Python is the reference only; no code of DINO's is kept.
"""

if __name__ == "__main__":
    main()
