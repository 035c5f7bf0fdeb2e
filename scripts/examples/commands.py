"""Checks every printed command: those of README, the docs and the articles, and the examples in each command's --help.

    commands.py DEIT    DEIT is the built command, whose own description says which subcommands and options there are

Nothing is run: a command must have subcommands, options, values and arguments that exist. Recipes and models must be known.
`make TARGET` must be a target, a link must lead to a file, and help must fit 80 columns.
"""
import json
import re
import shlex
import subprocess
import sys

from documents import ROOT, blocks, pages, text_lines

DEIT = sys.argv[1]
SHELLS = ("", "sh", "bash", "console")
TREE = json.loads(subprocess.run([DEIT, "--experimental-dump-help"], capture_output=True, text=True, check=True).stdout)["command"]
MODELS = {model["name"] for model in json.loads(subprocess.run([DEIT, "models", "--json"], capture_output=True, text=True, check=True).stdout)}
RECIPES = {path.stem for path in (ROOT / "Recipes").glob("*.yaml")}
TARGETS = set(re.findall(r"^([a-z][a-z0-9-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def fault(words):
    """What is wrong with a call of `deit`, given without its first word; None where nothing is."""
    command, path = TREE, ["deit"]
    while words and (found := [sub for sub in command.get("subcommands", []) if sub["commandName"] == words[0]]):
        command, words = found[0], words[1:]
        path.append(command["commandName"])
    name = " ".join(path)
    if command.get("subcommands") and not (set(words) & {"--help", "-h", "--version"}):
        return f"`{name}` has no subcommand {words[0]}" if words else f"`{name}` needs a subcommand"
    arguments = command.get("arguments", [])
    options = {("--" if len(n["name"]) > 1 else "-") + n["name"]: a for a in arguments for n in a.get("names", [])}
    positional, given, rest = [a for a in arguments if a["kind"] == "positional"], [], list(words)
    while rest:
        word = rest.pop(0)
        option, equals, value = word.partition("=")
        if not word.startswith("-") or word == "-":
            given.append(word)
        elif option not in options:
            return f"`{name}` has no option {option}"
        elif options[option]["kind"] == "option":
            if not equals:
                if not rest or rest[0] in options:
                    return f"{option} of `{name}` lacks its value"
                value = rest.pop(0)
            if problem := value_fault(option, value, options[option]):
                return problem
            # Options of several values take those that follow.
            while options[option].get("parsingStrategy") == "upToNextOption" and rest and not rest[0].startswith("-"):
                rest.pop(0)
    least = sum(not a.get("isOptional") for a in positional)
    if len(given) < least:
        return f"`{name}` needs {least} argument{'s' * (least != 1)}, and has {len(given)}"
    if len(given) > len(positional) and not any(a.get("isRepeating") for a in positional):
        return f"`{name}` takes {len(positional)} argument{'s' * (len(positional) != 1)}, and has {len(given)}: {' '.join(given)}"
    return None


# Where an option's `<a|b>` names one of these, it tells kinds of values and not the values themselves.
KINDS = {"name", "names", "file", "folder", "blocks", "number", "count", "share", "pixels"}


def value_fault(option, value, argument):
    allowed = argument.get("allValues") or argument.get("allValueStrings")
    shown = re.fullmatch(r"[a-z0-9-]+(\|[a-z0-9-]+)+", argument.get("valueName", ""))
    if not allowed and shown and not KINDS & set(argument["valueName"].split("|")):
        allowed = argument["valueName"].split("|")
    if allowed and value not in allowed and not value.isupper():
        return f"{option} takes {', '.join(allowed)}, not {value}"
    if option == "--recipe" and value not in RECIPES and not value.endswith((".yaml", ".yml")) and not value.isupper():
        return f"there is no recipe {value}"
    if option == "--model" and re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)+", value) and value not in MODELS:
        return f"there is no model {value}"
    return None


def commands(lines, first):
    """The shell's commands in some lines, with the lines' numbers; continued lines are joined, comments left out."""
    joined, start = "", first
    for number, line in enumerate(lines, first):
        start = start if joined else number
        joined += line.strip()
        if joined.endswith("\\"):
            joined = joined[:-1] + " "
            continue
        # `…` stands for what every such call has.
        text, joined = joined.removeprefix("$ ").replace("…", ""), ""
        if not re.match(r"([A-Z_]+=\S* )*\"?(deit|make|\S*/deit)\b", text):
            continue
        if text.startswith("make "):
            text = re.split(r"\s{2,}", text)[0]  # what follows tells what it does
        words = shlex.split(text, comments=True)
        while words and re.match(r"[A-Z_]+=", words[0]):
            words.pop(0)
        for end in ("|", ">", "&&", ";", "2>&1"):
            words = words[: words.index(end)] if end in words else words
        yield start, words


def helps(command, path=()):
    """Every command's examples, with the command's name for messages."""
    path = (*path, command["commandName"])
    yield "--help of `" + " ".join(path) + "`", (command.get("discussion") or "").splitlines()
    for sub in command.get("subcommands", []):
        yield from helps(sub, path)


def checked():
    """All commands: where each stands, and its words."""
    for path in pages():
        place = path.relative_to(ROOT)
        for block in blocks(path):
            if block.language in SHELLS:
                for line, words in commands(block.lines, block.line):
                    yield f"{place}:{line}", words
    for place, lines in helps(TREE):
        for _, words in commands([line for line in lines if line.startswith("  ")], 1):
            yield place, words


def mentions():
    """Calls within sentences, in backticks; they may leave arguments out."""
    for path in pages():
        for number, line in text_lines(path):
            for call in re.findall(r"(?<!`)`deit ([^`]+)`", line):
                yield f"{path.relative_to(ROOT)}:{number}", re.sub(r"[…\[\]]", "", call).split()


def broken_links():
    for path in pages():
        for number, line in text_lines(path):
            for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", line):
                if not re.match(r"[a-z]+:", link) and not (path.parent / link).exists():
                    yield f"{path.relative_to(ROOT)}:{number}: there is no {link}"


def wide_lines():
    """Lines of a command's help that a terminal of 80 columns breaks although the text has breaks of its own.

    A paragraph on one line is none: the parser breaks it where the terminal ends.
    """
    for place, lines in helps(TREE):
        for number, line in enumerate(lines):
            around = "".join(lines[max(number - 1, 0) : number] + lines[number + 1 : number + 2])
            if len(line) >= 80 and (around or line.startswith("  ")):
                yield f"{place}: 80 columns or more: {line}"


faults, count = [*broken_links(), *wide_lines()], 0
for place, words in checked():
    count += 1
    if words[0] == "make":
        problem = next((f"there is no target {word}" for word in words[1:] if "=" not in word and word not in TARGETS), None)
    else:
        problem = fault(words[1:])
    if problem:
        faults.append(f"{place}: {problem}: {' '.join(words)}")
for place, words in mentions():
    if words and words[0].isupper():
        continue  # `deit COMMAND --help`
    count += 1
    problem = fault(words)
    if problem and not re.search(r" needs | lacks its value", problem):
        faults.append(f"{place}: {problem}: deit {' '.join(words)}")
for line in faults:
    print(f"commands: {line}", file=sys.stderr)
if faults or count < 50:
    sys.exit(f"commands: {len(faults)} faults in {count} printed commands")
print(f"commands: {count} printed commands fit `deit` and the Makefile, and all links lead to files")
