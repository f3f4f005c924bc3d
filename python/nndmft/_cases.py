# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases: what a program says in keywords, a dictionary or YAML, checked by the library."""
import hashlib
import os
import weakref

import numpy as np

from ._context import Borrowed, Context, InputError, text
from ._frames import frame_of_arrays
from ._nndmft import ffi, lib
from ._tables import SINGLE, describe
from ._values import tree, unmasked, value_of, yaml_of, yaml_text

#: Arrays of more numbers than that are handed over in memory; smaller ones stand in the case.
INLINE = 4096

_in_memory = weakref.WeakValueDictionary()


class _Arrays:
    """Arrays that a case names as if they stood in a file; what is in it is its name."""

    def __init__(self, path, arrays):
        self.path, self.arrays = path, arrays

    def __reduce__(self):
        return _held, (self.arrays,)


def _held(arrays):
    """These arrays, kept once for all cases that have them."""
    digest = hashlib.blake2b(digest_size=8)
    for key, array in arrays.items():
        digest.update(f"{key} {array.shape} ".encode())
        digest.update(array)
    path = f"/in-memory/{digest.hexdigest()}"
    held = _in_memory.get(path) or _Arrays(path, arrays)
    _in_memory[path] = held
    return held


@ffi.def_extern(error=lib.NND_E_INPUT)
def nndmft_read(ctx, path, arrays):
    held = _in_memory.get(text(path))
    if held is None:
        return lib.nnd_data_file_read(ctx, path, arrays)
    frame = frame_of_arrays(Borrowed(ctx), held.arrays)
    arrays[0] = ffi.cast("nnd_frame *", frame)
    ffi.gc(frame, None)  # the library's from now on
    return lib.NND_OK


def _large(value, key):
    """An array of doubles, if a value has more numbers than stand in a case; else None."""
    if value is None or isinstance(value, str):
        return None
    unmasked(value, key)
    try:
        array = np.asarray(value)
    except ValueError:  # rows of unequal length, which the library refuses
        return None
    if array.size <= INLINE:
        return None
    if array.dtype.kind not in "iuf":
        raise InputError(f"{key}: an array of {array.dtype}; allowed: of real numbers")
    return np.array(array, dtype=np.float64, order="C")


def _take_out(group, table, key, arrays, places):
    """A copy of a group whose large arrays are moved to `arrays`; `places` are those that have
    some."""
    out, large = dict(group), {}
    for name, value in group.items():
        row = table.get(name)
        if row is not None and row.type == lib.NND_GROUP and isinstance(value, dict):
            out[name] = _take_out(value, row.group, f"{key}.{name}", arrays, places)
        elif row is not None and row.type == lib.NND_DENSE:
            array = _large(value, f"{key}.{name}")
            if array is not None:
                large[name] = array
    if large and ("file" not in table or group.get("file") is not None):
        raise InputError(f"{key}.file: arrays that are given as such stand in no file")
    if large:
        arrays.update(large)
        out.update({name: name for name in large})
        places.append(out)
    return out


def _hand_over(params, table):
    """`params` with large arrays replaced by their names, and what holds those; None: none are."""
    arrays, places = {}, []
    out = _take_out(params, table, "params", arrays, places)
    if not places:
        return out, None
    held = _held(arrays)
    for place in places:
        place["file"] = held.path
    return out, held


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
    return isinstance(value, (list, tuple, range)) or getattr(value, "ndim", 0) > 0


def _mapping(value, key):
    if value is None or isinstance(value, dict):
        return value or {}
    raise InputError(f"{key}: is of type {type(value).__name__}; allowed: a mapping")


class Case:
    """A model, its parameters, a sweep, a simulation: checked, with every default filled in."""

    def __init__(self, model, *, name=None, sweep=None, compare=None, **keywords):
        """Keywords are parameters of the model and options of the simulation (size, seeds, ...).
        A list, where a parameter is one value, is swept; `sweep` sweeps what is a list itself."""
        params, swept, simulate = _split(model, keywords)
        params, held = _hand_over(params, describe(model).params)
        sections = {"model": model, "params": params,
                    "sweep": {**swept, **_mapping(sweep, "sweep")}, "simulate": simulate,
                    "compare": _mapping(compare, "compare"), "name": name}
        self._origin = None, [held]
        self._resolve(tree({k: v for k, v in sections.items() if v}))

    @classmethod
    def from_yaml(cls, source, **overrides):
        """A case file, or the text of one. `overrides` replace single keys: params={"lr": .1}."""
        is_text = isinstance(source, str) and ("\n" in source or source.lstrip().startswith("{"))
        context, top, lines = Context(), _parsed(source, is_text), []
        try:
            for section, values in overrides.items():
                for key, value in _mapping(values, section).items():
                    lines.append(f"{section}.{key}={yaml_of(value, f'{section}.{key}')}")
                    context.check(
                        lib.nnd_yaml_override(context.pointer, top, lines[-1].encode()))
            return cls._of(top, None if is_text else os.fspath(source), [])
        except InputError as error:
            raise InputError(_without_option(str(error), lines)) from None

    @classmethod
    def _of(cls, top, path, held):
        """The case of a tree, which stands in a file, and names arrays that are held for it."""
        case = cls.__new__(cls)
        case._origin = path, held  # what data files are relative to, and what keeps arrays alive
        case._resolve(top)
        return case

    @classmethod
    def _of_result(cls, result):
        """The case of a Result, with the data that it was made of."""
        return cls._of(_parsed(result.case, True), *result._origin)

    def replace(self, *, sweep=None, compare=None, **keywords):
        """The same case with other parameters, sweep or simulation: keywords as of Case."""
        params, swept, simulate = _split(self.model, keywords)
        params, held = _hand_over(params, describe(self.model).params)
        swept.update(_mapping(sweep, "sweep"))
        sections = value_of(self.pointer.resolved)
        for section, new, gone in (("params", params, swept), ("sweep", swept, params),
                                   ("simulate", simulate, ()),
                                   ("compare", _mapping(compare, "compare"), ())):
            old = sections.get(section) or {}
            sections[section] = {**{k: v for k, v in old.items() if k not in gone}, **new}
        path, more = self._origin
        return Case._of(tree({k: v for k, v in sections.items() if v}), path, [*more, held])

    def _simulating(self):
        """The case; if it has no simulation, with one that has every default."""
        sections = value_of(self.pointer.resolved)
        return self if self.simulates else Case._of(
            tree({**sections, "simulate": {}}), *self._origin)

    def __reduce__(self):
        return _restored, (value_of(self.pointer.resolved), *self._origin)

    def _resolve(self, top):
        context, path = Context(), self._origin[0] or ""
        stem = os.path.splitext(os.path.basename(path or "python"))[0].encode()
        folder = os.path.dirname(path).encode()
        source = ffi.new("nnd_case_source *")
        keep = ffi.new("char[]", stem), ffi.new("char[]", folder)
        source.stem = keep[0]
        source.folder = keep[1] if folder else ffi.NULL
        source.read = lib.nndmft_read
        out = ffi.new("nnd_case **")
        context.finish(lib.nnd_case_resolve(context.pointer, top, source, out))
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
    def params(self):
        """Values of the parameters, as the case has them, with every default."""
        return value_of(self.pointer.resolved).get("params", {})

    @property
    def sweep(self):
        """What is swept: lists of values, by parameter."""
        return value_of(self.pointer.resolved).get("sweep", {})

    @property
    def simulates(self):
        """True if the case has a simulation."""
        return self.pointer.simulates

    @property
    def yaml(self):
        """The case with every default, as its file would have it."""
        return yaml_text(self.pointer.resolved)

    def __repr__(self):
        return self.yaml


def _parsed(source, is_text):
    """The tree of a case file, or of the text of one."""
    context, top = Context(), ffi.new("nnd_value **")
    if is_text:
        status = lib.nnd_yaml_read_text(context.pointer, b"case", source.encode(), top)
    else:
        status = lib.nnd_yaml_read_file(context.pointer, os.fsencode(source), top)
    context.check(status)
    return ffi.gc(top[0], lib.nnd_value_free)


def _restored(sections, path, held):
    """A case that was pickled or copied."""
    return Case._of(tree(sections), path, held)


def _without_option(message, lines):
    """A message without the option of the command line that an override stands for there."""
    for line in lines:
        message = message.removeprefix(f"--set {line.encode()[:400].decode(errors='ignore')}: ")
    return message
