"""Compiles every Swift example of README, the docs, the articles and the doc comments.

    snippets.py BUILD    BUILD holds Modules/ of a debug build, such as .build/debug

An example is a program by itself: it declares what it uses and imports what it needs. In the documentation of a library,
its own import is understood. Nothing is run.
"""
import concurrent.futures
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from documents import ROOT, blocks, pages, sources


def library(path):
    """The library whose documentation a file is part of; None for README and docs."""
    parts = path.relative_to(ROOT).parts
    return parts[1] if parts[0] == "Sources" else None


def program(block):
    """The example's text, and how many lines stand before it."""
    own = library(block.path)
    if own and not any(line.split()[:2] == ["import", own] for line in block.lines):
        return f"import {own}\n" + "\n".join(block.lines) + "\n", 1
    return "\n".join(block.lines) + "\n", 0


def module_maps(build):
    """The compiler's flags for the C modules that the libraries import, of this package and of those that it depends on."""
    found = [*ROOT.glob("Sources/C*/include/module.modulemap"), *ROOT.glob("Sources/C*/module.modulemap"),
             *build.glob("*.build/module.modulemap"), *(build.parents[1] / "checkouts").glob("*/Sources/**/include/module.modulemap")]
    return [flag for path in sorted(found) for flag in ("-Xcc", f"-fmodule-map-file={path}")]


def compile_one(block, build, folder):
    text, before = program(block)
    file = Path(folder) / f"{block.path.stem}-{block.line}.swift"
    file.write_text(text)
    command = ["swiftc", "-typecheck", "-swift-version", "6", "-warnings-as-errors", "-I", str(build / "Modules"), *MAPS, str(file)]
    done = subprocess.run(command, capture_output=True, text=True)
    report = (done.stdout + done.stderr).replace(str(file), block.place + f" (line {before} lower)" if before else block.place)
    return done.returncode == 0, report


build = Path(sys.argv[1]).resolve()
MAPS = module_maps(build)
found = [block for path in pages() + sources() for block in blocks(path) if block.language == "swift"]
if not found:
    sys.exit("snippets: no Swift example was found")
failures = 0
with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    for block, (passes, report) in zip(found, pool.map(lambda block: compile_one(block, build, folder), found)):
        if not passes:
            failures += 1
            print(f"snippets: {block.place} does not compile:\n{report}", file=sys.stderr)
if failures:
    sys.exit(f"snippets: {failures} of {len(found)} Swift examples do not compile")
print(f"snippets: {len(found)} Swift examples compile")
