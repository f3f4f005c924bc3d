# SPDX-License-Identifier: GPL-3.0-or-later
"""How alike two representations of the same points are."""
import numpy as np
import xarray as xr

from ._context import Context, InputError, text
from ._nndmft import ffi, lib
from ._values import counted, real, unmasked

_LONG_NAMES = {
    "value": "similarity",
    "value_se": "standard error of value",
    "debiased": "similarity, debiased",
    "debiased_se": "standard error of debiased",
    "null": "mean of value over permutations of the points",
    "null_sd": "its standard deviation over them",
    "p_value": "share of permutations that are as alike",
}


def _matrix(values, name):
    """A row for each point; a vector is one column."""
    x = np.asarray(unmasked(values, name))
    if x.dtype.kind not in "biuf" or x.ndim not in (1, 2) or x.size == 0:
        raise InputError(f"{name}: an array of {x.dtype} of shape {x.shape}; allowed: a matrix of "
                         "real numbers, with a row for each point")
    return np.ascontiguousarray(x.reshape(len(x), -1), dtype=np.float64)


def _wanted(measures, same_width):
    """Which of the measures, by their number in the library."""
    known = [text(lib.nnd_similarity_name(m)) for m in range(lib.NND_SIMILARITIES)]
    if measures is None:
        return [m for m, name in enumerate(known) if name != "cosine" or same_width]
    unknown = [name for name in measures if name not in known]
    if unknown or not measures:
        raise InputError(f"measures: {unknown or measures} are not known; "
                         f"allowed: {', '.join(known)}")
    return [m for m, name in enumerate(known) if name in measures]


def similarity(a, b, *, measures=None, centred=True, neighbours=10, variance=0.99, permutations=100,
               resamples=50, seed=0, threads=None, memory_limit=None, progress=None):
    """How alike two representations are: a Dataset over `measure` of values, debiased values, the
    level of representations that have nothing to do with each other, and standard errors.

    `a`, `b`: arrays with a row for each point and any number of columns. `measures`: names, all by
    default (the cosine only of as many columns). `centred`: columns less their means. `neighbours`
    is k of `knn_overlap`, `variance` the share that `svcca` keeps. `permutations` make the null
    level, `resamples` the errors, from random numbers of `seed` (docs/similarity.md).
    """
    x = _matrix(a, "a"), _matrix(b, "b")
    if len(x[0]) != len(x[1]):
        raise InputError(f"b: {len(x[1])} rows; allowed: {len(x[0])}, as a, one for each point")
    wanted = _wanted(measures, x[0].shape[1] == x[1].shape[1])
    options = ffi.new("nnd_similarity_options *", lib.nnd_similarity_defaults())
    for m in range(lib.NND_SIMILARITIES):
        options.wanted[m] = m in wanted
    options.uncentred, options.variance = not centred, real(variance, "variance")
    options.neighbours = counted(neighbours, "neighbours", 1)
    options.permutations = counted(permutations, "permutations", 0)
    options.resamples = counted(resamples, "resamples", 0)
    options.key.base_seed, options.key.size = counted(seed, "seed", 0), len(x[0])
    lent = ffi.new("nnd_representations *")
    names = ffi.new("char[]", b"a"), ffi.new("char[]", b"b")
    lent.n = len(x[0])
    lent.width = [matrix.shape[1] for matrix in x]
    lent.name = names
    lent.x = [ffi.from_buffer("double[]", matrix) for matrix in x]
    result = ffi.new("nnd_similarity[]", lib.NND_SIMILARITIES)
    context = Context(threads, memory_limit, progress)
    context.run(lib.nnd_similarity_measure_all, lent, options, result)
    return xr.Dataset(
        {column: ("measure", [getattr(result[m], column) for m in wanted],
                  {"long_name": long_name, "units": "1"})
         for column, long_name in _LONG_NAMES.items()},
        {"measure": ("measure", [text(lib.nnd_similarity_name(m)) for m in wanted]),
         "equation": ("measure", [text(lib.nnd_similarity_equation(m)) for m in wanted])},
        {"points": len(x[0]), "neighbours": neighbours, "variance": variance,
         "permutations": permutations, "resamples": resamples, "seed": seed})
