# SPDX-License-Identifier: GPL-3.0-or-later
"""The coordinate check: how what networks do scales with their width."""
import numpy as np
import xarray as xr

from ._context import Context, NotConvergedError, text
from ._frames import dataset, owned
from ._nndmft import ffi, lib
from ._run import _case, _label, _taken, _train
from ._tables import describe

_VERDICTS = np.array([text(lib.nnd_coordinate_text(i))
                      for i in range(lib.NND_COORDINATE_OTHERWISE + 1)] + ["unknown"], dtype=object)


def coordinates(model, *, threads=None, memory_limit=None, progress=None, **params):
    """Trains networks of two sizes or more, and fits a power of the size to every magnitude that
    the model lists: a Dataset over `coordinate` of `slope`, `slope_se`, the power `expected` and a
    `verdict`, and of `magnitude` and `magnitude_se` over `width` too.

    Keywords as in `simulate`. What a model needs to know two times is set unless `two_time` is
    given.
    """
    case = _case(model, params)._simulating()
    if "two_time" in describe(case.model).params and "two_time" not in params:
        case = case.replace(two_time=True)
    context = Context(threads, memory_limit, progress)
    context.check(lib.nnd_coordinates_check(context.pointer, case.pointer))
    status, ensemble = _train(context, case)
    if status > 0:
        raise NotConvergedError("all networks diverged")
    theory, answers = ffi.new("nnd_frame **"), ffi.new("nnd_frame **")
    context.run(lib.nnd_coordinates, case.pointer, ensemble, theory, answers)
    owned(theory[0])
    made = dataset(context, owned(answers[0]))
    networks = dataset(context, _taken(ensemble, "mc"))
    verdict = made.verdict.fillna(len(_VERDICTS) - 1).astype(int)
    made["verdict"] = verdict.dims, _VERDICTS[verdict.values]
    return _label(xr.merge([made, networks[["magnitude", "magnitude_se"]]]), case)
