#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the gallery of shipped cases, from their files: gallery.py NNDMFT >gallery.md

Of each case what its comment asks, and how long it takes by `nndmft run --dry-run`; a picture where docs/ has one
of the case's name.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
CLASSES = ((1, "at once"), (10, "seconds"), (100, "a minute"), (1000, "minutes"), (float("inf"), "longer"))


def question(text):
    """The comment before the first key, in one line."""
    head = re.match(r"(#.*\n)*", text).group(0)
    return re.sub(r"\s*\n# ?", " ", head[1:]).strip()


def duration(tool, case):
    """Seconds that theory and simulation, or the one of them that there is, are expected to take on this machine."""
    plans = (subprocess.run([tool, command, case, "--dry-run"], capture_output=True, text=True)
             for command in ("run", "simulate"))
    plan = next((p.stdout for p in plans if p.returncode == 0), "")
    told = re.findall(r"^(?:theory|simulation) .* expected (\S+) s\b", plan, re.MULTILINE)
    if not told:
        raise SystemExit(f"{case}: the dry run does not say how long it takes")
    return sum(map(float, told))


def escaped(text):
    """Text of a case in a page; what is between backquotes stays as it is."""
    parts = text.split("`")
    parts[::2] = [re.sub(r"([|*_<\[])", r"\\\1", part) for part in parts[::2]]
    return "`".join(parts)


def entry(tool, case):
    """(model, item of its list) of a case."""
    text = case.read_text(encoding="utf-8")
    model = re.search(r"(?m)^model: *(\S+)", text).group(1)
    simulated = ", with networks" if re.search(r"(?m)^simulate:", text) else ""
    seconds = duration(tool, case)
    takes = next(name for most, name in CLASSES if seconds < most)
    picture = ROOT / "docs" / f"{case.stem}.svg"
    shown = f"\n\n  ![{case.stem}](../docs/{case.stem}.svg)" if picture.exists() else ""
    return model, f"- **`{case.stem}`** ({takes}{simulated}): {escaped(question(text))}{shown}"


lists = {}
for path in sorted((ROOT / "data/cases").glob("*.yaml"), key=lambda case: case.stem):
    name, item = entry(sys.argv[1], path)
    lists.setdefault(name, []).append(item)
print(f"""# Gallery of cases

The {sum(map(len, lists.values()))} cases of `data/cases`, by model. `nndmft run data/cases/NAME.yaml` runs one and
`nndmft plot NAME.h5 -o NAME.svg` draws it. Times are those that `--dry-run` expects on the machine that made this page.""")
for name in sorted(lists):
    print(f"\n## {name}\n")
    print("\n\n".join(lists[name]))
