#!/usr/bin/env python3
"""Checks that the folders of a library depend on one another in one direction only.

A file depends on a folder when it names a type that the folder declares, or a member that only the folder's extensions
declare. SwiftPM checks imports between targets; inside a target nothing else does.

    scripts/folders.py [--list]        fails on a dependency against the order below; --list prints all of them
"""

import collections
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Bottom-up: a folder may use those before it. "." stands for the files beside the folders.
ORDERS = {
    "Sources/Training": [
        "Options", "Run", "Processes", "Loop", "Supervised", "Distillation", "DINO", "MIM", ".", "Studies",
    ],
}

DECLARATION = re.compile(
    r"^(?P<indent> *)(?:@\w+(?:\([^)]*\))? +)*"
    r"(?:(?:public|package|internal|fileprivate|private|open|final|static|class|nonisolated|mutating|indirect|"
    r"convenience|override|borrowing|consuming|lazy|weak|unowned|(?:private|package|public)\(set\)) +)*"
    r"(?P<kind>struct|class|enum|protocol|actor|typealias|extension|func|var|let) +(?P<name>[\w.]+)",
    re.MULTILINE,
)
TYPES = {"struct", "class", "enum", "protocol", "actor", "typealias"}
HIDDEN = re.compile(r"\b(fileprivate|private) (?!\(set\))")


def code(text):
    """The text without comments and without what string literals say, but for the expressions inside of them."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    text = re.sub(r"//[^\n]*", "", text)
    text = re.sub(r'"""(.*?)"""', lambda m: " ".join(re.findall(r"\\\(([^()]*)\)", m[1])), text, flags=re.DOTALL)
    return re.sub(r'"((?:\\.|[^"\\\n])*)"', lambda m: " ".join(re.findall(r"\\\(([^()]*)\)", m[1])), text)


def declarations(text):
    """The types that a file declares at its outermost level, and the members that its extensions give to other types."""
    types, members, extended = set(), collections.defaultdict(set), None
    for match in DECLARATION.finditer(text):
        depth, kind, name = len(match["indent"]), match["kind"], match["name"]
        if depth == 0:
            extended = name.split(".")[0] if kind == "extension" else None
            if kind in TYPES and not HIDDEN.search(match[0]):
                types.add(name)
        elif depth == 4 and extended and kind != "extension" and not HIDDEN.search(match[0]):
            members[extended].add(name)
    return types, members


def dependencies(library):
    """Folder, folder it depends on, and the places: file and symbol."""
    base = ROOT / library
    files = {}
    for path in sorted(base.rglob("*.swift")):
        parts = path.relative_to(base).parts
        files[path] = (parts[0] if len(parts) > 1 else ".", code(path.read_text()))
    homes, all_members, counts = {}, [], collections.Counter()
    for path in (ROOT / "Sources").rglob("*.swift"):
        for match in DECLARATION.finditer(code(path.read_text())):
            counts[match["name"]] += 1
    for folder, text in files.values():
        types, members = declarations(text)
        for name in types:
            homes[name] = folder
        all_members.append((folder, members))
    for folder, members in all_members:
        for extended, names in members.items():
            # A member of a type of the same folder is found by the type's name.
            if homes.get(extended) == folder:
                continue
            for name in names:
                # A name that others declare as well says nothing.
                if counts[name] == 1 and len(name) > 5:
                    homes.setdefault(name, folder)
    found = collections.defaultdict(list)
    for path, (folder, text) in files.items():
        for name in sorted(set(re.findall(r"\w+", text))):
            home = homes.get(name)
            if home and home != folder:
                found[folder, home].append((path.relative_to(base), name))
    return found


def main():
    failed = False
    for library, order in ORDERS.items():
        found = dependencies(library)
        for (folder, home), places in sorted(found.items()):
            if folder not in order or home not in order:
                missing = folder if folder not in order else home
                print(f"{library}/{missing} has no place in the order of scripts/folders.py")
                failed = True
                continue
            against = order.index(home) > order.index(folder)
            failed = failed or against
            if "--list" in sys.argv or against:
                print(f"{folder} -> {home}{' AGAINST THE ORDER' if against else ''}")
                for path, name in places:
                    print(f"    {library}/{path}: {name}")
        if not failed:
            print(f"lint: the folders of {library} depend on one another in one direction")
    if failed:
        print("A folder uses only those before it: " + ", ".join(f"{k}: {' '.join(v)}" for k, v in ORDERS.items()))
    return failed


if __name__ == "__main__":
    sys.exit(main())
