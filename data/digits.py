#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes digits.h5 and digits_all.h5 from the optical digits that Debian's package python3-sklearn ships.

Usage: digits.py [digits.csv.gz]    (needs python3-h5py)
digits.h5: eight images each of a 3 (target 1) and of an 8 (target -1) to train on, the next eight of
each to test on, in the order of the source. `pixels` are as they come, 0 to 16; `x` are the pixels
minus the mean training image, divided by one number that makes the mean of |x|^2 / 64 over the
training images 1.
digits_all.h5: all 1797 images, `pixels` as they come, `label` 0 to 9, `even` 1 or -1.
"""
import gzip
import os
import sys

import h5py
import numpy as np

SOURCE = "/usr/lib/python3/dist-packages/sklearn/datasets/data/digits.csv.gz"
CLASSES = (3, 8)
PER_CLASS = 8

with gzip.open(sys.argv[1] if len(sys.argv) > 1 else SOURCE, "rt") as source:
    table = np.loadtxt(source, delimiter=",")
rows = {"": [], "_test": []}
for label in CLASSES:
    found = np.flatnonzero(table[:, 64] == label)
    rows[""].extend(found[:PER_CLASS])
    rows["_test"].extend(found[PER_CLASS : 2 * PER_CLASS])
mean = table[rows[""], :64].mean(axis=0)
scale = np.sqrt(((table[rows[""], :64] - mean) ** 2).mean())

SOURCE_TEXT = (
    "E. Alpaydin and C. Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine "
    "Learning Repository, doi:10.24432/C50P49; the test set (1797 images), as in scikit-learn "
    "(sklearn/datasets/data/digits.csv.gz, Debian package python3-sklearn 1.2.1)"
)
LICENSE = (
    "data: Creative Commons Attribution 4.0 International (CC BY 4.0); the copy in "
    "scikit-learn: BSD-3-Clause, Copyright 2007-2019 the scikit-learn developers"
)


def describe(out, title, changes):
    out.attrs["title"] = title
    out.attrs["source"] = SOURCE_TEXT
    out.attrs["license"] = LICENSE
    out.attrs["changes"] = changes


folder = os.path.dirname(os.path.abspath(__file__))
with h5py.File(os.path.join(folder, "digits.h5"), "w") as out:
    for suffix, chosen in rows.items():
        part = table[sorted(chosen)]
        out.create_dataset("pixels" + suffix, data=part[:, :64].astype(np.uint8))
        out.create_dataset("x" + suffix, data=(part[:, :64] - mean) / scale)
        out.create_dataset("y" + suffix, data=np.where(part[:, 64] == CLASSES[0], 1.0, -1.0))
        out.create_dataset("row" + suffix, data=np.sort(chosen).astype(np.int32))
    describe(
        out,
        "Handwritten digits 3 and 8, 8 x 8 pixels: 16 to train on, 16 to test on",
        "32 images chosen, centred and scaled by data/digits.py",
    )
with h5py.File(os.path.join(folder, "digits_all.h5"), "w") as out:
    pixels = table[:, :64].astype(np.uint8)
    out.create_dataset("pixels", data=pixels, chunks=pixels.shape, compression="gzip", shuffle=True)
    out.create_dataset("label", data=table[:, 64].astype(np.uint8))
    out.create_dataset("even", data=np.where(table[:, 64] % 2 == 0, 1, -1).astype(np.int8))
    describe(
        out,
        "Handwritten digits, 8 x 8 pixels: 1797 images",
        "columns separated, parity of the label added by data/digits.py",
    )
