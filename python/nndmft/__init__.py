# SPDX-License-Identifier: GPL-3.0-or-later
"""Theory of neural-network training, and simulations that check it.

>>> import nndmft as nd
>>> curves = nd.solve("deep-linear", depth=2, alpha=2, gamma0=[0.5, 1, 2])
>>> result = nd.run("deep-linear", alpha=2, size=[100, 200], seeds=64)
>>> result.verdicts
>>> result.plot()

`nd.models()` lists the models, `nd.describe(model)` tells their parameters and variables;
`nd.deep_linear.solve` and its like have them as their signature.
"""
from ._cases import Case
from ._context import (
    Error,
    FileError,
    InputError,
    LimitError,
    NotConvergedError,
    NotConvergedWarning,
    text as _text,
)
from ._coordinates import coordinates
from ._detect import Detection
from ._find import Found, find, transfer
from ._models import find as _find_model, identifier as _identifier
from ._nndmft import lib as _lib
from ._plots import plot
from ._run import Result, open, recipe, run, simulate, solve, validate
from ._similarity import similarity
from ._tables import describe, models
from ._version import __version__

if _text(_lib.nnd_version()) != __version__:
    raise ImportError(
        f"the Python package is of nndmft {__version__}, the library it found of "
        f"{_text(_lib.nnd_version())}: install both of one version"
    )

__all__ = [
    "Case", "Detection", "Error", "FileError", "Found", "InputError", "LimitError",
    "NotConvergedError", "NotConvergedWarning", "Result", "coordinates", "describe", "find",
    "models", "open", "plot", "recipe", "run", "similarity", "simulate", "solve", "transfer",
    "validate",
]


def __getattr__(name):
    model = _find_model(name)
    if model is None:
        raise AttributeError(f"module 'nndmft' has no attribute {name!r}")
    globals()[name] = model
    return model


def __dir__():
    return sorted([*__all__, *(_identifier(m) for m in models())])
