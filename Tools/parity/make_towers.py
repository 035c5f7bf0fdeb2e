"""Makes tiny CLIP and SigLIP checkpoints as transformers writes them, with what their image towers give.

`NAME` is a folder of `CLIPVisionModel`, `SiglipVisionModel`, or of the whole model of images and texts; beside it lies
`NAME.probe.safetensors`: `images`, all hidden states, the tokens after the last normalisation and what the tower pools; and
the same of `other.images`, whose grid is another (transformers resamples the positions, by its own way). The weights are
random and bf16's. Needs torch 2.13, transformers 5.23 and safetensors.
"""
import os
import shutil

os.environ.setdefault("HF_HUB_OFFLINE", "1")
from fixture import ROOT, fill_exact, import_timm  # noqa: E402

import_timm()
import torch  # noqa: E402
import transformers  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
OUT = os.path.join(ROOT, "Tests", "CheckpointsTests", "Fixtures", "Towers")
SIZE, OTHER = 20, (16, 28)
VISION = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=72, image_size=SIZE, patch_size=4)
TEXT = dict(
    hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=24, vocab_size=20, max_position_embeddings=8,
    bos_token_id=1, eos_token_id=2,
)


def models():
    clip, siglip = transformers.CLIPVisionConfig, transformers.SiglipVisionConfig
    yield "clip", transformers.CLIPVisionModel(clip(**VISION))
    # LAION's models have the exact GELU.
    yield "clip_gelu", transformers.CLIPVisionModel(clip(**VISION, hidden_act="gelu"))
    yield "clip_projection", transformers.CLIPVisionModelWithProjection(clip(**VISION, projection_dim=12))
    yield "siglip", transformers.SiglipVisionModel(siglip(**VISION))
    yield "siglip_no_head", transformers.SiglipVisionModel(siglip(**VISION, vision_use_head=False))
    yield "clip_whole", transformers.CLIPModel(
        transformers.CLIPConfig(text_config=TEXT, vision_config=VISION, projection_dim=12)
    )
    yield "siglip_whole", transformers.SiglipModel(transformers.SiglipConfig(text_config=TEXT, vision_config=VISION))
    yield "siglip_classifier", transformers.SiglipForImageClassification(
        transformers.SiglipConfig(text_config=TEXT, vision_config=VISION)
    )
    yield "clip_classifier", transformers.CLIPForImageClassification(
        transformers.CLIPConfig(text_config=TEXT, vision_config=VISION)
    )


@torch.no_grad()
def outputs(tower, images, prefix):
    output = tower(images, output_hidden_states=True, interpolate_pos_encoding=True)
    # CLIP normalises the class token alone; our tokens are all normalised.
    states = torch.stack(output.hidden_states)
    tokens = tower.post_layernorm(states[-1])
    pooled = output.pooler_output if output.pooler_output is not None else tokens.mean(dim=1)
    return {prefix + "hidden_states": states, prefix + "tokens": tokens, prefix + "pooled": pooled}


if __name__ == "__main__":
    shutil.rmtree(OUT, ignore_errors=True)
    os.makedirs(OUT)
    torch.manual_seed(0)
    images, other = torch.randn(2, 3, SIZE, SIZE), torch.randn(1, 3, *OTHER)
    for index, (name, model) in enumerate(models()):
        fill_exact(model, 50 + index, scale=0.25)
        model.eval().save_pretrained(f"{OUT}/{name}")
        if name.endswith("classifier"):
            continue
        if name.startswith("clip"):
            processor = transformers.CLIPImageProcessorPil(size={"shortest_edge": SIZE}, crop_size=SIZE)
        else:
            processor = transformers.SiglipImageProcessorPil(size={"height": SIZE, "width": SIZE})
        processor.save_pretrained(f"{OUT}/{name}")
        tower = getattr(model, "vision_model", model)
        found = {**outputs(tower, images, ""), **outputs(tower, other, "other.")}
        tensors = {"images": images, "other.images": other, **found}
        save_file({key: value.clone().contiguous() for key, value in tensors.items()}, f"{OUT}/{name}.probe.safetensors")
    total = sum(os.path.getsize(os.path.join(at, f)) for at, _, files in os.walk(OUT) for f in files)
    print(f"{len(os.listdir(OUT))} files, {total:,} bytes")
