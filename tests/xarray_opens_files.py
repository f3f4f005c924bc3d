# SPDX-License-Identifier: GPL-3.0-or-later
"""Opens every group of a result file with xarray, both engines, and prints what it sees.

Usage: xarray_opens_files.py FILE.h5. Exit code 77: xarray or an engine is not installed.
"""
import sys

try:
    import h5py
    import netCDF4  # noqa: F401
    import h5netcdf  # noqa: F401
    import numpy as np
    import xarray as xr
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)


def groups_with_arrays(path):
    """Names of the groups that hold datasets, and per group the arrays in order of creation."""
    found = {}
    with h5py.File(path, "r") as file:
        def visit(name, item):
            if isinstance(item, h5py.Group):
                found[name] = [k for k, v in item.items() if isinstance(v, h5py.Dataset)]
        file.visititems(visit)
    return {name: datasets for name, datasets in found.items() if datasets}


def check(path, group, datasets, engine):
    with xr.open_dataset(path, group=group, engine=engine) as dataset:
        dataset.load()
        print(f"/{group} [{engine}]: {dict(dataset.sizes)}, {len(dataset.data_vars)} variables")
        assert set(dataset.variables) == set(datasets), (group, engine)
        for name in dataset.dims:
            assert not name.startswith("phony"), name
            assert name in dataset.coords, f"{name} has no coordinates"
            assert dataset[name].dims == (name,)
            assert dataset[name].dtype.kind in "ifUO", dataset[name].dtype
        for name, array in dataset.data_vars.items():
            assert array.dtype == np.float64, (name, array.dtype)
            assert len(set(array.dims)) == array.ndim, (name, array.dims)
            error = array.attrs.get("standard_error")
            assert (error is not None) == (name + "_se" in dataset), name
            for key, value in array.attrs.items():
                assert isinstance(value, (str, float)), (name, key, value)
                assert not isinstance(value, str) or "\0" not in value, (name, key, value)
            print(f"  {name}{array.dims} {array.attrs}")
        return dataset


def main():
    path = sys.argv[1]
    groups = groups_with_arrays(path)
    assert groups, "no groups with arrays"
    for group, datasets in groups.items():
        first, second = (check(path, group, datasets, e) for e in ("h5netcdf", "netcdf4"))
        xr.testing.assert_identical(first, second)
    with h5py.File(path, "r") as file:
        for key in ("Conventions", "nndmft_version", "git_describe", "created", "rng"):
            print(f"{key}: {file.attrs[key]!r}")
        assert int(file.attrs["file_schema_version"]) == 1


main()
