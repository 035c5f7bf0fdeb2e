"""Makes the case `attention`: what a transformer attends to, rollout, components, cuts and carried labels.

    DINO=…/dino TOKENCUT=…/TokenCut python Tools/parity/make_attention.py

- Attention and features of DeiT-Tiny with Facebook's weights by timm, in float64, of an input that a formula gives and that
  is not square; with the first of the golden images, whose shape is the model's own. Needs ../shared.
- The rollout of Abnar and Zuidema in NumPy. `jacobgil/vit-explain` divides columns, not rows, by the sums of rows; where
  heads are not averaged, or weights are discarded, its numbers are others.
- Principal components by NumPy's singular values; the mask by the lines of DINO's `visualize_attention.py`.
- The cut by TokenCut's own `ncut` (`object_discovery.py` at commit fed52cd5b60891baefd8ec7110dafa73be816ee1), labels by
  DINO's own `label_propagation` (`eval_video_segmentation.py` at commit 7c446df5b9f45747937fb0d72314eb9f7b66930a). Both
  are run from a clone; none of their code is here. Without the clones the numbers in question cannot be made.
"""
import ast
import copy
import os
import queue
import types

import numpy as np
import torch
import torch.nn.functional as F
from fixture import SHARED, Case, import_timm, rounded

timm = import_timm()
from safetensors.torch import load_file  # noqa: E402

SIZE = (208, 288)
SHARE = 0.6


def functions(path, names, **scope):
    """Some functions of a file, without the rest of it, which needs packages that we do not."""
    tree = ast.parse(open(path).read())
    tree.body = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in names]
    exec(compile(tree, path, "exec"), scope)
    return scope


def upright(vector):
    """The vector with its largest element positive."""
    return vector * np.sign(vector[np.argmax(np.abs(vector))])


def looked_into(model, x):
    """The attention of all blocks, the last tokens, and the keys of the tenth block."""
    weights, keys = [], {}
    hooks = []
    for index, block in enumerate(model.blocks):
        block.attn.fused_attn = False
        hooks.append(block.attn.attn_drop.register_forward_hook(lambda m, i, out: weights.append(out[0])))
        if index == 9:
            hooks.append(block.attn.qkv.register_forward_hook(lambda m, i, out: keys.update(qkv=out[0])))
    with torch.no_grad():
        tokens = model.forward_features(x)[0]
    for hook in hooks:
        hook.remove()
    width = tokens.shape[-1]
    return torch.stack(weights), tokens, keys["qkv"][:, width : 2 * width]


def rollout(weights, fusion, discard):
    result = np.eye(weights.shape[-1])
    for block in weights.numpy():
        fused = {"mean": block.mean(0), "max": block.max(0), "min": block.min(0)}[fusion].copy()
        flat = fused.reshape(-1)
        dropped = np.argsort(flat, kind="stable")[: int(flat.size * discard)]
        flat[dropped[dropped != 0]] = 0
        fused = 0.5 * fused + 0.5 * np.eye(len(fused))
        result = fused / fused.sum(-1, keepdims=True) @ result
    return torch.tensor(result)


def kept(attention):
    """The lines of DINO's visualize_attention.py."""
    val, idx = torch.sort(attention)
    val = val / torch.sum(val, dim=1, keepdim=True)
    kept = torch.cumsum(val, dim=1) > (1 - SHARE)
    back = torch.argsort(idx)
    return torch.stack([kept[i][back[i]] for i in range(len(kept))])


def components(features):
    values = features.double().numpy()
    centred = values - values.mean(0)
    _, singular, directions = np.linalg.svd(centred, full_matrices=False)
    directions = np.stack([upright(d) for d in directions[:3]])
    return torch.tensor(singular[:3] ** 2 / (len(values) - 1)), torch.tensor(centred @ directions.T).T


def cut(features, grid, script):
    """TokenCut's eigenvector in float64, its largest element positive, and its bipartition."""
    scope = functions(script, ["ncut", "detect_box"], torch=torch, F=F, np=np, eigh=__import__("scipy.linalg").linalg.eigh,
                      ndimage=__import__("scipy.ndimage").ndimage)
    tokens = torch.cat([features[:1], features])[None].double()
    _, objects, mask, seed, _, vector = scope["ncut"](tokens, grid, [16, 16], [3, grid[0] * 16, grid[1] * 16], tau=0.2)
    return torch.tensor(vector).reshape(-1), torch.tensor(mask).reshape(-1).long(), int(seed)


def carried(script):
    """Soft labels of ten frames whose features drift, by DINO's own code."""
    generator = torch.Generator().manual_seed(11)
    height, width, dim, labels, count = 9, 12, 16, 3, 10
    field = torch.randn(height, width + count, dim, generator=generator)
    frames = []
    for frame in range(count):
        noise = torch.randn(height, width, dim, generator=generator) * 0.4
        frames.append((field[:, frame : frame + width] + noise).reshape(-1, dim))
    mask = torch.zeros(height, width, dtype=torch.long)
    mask[2:6, 6:11] = 1
    mask[5:8, 2:5] = 2
    first = F.one_hot(mask, labels).permute(2, 0, 1)[None].float()
    options = types.SimpleNamespace(n_last_frames=3, size_mask_neighborhood=3, topk=5)
    torch.Tensor.cuda = lambda self, **_: self
    scope = functions(script, ["label_propagation", "restrict_neighborhood"], torch=torch, F=F, args=options,
                      extract_feature=lambda model, frame, return_h_w: (frame.clone(), height, width))
    waiting, results, neighborhood = queue.Queue(options.n_last_frames), [], None
    for frame in frames[1:]:
        features = [frames[0].T] + [pair[0] for pair in list(waiting.queue)]
        segments = [first] + [pair[1] for pair in list(waiting.queue)]
        soft, own, neighborhood = scope["label_propagation"](options, None, frame, features, segments, neighborhood)
        neighborhood = neighborhood[:1]
        if waiting.qsize() == options.n_last_frames:
            waiting.get()
        waiting.put([own, copy.deepcopy(soft)])
        results.append(soft[0])
    return {
        "labels.features": torch.stack(frames),
        "labels.first": first[0].reshape(labels, -1),
        "labels.frames": torch.stack(results).reshape(count - 1, labels, -1),
    }


def main():
    case = Case("attention", __file__, 11)
    weights = load_file(os.path.join(SHARED, "data", "deit_tiny_patch16_224.safetensors"))
    rows, columns = torch.arange(SIZE[0]).double(), torch.arange(SIZE[1]).double()
    x = torch.stack([
        torch.sin(rows[:, None] * 0.05 + columns[None] * 0.03 + c) + torch.cos(rows[:, None] * columns[None] * 0.002 - c)
        for c in range(3)
    ])[None]
    tensors, facts = {}, {}
    for name, image in (("wide", x), ("golden", torch.tensor(np.load(os.path.join(SHARED, "data", "golden", "0.npy"))).double())):
        def run(dtype):
            model = timm.create_model("deit_tiny_patch16_224", dynamic_img_size=True).eval()
            model.load_state_dict(weights)
            return looked_into(model.to(dtype), image.to(dtype))

        attention, tokens, keys = run(torch.float64)
        single = run(torch.float32)[0]
        facts[f"{name}.float32"] = rounded(float((single[-1, :, 0, 1:].double() - attention[-1, :, 0, 1:]).abs().max()))
        grid = (image.shape[2] // 16, image.shape[3] // 16)
        looked = attention[-1, :, 0, 1:]
        tensors[f"{name}.attention"] = looked
        tensors[f"{name}.block5"] = attention[4, :, 0, 1:]
        tensors[f"{name}.mask"] = kept(looked).long()
        for fusion, discard in (("mean", 0), ("max", 0.9), ("min", 0)):
            tensors[f"{name}.rollout.{fusion}"] = rollout(attention, fusion, discard)[0, 1:]
        tensors[f"{name}.variances"], tensors[f"{name}.places"] = components(tokens[1:])
        vector, mask, seed = cut(keys[1:], grid, os.path.join(os.environ["TOKENCUT"], "object_discovery.py"))
        tensors[f"{name}.cut"], tensors[f"{name}.cut.mask"] = vector, mask
        tensors[f"{name}.cut.seed"] = torch.tensor([seed])
    labels = carried(os.path.join(os.environ["DINO"], "eval_video_segmentation.py"))
    # The same numbers on both sides, so that no cosine falls on the other side of the threshold.
    vector, mask, seed = cut(labels["labels.features"][0], (9, 12), os.path.join(os.environ["TOKENCUT"], "object_discovery.py"))
    tensors |= labels | {"small.cut": vector, "small.cut.mask": mask, "small.cut.seed": torch.tensor([seed])}
    case.facts = facts
    case.write_tensors("expected.safetensors", tensors, share=SHARE)
    case.finish(f"""
What DeiT-Tiny attends to in an input of {SIZE[0]} × {SIZE[1]} pixels that a formula gives (`wide`) and in the first golden image
(`golden`): the class token's attention in the last and in the fifth block, DINO's mask of {SHARE}, rollouts, variances of the
main components of the last tokens and where the patches lie along them, TokenCut's eigenvector of the keys of block 10 with
its object and seed; `small` is the same of the first frame of `labels`. `labels`: features of ten frames, the first one's labels, and what DINO's code carries to the others (3
frames before, a neighbourhood of 3, the 5 most alike).
""")


main()
