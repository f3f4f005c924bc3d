# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases: what a program says in keywords, a dictionary or YAML, checked by the library."""
import itertools
import os
import weakref

import numpy as np

from ._context import Borrowed, Context, InputError, LimitError, text
from ._frames import frame_of_arrays
from ._nndmft import ffi, lib
from ._tables import SINGLE, describe

#: Arrays of more numbers than that are handed over in memory; smaller ones stand in the case.
INLINE = 4096

_in_memory = weakref.WeakValueDictionary()
_numbers = itertools.count()


class _Arrays(dict):
    """Arrays that a case names as if they stood in a file; lives as long as the case."""

    def __init__(self):
        super().__init__()
        self.path = f"/in-memory/{next(_numbers)}"
        _in_memory[self.path] = self


@ffi.def_extern(error=lib.NND_E_INPUT)
def nndmft_read(ctx, path, arrays):
    held = _in_memory.get(text(path))
    if held is None:
        return lib.nnd_data_file_read(ctx, path, arrays)
    frame = frame_of_arrays(Borrowed(ctx), held)
    arrays[0] = ffi.cast("nnd_frame *", frame)
    ffi.gc(frame, None)  # the library's from now on
    return lib.NND_OK


def _scalar(value):
    if value is None:
        return "null", False
    if isinstance(value, (bool, np.bool_)):
        return ("true" if value else "false"), False
    if isinstance(value, (int, np.integer)):
        return str(int(value)), False
    if isinstance(value, (float, np.floating)):
        return repr(float(value)), False
    if isinstance(value, (str, os.PathLike)):
        return os.fspath(value), value not in ("inf", "-inf")
    raise InputError(f"{value!r} is a {type(value).__name__}: no value of a case")


def _tree(value):
    """The library's tree of a Python value."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, dict):
        node = lib.nnd_value_map(b"")
        done = all(lib.nnd_value_put(node, str(k).encode(), _tree(v)) for k, v in value.items())
    elif isinstance(value, (list, tuple, range)):
        node = lib.nnd_value_list(b"")
        done = all(lib.nnd_value_append(node, _tree(v)) for v in value)
    else:
        words, quoted = _scalar(value)
        node = lib.nnd_value_scalar(words.encode(), quoted, b"")
        done = node != ffi.NULL
    if not done:
        lib.nnd_value_free(node)
        raise LimitError("out of memory")
    return node


def _hand_over(params, table, arrays):
    """`params` with large arrays replaced by their names, as if they stood in the group's file."""
    out, moved = {}, False
    for key, value in params.items():
        row = table.get(key)
        if row is not None and row.type == lib.NND_GROUP and isinstance(value, dict):
            value, inner = _hand_over(value, row.group, arrays)
            if inner:
                value.setdefault("file", arrays.path)
        elif row is not None and row.type == lib.NND_DENSE and np.size(value) > INLINE:
            arrays[key] = np.asarray(value, dtype=np.float64)
            value, moved = key, True
        out[key] = value
    return out, moved


def _split(model, keywords):
    """Keywords of one call as the sections of a case."""
    table = describe(model)
    params, sweep, simulate = {}, {}, {}
    for key, value in keywords.items():
        row = table.params.get(key)
        if row is None and key in table.simulate:
            simulate[key] = value
        elif row is not None and row.type in SINGLE and _is_list(value):
            sweep[key] = value
        else:
            params[key] = value
    return params, sweep, simulate


def _is_list(value):
    return isinstance(value, (list, tuple, range)) or (
        isinstance(value, np.ndarray) and value.ndim > 0
    )


class Case:
    """A model, its parameters, a sweep, a simulation: checked, with every default filled in."""

    def __init__(self, model, *, name=None, sweep=None, compare=None, **keywords):
        """Keywords are parameters of the model and options of the simulation (size, seeds, ...).
        A list, where a parameter is one value, is swept; `sweep` sweeps what is a list itself."""
        params, swept, simulate = _split(model, keywords)
        self._arrays = _Arrays()
        params, moved = _hand_over(params, describe(model).params, self._arrays)
        if moved:
            raise InputError("params: an array of this size is no parameter")
        tree = {"model": model, "params": params, "sweep": {**swept, **(sweep or {})},
                "simulate": simulate, "compare": compare or {}, "name": name}
        self._resolve(_tree({k: v for k, v in tree.items() if v}), None)

    @classmethod
    def from_yaml(cls, source, **overrides):
        """A case file, or the text of one. `overrides` replace single keys: params={"lr": .1}."""
        case = cls.__new__(cls)
        case._arrays = None
        context, tree = Context(), ffi.new("nnd_value **")
        is_text = isinstance(source, str) and ("\n" in source or source.lstrip().startswith("{"))
        if is_text:
            status = lib.nnd_yaml_read_text(context.pointer, b"case", source.encode(), tree)
        else:
            status = lib.nnd_yaml_read_file(context.pointer, os.fsencode(source), tree)
        context.check(status)
        for section, values in overrides.items():
            for key, value in values.items():
                words = lib.nnd_yaml_text(_tree(value))
                line = f"{section}.{key}=".encode() + ffi.string(words)
                lib.free(words)
                context.check(lib.nnd_yaml_override(context.pointer, tree[0], line))
        case._resolve(tree[0], None if is_text else os.fspath(source))
        return case

    def _resolve(self, tree, path):
        context = Context()
        stem = os.path.splitext(os.path.basename(path or "python"))[0].encode()
        folder = os.path.dirname(path).encode() if path and os.path.dirname(path) else None
        source = ffi.new("nnd_case_source *")
        keep = ffi.new("char[]", stem), ffi.new("char[]", folder or b".")
        source.stem = keep[0]
        source.folder = keep[1] if folder else ffi.NULL
        source.read = lib.nndmft_read
        out = ffi.new("nnd_case **")
        tree = ffi.gc(tree, lib.nnd_value_free)
        context.finish(lib.nnd_case_resolve(context.pointer, tree, source, out))
        self._context = context
        self.pointer = ffi.gc(out[0], lib.nnd_case_free)

    @property
    def model(self):
        """Name of the model."""
        return text(self.pointer.model.name)

    @property
    def name(self):
        """Name of the case."""
        return text(self.pointer.name)

    @property
    def simulates(self):
        """True if the case has a simulation."""
        return self.pointer.simulates

    @property
    def yaml(self):
        """The case with every default, as its file would have it."""
        words = lib.nnd_yaml_text(self.pointer.resolved)
        try:
            return text(words)
        finally:
            lib.free(words)

    def __repr__(self):
        return self.yaml
