#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# What the tool writes opens in xarray as it is, and what xarray writes can be compared.

load helper

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    case_file <<'YAML'
model: deep-linear
params: {depth: 2, steps: 4}
sweep: {gamma0: [0.5, 1, 2], parameterization: [mup, ntk]}
simulate: {size: [16, 24], seeds: 8, storage: trajectories}
compare: {rtol: 2}
YAML
    tool run case.yaml
}

setup() {
    enter
    cp "$BATS_FILE_TMPDIR"/case.h5 .
}

# Runs a Python program of the tests; skips where xarray or an engine is missing.
python_test() {
    local program=$1 code=0
    shift
    "$PYTHON" "$BATS_TEST_DIRNAME/../$program" "$@" >python.out 2>&1 || code=$?
    [ "$code" -ne 77 ] || skip "$(head -n 1 python.out)"
    [ "$code" -eq 0 ] || { cat python.out; return 1; }
}

@test "xarray opens every group, with both engines, with names and coordinates" {
    python_test xarray_opens_files.py case.h5
    local group
    for group in theory mc mc/seeds compare; do
        says python.out "/$group [h5netcdf]" "/$group [netcdf4]"
    done
}

@test "xarray reads the numbers that export writes" {
    need_python xarray h5netcdf netCDF4
    works export case.h5 --group mc --var overlap
    "$PYTHON" - <<'PYTHON'
import csv

import xarray

data = xarray.open_dataset("case.h5", group="mc", engine="h5netcdf")
assert data["overlap"].dims == ("gamma0", "parameterization", "size", "t")
with open("out") as file:
    rows = list(csv.DictReader(file))
assert len(rows) == data["overlap"].size
for row in rows:
    at = dict(gamma0=float(row["gamma0"]), parameterization=row["parameterization"],
              size=int(row["size"]), t=int(row["t"]))
    assert float(data["overlap"].sel(at)) == float(row["overlap"])
    assert float(data["overlap_se"].sel(at)) == float(row["overlap_se"])
PYTHON
}

@test "JSON opens with xarray's from_dict and equals the group" {
    need_python xarray h5netcdf netCDF4
    works export case.h5 --format json
    "$PYTHON" - <<'PYTHON'
import json

import numpy
import xarray

one = xarray.Dataset.from_dict(json.load(open("out")))
two = xarray.open_dataset("case.h5", group="theory", engine="h5netcdf")
assert set(one.data_vars) == set(two.data_vars)
for name in one.data_vars:
    assert one[name].dims == two[name].dims
    # JSON knows no infinity: it becomes null, as NaN does.
    want = numpy.where(numpy.isfinite(two[name].values), two[name].values, numpy.nan)
    numpy.testing.assert_array_equal(one[name].values.astype(float), want)
PYTHON
}

@test "files that xarray, netCDF4 and h5py wrote can be told about" {
    python_test xarray_writes_mine.py .
    local file
    for file in h5netcdf netcdf4 group scales plain; do
        works info $file.h5
        says out loss loss_se
        works export $file.h5 --group mc --var loss
        says out loss,loss_se
    done
}

@test "packed files are read as xarray and netCDF4 read them" {
    python_test xarray_packs.py "$NNDMFT" .
}

@test "a user's own simulation is compared with theory" {
    need_python xarray h5netcdf netCDF4
    tiny_case
    works solve case.yaml -o theory.h5 --set 'sweep.gamma0=[0.5, 1, 2]' \
        --set simulate=null --set compare=null
    local how
    for how in near far; do
        "$PYTHON" - $how <<'PYTHON'
import sys

import numpy
import xarray

theory = xarray.open_dataset("theory.h5", group="theory", engine="h5netcdf")
mine = theory[["overlap", "train_mse"]].copy(deep=True)
rng = numpy.random.default_rng(1)
for name in ("overlap", "train_mse"):
    error = 1e-4 * float(abs(theory[name]).max())
    mine[name] = theory[name] + error * rng.standard_normal(theory[name].shape)
    mine[name + "_se"] = xarray.full_like(theory[name], error)
if sys.argv[1] == "far":
    mine["overlap"] = mine["overlap"] * 1.3 + 0.05
for engine in ("h5netcdf", "netcdf4"):
    mine.to_netcdf(f"{sys.argv[1]}-{engine}.h5", engine=engine)
mine.to_netcdf(f"{sys.argv[1]}-group.h5", engine="h5netcdf", group="mc")
PYTHON
    done
    for how in h5netcdf netcdf4 group; do
        works validate theory.h5 near-$how.h5 --strict
        [ "$(wc -l <out)" -eq 4 ] || explain "not a head, two variables and the rule"
        [ "$(grep -c ' agrees$' out)" -eq 2 ]
        [ ! -s err ] || explain "something on stderr"
        tool validate theory.h5 far-$how.h5
        [ "$status" -eq 4 ] || explain "exit code $status"
        grep -q '^overlap .* disagrees$' out
        grep -q '^train_mse .* agrees$' out
    done
}

@test "h5dump reads every dataset, and dimension scales are attached" {
    command -v h5dump >/dev/null || skip "h5dump is not installed"
    h5dump case.h5 >dump
    says dump 'GROUP "theory"' 'GROUP "mc"' 'GROUP "seeds"' 'GROUP "compare"' \
        DIMENSION_LIST DIMENSION_SCALE
    h5dump -H -d /mc/overlap case.h5 >dump
    says dump '( 3, 2, 2, 5 )'
    tiny_case
    works solve case.yaml -o large.h5 --set params.steps=80 --set params.two_time=true
    h5dump -p -H -d /theory/g_two_time large.h5 >dump
    says dump DEFLATE SHUFFLE FLETCHER32
}

@test "variables and the file carry the attributes that the layout promises" {
    command -v h5dump >/dev/null || skip "h5dump is not installed"
    local key
    for key in Conventions model case nndmft_version git_describe created history rng \
        hdf5_version gsl_version file_schema_version; do
        h5dump -a /$key case.h5 >dump || { echo "no attribute $key"; return 1; }
    done
    for key in long_name units equation; do
        h5dump -a /theory/overlap/$key case.h5 >dump
    done
    h5dump -a /mc/overlap/standard_error case.h5 >dump
    says dump overlap_se
    for key in verdict max_abs_z off left_out; do
        h5dump -A -g /compare case.h5 | grep -q "ATTRIBUTE \"[a-z_]*$key\"" ||
            { echo "no attribute $key"; return 1; }
    done
    h5dump -a /created case.h5 | grep -Eq '"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z"'
}
