"""Neighbours of 10,000 vectors among 50,000 of width 384, for `deit evaluate --knn --features` and scikit-learn.

    neighbours.py FEATURES.safetensors OUT.safetensors   random vectors of 5 classes, told to be of what FEATURES is from
    neighbours.py --time                                 scikit-learn's brute force on the same vectors, its votes by numpy

FEATURES is written by `deit evaluate CKPT --data DIR --knn --save-features FEATURES` for data of 5 classes.
"""
import json
import struct
import sys
import time

import numpy as np

WIDTH, BANK, QUERIES, CLASSES = 384, 50_000, 10_000, 5
generator = np.random.default_rng(0)
centres = generator.normal(size=(CLASSES, WIDTH)).astype(np.float32)


def vectors(count):
    labels = generator.integers(0, CLASSES, count)
    return 3 * generator.normal(size=(count, WIDTH)).astype(np.float32) + centres[labels], labels


(bank, bank_labels), (queries, query_labels) = vectors(BANK), vectors(QUERIES)
if sys.argv[1:] != ["--time"]:
    from safetensors.numpy import save_file

    with open(sys.argv[1], "rb") as file:
        size = struct.unpack("<Q", file.read(8))[0]
        metadata = json.loads(file.read(size))["__metadata__"]
    save_file(
        {"train": bank, "train.labels": bank_labels.astype(np.int64), "val": queries, "val.labels": query_labels.astype(np.int64)},
        sys.argv[2],
        metadata=metadata,
    )
    sys.exit()

from sklearn.neighbors import NearestNeighbors  # noqa: E402


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


for k in (20, 200):
    start = time.perf_counter()
    search = NearestNeighbors(n_neighbors=k, algorithm="brute", metric="euclidean", n_jobs=-1).fit(unit(bank))
    distances, places = search.kneighbors(unit(queries))
    seconds = time.perf_counter() - start
    weights = np.exp((1 - distances**2 / 2) / 0.07)
    votes = np.stack([(weights * (bank_labels[places] == label)).sum(1) for label in range(CLASSES)], 1)
    print(f"scikit-learn, k = {k}: {seconds:.2f} s, top-1 {(votes.argmax(1) == query_labels).mean():.2%}", flush=True)
