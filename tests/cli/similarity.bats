#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# nndmft similarity: representations that other programs wrote.

load helper

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    need_python numpy h5py
    "$PYTHON" - <<'PYTHON'
import h5py
import numpy as np

rng = np.random.default_rng(1)
x = rng.normal(size=(60, 5))
y = x @ rng.normal(size=(5, 4)) + rng.normal(size=(60, 4))
np.save("x.npy", x)
np.save("y.npy", np.asfortranarray(y))
np.save("one.npy", x[:, 0])
np.save("column.npy", x[:, :1])
np.savez("both.npz", x=x, y=y.astype("f4"), label="a text")
np.savetxt("y.csv", y, delimiter=",")
with h5py.File("layers.h5", "w") as file:
    file.create_dataset("net0/h1", data=x)
    file.create_dataset("net1/h1", data=y)
PYTHON
}

setup() {
    enter
    cp "$BATS_FILE_TMPDIR"/* .
}

# The column `value` of a table in out.
values() {
    cut -d , -f 1,2 out
}

@test "a table of ten measures with errors and levels" {
    works similarity x.npy x.npy
    [ "$(wc -l <out)" -eq 11 ] || explain "not eleven lines"
    head -n 1 out | grep -q '^measure .* value +- se .* debiased +- se .* null +- sd .* p$'
    grep -q '^information_imbalance_ba .*+-.* 0.0099$' out || explain "no row of the last"
}

@test "CKA is that of numpy, from any kind of file" {
    works similarity x.npy y.npy --measure cka,procrustes --format csv
    "$PYTHON" - <<'PYTHON'
import csv

import numpy as np

x, y = (a - a.mean(axis=0) for a in (np.load("x.npy"), np.load("y.npy")))
norm = np.linalg.norm
want = {
    "cka": norm(x.T @ y) ** 2 / (norm(x.T @ x) * norm(y.T @ y)),
    "procrustes": norm(x.T @ y, "nuc") / (norm(x) * norm(y)),
}
got = {row["measure"]: float(row["value"]) for row in csv.DictReader(open("out"))}
assert got.keys() == want.keys() and all(abs(got[k] - want[k]) < 1e-12 for k in want), (got, want)
PYTHON
    values >want
    works similarity layers.h5 layers.h5 --dataset net0/h1 --dataset net1/h1 \
        --measure cka --measure procrustes --format csv
    values | diff want -
    works similarity both.npz both.npz --dataset x --dataset y --measure cka --format csv
    works similarity x.npy y.csv --measure cka --format csv
}

@test "a vector is one column" {
    works similarity one.npy y.npy --format csv
    values >want
    works similarity column.npy y.npy --format csv
    values | diff want -
    says err 'no cosine: 1 and 4 columns do not stand beside each other'
}

@test "the same numbers as table, CSV, JSON and HDF5" {
    works similarity x.npy y.npy -o similarity.h5
    says err 'wrote similarity.h5'
    works similarity x.npy y.npy --format csv -o similarity.csv
    works similarity x.npy y.npy --format json -o similarity.json
    "$PYTHON" - <<'PYTHON'
import csv
import json

import h5py

table = list(csv.DictReader(open("similarity.csv")))
data = json.load(open("similarity.json"))
with h5py.File("similarity.h5") as file:
    group = file["similarity"]
    assert group.attrs["points"] == 60 and group.attrs["columns_b"] == 4
    for name, array in data["data_vars"].items():
        assert array["data"] == list(group[name]) == [float(row[name]) for row in table], name
assert [row["measure"] for row in table] == data["coords"]["measure"]["data"]
PYTHON
}

@test "seeds change levels and errors alone, threads nothing" {
    works similarity x.npy y.npy --format csv --threads 1
    mv out first
    works similarity x.npy y.npy --format csv --threads 3
    cmp first out
    works similarity x.npy y.npy --format csv --seed 5
    values | diff <(cut -d , -f 1,2 first) -
    ! cmp -s first out || explain "the seed does not count"
}

@test "options reach the measures" {
    works similarity x.npy y.npy --measure knn_overlap --k 3 --format csv
    mv out three
    works similarity x.npy y.npy --measure knn_overlap --format csv
    ! diff <(values) <(cut -d , -f 1,2 three) >/dev/null || explain "--k does not count"
    works similarity x.npy y.npy --measure svcca --variance 0.3 --format csv
    values >few
    works similarity x.npy y.npy --measure svcca --format csv
    ! diff <(values) few >/dev/null || explain "--variance does not count"
    works similarity x.npy y.npy --measure cca --permutations 0 --resamples 0
    grep -q '^cca  *0.[0-9]*  *-  *-  *-$' out || explain "not without errors"
}

@test "what counts for nothing, and what says nothing, is noted" {
    "$PYTHON" - <<'PYTHON'
import numpy as np

x = np.random.default_rng(2).normal(size=(20, 12))
np.save("full.npy", x)
np.save("dead.npy", np.hstack([x, np.ones((20, 2))]))
PYTHON
    works similarity full.npy dead.npy --measure cka,cca,rsa_pearson --format csv
    says err 'dead.npy: data: 2 of 14 columns are constant' \
        'cca: with so few points up to 5 correlations are 1 whatever the columns'
    "$PYTHON" - <<'PYTHON'
import csv

assert all(abs(float(row["value"]) - 1) < 1e-12 for row in csv.DictReader(open("out")))
PYTHON
}

@test "bad files and bad choices are named in one line" {
    "$PYTHON" - <<'PYTHON'
import numpy as np

x = np.load("x.npy")
np.save("short.npy", x[:50])
np.save("three.npy", x[:3])
np.save("eight.npy", x[:8])
np.save("same.npy", np.ones((60, 3)))
np.save("empty.npy", np.zeros((0, 3)))
x[2, 1] = np.nan
np.save("nan.npy", x)
x[2, 1] = np.inf
np.save("infinite.npy", x)
np.save("cube.npy", np.zeros((60, 3, 2)))
PYTHON
    refused 2 "short.npy: data has 50 rows, x.npy: data 60; both have one for each point" -- \
        similarity x.npy short.npy
    refused 2 "nan.npy: data: row 2, column 1 is not a number" -- similarity x.npy nan.npy
    refused 2 "infinite.npy: data: row 2, column 1 is infinite" -- similarity infinite.npy x.npy
    refused 2 "same.npy: data is the same at all 60 points" -- similarity x.npy same.npy
    refused 2 "3 points; allowed: 4 to 90000" -- similarity three.npy three.npy
    refused 2 "knn_overlap: 10 neighbours of 8 points; allowed: 1 to 6" -- similarity eight.npy eight.npy
    works similarity eight.npy eight.npy --k 3
    refused 2 "empty.npy: data is empty" -- similarity empty.npy x.npy
    refused 2 "cube.npy: data has 3 dimensions" -- similarity cube.npy x.npy
    refused 5 "none.npy: cannot be opened" -- similarity none.npy x.npy
    refused 2 "both.npz: holds several; choose one by --dataset: x, y" -- similarity both.npz x.npy
    refused 2 "both.npz: has no matrix \"xx\"; did you mean x?" -- similarity both.npz both.npz \
        --dataset xx
    refused 2 "both.npz: label" -- similarity both.npz both.npz --dataset label
    refused 2 "--dataset: 3 names; allowed: one, or one for each" -- similarity both.npz both.npz \
        --dataset x --dataset y --dataset x
    refused 2 "cosine: A has 5 columns, B 4" -- similarity x.npy y.npy --measure cosine
    refused 2 "--measure: ckaa is not known; did you mean cka?" -- similarity x.npy y.npy --measure ckaa
    refused 2 "--measure: \",\" names no measure" -- similarity x.npy y.npy --measure ,
    refused 2 "--k: 0 is not an integer" -- similarity x.npy y.npy --k 0
    refused 2 "--variance: 1.5 is not a number > 0 and <= 1" -- similarity x.npy y.npy --variance 1.5
    refused 2 "--format: xml is not one of: table csv json" -- similarity x.npy y.npy --format xml
    refused 2 "1 resample; allowed: 0, 2 or more" -- similarity x.npy y.npy --resamples 1
    refused 2 "A B is missing" -- similarity x.npy
    refused 2 "similarity needs" "of memory, the limit is 0.0001 GB" -- similarity x.npy y.npy --memory 0.0001
    refused 2 "y.npy: is the input, not to be replaced" -- similarity x.npy y.npy -o y.npy
    refused 5 "nowhere/: No such file or directory" -- similarity x.npy y.npy -o nowhere/s.h5
}
