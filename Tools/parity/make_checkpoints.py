"""Makes tiny checkpoints as DINO, DeiT-III, timm and transformers write them, with what the models give.

    python Tools/parity/make_checkpoints.py

Every checkpoint has a `NAME.probe.safetensors` beside it: `images`, and the outputs by their names. The weights are
random; only names, nesting and numbers matter. Needs torch 2.13, timm 1.0.31, transformers 5.23 and safetensors.
"""
import argparse
import os
import shutil
import warnings

os.environ.setdefault("HF_HUB_OFFLINE", "1")
from fixture import ROOT, import_timm  # noqa: E402

timm = import_timm()
import torch  # noqa: E402
import transformers  # noqa: E402
from safetensors.torch import save_file  # noqa: E402
from timm.models import save_for_hf  # noqa: E402

warnings.filterwarnings("ignore")
transformers.logging.set_verbosity_error()
OUT = os.path.join(ROOT, "Tests", "CheckpointsTests", "Fixtures", "Foreign")
SIZE = dict(img_size=8, patch_size=4, embed_dim=16, depth=1, num_heads=1)


def filled(module, seed):
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape) * 0.2)
    return module.eval()


def probe(name, **tensors):
    save_file({key: value.detach().contiguous() for key, value in tensors.items()}, f"{OUT}/{name}.probe.safetensors")


class DINOHead(torch.nn.Module):
    def __init__(self):
        super().__init__()
        linear = torch.nn.Linear
        self.mlp = torch.nn.Sequential(linear(16, 8), torch.nn.GELU(), linear(8, 8), torch.nn.GELU(), linear(8, 4))
        self.last_layer = torch.nn.utils.weight_norm(linear(4, 6, bias=False))


class Wrapper(torch.nn.Module):
    def __init__(self, seed):
        super().__init__()
        self.backbone = timm.create_model("vit_tiny_patch16_224", num_classes=0, **SIZE)
        self.head = DINOHead()
        filled(self, seed)


def make_dino(images):
    student, teacher = Wrapper(1), Wrapper(2)
    names = argparse.Namespace(arch="vit_tiny", patch_size=4, out_dim=6)
    torch.save(
        {
            "student": {f"module.{key}": value for key, value in student.state_dict().items()},
            "teacher": teacher.state_dict(),
            "epoch": 3,
            "args": names,
        },
        f"{OUT}/dino_full.pth",
    )
    probe("dino_full", images=images, student=student.backbone(images), teacher=teacher.backbone(images))


def make_deit3(images):
    model = filled(timm.create_model("deit3_small_patch16_224", num_classes=5, **SIZE), 3)
    renamed = {
        key.replace("ls1.gamma", "gamma_1").replace("ls2.gamma", "gamma_2"): value
        for key, value in model.state_dict().items()
    }
    torch.save({"model": renamed}, f"{OUT}/deit3.pth")
    probe("deit3", images=images, logits=model(images))


def make_timm(images):
    model = filled(timm.create_model("deit_tiny_distilled_patch16_224", num_classes=5, mlp_ratio=3, **SIZE), 4)
    save_for_hf(model, f"{OUT}/timm", safe_serialization=True)
    probe("timm", images=images, logits=model(images))


def make_transformers(images):
    base = dict(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=24, image_size=8, patch_size=4,
        encoder_stride=4, num_labels=5,
    )
    config = transformers.DeiTConfig(**base, layer_norm_eps=1e-5)
    model = filled(transformers.DeiTModel(config), 5)
    model.save_pretrained(f"{OUT}/deit_model", max_shard_size="5KB")
    output = model(images)
    probe("deit_model", images=images, tokens=output.last_hidden_state, pooled=output.pooler_output)

    model = filled(transformers.DeiTForImageClassification(config), 6)
    model.save_pretrained(f"{OUT}/deit_one_head")
    probe("deit_one_head", images=images, logits=model(images).logits)

    model = filled(transformers.DeiTForMaskedImageModeling(config), 7)
    model.save_pretrained(f"{OUT}/deit_masked")

    # A state dict that somebody saved himself has the names that transformers 5 has in memory.
    model = filled(transformers.ViTForImageClassification(transformers.ViTConfig(**base)), 8)
    os.makedirs(f"{OUT}/vit_in_memory")
    torch.save(model.state_dict(), f"{OUT}/vit_in_memory/pytorch_model.bin")
    model.config.save_pretrained(f"{OUT}/vit_in_memory")
    probe("vit_in_memory", images=images, logits=model(images).logits)


shutil.rmtree(OUT, ignore_errors=True)
os.makedirs(OUT)
torch.manual_seed(0)
images = torch.randn(2, 3, 8, 8)
make_dino(images)
make_deit3(images)
make_timm(images)
make_transformers(images)
