"""timm's images a second beside ours: AMP in bfloat16, eager and compiled; for scripts/check-device.sh.

    python check_device_peers.py DEVICE MODEL...

Prints one JSON line for each measurement: forward passes and training steps with AdamW at batch 64 and 256.
"""
import json
import sys
import time

import timm
import torch


def rate(step, batch, device, seconds=2.0):
    """The median rate of steps, in images a second."""
    for _ in range(5):
        step()
    torch.cuda.synchronize(device)
    times, start = [], time.perf_counter()
    while len(times) < 5 or time.perf_counter() - start < seconds:
        begin = time.perf_counter()
        step()
        torch.cuda.synchronize(device)
        times.append(time.perf_counter() - begin)
    return batch / sorted(times)[len(times) // 2]


def main(device, names):
    for name in names:
        for compiled in (False, True):
            for batch in (64, 256):
                torch.manual_seed(0)
                images = torch.randn(batch, 3, 224, 224, device=device)
                labels = torch.arange(batch, device=device) % 1000
                network = timm.create_model(name).to(device)
                model = torch.compile(network) if compiled else network
                optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, fused=True)

                def training():
                    optimizer.zero_grad()
                    with torch.autocast("cuda", dtype=torch.bfloat16):
                        logits = model(images)
                    torch.nn.functional.cross_entropy(logits.float(), labels).backward()
                    optimizer.step()

                def inference():
                    with torch.inference_mode(), torch.autocast("cuda", dtype=torch.bfloat16):
                        model(images)

                for kind, step in (("training", training), ("inference", inference)):
                    network.train(kind == "training")
                    torch.cuda.reset_peak_memory_stats(device)
                    row = {
                        "model": name, "kind": kind, "batch": batch, "compiled": compiled,
                        "images_per_second": rate(step, batch, device),
                        "peak_memory_mib": torch.cuda.max_memory_allocated(device) / 2**20,
                    }
                    print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
