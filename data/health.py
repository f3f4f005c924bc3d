#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes health.h5 from the table that Debian's package python3-statsmodels ships.

Usage: health.py [randhie.csv]    (needs python3-h5py)
The RAND Health Insurance Experiment, 20190 person-years. `x` are nine features in the order of the
attribute `columns`, as they come; `visits` is the number of outpatient visits to a physician in the
year, `log_visits` the logarithm of one more.
"""
import os
import sys

import h5py
import numpy as np

SOURCE = "/usr/lib/python3/dist-packages/statsmodels/datasets/randhie/randhie.csv"

table = np.genfromtxt(sys.argv[1] if len(sys.argv) > 1 else SOURCE, delimiter=",", names=True)
features = [name for name in table.dtype.names if name != "mdvis"]
target = os.path.join(os.path.dirname(os.path.abspath(__file__)), "health.h5")
with h5py.File(target, "w") as out:
    columns = {
        "x": np.stack([table[name] for name in features], axis=1).astype(np.float32),
        "visits": table["mdvis"].astype(np.uint8),
        "log_visits": np.log1p(table["mdvis"]).astype(np.float32),
    }
    for name, array in columns.items():
        out.create_dataset(name, data=array, chunks=array.shape, compression=9, shuffle=True)
    out["x"].attrs["columns"] = ", ".join(features)
    out.attrs["title"] = "Visits to a physician and health insurance: 20190 person-years"
    out.attrs["source"] = (
        "RAND Health Insurance Experiment, as in A. C. Cameron and P. K. Trivedi (2005), "
        "Microeconometrics, and in statsmodels (statsmodels/datasets/randhie/randhie.csv, Debian package "
        "python3-statsmodels 0.13.5)"
    )
    out.attrs["license"] = "public domain"
    out.attrs["changes"] = "columns separated, logarithm of the visits added by data/health.py"
