# SPDX-License-Identifier: GPL-3.0-or-later
"""What a comparison would notice: theory with a parameter that is wrong."""
from typing import NamedTuple

from ._cases import Case
from ._context import InputError, text
from ._frames import dataset, frame_of
from ._nndmft import ffi, lib
from ._run import _compare, _simulated, _theory
from ._values import real


class Detection(NamedTuple):
    """What it would take to notice a wrong parameter."""

    more_seeds: float       #: times as many seeds as there are; inf: it is within the tolerance
    variable: "str | None"  #: the one that shows it first; None: none does


def _scaled(value, factor, key):
    """A number, or each of a list, times a factor."""
    if isinstance(value, list):
        return [_scaled(v, factor, key) for v in value]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InputError(f"{key}: {value!r} is no number that a factor would change")
    return factor * value


def _changed(group, key, factor):
    """A group with one parameter times a factor; the key of an inner group is dotted."""
    name, _, rest = key.partition(".")
    if not isinstance(group, dict) or name not in group:
        raise InputError(f"{key}: the case has no such parameter")
    inner = _changed(group[name], rest, factor) if rest else _scaled(group[name], factor, key)
    return {**group, name: inner}


def _wrong_theory(context, case, key, factor, theory):
    """Theory with the parameter times the factor, at the coordinates of the right one."""
    top = key.partition(".")[0]
    if key in case.sweep:
        wrong = case.replace(sweep=_changed(case.sweep, key, factor))
    else:
        wrong = case.replace(**{top: _changed(case.params, key, factor)[top]})
    solved = dataset(context, _theory(context, wrong))
    return solved.assign_coords({dim: theory[dim] for dim in case.sweep})


def detect(result, key, factor, context):
    """How many seeds would notice that `key` is wrong by `factor`, if the theory of a Result is
    right."""
    if result.theory is None or result.mc is None or not result.case:
        raise InputError("detect: the result has no theory, no simulation or no case")
    if not 0 < real(factor, "factor") < float("inf") or factor == 1:
        raise InputError(f"factor: {factor!r} is out of range: a number > 0, not 1")
    case = Case._of_result(result)
    wrong = frame_of(context, _wrong_theory(context, case, key, factor, result.theory))
    theory, mc, influence = (
        frame_of(context, data) for data in (result.theory, result.mc, result.influence))
    c = case.pointer
    side = _simulated(mc, influence, c.simulate.base_seed)
    options = ffi.addressof(c[0], "compare")
    comparison = _compare(context, c.model, options, theory, side)
    found = ffi.new("nnd_detection *")
    context.run(lib.nnd_detect, c.model, options, wrong, side, comparison, found)
    return Detection(found.more_seeds, text(found.name))
