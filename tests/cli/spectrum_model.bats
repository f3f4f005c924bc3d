#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The model `spectrum` from the command line: a run, matrices in files, bad input.

load helper

setup() {
    enter
}

spiked_case() {
    case_file <<'YAML'
model: spectrum
params: {kind: spiked, ratio: 0.5, spikes: [3, 2], width: 400}
simulate: {seeds: 48}
YAML
}

# A matrix of 30 x 20 with entries of variance 1/30 and a spike of 6, as HDF5 and as a table.
write_matrices() {
    "$PYTHON" - <<'PY'
import h5netcdf.legacyapi as h5
import numpy as np

x = np.random.default_rng(1).standard_normal((30, 20)) / 30**0.5
x[0, 0] += 6
with h5.Dataset("w.h5", "w") as f:
    f.createDimension("row", 30)
    f.createDimension("column", 20)
    f.createVariable("w", "f8", ("row", "column"))[:] = x
np.savetxt("w.csv", x, delimiter=",", header=",".join(f"w{i}" for i in range(20)), comments="")
np.savetxt("s.txt", np.linalg.svd(x, compute_uv=False)[:1])
PY
}

matrix_case() {
    case_file matrix.yaml <<YAML
model: spectrum
params: {kind: matrix, file: $1, dataset: w, sigma2: 1}
YAML
}

@test "spiked matrices agree with the theory" {
    spiked_case
    works run case.yaml -o out.h5
    for variable in cdf stieltjes_re stieltjes_im outlier outlier_overlap; do
        grep -q "^$variable .* agrees" out || explain "$variable"
    done
    works plot out.h5 -o out.svg
    grep -q 'singular value' out.svg
}

@test "a wrong spike is found out" {
    spiked_case
    works solve case.yaml --set 'params.spikes=[3, 1.9]' --set simulate=null -o theory.h5
    works simulate case.yaml -o mc.h5
    tool validate theory.h5 mc.h5
    [ "$status" -eq 4 ] || explain "exit code $status"
    grep -q '^outlier .* disagrees' out
}

@test "a matrix of a file is analysed, whatever its format" {
    write_matrices
    for file in w.h5 w.csv; do
        matrix_case "$file"
        works solve matrix.yaml -o "$file.out.h5"
        works export "$file.out.h5" --var outliers --var stable_rank --var bulk_sigma
        tail -n 1 out | grep -q '^1,1\.' || explain "$file"
        works export "$file.out.h5" --var singular
        "$PYTHON" -c "
import numpy as np
want, got = float(open('s.txt').read()), float(open('out').read().split()[1].split(',')[1])
assert abs(got / want - 1) < 1e-9, (got, want)"
    done
}

@test "what is not there, or makes no sense, is one line" {
    write_matrices
    matrix_case w.h5
    tool solve matrix.yaml --set params.dataset=v
    one_line_error 2 'params.file' 'has no array "v"'
    tool solve matrix.yaml --set params.file=none.h5
    one_line_error 5 'params.file' 'none.h5'
    tool solve matrix.yaml --set params.dataset=null
    one_line_error 2 'params.dataset' 'missing'
    tool simulate matrix.yaml --set simulate.seeds=4
    one_line_error 2 'nothing to simulate'
    spiked_case
    tool run case.yaml --set simulate.size=100
    one_line_error 2 'simulate.size' 'has no size'
    tool run case.yaml --set params.kind=mp
    one_line_error 2 'params.spikes' 'kind: spiked'
}
