"""cifar_files.py FOLDER PROTOCOL: CIFAR's files as Python's pickle writes them, four images each.

Used by Tests/DatasetsTests/CIFARTests.swift, which makes the same images.
"""

import os
import pickle
import sys

import numpy as np

folder, protocol = sys.argv[1], int(sys.argv[2])


def images(count):
    place = np.arange(3072)
    rows = [(place * 7 + place // 1024 * 50 + seed * 31) % 256 for seed in range(count)]
    return np.array(rows, dtype=np.uint8)


def write(name, value):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        pickle.dump(value, file, protocol=protocol)


labels = [1, 2, 3, 4]
for name, data in (("c10", images(4)), ("c10f", np.asfortranarray(images(4)))):
    # Both kinds of keys and of labels occur in files that people wrote anew.
    batch = {b"data": data, b"labels": labels, b"batch_label": b"x"} if name == "c10" else {
        "data": data, "labels": np.array(labels), "filenames": ["a"] * 4}
    for file in [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]:
        write(f"{name}/{file}", batch)
    write(f"{name}/batches.meta", {"label_names": [f"class {i}" for i in range(10)], "num_vis": 3072})
for file in ("train", "test"):
    write(f"c100/{file}", {"data": images(4), "fine_labels": labels, "coarse_labels": [0, 0, 1, 1]})
write("c100/meta", {"fine_label_names": [f"class {i}" for i in range(100)],
                    "coarse_label_names": [f"group {i}" for i in range(20)]})
