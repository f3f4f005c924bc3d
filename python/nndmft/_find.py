# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers: where a variable is zero, least or below a bound, and the best learning rate."""
import re
from typing import NamedTuple

import numpy as np

from ._cases import _mapping
from ._context import Context, InputError, NotConvergedWarning, text, warn
from ._frames import dataset, owned
from ._nndmft import ffi, lib
from ._run import _case, _label, _one_point, _simulation, _theory
from ._tables import describe
from ._values import counted, plain, real

_RELATIONS = {"<": lib.NND_BELOW, ">": lib.NND_ABOVE, "=": lib.NND_ACROSS}


class Found(NamedTuple):
    """Where something is: a value of the parameter, or a time."""

    at: float                  #: the parameter, or the time
    uncertainty: float         #: half the length of the last bracket
    value: float               #: of the variable there; of a divergence its step
    value_se: "float | None"  #: standard error of theory there; None: it has none
    at_edge: bool              #: the extremum is an end of the interval
    gap: "float | None" = None  #: of a divergence: the widest gap between values tried below it


def _row(rows, count, name, what, model):
    for i in range(count):
        if text(rows[i].name) == name:
            return rows + i
    raise InputError(f"{name!r} is no {what} of {model}; nndmft.describe({model!r}) lists them")


def _variable(model, name):
    row = describe(model).row
    return _row(row.variables, row.variable_count, name, "variable", model)


def _statement(words):
    """"theta < 1e-3" as name, relation and number."""
    found = re.fullmatch(r"\s*(\w+)\s*([<>=])\s*(\S+)\s*", str(words))
    level = plain(found.group(3)) if found else None
    if type(level) not in (int, float):
        raise InputError(f"{words!r} is not of the form 'VAR < VALUE', with <, > or =")
    return found.group(1), _RELATIONS[found.group(2)], level


def _coordinates(at):
    """{"t": 40} as the library has it, and what keeps it alive."""
    names = [ffi.new("char[]", name.encode()) for name in at]
    listed = ffi.new("nnd_coordinate[]", len(names))
    for place, name, value in zip(listed, names, at.values()):
        place.dim, place.value = name, real(value, f"at.{text(name)}")
    return listed, names


def _found(context, status, found):
    if status > 0:
        warn(text(lib.nnd_context_message(context.pointer)), NotConvergedWarning)
        return None
    se = found.value_se
    return Found(found.param, found.uncertainty, found.value, None if se != se else se,
                 bool(found.at_edge), found.gap or None)


def find(model, *, param=None, between=None, zero=None, min=None, max=None, diverges=False,
         first=None, level=0.0, at=None, subject=None, points=0, threads=None, memory_limit=None,
         progress=None, **params):
    """Where a theoretical variable is zero, least or largest over a parameter, or below a bound
    in time: a Found, or None, with a warning that says what was met, where there is none.

    `param="gamma0", between=(1, 5)` with one of `zero="x"` (or `level=`), `min="x"`, `max="x"`
    (`subject="y < 2"`: where that holds), `diverges=True`; or `first="theta < 1e-3"` alone.
    `at={"t": 40, "layer": 1}` says where the variable is read.
    """
    case = _one_point(_case(model, params))
    context = Context(threads, memory_limit, progress)
    found = ffi.new("nnd_found *")
    coordinates, keep = _coordinates(_mapping(at, "at"))
    row, first_params = describe(case.model).row, case.pointer.params[0]
    if first is not None:
        name, relation, value = _statement(first)
        options = ffi.new("nnd_first_options *")
        options.variable, options.relation, options.level = (
            _variable(case.model, name), relation, value)
        options.coordinates, options.at = len(keep), coordinates
        status = context.run(lib.nnd_find_first, row, first_params, options, found)
        return _found(context, status, found)
    goals = {"zero": (lib.NND_FIND_ZERO, zero), "min": (lib.NND_FIND_MIN, min),
             "max": (lib.NND_FIND_MAX, max), "diverges": (lib.NND_FIND_DIVERGENCE, diverges)}
    asked = [(goal, name) for goal, name in goals.values() if name]
    if len(asked) != 1 or param is None or between is None:
        raise InputError("find needs param=, between=(low, high) and one of zero=, min=, max=, "
                         "diverges=True; or first=")
    options = ffi.new("nnd_find_options *")
    goal, name = asked[0]
    options.param = _row(row.params.param, row.params.count, param, "parameter", case.model)
    if np.shape(between) != (2,):
        raise InputError(f"between: {between!r} is not (low, high)")
    options.low, options.high = (real(end, "between") for end in between)
    options.goal, options.level, options.points = (
        goal, real(level, "level"), counted(points, "points", 0))
    if goal != lib.NND_FIND_DIVERGENCE:
        options.variable = _variable(case.model, name)
    if subject is not None:
        name, options.relation, options.bound = _statement(subject)
        options.subject = _variable(case.model, name)
    options.coordinates, options.at = len(keep), coordinates
    status = context.run(lib.nnd_find, row, first_params, options, found)
    return _found(context, status, found)


def _asked(model, rate, lr, width, params):
    """The case that sweeps over the rates."""
    if width is not None and np.size(width) > 0:
        params = {**params, "at_width": np.atleast_1d(width)}
    if lr is not None:
        params = {**params, rate: np.atleast_1d(lr)}
    case = _case(model, params)
    if rate not in case.sweep:
        raise InputError(f"sweep.{rate}: missing; allowed: the rates to look at")
    return case


def _loss(case, name):
    """The variable that is to be least: of this name, or the model's own."""
    known = [v.name for v in describe(case.model).variables.values()]
    name = name or next((n for n in ("loss", "test_risk", "test_mse") if n in known), None)
    if name is None:
        raise InputError("loss= is missing: the theory has no loss, test_risk or test_mse")
    return _variable(case.model, name)


def transfer(model, *, lr=None, width=None, loss=None, rate="lr", threads=None, memory_limit=None,
             progress=None, **params):
    """The best learning rate at every width: a Dataset over `width` (infinity first).

    `lr`: the rates to sweep over, unless a Case does; `width`: widths N at which the expansion in
    1/N is read, of the models of fluctuations. `loss`: the variable that is to be least, by default
    the model's own. With a simulation (`size`, `seeds`) the networks are asked too: `network_rate`.
    Where there is no answer it is NaN, and `outcome` says why, as does a warning.
    Beside `best_rate` stand what is lost by the rate of infinite width, the edge of stability and
    what they are worth (docs/theory/fluctuations.md).
    """
    case = _asked(model, rate, lr, width, params)
    context, key = Context(threads, memory_limit, progress), ffi.new("char[]", rate.encode())
    options = ffi.new("nnd_transfer_options *")
    options.rate, options.loss = key, _loss(case, loss)
    frames = {"theory": _theory(context, case), **(_simulation(context, case) if case.simulates
                                                   else {})}
    for part in ("theory", "mc", "influence"):
        setattr(options, part, frames.get(part, ffi.NULL))
    sizes = dataset(context, frames["mc"])["size"] if case.simulates else ()
    wanted = ffi.new("double[]", [float(w) for w in case.params.get("at_width") or sizes])
    options.widths, options.width = len(wanted), wanted
    answers = ffi.new("nnd_frame **")
    context.run(lib.nnd_transfer, describe(case.model).row, options, answers)
    made = dataset(context, owned(answers[0]))
    told = [text(lib.nnd_transfer_text(i)) for i in range(lib.NND_TRANSFER_UNKNOWN + 1)]
    made.outcome.attrs.update(flag_values=list(range(len(told))), flag_meanings="; ".join(told))
    for i in sorted({int(v) for v in made.outcome.values.ravel() if v > 0}):
        warn(f"transfer: at some widths: {told[i]}", NotConvergedWarning)
    return _label(made, case)
