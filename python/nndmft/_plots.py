# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures by matplotlib: theory as lines, simulation as points with error bars."""
import itertools
import math

from ._tables import describe

#: More curves than that in one picture cannot be told apart.
MOST_CURVES = 12
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


def _curves(data, name, over):
    """Every curve of a variable: (label, abscissa, values, their errors)."""
    values, error = data[name], data.get(f"{name}_se")
    others = [d for d in values.dims if d != over]
    for index in itertools.islice(
        itertools.product(*(range(values.sizes[d]) for d in others)), MOST_CURVES
    ):
        at = dict(zip(others, index))
        label = ", ".join(f"{d} = {_value(data, d, i)}" for d, i in at.items())
        x = data[over].values if over in data.coords else range(data.sizes[over])
        yield label, x, values.isel(at).values, None if error is None else error.isel(at).values


def _value(data, dim, i):
    value = data[dim].values[i] if dim in data.coords else i
    return value if isinstance(value, str) else f"{value:.4g}"


def _axis_label(data, name, table):
    row = table.get(name)
    long_name = data[name].attrs.get("long_name", name)
    return f"{long_name} {row.symbol}" if row and row.symbol else long_name


def _draw(axes, result, name, table):
    present = [d for d in (result.theory, result.mc) if d is not None and name in d]
    if not present:
        raise KeyError(f"{name} is neither in the theory nor in the simulation")
    data = present[0]
    over = _abscissa([d for d in _dims(data, name) if d != "size"], data)
    if over is None:
        _draw_scalar(axes, result, name)
    else:
        _draw_curves(axes, result, name, over)
        axes.set_xlabel(data[over].attrs.get("long_name", over) if over in data.coords else over)
    axes.set_ylabel(_axis_label(data, name, table))
    if axes.get_legend_handles_labels()[1]:
        axes.legend(fontsize="small")


def _draw_curves(axes, result, name, over):
    if result.theory is not None and name in result.theory:
        for label, x, y, se in _curves(result.theory, name, over):
            (line,) = axes.plot(x, y, label=label or "theory")
            if se is not None:
                axes.fill_between(x, y - se, y + se, color=line.get_color(), alpha=0.25, lw=0)
    if result.mc is not None and name in result.mc:
        axes.set_prop_cycle(None)
        for k, (label, x, y, se) in enumerate(_curves(result.mc, name, over)):
            axes.errorbar(x, y, se, fmt=_MARKERS[k % len(_MARKERS)], ms=4, mfc="none",
                          label=f"networks, {label}" if label else "networks")


def _draw_scalar(axes, result, name):
    for place, (data, fmt) in enumerate(((result.theory, "_"), (result.mc, "o"))):
        if data is not None and name in data:
            values = data[name].values.ravel()
            se = data[f"{name}_se"].values.ravel() if f"{name}_se" in data else None
            axes.errorbar([place] * len(values), values, se, fmt=fmt, ms=10)
    axes.set_xticks([0, 1], ["theory", "networks"])
    axes.set_xlim(-0.5, 1.5)


def plot(result, *names, view=None, axes=None, log=""):
    """Draws variables of a Result, or of a Dataset of `solve`; returns matplotlib's axes.

    `names`: variables, or else those of `view` (`describe(model).variables[...].view`). `axes`:
    as many as there are variables. `log`: "x", "y" or "xy". Of more than 12 curves the first are
    drawn.
    """
    import matplotlib.pyplot as plt

    if not hasattr(result, "theory"):
        result = _Theory(result)
    shown = _names(result, names, view)
    if not shown:
        raise ValueError(f"nothing to draw of view {view!r}")
    if axes is None:
        columns = min(3, len(shown))
        rows = math.ceil(len(shown) / columns)
        _, axes = plt.subplots(rows, columns, figsize=(4.2 * columns, 3.2 * rows), squeeze=False,
                               layout="constrained")
        for spare in axes.flat[len(shown):]:
            spare.set_visible(False)
        axes = list(axes.flat[:len(shown)])
    axes = axes if isinstance(axes, (list, tuple)) else [axes]
    table = describe(result.model).variables if result.model else {}
    for one, name in zip(axes, shown):
        _draw(one, result, name, table)
        if "x" in log:
            one.set_xscale("log")
        if "y" in log:
            one.set_yscale("log")
    return axes[0] if len(axes) == 1 else axes


class _Theory:
    """A Dataset alone, as if it were a Result."""

    def __init__(self, data):
        self.theory, self.mc, self.model = data, None, data.attrs.get("model")
