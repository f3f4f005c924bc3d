# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes a user's own simulation (loss and loss_se over gamma0 and t) in several ways.

Usage: xarray_writes_mine.py FOLDER. Files: h5netcdf.h5 and netcdf4.h5 (arrays at the root),
group.h5 (arrays in /mc, dimensions in the root), scales.h5 (h5py with dimension scales), plain.h5
(h5py without). loss[i, j] = i + j / 8, loss_se = 0.5; loss[0, 1] is missing.
Exit code 77: xarray or an engine is not installed.
"""
import os
import sys

try:
    import h5netcdf  # noqa: F401
    import h5py
    import netCDF4
    import numpy as np
    import xarray as xr
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

GAMMA = np.array([0.5, 1.0, 2.0])
T = np.arange(4)
LABELS = ["cold", "größe"]
LOSS = np.arange(3)[:, None] + T[None, :] / 8.0
LOSS[0, 1] = np.nan
ERROR = np.full(LOSS.shape, 0.5)


def with_xarray(path, engine):
    dims = ("gamma0", "t")
    data = xr.Dataset(
        {
            "loss": (dims, LOSS, {"units": "1", "long_name": "test loss"}),
            "loss_se": (dims, ERROR.astype("f4")),
            "by_label": (("label", "bare"), np.ones((2, 5))),
            "steps": ((), 7),
            "flag": (("t",), T > 1),
            "remark": (("t",), np.array(["a", "b", "c", "d"], dtype=object)),
        },
        coords={"gamma0": GAMMA, "t": T, "label": LABELS},
        attrs={"title": "mine", "width": 64, "note": ""},
    )
    data.to_netcdf(path, engine=engine)


def with_netcdf4_group(path):
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("gamma0", 3)
        file.createDimension("t", None)
        file.createVariable("gamma0", "f8", ("gamma0",))[:] = GAMMA
        file.createVariable("t", "i4", ("t",))[:] = T
        mc = file.createGroup("mc")
        loss = mc.createVariable("loss", "f8", ("gamma0", "t"), fill_value=-999.0, zlib=True)
        loss[:] = np.where(np.isnan(LOSS), -999.0, LOSS)
        mc.createVariable("loss_se", "f4", ("gamma0", "t"))[:] = ERROR


def with_h5py(path, scales):
    with h5py.File(path, "w") as file:
        loss = file.create_dataset("loss", data=LOSS)
        loss.attrs["units"] = "1"
        error = file.create_dataset("loss_se", data=ERROR.astype("f4"), compression="gzip")
        file["count"] = 12
        file["names"] = ["x", "y"]
        file["pairs"] = np.zeros(3, dtype=[("a", "f8"), ("b", "i4")])
        file["square"] = np.arange(9, dtype="i2").reshape(3, 3)
        if scales:
            file["gamma0"] = GAMMA
            file["t"] = T.astype("u2")
            for name, axis in (("gamma0", 0), ("t", 1)):
                file[name].make_scale()
                for dataset in (loss, error):
                    dataset.dims[axis].attach_scale(file[name])


def main():
    folder = sys.argv[1]
    for engine in ("h5netcdf", "netcdf4"):
        with_xarray(os.path.join(folder, engine + ".h5"), engine)
    with_netcdf4_group(os.path.join(folder, "group.h5"))
    with_h5py(os.path.join(folder, "scales.h5"), True)
    with_h5py(os.path.join(folder, "plain.h5"), False)


main()
