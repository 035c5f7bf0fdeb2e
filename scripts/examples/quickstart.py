"""Runs the commands of README's quick start and compares the shape of what they print with what README shows.

    quickstart.py DEIT [OPTION]...    OPTIONs are added to the training: by default those of a run of half a minute

Numbers, the classes that an image is taken for, and what only some lines have may differ; the words, the columns and the
number of lines may not.
"""
import os
import pty
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from documents import ROOT, blocks

DEIT = str(Path(sys.argv[1]).resolve())
SHORTER = sys.argv[2:] or ["--train-limit", "512", "--val-limit", "500"]
CLASSES = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
README = ROOT / "README.md"


def examples():
    """The commands, with their output and whether that is all of it."""
    text = README.read_text().split("\n")
    first = text.index("## Quick start") + 1
    last = next(number for number, line in enumerate(text[first:], first + 1) if line.startswith("## "))
    variables, pending = {}, None
    for block in blocks(README):
        if not first < block.line < last:
            continue
        calls = [line for line in block.lines if re.match(r"(\$ )?deit ", line)]
        variables |= dict(re.findall(r"^(\w+)=(\S+)$", "\n".join(block.lines), re.MULTILINE))
        if any("DIR" in line for line in calls):
            continue  # for images of one's own
        if not calls:
            if pending is None:
                raise SystemExit(f"quickstart: {block.place} is no command and nobody's output")
            yield pending, block.lines, False
            pending = None
        elif calls[0].startswith("$ "):
            for part in "\n".join(block.lines).split("$ ")[1:]:
                command, *output = part.strip("\n").split("\n")
                yield words(command, variables), output, True
        elif len(calls) == 1:
            pending = words(calls[0], variables)
        else:
            raise SystemExit(f"quickstart: {block.place} has several commands and one output")
    if pending is not None:
        raise SystemExit(f"quickstart: README shows no output of {shlex.join(pending)}")


def words(command, variables):
    for name, value in variables.items():
        command = command.replace(f"${name}", value)
    return shlex.split(command)[1:]


def run(arguments, folder):
    """What a command prints on a terminal, as lines; it must succeed."""
    terminal, end = pty.openpty()
    process = subprocess.Popen([DEIT, *arguments], cwd=folder, stdin=subprocess.DEVNULL, stdout=end, stderr=end)
    os.close(end)
    data = b""
    try:
        while chunk := os.read(terminal, 65536):
            data += chunk
    except OSError:
        pass  # how Linux tells that the last writer has gone
    os.close(terminal)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", data.decode())
    # A line of progress is written over.
    lines = [line.rstrip("\r").split("\r")[-1].rstrip() for line in text.split("\n")]
    if process.wait() != 0:
        raise SystemExit("\n".join([*lines, f"quickstart: `deit {shlex.join(arguments)}` ended with {process.returncode}"]))
    # The progress within an epoch is not part of what README shows.
    return [line for line in lines if line and not re.match(r"epoch \d+/\d+  step ", line)]


def shape(line):
    """A line without its numbers (or the `…` that README may have for one), classes and the parts that only some lines have."""
    line = re.sub("|".join(rf"\b{re.escape(name)}(?!\w)" for name in CLASSES), "CLASS", line)
    line = re.sub(r"(?<![\w/-])\d[\d.,:]*(e-?\d+)?", "#", line)
    # A class that is never predicted has no precision.
    line = re.sub(r"(?<=\s)-(?=\s)", "# %", line)
    line = line.replace("…", "#").replace(", waiting # %", "").removesuffix(" best")
    return " ".join(line.split())


failures = count = 0
with tempfile.TemporaryDirectory() as folder:
    (Path(folder) / "Examples").symlink_to(ROOT / "Examples")
    for arguments, expected, is_whole in examples():
        count += 1
        found = run(arguments + (SHORTER if arguments[0] == "train" else []), folder)
        expected = [line for line in expected if line]
        if not is_whole:
            found = found[-len(expected):]
        if list(map(shape, found)) != list(map(shape, expected)):
            failures += 1
            report = ["README shows:", *expected, "it prints:", *found]
            print(f"quickstart: README's output of `deit {shlex.join(arguments)}` has another form", *report, sep="\n", file=sys.stderr)
if failures or not count:
    sys.exit(f"quickstart: {failures} of {count} outputs in README have another form; numbers may differ, words and columns not")
print(f"quickstart: {count} commands of README print what it shows")
