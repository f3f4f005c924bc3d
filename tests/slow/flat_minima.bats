#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The experiments on flat minima (flat-minima.md#s5), run by run: what descent finds is
# never flatter than S_min and not beyond 2/lr, nothing converges beyond 2/S_min, what diverges is counted.

load ../cli/helper

CASES="$BATS_TEST_DIRNAME/../../data/cases"

setup() {
    enter
    need_python xarray h5netcdf
}

# check_runs CASE LOCKED: LOCKED is the least number of runs within 1 % below 2/lr.
check_runs() {
    LIMIT=600 works run "$CASES/$1.yaml" -o "$1.h5"
    says out "final_sharpness" "agrees"
    "$PYTHON" - "$1.h5" "$2" <<'PYTHON'
import sys

import xarray

path, locked = sys.argv[1], int(sys.argv[2])
theory = xarray.open_dataset(path, group="theory", engine="h5netcdf")
mc = xarray.open_dataset(path, group="mc", engine="h5netcdf")
seeds = xarray.open_dataset(path, group="mc/seeds", engine="h5netcdf")
converged = seeds.converged > 0
sharpness = seeds.minimum_sharpness.where(converged)
stability = sharpness * seeds.lr
runs = int(converged.sum())
print(path, "converged", runs, "diverged", int(seeds.diverged.sum()), "of", converged.size)
print("least S/S_min - 1:", float((sharpness / theory.sharpness_min - 1).min()))
print("largest lr S:", float(stability.max()))
assert runs > 300
assert bool((theory.sharpness_bound <= theory.sharpness_min * (1 + 1e-12)).all())
assert not bool((sharpness < theory.sharpness_min * (1 - 1e-6)).any())
assert not bool((converged & (seeds.lr > theory.lr_max)).any())
# A minimum just beyond the limit grows its instability from rounding, too slowly to be seen.
assert int((stability > 2).sum()) <= runs // 200 and not bool((stability > 2.02).any())
assert int((stability > 1.98).sum()) >= locked
assert abs(float((mc.diverged_fraction - seeds.diverged.mean("seed")).max())) < 1e-12
some = (mc.diverged_fraction > 0) & (mc.diverged_fraction < 1) & (mc.converged > 0)
assert bool((mc.final_sharpness * mc.lr < 2).where(some, True).all())
assert float(abs(theory.duality_gap).max()) < 1e-9
PYTHON
}

@test "sharpness against the initialisation scale at five learning rates" {
    check_runs flat-scale 40
}

@test "fewer samples than inputs" {
    check_runs flat-underdetermined 40
}

@test "the gap to the test loss grows with the sharpness" {
    LIMIT=600 works run "$CASES/flat-gap.yaml" -o gap.h5
    works plot gap.h5 --view scatter -o gap.svg
    "$PYTHON" - gap.h5 "$(sed -n 's/.*slope \([^<]*\) runs.*/\1/p' gap.svg | head -n 1)" <<'PYTHON'
import re
import sys

import numpy
import xarray

seeds = xarray.open_dataset(sys.argv[1], group="mc/seeds", engine="h5netcdf").isel(t=-1)
slope, error, runs = map(float, re.split("±|,", sys.argv[2]))
x, y = (numpy.log(seeds[v].where(seeds.gap > 0).values.ravel()) for v in ("sharpness", "gap"))
known = numpy.isfinite(x + y)
assert runs == known.sum() and runs > 600
assert abs(numpy.polyfit(x[known], y[known], 1)[0] - slope) < 0.51e-2 * slope
assert slope > 5 * error > 0
PYTHON
}

@test "gelu networks sharpen with the start up to the limit of stability" {
    LIMIT=7200 works run "$CASES/flat-gelu.yaml" -o gelu.h5
    "$PYTHON" - gelu.h5 <<'PYTHON'
import sys

import xarray

seeds = xarray.open_dataset(sys.argv[1], group="mc/seeds", engine="h5netcdf")
last = (seeds.last_sharpness * seeds.lr / 2).median("seed")
print(last.values)
assert bool((last < 1.1).all())
assert bool((last.sel(lr=0.07, init_scale=slice(0.5, 0.7)) > 0.85).all())
# A network whose units have all fallen silent is no minimum.
assert not bool((seeds.converged > 0).where(seeds.last_sharpness < 1e-6, False).any())
small = last.sel(lr=0.005)
assert float(small.isel(init_scale=-1)) > 3 * float(small.isel(init_scale=0))
assert bool((abs(seeds.sharpness_k.isel(k=0) - seeds.sharpness) <= 1e-12 * seeds.sharpness).where(
    seeds.sharpness.notnull(), True).all())
PYTHON
}

@test "residual networks" {
    check_runs flat-residual 40
}

@test "distance against the learning rate at four depths" {
    check_runs flat-threshold 0
}
