"""Runs the programs of Examples/ that `make examples` has built, and checks what they print.

    programs.py BUILD    BUILD holds the programs and `deit`, such as .build/debug
"""
import subprocess
import sys
import tempfile
from pathlib import Path

from documents import ROOT

BUILD = Path(sys.argv[1]).resolve()
DATA = "/usr/share/datasets/fashion-mnist"
IMAGES = sorted(map(str, (ROOT / "Examples" / "fashion").glob("*.png")))


def run(name, *arguments):
    """What a program prints; it must succeed."""
    done = subprocess.run([BUILD / name, *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"programs: {name} ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def classify_images(folder):
    """The program must print what `deit classify` prints, for a model that has seen a few images."""
    model = f"{folder}/run"
    run("deit", "train", "--recipe", "quickstart", "--data", DATA, "--epochs", "1", "--train-limit", "64", "--val-limit", "50",
        "--output", model)
    found = run("classify-images", model, *IMAGES)
    expected = run("deit", "classify", model, *IMAGES, "--top", "3")
    if found != expected or len(found.splitlines()) != 3 * len(IMAGES):
        sys.exit(f"programs: classify-images prints\n{found}and `deit classify`\n{expected}")


with tempfile.TemporaryDirectory() as folder:
    classify_images(folder)
print("programs: the programs of Examples/ do what they should")
