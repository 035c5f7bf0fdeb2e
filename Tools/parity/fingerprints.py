"""A fingerprint of bytes that Swift makes as well (Tests/ImagePipelineTests/Fingerprint.swift).

The sum of the 8-byte words, each times an odd number that its place decides, modulo 2^64.
"""
import numpy as np


def coefficients(count):
    z = (np.arange(1, count + 1, dtype=np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (z ^ (z >> np.uint64(31))) | np.uint64(1)


TABLE = coefficients(1 << 20)


def of_bytes(data):
    data += bytes(-len(data) % 8)
    words = np.frombuffer(data, "<u8")
    table = TABLE if words.size <= TABLE.size else coefficients(words.size)
    with np.errstate(over="ignore"):
        return f"{int((words * table[:words.size]).sum()):016x}"


def fingerprint(image):
    """Of a Pillow image's pixels."""
    return of_bytes(image.tobytes())
