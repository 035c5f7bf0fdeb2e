"""Runs the programs of Examples/ that `make examples` has built, and checks what they print.

    programs.py BUILD    BUILD holds the programs and `deit`, such as .build/debug
"""
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from documents import ROOT

BUILD = Path(sys.argv[1]).resolve()
IMAGES = sorted(map(str, (ROOT / "Examples" / "fashion").glob("*.png")))


def run(name, *arguments):
    """What a program prints; it must succeed."""
    # With the variable, `deit train` need not start itself anew to set it.
    environment = os.environ | {"GOMP_SPINCOUNT": "1000"}
    done = subprocess.run([BUILD / name, *arguments], capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        sys.exit(f"programs: {name} ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def classify_images(folder):
    """The program must print what `deit classify` prints, for a model that has seen an image of each class."""
    for image in IMAGES:
        for part in ("train", "val"):
            place = Path(folder) / "data" / part / Path(image).stem
            place.mkdir(parents=True)
            shutil.copy(image, place)
    model = f"{folder}/run"
    run("deit", "train", "--recipe", "quickstart", "--data", f"{folder}/data", "--output", model, "--epochs", "1",
        "--warmup-epochs", "0", "--batch", str(len(IMAGES)))
    found = run("classify-images", model, *IMAGES)
    expected = run("deit", "classify", model, *IMAGES, "--top", "3")
    if found != expected or len(found.splitlines()) != 3 * len(IMAGES):
        sys.exit(f"programs: classify-images prints\n{found}and `deit classify`\n{expected}")


def made_up_data(folder, **counts):
    """Noise with a bright quarter, whose place is the class, in the format of Fashion-MNIST."""
    folder.mkdir()
    chance = random.Random(0)
    for part, count in counts.items():
        labels = bytes(index % 4 for index in range(count))
        pixels = bytes(
            chance.randrange(128) + 100 * (row // 14 * 2 + column // 14 == label)
            for label in labels for row in range(28) for column in range(28))
        files = (("images-idx3", 2051, (count, 28, 28), pixels), ("labels-idx1", 2049, (count,), labels))
        for kind, magic, sizes, content in files:
            header = struct.pack(f">{1 + len(sizes)}I", magic, *sizes)
            (folder / f"{part}-{kind}-ubyte").write_bytes(header + content)


def train_your_own(folder):
    """The program must learn more than chance, write a checkpoint, and find nothing left to do when it is started again."""
    data, output = Path(folder) / "quarters", Path(folder) / "own"
    made_up_data(data, train=960, t10k=100)
    found = run("train-your-own", data, output)
    accuracies = re.findall(r"^epoch \d: loss \d\.\d{4}, accuracy (\d\.\d{3}) on 100 images$", found, re.MULTILINE)
    if len(accuracies) != 4 or float(accuracies[-1]) < 0.5 or not (output / "checkpoints/best/model.safetensors").exists():
        sys.exit(f"programs: train-your-own prints\n{found}")
    again = run("train-your-own", data, output)
    if again != "0 steps to train\n":
        sys.exit(f"programs: train-your-own, started again, prints\n{again}")


with tempfile.TemporaryDirectory() as folder:
    classify_images(folder)
    train_your_own(folder)
print("programs: the programs of Examples/ do what they should")
