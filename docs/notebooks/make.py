#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Executes notebooks: make.py [--check] FOLDER [SOURCE.py ...]

Writes FOLDER/NAME.ipynb, with its outputs, for every source (default: all that stand beside this script), whose
cells begin with lines "# %%" or "# %% [markdown]". A cell that fails ends the work. With --check the notebooks in
this folder must have the cells of their sources. Needs python3-nbclient, python3-ipykernel.
"""
import argparse
import os
import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent


def cells(source):
    """(kind, text) of every cell of a source."""
    for part in re.split(r"(?m)^# %%", source)[1:]:
        head, _, text = part.partition("\n")
        if "[markdown]" in head:
            yield "markdown", re.sub(r"(?m)^# ?", "", text).strip()
        else:
            yield "code", text.strip()


def notebook(source):
    """A notebook without outputs, the same for the same source."""
    import nbformat.v4 as v4

    new = {"markdown": v4.new_markdown_cell, "code": v4.new_code_cell}
    made = [new[kind](text, id=f"cell-{i}") for i, (kind, text) in enumerate(cells(source))]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return v4.new_notebook(cells=made, metadata={"kernelspec": kernel})


def main():
    import nbclient
    import nbformat

    # What neither concerns readers nor is the same everywhere: progress bars, a debugger's advice.
    os.environ.update(PYTHONWARNINGS="ignore:IProgress not found", PYDEVD_DISABLE_FILE_VALIDATION="1")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("source", type=pathlib.Path, nargs="*")
    wanted = parser.parse_args()
    sources = wanted.source or sorted(p for p in HERE.glob("*.py") if p.name != "make.py")
    for path in sources:
        made = notebook(path.read_text(encoding="utf-8"))
        if wanted.check:
            shipped = nbformat.read(path.with_suffix(".ipynb"), 4)
            if [c.source for c in shipped.cells] != [c.source for c in made.cells]:
                raise SystemExit(f"{path}: its notebook has other cells")
        nbclient.NotebookClient(made, timeout=600, record_timing=False,
                                resources={"metadata": {"path": HERE}}).execute()
        nbformat.write(made, wanted.folder / f"{path.stem}.ipynb")


main()
