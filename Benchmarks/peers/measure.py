"""Times other libraries for `deit bench peers`: reads one JSON request a line, answers each with one JSON line.

A request is {"kind": "inference" | "training", "model": NAME, "batch": N, "peer": PEER, "seconds": S}; an answer
{"images_per_second": R, "peak_memory_mib": M} from the median of the steps' times, or {"error": TEXT}. Models stay in
memory from one request to the next, so that peers can be asked in turn.
"""
import json
import os
import resource
import statistics
import sys
import tempfile
import time
import warnings

warnings.filterwarnings("ignore")
import torch
import torchvision_stub  # noqa: F401  # before timm, which imports torchvision
import timm


def median_seconds(call, budget):
    call()
    call()
    seconds, start = [], time.perf_counter()
    while len(seconds) < 5 or time.perf_counter() - start < budget:
        tick = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - tick)
    return statistics.median(seconds)


def onnx_file(name, model, x):
    path = os.path.join(FOLDER, f"{name}-{len(x)}.onnx")
    if not os.path.exists(path):
        torch.onnx.export(model, (x,), path, dynamo=True, verbose=False, external_data=False)
    return path


def inference(peer, name, batch):
    x = torch.randn(batch, 3, 224, 224)
    model = timm.create_model(name).eval()
    if peer == "timm-fp32":
        return lambda: model(x)
    if peer == "timm-bf16":
        half, y = model.bfloat16(), x.bfloat16()
        return lambda: half(y)
    array = x.numpy()
    if peer == "onnxruntime-fp32":
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        session = onnxruntime.InferenceSession(
            onnx_file(name, model, x), options, providers=["CPUExecutionProvider"]
        )
        key = session.get_inputs()[0].name
        return lambda: session.run(None, {key: array})
    if peer in ("openvino-fp32", "openvino-bf16"):
        import openvino

        hints = {
            "INFERENCE_PRECISION_HINT": "f32" if peer.endswith("fp32") else "bf16",
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            "PERFORMANCE_HINT": "LATENCY",
        }
        core = openvino.Core()
        request = core.compile_model(
            core.read_model(onnx_file(name, model, x)), "CPU", hints
        ).create_infer_request()
        return lambda: request.infer([array])
    raise ValueError(f"no such peer: {peer}")


def training(peer, name, batch):
    model = timm.create_model(name, drop_path_rate=0.1).train()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, weight_decay=0.05, fused=True)
    x, y = torch.randn(batch, 3, 224, 224), torch.randint(0, 1000, (batch,))

    def step():
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=peer == "timm-bf16"):
            logits = model(x)
        torch.nn.functional.cross_entropy(logits.float(), y).backward()
        optimizer.step()

    return step


def answer(request):
    key = (request["kind"], request["model"], request["batch"], request["peer"])
    if key not in CALLS:
        make = training if request["kind"] == "training" else inference
        CALLS[key] = make(request["peer"], request["model"], request["batch"])
    with torch.set_grad_enabled(request["kind"] == "training"):
        seconds = median_seconds(CALLS[key], request["seconds"])
    return {
        "images_per_second": request["batch"] / seconds,
        "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


CALLS = {}
with tempfile.TemporaryDirectory() as FOLDER:
    # What libraries print must not come between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        try:
            reply = answer(json.loads(line))
        except Exception as error:
            reply = {"error": f"{type(error).__name__}: {error}".split("\n")[0]}
        print(json.dumps(reply), file=answers, flush=True)
