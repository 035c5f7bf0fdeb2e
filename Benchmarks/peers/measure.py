"""Times other libraries for `deit bench peers`: reads one JSON request a line, answers each with one JSON line.

A request is {"kind": "inference" | "training", "model": NAME, "batch": N, "peer": PEER, "seconds": S}; an answer
{"images_per_second": R, "p50_ms": T, "p95_ms": T, "peak_memory_mib": M, "cpu_seconds": C}, or {"error": TEXT}. The rate is
from the median of the steps' times; the CPU time is that of the whole answer, all threads together. Models stay in memory
from one request to the next, so that peers can be asked in turn.
"""
import json
import os
import resource
import sys
import tempfile
import time
import warnings

warnings.filterwarnings("ignore")
import torch
import torchvision_stub  # noqa: F401  # before timm, which imports torchvision
import timm


def sorted_seconds(call, budget):
    call()
    call()
    seconds, start = [], time.perf_counter()
    while len(seconds) < 5 or time.perf_counter() - start < budget:
        tick = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - tick)
    return sorted(seconds)


def percentile(share, seconds):
    return seconds[int((len(seconds) - 1) * share)]


def onnx_file(name, model, x):
    path = os.path.join(FOLDER, f"{name}-{len(x)}.onnx")
    if not os.path.exists(path):
        torch.onnx.export(model, (x,), path, dynamo=True, verbose=False, external_data=False)
    return path


def dynamic_int8(path):
    """ONNX Runtime's dynamic quantisation, which its documentation recommends for transformers: 8-bit weights, and ranges of
    inputs found at every product."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantized = path.replace(".onnx", ".int8.onnx")
    if not os.path.exists(quantized):
        model = onnx.load(path)
        # The exporter notes shapes by names that quantisation gives to other tensors.
        model.graph.ClearField("value_info")
        quantize_dynamic(model, quantized, weight_type=QuantType.QInt8, per_channel=True)
    return quantized


def nncf_int8(network, x):
    """NNCF's post-training quantisation for transformers; the ranges are those of random images, which decide no speed."""
    import nncf

    images = nncf.Dataset([torch.randn_like(x).numpy() for _ in range(4)])
    return nncf.quantize(network, images, model_type=nncf.ModelType.TRANSFORMER, subset_size=4)


def inference(peer, name, batch):
    x = torch.randn(batch, 3, 224, 224)
    model = timm.create_model(name).eval()
    if peer == "timm-fp32":
        return lambda: model(x)
    if peer == "timm-bf16":
        half, y = model.bfloat16(), x.bfloat16()
        return lambda: half(y)
    if peer in ("compile-fp32", "compile-bf16"):
        import torch._inductor.config as inductor

        # Frozen weights become constants of the compiled code, folded and packed for oneDNN.
        inductor.freezing = True
        dtype = torch.bfloat16 if peer == "compile-bf16" else torch.float32
        compiled, y = torch.compile(model.to(dtype)), x.to(dtype)
        return lambda: compiled(y)
    array = x.numpy()
    if peer in ("onnxruntime-fp32", "onnxruntime-int8"):
        import onnxruntime

        path = onnx_file(name, model, x)
        if peer == "onnxruntime-int8":
            path = dynamic_int8(path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        key = session.get_inputs()[0].name
        return lambda: session.run(None, {key: array})
    if peer in ("openvino-fp32", "openvino-bf16", "openvino-int8"):
        import openvino

        core = openvino.Core()
        network = core.read_model(onnx_file(name, model, x))
        if peer == "openvino-int8":
            network = nncf_int8(network, x)
        # What is not in 8 bits is in the type that OpenVINO takes by itself on this processor.
        precision = {"openvino-fp32": {"INFERENCE_PRECISION_HINT": "f32"}, "openvino-bf16": {"INFERENCE_PRECISION_HINT": "bf16"}}
        hints = {"INFERENCE_NUM_THREADS": torch.get_num_threads(), "PERFORMANCE_HINT": "LATENCY", **precision.get(peer, {})}
        request = core.compile_model(network, "CPU", hints).create_infer_request()
        return lambda: request.infer([array])
    raise ValueError(f"no such peer: {peer}")


def training(peer, name, batch):
    model = timm.create_model(name, drop_path_rate=0.1).train()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, weight_decay=0.05, fused=True)
    x, y = torch.randn(batch, 3, 224, 224), torch.randint(0, 1000, (batch,))
    forward = torch.compile(model) if peer.startswith("compile-") else model

    def step():
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=peer.endswith("-bf16")):
            logits = forward(x)
        torch.nn.functional.cross_entropy(logits.float(), y).backward()
        optimizer.step()

    return step


def answer(request):
    key = (request["kind"], request["model"], request["batch"], request["peer"])
    if key not in CALLS:
        make = training if request["kind"] == "training" else inference
        CALLS[key] = make(request["peer"], request["model"], request["batch"])
    before = time.process_time()
    with torch.set_grad_enabled(request["kind"] == "training"):
        seconds = sorted_seconds(CALLS[key], request["seconds"])
    return {
        "images_per_second": request["batch"] / percentile(0.5, seconds),
        "p50_ms": 1000 * percentile(0.5, seconds),
        "p95_ms": 1000 * percentile(0.95, seconds),
        "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "cpu_seconds": time.process_time() - before,
    }


CALLS = {}
with tempfile.TemporaryDirectory() as FOLDER:
    # What libraries print must not come between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        try:
            reply = answer(json.loads(line))
        except ModuleNotFoundError as error:
            package = str(error.name).split(".")[0]
            reply = {"error": f"this Python has no package {package}; install it with `pip install {package}`"}
        except Exception as error:
            reply = {"error": f"{type(error).__name__}: {error}".split("\n")[0]}
        print(json.dumps(reply), file=answers, flush=True)
