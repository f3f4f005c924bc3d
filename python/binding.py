# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the C source of the extension module: binding.py DECLARATIONS OUTPUT."""
import re
import sys

import cffi

declarations, output = sys.argv[1:]
builder = cffi.FFI()
with open(declarations, encoding="utf-8") as file:
    builder.cdef(file.read())
builder.set_source("nndmft._nndmft", "#include <nndmft/nndmft.h>\n#include <stdlib.h>\n")
builder.emit_c_code(output)
