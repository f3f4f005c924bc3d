# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames of the library as xarray datasets, and the way back."""
import numpy as np
import xarray as xr

from ._context import InputError, text
from ._nndmft import ffi, lib


class _View:
    """The numbers of an array, where they are: keeps their frame, and what that reports to."""

    def __init__(self, context, frame, array):
        self.owners = context, frame
        self.__array_interface__ = {
            "version": 3,
            "typestr": "<f8",
            "shape": tuple(array.shape[i] for i in range(array.ndims)),
            "data": (int(ffi.cast("uintptr_t", array.data)), False),
        }


def _coordinate(dim):
    if dim.kind == lib.NND_COORD_TEXT:
        return np.array([text(dim.text[i]) for i in range(dim.length)], dtype=object)
    values = np.frombuffer(ffi.buffer(dim.value, 8 * dim.length)).copy()
    return values.astype(np.int64) if dim.kind == lib.NND_COORD_INTEGER else values


def _attributes(frame):
    of = {}
    for i in range(lib.nnd_frame_attribute_count(frame)):
        a = lib.nnd_frame_attribute(frame, i)
        value = a.number if a.text == ffi.NULL else text(a.text)
        of.setdefault(text(a.array), {})[text(a.key)] = value
    return of


def owned(pointer):
    """A frame of the library, freed when nothing of Python looks into it any more."""
    return ffi.gc(pointer, lib.nnd_frame_free)


def dataset(context, frame):
    """An owned frame as a Dataset: its arrays are the frame's memory, not copies."""
    if frame == ffi.NULL:
        return None
    attributes = _attributes(frame)
    dims = [lib.nnd_frame_dim(frame, i) for i in range(lib.nnd_frame_dim_count(frame))]
    names = [text(d.name) for d in dims]
    coordinates = {
        name: (name, _coordinate(d), attributes.get(name)) for name, d in zip(names, dims)
    }
    variables = {}
    for i in range(lib.nnd_frame_array_count(frame)):
        array = lib.nnd_frame_array(frame, i)
        name = text(array.name)
        over = [names[array.dim[k]] for k in range(array.ndims)]
        variables[name] = (over, np.asarray(_View(context, frame, array)), attributes.get(name))
    made = xr.Dataset(variables, coordinates, attributes.get(None))
    made.attrs.setdefault("nndmft_version", text(lib.nnd_version()))
    return made


def _add_dim(context, frame, name, coordinate):
    values = np.asarray(coordinate)
    if values.dtype.kind in "OUS":
        keep = [ffi.new("char[]", str(v).encode()) for v in values]
        status = lib.nnd_frame_add_text_dim(
            frame, name.encode(), len(keep), ffi.new("const char *[]", keep)
        )
    else:
        kind = lib.NND_COORD_INTEGER if values.dtype.kind in "iub" else lib.NND_COORD_REAL
        numbers = np.ascontiguousarray(values, dtype=np.float64)
        status = lib.nnd_frame_add_dim(
            frame, name.encode(), kind, len(numbers), ffi.from_buffer("double[]", numbers)
        )
    context.check(status)


def _add_array(context, frame, name, dims, values):
    if values.dtype.kind not in "biuf":
        raise InputError(f"{name}: an array of {values.dtype}; allowed: of real numbers")
    data = ffi.new("double **")
    context.check(lib.nnd_frame_add(frame, name.encode(), ",".join(dims).encode(), data))
    numbers = np.ascontiguousarray(values, dtype=np.float64)
    ffi.memmove(data[0], numbers, numbers.nbytes)


def _set_attributes(context, frame, array, attributes):
    name = ffi.NULL if array is None else array.encode()
    for key, value in attributes.items():
        if isinstance(value, str):
            status = lib.nnd_frame_set_text(frame, name, key.encode(), value.encode())
        elif np.isscalar(value) and np.isreal(value):
            status = lib.nnd_frame_set_number(frame, name, key.encode(), float(value))
        else:
            continue
        context.check(status)


def new_frame(context):
    """An empty frame, owned."""
    frame = ffi.new("nnd_frame **")
    context.check(lib.nnd_frame_new(context.pointer, frame))
    return owned(frame[0])


def frame_of(context, data):
    """A Dataset as a frame: a copy. None stays NULL."""
    if data is None:
        return ffi.NULL
    frame = new_frame(context)
    for name in data.dims:
        coordinate = data[name] if name in data.coords else np.arange(data.sizes[name])
        _add_dim(context, frame, name, coordinate)
    for name, variable in data.data_vars.items():
        _add_array(context, frame, name, variable.dims, variable.values)
        _set_attributes(context, frame, name, variable.attrs)
    _set_attributes(context, frame, None, data.attrs)
    return frame


def frame_of_arrays(context, arrays):
    """Matrices and vectors by name, as a data file would hold them."""
    frame = new_frame(context)
    for name, values in arrays.items():
        dims = [f"{name}_{k}" for k in range(values.ndim)]
        for dim, length in zip(dims, values.shape):
            context.check(lib.nnd_frame_add_range(frame, dim.encode(), length, 0.0))
        _add_array(context, frame, name, dims, values)
    return frame
