# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures by matplotlib: theory as lines, simulation as points with error bars."""
import itertools
import math
import textwrap

import numpy as np

from ._context import InputError
from ._tables import describe

#: More curves than that in one picture cannot be told apart.
MOST_CURVES = 12
#: Letters of a label beside an axis of the usual height.
LONGEST_LINE = 36
_MARKERS = "osD^v<>Px*"


def _dims(data, name):
    return list(data[name].dims) if data is not None and name in data else []


def _abscissa(dims, data):
    """What a variable is drawn over: time, or else its longest dimension."""
    if "t" in dims:
        return "t"
    return max(dims, key=lambda d: data.sizes[d]) if dims else None


def _names(result, names, view):
    """The variables asked for: by name, of a view, or all that lead one."""
    data = result.theory if result.theory is not None else result.mc
    if names:
        return list(names)
    table = describe(result.model).variables if result.model else {}
    shown = [n for n in data.data_vars if n in table or not table]
    if view is not None:
        return [n for n in shown if table[n].view == view]
    first = next((table[n].view for n in shown if table[n].view and data[n].dims), None)
    return [n for n in shown if not table or table[n].view == first]


def _curves(data, name, over, params):
    """Every curve of a variable but for sizes: (label, abscissa, values, their errors)."""
    values, error = data[name], data.get(f"{name}_se")
    others = [d for d in values.dims if d not in (over, "size")]
    for index in itertools.islice(
        itertools.product(*(range(values.sizes[d]) for d in others)), MOST_CURVES
    ):
        at = dict(zip(others, index))
        label = ", ".join(f"{_symbol(d, params)} = {_value(data, d, i)}" for d, i in at.items())
        x = data[over].values if over in data.coords else range(data.sizes[over])
        yield label, x, values.isel(at), None if error is None else error.isel(at)


def _symbol(dim, params):
    return (params[dim].symbol if dim in params else None) or dim


def _value(data, dim, i):
    value = data[dim].values[i] if dim in data.coords else i
    return value if isinstance(value, str) else f"{value:.4g}"


def _axis_label(data, name, table):
    row = table.get(name)
    long_name = data[name].attrs.get("long_name", name)
    label = f"{long_name} {row.symbol}" if row and row.symbol else long_name
    return textwrap.fill(label, LONGEST_LINE)


def _dim_label(data, dim, params):
    row = params.get(dim)
    if row is not None and row.symbol:
        return f"{row.long_name or row.name} {row.symbol}"
    return data[dim].attrs.get("long_name", dim) if dim in data.coords else dim


def _draw(axes, result, name, told):
    present = [d for d in (result.theory, result.mc) if d is not None and name in d]
    if not present:
        raise InputError(f"{name!r} is neither in the theory nor in the simulation")
    data = present[0]
    over = _abscissa([d for d in _dims(data, name) if d != "size"], data)
    if over is None:
        _draw_scalar(axes, result, name)
    else:
        _draw_curves(axes, result, name, over, told.params if told else {})
        axes.set_xlabel(_dim_label(data, over, told.params if told else {}))
    axes.set_ylabel(_axis_label(data, name, told.variables if told else {}))
    if axes.get_legend_handles_labels()[1]:
        axes.legend(fontsize="small")


def _draw_curves(axes, result, name, over, params):
    """A colour for each curve, of theory and networks alike; a marker for each size."""
    lines = result.theory is not None and name in result.theory
    if lines:
        for k, (label, x, y, se) in enumerate(_curves(result.theory, name, over, params)):
            axes.plot(x, y.values, color=f"C{k}", label=label or "theory")
            if se is not None:
                axes.fill_between(x, y - se, y + se, color=f"C{k}", alpha=0.25, lw=0)
    if result.mc is not None and name in result.mc:
        for k, curve in enumerate(_curves(result.mc, name, over, params)):
            _draw_networks(axes, f"C{k}", *curve, label_curve=not lines)


def _draw_networks(axes, colour, label, x, y, se, label_curve):
    sizes = range(y.sizes["size"]) if "size" in y.dims else [None]
    for i, marker in zip(sizes, itertools.cycle(_MARKERS)):
        one, its_se = (y, se) if i is None else (y.isel(size=i), se.isel(size=i))
        size = "" if i is None else f", size = {_value(y, 'size', i)}"
        named = f"networks, {label}{size}" if label and label_curve else f"networks{size}"
        shown = named not in axes.get_legend_handles_labels()[1]
        axes.errorbar(x, one.values, its_se.values, fmt=marker, color=colour, ms=4, mfc="none",
                      label=named if shown else None)


def _draw_scalar(axes, result, name):
    for place, (data, fmt) in enumerate(((result.theory, "_"), (result.mc, "o"))):
        if data is not None and name in data:
            values = data[name].values.ravel()
            se = data[f"{name}_se"].values.ravel() if f"{name}_se" in data else None
            axes.errorbar([place] * len(values), values, se, fmt=fmt, ms=10)
    axes.set_xticks([0, 1], ["theory", "networks"])
    axes.set_xlim(-0.5, 1.5)


def plot(result, *names, view=None, axes=None, log=""):
    """Draws variables of a Result, or of a Dataset of `solve` or `simulate`; returns axes.

    `names`: variables, or else those of `view` (`describe(model).variables[...].view`). `axes`:
    as many as there are variables. `log`: "x", "y" or "xy". Of more than 12 curves the first are
    drawn.
    """
    import matplotlib.pyplot as plt

    if not hasattr(result, "theory"):
        result = _Alone(result)
    if not set(log) <= {"x", "y"}:
        raise InputError(f"log: {log!r} is out of range: x, y or xy")
    shown = _names(result, names, view)
    if not shown:
        views = {row.view for row in describe(result.model).variables.values() if row.view}
        raise InputError(f"nothing to draw of view {view!r}; views are: {', '.join(sorted(views))}")
    if axes is None:
        columns = min(3, len(shown))
        rows = math.ceil(len(shown) / columns)
        _, axes = plt.subplots(rows, columns, figsize=(4.2 * columns, 3.2 * rows), squeeze=False,
                               layout="constrained")
        for spare in axes.flat[len(shown):]:
            spare.set_visible(False)
        axes = axes.flat[:len(shown)]
    axes = list(np.ravel(axes))
    if len(axes) != len(shown):
        raise InputError(f"axes: there are {len(axes)}; allowed: {len(shown)}, one for each of "
                         f"{', '.join(shown)}")
    told = describe(result.model) if result.model else None
    for one, name in zip(axes, shown):
        _draw(one, result, name, told)
        if "x" in log:
            one.set_xscale("log")
        if "y" in log:
            one.set_yscale("log")
    return axes[0] if len(axes) == 1 else axes


class _Alone:
    """A Dataset alone, as if it were a Result."""

    def __init__(self, data):
        simulated = "diverged_fraction" in data
        self.theory, self.mc = (None, data) if simulated else (data, None)
        self.model = data.attrs.get("model")
