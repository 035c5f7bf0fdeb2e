"""Runs the programs of Examples/ that `make examples` has built, and checks what they print.

    programs.py BUILD    BUILD holds the programs and `deit`, such as .build/debug
"""
import os
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


with tempfile.TemporaryDirectory() as folder:
    classify_images(folder)
print("programs: the programs of Examples/ do what they should")
