# SPDX-License-Identifier: GPL-3.0-or-later
"""Packed files of xarray, netCDF4 and h5py against what `nndmft export` makes of them.

Usage: xarray_packs.py NNDMFT FOLDER. Numbers are those that xarray decodes (to single precision,
which it uses for short integers) and, where netCDF4 masks too (valid_min, valid_max, valid_range,
_Unsigned), those of netCDF4 to the last bit. Exit code 77: a package is missing.
"""
import json
import os
import subprocess
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

TOOL, FOLDER = sys.argv[1:3]
X = np.array([0.0, 0.25, np.nan, 1.5, -2.0, 3.25])


def exported(path):
    out = subprocess.run([TOOL, "export", path, "--group", "mc", "--format", "json"],
                         capture_output=True, check=True).stdout
    return json.loads(out.decode("utf-8"))


def numbers(data, name):
    return np.array(data["data_vars"][name]["data"], dtype=float)


def with_xarray():
    """What xarray packs itself; x_se says the same of a float."""
    encodings = {
        "short": {"dtype": "i2", "scale_factor": 0.25, "add_offset": 1.0, "_FillValue": -999},
        "byte": {"dtype": "u1", "scale_factor": 0.25, "add_offset": -2.0, "_FillValue": 255},
        "long": {"dtype": "i8", "scale_factor": 0.25, "_FillValue": np.iinfo("i8").min},
        "single": {"dtype": "f4", "_FillValue": np.float32(1e20)},
        "double": {"dtype": "f8", "missing_value": -1e300, "_FillValue": -1e300},
        "offset": {"dtype": "f8", "add_offset": 7.5},
    }
    data = xr.Dataset({name: (("t",), X) for name in encodings},
                      {"t": ("t", np.arange(6) * 0.5)})
    encodings["t"] = {"dtype": "i2", "scale_factor": 0.5, "add_offset": -4.0}
    for engine in ("h5netcdf", "netcdf4"):
        path = os.path.join(FOLDER, engine + ".h5")
        data.to_netcdf(path, engine=engine, encoding=encodings)
        got, want = exported(path), xr.open_dataset(path, engine=engine)
        for name in want.data_vars:
            np.testing.assert_allclose(numbers(got, name), want[name].values, rtol=2e-7, err_msg=name)
            np.testing.assert_allclose(numbers(got, name), X, rtol=2e-7, err_msg=name)
        np.testing.assert_array_equal(got["coords"]["t"]["data"], np.arange(6) * 0.5)
        assert "scale_factor" not in got["data_vars"]["short"]["attrs"]


def with_netcdf4():
    """What netCDF4 masks, stored as it is."""
    path = os.path.join(FOLDER, "masked.h5")
    cases = {
        "missing": ("i4", {"missing_value": np.array([2, 5], "i4")}),
        "both": ("i4", {"_FillValue": np.int32(1), "missing_value": np.int32(4)}),
        "least": ("i4", {"valid_min": np.int32(2)}),
        "most": ("f8", {"valid_max": 3.5}),
        "range": ("i2", {"valid_range": np.array([1, 4], "i2"), "scale_factor": 0.1,
                         "add_offset": 5.0}),
        "unsigned": ("i1", {"_Unsigned": "true", "scale_factor": 0.5}),
        "as_single": ("f4", {"missing_value": np.float32(0.1)}),
    }
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("t", 6)
        for name, (kind, attributes) in cases.items():
            fill = attributes.pop("_FillValue", None)
            variable = file.createVariable(name, kind, ("t",), fill_value=fill)
            variable.set_auto_maskandscale(False)
            variable[:] = [0, 1, 2, 3, 4, 5] if name != "unsigned" else [0, 1, -1, -2, 127, -128]
            if name == "as_single":
                variable[3] = np.float32(0.1)
            variable.setncatts(attributes)
    got = exported(path)
    with netCDF4.Dataset(path) as file:
        for name in cases:
            want = np.ma.filled(file[name][:].astype("f8"), np.nan)
            np.testing.assert_array_equal(numbers(got, name), want, err_msg=name)
            masked = int(np.isnan(want).sum())
            assert masked == {"missing": 2, "both": 2, "least": 2, "most": 2, "range": 2,
                              "unsigned": 0, "as_single": 1}[name], (name, want)


def bounds_of_meant_numbers():
    """Bounds that are no integers speak of the numbers that are meant (NUG)."""
    path = os.path.join(FOLDER, "meant.h5")
    with h5py.File(path, "w") as file:
        file["x"] = np.arange(6, dtype="i2")
        file["x"].attrs.update(scale_factor=0.5, valid_range=np.array([0.4, 1.6]))
    np.testing.assert_array_equal(numbers(exported(path), "x"),
                                  [np.nan, 0.5, 1.0, 1.5, np.nan, np.nan])


def latin1_attribute():
    """Bytes that are no UTF-8 are spelled out, so that JSON is UTF-8 always."""
    path = os.path.join(FOLDER, "latin1.h5")
    with h5py.File(path, "w") as file:
        file["x"] = X
        file["x"].attrs["author"] = np.bytes_("Müller".encode("latin-1"))
        file["x"].attrs["city"] = "Köln"
    attributes = exported(path)["data_vars"]["x"]["attrs"]
    assert attributes == {"author": "M\\xFCller", "city": "Köln"}, attributes


with_xarray()
with_netcdf4()
bounds_of_meant_numbers()
latin1_attribute()
