# SPDX-License-Identifier: GPL-3.0-or-later
"""One object for each model, whose functions have its parameters as their signature."""
import inspect

from . import _run
from ._cases import Case
from ._tables import describe, models

_COMPUTING = ("threads", "memory_limit", "progress")
#: What each function takes beside parameters and options of the simulation.
_OPTIONS = {
    "solve": ("sweep", *_COMPUTING),
    "simulate": ("sweep", *_COMPUTING),
    "run": ("sweep", "compare", *_COMPUTING),
    "case": ("name", "sweep", "compare"),
}


def identifier(model):
    """The name of a model in Python."""
    return model.replace("-", "_")


def _signature(rows, options):
    kind = inspect.Parameter.KEYWORD_ONLY
    listed = [inspect.Parameter(p.name, kind, default=p.default, annotation=p.annotation)
              for p in rows.values()]
    more = [inspect.Parameter(name, kind, default=None) for name in options if name not in rows]
    return inspect.Signature(listed + more)


def _document(head, rows):
    lines = [head, "", "Parameters", "----------"]
    for p in rows.values():
        lines += [f"{p.name} : {p.annotation}, default {p.default}",
                  f"    {p.doc} ({p.allowed})"]
    return "\n".join(lines)


def _function(model, function, rows, name):
    """`function` for one model alone."""

    def of_model(**params):
        return function(model, **params)

    of_model.__name__ = name
    of_model.__qualname__ = f"{identifier(model)}.{name}"
    of_model.__signature__ = _signature(rows, _OPTIONS[name])
    of_model.__doc__ = _document(inspect.getdoc(function).split("\n")[0], rows)
    return of_model


class Model:
    """A model: `solve`, `simulate`, `run` and `case`, with its parameters as keywords."""

    def __init__(self, name):
        told = describe(name)
        self.name = name
        self.describe = told
        self.__doc__ = str(told)
        both = {**told.params, **told.simulate}
        self.solve = _function(name, _run.solve, told.params, "solve")
        self.simulate = _function(name, _run.simulate, both, "simulate")
        self.run = _function(name, _run.run, both, "run")
        self.case = _function(name, Case, both, "case")

    def __reduce__(self):
        return find, (identifier(self.name),)

    def __repr__(self):
        return f"<nndmft model {self.name}: {self.describe.summary}>"


def find(attribute):
    """The model of that identifier; None if there is none."""
    for name in models():
        if identifier(name) == attribute:
            return Model(name)
    return None
