"""Runs the programs of Examples/ that `make examples` has built, and checks what they print.

    programs.py BUILD    BUILD holds the programs and `deit`, such as .build/debug
"""
import gzip
import os
import re
import shutil
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


def small_data(folder, **counts):
    """The first images of Fashion-MNIST, in files of its own format."""
    folder.mkdir()
    for part, count in counts.items():
        for kind, size in (("images-idx3", 28 * 28), ("labels-idx1", 1)):
            with gzip.open(f"{DATA}/{part}-{kind}-ubyte.gz") as file:
                content = file.read()
            header = 16 if size > 1 else 8
            short = content[:4] + count.to_bytes(4, "big") + content[8:header + count * size]
            (folder / f"{part}-{kind}-ubyte.gz").write_bytes(gzip.compress(short))


def train_your_own(folder):
    """The program must learn more than chance, write a checkpoint, and find nothing left to do when it is started again."""
    data, output = Path(folder) / "data", Path(folder) / "own"
    small_data(data, train=1500, t10k=300)
    found = run("train-your-own", data, output)
    accuracies = re.findall(r"^epoch \d: loss \d\.\d{4}, accuracy (\d\.\d{3}) on 300 images$", found, re.MULTILINE)
    if len(accuracies) != 4 or float(accuracies[-1]) < 0.4 or not (output / "checkpoints/best/model.safetensors").exists():
        sys.exit(f"programs: train-your-own prints\n{found}")
    again = run("train-your-own", data, output)
    if again != "0 steps to train\n":
        sys.exit(f"programs: train-your-own, started again, prints\n{again}")


with tempfile.TemporaryDirectory() as folder:
    classify_images(folder)
    train_your_own(folder)
print("programs: the programs of Examples/ do what they should")
