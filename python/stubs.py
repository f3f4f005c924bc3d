# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the type stub of the package from the models' tables: stubs.py PACKAGE-FOLDER OUTPUT."""
import inspect
import sys

sys.path.insert(0, sys.argv[1])
import nndmft as nd

HEAD = '''\
# SPDX-License-Identifier: GPL-3.0-or-later
# Made from the tables of the models.
import os
from typing import Any, NamedTuple

import numpy
import numpy.typing
import pandas
import xarray

__version__: str

class _Parameter:
    name: str
    default: Any
    doc: str
    long_name: str | None
    symbol: str | None
    group: dict[str, _Parameter]
    shorthand: str | None
    annotation: str
    allowed: str

class _Variable:
    name: str
    dims: str
    long_name: str
    equation: str | None
    unit: str
    symbol: str | None
    view: str | None

class _Description:
    name: str
    summary: str
    params: dict[str, _Parameter]
    simulate: dict[str, _Parameter]
    variables: dict[str, _Variable]
'''
CLASSES = ("Error", "InputError", "LimitError", "FileError", "NotConvergedError",
           "NotConvergedWarning", "Case", "Detection", "Found", "Result")
FUNCTIONS = [name for name in nd.__all__ if name not in CLASSES]
ANNOTATIONS = {"threads": "int | None", "memory_limit": "int | None", "progress": "bool | None",
               "name": "str | None", "sweep": "dict[str, Any] | None",
               "compare": "dict[str, Any] | None"}
RETURNS = {"solve": "xarray.Dataset", "simulate": "xarray.Dataset", "run": "Result",
           "case": "Case", "open": "Result", "validate": "pandas.DataFrame",
           "models": "tuple[str, ...]",
           "describe": "_Description", "recipe": "xarray.Dataset",
           "find": "Found | None", "transfer": "xarray.Dataset",
           "coordinates": "xarray.Dataset", "similarity": "xarray.Dataset"}


def argument(p):
    """One parameter of a signature, with its type."""
    kind = p.annotation if isinstance(p.annotation, str) else ANNOTATIONS.get(p.name, "Any")
    if p.kind is p.VAR_POSITIONAL:
        return f"*{p.name}: {kind}"
    if p.kind is p.VAR_KEYWORD:
        return f"**{p.name}: {kind}"
    return f"{p.name}: {kind}" + ("" if p.default is p.empty else " = ...")


def function(name, signature, indent="", first=()):
    """A function with its parameters."""
    listed = list(first)
    for p in signature.parameters.values():
        if p.kind is p.KEYWORD_ONLY and "*" not in listed and not any(
                a.startswith("*") for a in listed):
            listed.append("*")
        listed.append(argument(p))
    return f"{indent}def {name}({', '.join(listed)}) -> {RETURNS.get(name, 'Any')}: ..."


def swept(p):
    """A parameter that is one value may also be a list of them: a sweep."""
    if p.annotation in ("float", "int", "bool", "str"):
        return p.replace(annotation=f"{p.annotation} | list[{p.annotation}] | numpy.ndarray | None")
    return p


def model(name):
    """The class of a model, and the object of that name."""
    of = getattr(nd, name)
    lines = [f"class _{name}:", "    name: str", "    describe: _Description"]
    for what in ("solve", "simulate", "run", "case"):
        signature = inspect.signature(getattr(of, what))
        listed = [swept(p) for p in signature.parameters.values()]
        lines.append(function(what, signature.replace(parameters=listed), "    ", ["self"]))
    return lines + [f"{name}: _{name}", ""]


def members(name):
    """Attributes and methods of a class."""
    of = getattr(nd, name)
    bases = ", ".join(b.__name__ for b in of.__bases__ if b is not object)
    lines = [f"class {name}({bases}):" if bases else f"class {name}:"]
    if name == "InputError":
        lines += ["    key: str | None", "    allowed: str | None"]
    elif name == "Case":
        lines += ["    model: str", "    name: str", "    simulates: bool", "    yaml: str",
                  "    params: dict[str, Any]", "    sweep: dict[str, Any]",
                  "    def replace(self, **keywords: Any) -> Case: ...",
                  "    def __init__(self, model: str, **keywords: Any) -> None: ...",
                  "    @classmethod",
                  "    def from_yaml(cls, source: str | os.PathLike[str], **overrides: Any)"
                  " -> Case: ..."]
    elif name in ("Detection", "Found"):
        lines = [f"class {name}(NamedTuple):"]
        lines += [f"    {key}: {getattr(kind, '__forward_arg__', getattr(kind, '__name__', kind))}" for key, kind in
                  of.__annotations__.items()]
    elif name == "Result":
        data = ("theory", "mc", "seeds", "influence", "weights", "compare")
        lines += ["    model: str", "    case: str"]
        lines += [f"    {part}: xarray.Dataset | None" for part in data]
        lines += ["    verdicts: pandas.DataFrame | None", "    agrees: bool | None",
                  "    def plot(self, *names: str, view: str | None = ..., **options: Any)"
                  " -> Any: ...",
                  "    def detect(self, key: str, factor: float, *, threads: int | None = ...,"
                  " memory_limit: int | None = ..., progress: bool | None = ...)"
                  " -> Detection: ...",
                  "    def save(self, path: str | os.PathLike[str]) -> None: ...",
                  "    def report(self, path: str | os.PathLike[str]) -> None: ..."]
    else:
        lines.append("    ...")
    return lines + [""]


text = [HEAD]
for name in CLASSES:
    text += members(name)
for name in FUNCTIONS:
    text.append(function(name, inspect.signature(getattr(nd, name))))
text.append("")
for name in dir(nd):
    if name not in nd.__all__:
        text += model(name)
with open(sys.argv[2], "w", encoding="utf-8") as file:
    file.write("\n".join(text))
