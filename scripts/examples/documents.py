"""Finds what the documents show: code between fences or indented, in README, docs, the articles and the doc comments."""
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Block:
    """One piece of code: where its first line stands, its language as the fence names it, and its lines."""

    path: Path
    line: int
    language: str
    lines: list

    @property
    def place(self):
        return f"{self.path.relative_to(ROOT)}:{self.line}"


def pages():
    """All documents in Markdown."""
    found = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md"), *ROOT.glob("Sources/*/*.docc/*.md")]
    for folder in ("Examples", "Benchmarks", "Tools"):
        found += [path for path in (ROOT / folder).rglob("*.md") if ".build" not in path.parts]
    return sorted(found)


def sources():
    """All sources, whose doc comments show code too."""
    return sorted((ROOT / "Sources").rglob("*.swift"))


def text_lines(path):
    """The numbered lines of a document, or of a source's doc comments."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if path.suffix == ".md":
            yield number, line
        elif comment := re.match(r"\s*/// ?(.*)", line):
            yield number, comment[1]
        else:
            yield number, ""


def blocks(path):
    """The code of a document, in order."""
    block, indented = None, None
    for number, line in text_lines(path):
        fence = re.match(r"\s*```(\S*)", line)
        if block is not None:
            if fence:
                yield block
                block = None
            else:
                block.lines.append(line)
        elif fence:
            block = Block(path, number + 1, fence[1], [])
        elif path.suffix == ".md" and line.startswith("    "):
            if indented is None:
                indented = Block(path, number, "", [])
            indented.lines.append(line[4:])
            continue
        if indented is not None:
            yield indented
            indented = None
    if block is not None:
        raise SystemExit(f"{block.place}: the fence has no end")
    if indented is not None:
        yield indented
