# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of a case: those of Python as the library's trees, and the way back."""
import numbers
import os

import numpy as np

from ._context import InputError, LimitError, text
from ._nndmft import ffi, lib


def real(value, key):
    """A number that an argument is."""
    try:
        if not isinstance(value, (str, bytes)):
            return float(value)
    except (TypeError, ValueError):
        pass
    raise InputError(f"{key}: {value!r} is not a number")


def counted(value, key, least):
    """How many an argument says."""
    if isinstance(value, numbers.Integral) and least <= value < 2**53:
        return int(value)
    raise InputError(f"{key}: {value!r} is out of range: an integer >= {least}")


def unmasked(value, key):
    """A value that is no array with masked entries: what lies below a mask is not meant."""
    if np.ma.is_masked(value):
        raise InputError(f"{key}: an array with masked entries; allowed: without")
    return value


def _checked(words, key):
    """Text that C and UTF-8 can hold."""
    if "\0" in words:
        raise InputError(f"{key}: {words!r} has a zero byte; allowed: text without")
    if any("\ud800" <= letter <= "\udfff" for letter in words):
        raise InputError(f"{key}: {words!r} has a lone surrogate; allowed: text without")
    return words


def _words(value, key):
    """A single value as a case spells it, and whether it is text whatever it looks like."""
    if value is None:
        return "null", False
    if isinstance(value, (bool, np.bool_)):
        return ("true" if value else "false"), False
    if isinstance(value, numbers.Integral):
        return str(int(value)), False
    if isinstance(value, numbers.Real):
        return repr(float(value)), False
    if isinstance(value, (str, os.PathLike)):
        words = _checked(os.fspath(value), key)
        return words, words not in ("inf", "-inf")
    raise InputError(f"{key}: is of type {type(value).__name__}; allowed: numbers, texts, lists, "
                     "arrays, mappings")


def _spelt(value, key):
    """A value with its words encoded: (words, quoted), or lists and mappings of such."""
    if hasattr(value, "__array__") and not isinstance(value, np.generic):
        value = np.asarray(unmasked(value, key)).tolist()
    if isinstance(value, dict):
        return {_checked(str(k), key).encode(): _spelt(v, f"{key}.{k}" if key else k)
                for k, v in value.items()}
    if isinstance(value, (list, tuple, range)):
        return [_spelt(v, key) for v in value]
    words, quoted = _words(value, key)
    return words.encode(), quoted


def _node(spelt):
    """A node of a tree, NULL if out of memory."""
    if isinstance(spelt, tuple):
        return lib.nnd_value_scalar(*spelt, b"")
    if isinstance(spelt, dict):
        node = lib.nnd_value_map(b"")
        done = all(lib.nnd_value_put(node, k, _node(v)) for k, v in spelt.items())
    else:
        node = lib.nnd_value_list(b"")
        done = all(lib.nnd_value_append(node, _node(v)) for v in spelt)
    if done:
        return node
    lib.nnd_value_free(node)
    return ffi.NULL


def tree(value, key=""):
    """The library's tree of a value; `key` is what messages call it."""
    node = _node(_spelt(value, key))
    if node == ffi.NULL:
        raise LimitError("out of memory")
    return ffi.gc(node, lib.nnd_value_free)


def yaml_text(node):
    """A tree as YAML."""
    words = lib.nnd_yaml_text(node)
    if words == ffi.NULL:
        raise LimitError("out of memory")
    return text(ffi.gc(words, lib.free))


def yaml_of(value, key):
    """A value as YAML."""
    return yaml_text(tree(value, key))


def plain(words):
    """What a word that does not stand in quotes means."""
    known = {"null": None, "true": True, "false": False}
    if words in known:
        return known[words]
    for number in (int, float):
        try:
            return number(words)
        except ValueError:
            pass
    return words


def value_of(node):
    """A tree of the library as a value of Python."""
    if node.kind == lib.NND_VALUE_MAP:
        return {text(node.key[i]): value_of(node.item[i]) for i in range(node.count)}
    if node.kind == lib.NND_VALUE_LIST:
        return [value_of(node.item[i]) for i in range(node.count)]
    return text(node.text) if node.quoted else plain(text(node.text))
