# SPDX-License-Identifier: GPL-3.0-or-later
"""The library's own tables: models, their parameters and variables."""
import functools

from ._context import InputError, text
from ._nndmft import ffi, lib
from ._values import plain

#: Types of which one value is no list: a list of them is a sweep.
SINGLE = {lib.NND_REAL, lib.NND_INTEGER, lib.NND_BOOL, lib.NND_CHOICE, lib.NND_TEXT}

_TYPES = {
    lib.NND_REAL: "float",
    lib.NND_INTEGER: "int",
    lib.NND_BOOL: "bool",
    lib.NND_CHOICE: "str",
    lib.NND_TEXT: "str",
    lib.NND_REALS: "float | list[float]",
    lib.NND_INTEGERS: "int | list[int]",
    lib.NND_TEXTS: "str | list[str]",
    lib.NND_DENSE: "numpy.ndarray | list | str",
    lib.NND_GROUP: "dict",
}


class Parameter:
    """One parameter of a model: name, default, allowed values, what it is."""

    def __init__(self, row):
        self._row = row
        self.name = text(row.name)
        self.type = row.type
        self.default = plain(text(row.fallback))
        self.doc = text(row.doc)
        self.long_name = text(row.long_name)
        self.symbol = text(row.symbol)
        self.group = parameters(row.group) if row.group != ffi.NULL else {}
        self.shorthand = text(row.shorthand)

    @property
    def annotation(self):
        """The Python type that it takes; a group may be the value of its main member."""
        main = self.group.get(self.shorthand)
        return f"{main.annotation} | dict" if main is not None else _TYPES[self.type]

    @property
    def allowed(self):
        """What it accepts, in words."""
        words = ffi.new("char[512]")
        lib.nnd_param_allowed(self._row, 512, words)
        return text(words)

    def __repr__(self):
        return f"<{self.name} = {self.default}: {self.allowed}>"


def parameters(table):
    """Rows of a table, by name."""
    if table == ffi.NULL:
        return {}
    return {p.name: p for p in (Parameter(table.param + i) for i in range(table.count))}


class Variable:
    """One variable of a model: name, dimensions, what it is, where it is derived."""

    def __init__(self, row):
        self.name = text(row.name)
        self.dims = text(row.dims)
        self.long_name = text(row.long_name)
        self.equation = text(row.equation)
        self.unit = text(row.unit) or "1"
        self.symbol = text(row.symbol)
        self.view = text(row.view)

    def __repr__(self):
        return f"<{self.name}({self.dims}): {self.long_name}>"


class Description:
    """Parameters and variables of a model; prints as a table."""

    def __init__(self, row):
        self.row = row
        self.name = text(row.name)
        self.summary = text(row.summary)
        self.params = parameters(row.params)
        self.simulate = {**parameters(lib.nnd_simulate_table),
                         **parameters(row.simulate)}
        self.variables = {
            v.name: v for v in (Variable(row.variables + i) for i in range(row.variable_count))
        }

    def __str__(self):
        lines = [f"{self.name}: {self.summary}", "", "Parameters"]
        lines += _rows(self.params)
        lines += ["", "Options of the simulation"] + _rows(self.simulate) + ["", "Variables"]
        width = max(len(f"{v.name}({v.dims})") for v in self.variables.values())
        for v in self.variables.values():
            lines.append(f"  {f'{v.name}({v.dims})':{width}}  {v.long_name}")
        return "\n".join(lines)

    __repr__ = __str__

    def __reduce__(self):
        return describe, (self.name,)


def _rows(table):
    return [f"  {p.name} = {p.default}: {p.doc} ({p.allowed})" for p in table.values()]


@functools.lru_cache(maxsize=None)
def models():
    """Names of all models, in alphabetical order."""
    names, i = [], 0
    while lib.nnd_model_at(i) != ffi.NULL:
        names.append(text(lib.nnd_model_at(i).name))
        i += 1
    return tuple(names)


@functools.lru_cache(maxsize=None)
def describe(model):
    """Parameters and variables of a model."""
    if not isinstance(model, str):
        raise InputError(f"model: is of type {type(model).__name__}; allowed: {', '.join(models())}")
    row = lib.nnd_model_find(model.encode())
    if row == ffi.NULL:
        raise InputError(f"model: {model!r} is none; allowed: {', '.join(models())}")
    return Description(row)
