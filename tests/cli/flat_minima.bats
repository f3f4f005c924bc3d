#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Flat minima from the command line: bounds alone, a run, a data file, bad input.

load helper

setup() {
    enter
}

flat_case() {
    case_file <<'YAML'
model: flat-minima
params:
  depth: 4
  data: {generate: regression, samples: 30, dim: 4, noise: 1}
  lr: 0.02
  steps: 3000
  record: [0, 100]
sweep: {init_scale: [0.3, 0.5]}
simulate: {seeds: 32}
compare: {rtol: 0.1}
YAML
}

@test "bounds alone, without steps" {
    flat_case
    works solve case.yaml --set params.steps=0 --set params.record=null --set simulate=null -o b.h5
    works export b.h5 --var sharpness_bound --var sharpness_min --var sharpness_flow --var lr_max
    head -n 1 out | grep -q '^init_scale,sharpness_bound,sharpness_min,sharpness_flow,lr_max$'
    tail -n 1 out | awk -F, '{exit !($2 <= $3 && $3 <= $4 && ($5 * $3 - 2)^2 < 1e-20)}'
}

@test "a run agrees with its bounds, and has its pictures" {
    flat_case
    works run case.yaml -o r.h5
    grep -q '^final_sharpness .* agrees' out
    grep -q '^final_stability .* agrees' out
    works plot r.h5 -o minima.svg
    works plot r.h5 -o layers.svg --view layers
    works plot r.h5 -o sharpness.svg --view sharpness
    works export r.h5 --group mc --var layer_alignment
}

@test "data from a table" {
    printf 'x0,x1,y\n1,0,1\n0,2,1\n1,1,1.5\n' >data.csv
    case_file <<'YAML'
model: flat-minima
params: {depth: 2, steps: 200, data: {file: data.csv, inputs: x, targets: y}}
simulate: {seeds: 2}
YAML
    works run case.yaml -o f.h5
    mv data.csv DATA.CSV
    works run case.yaml -o g.h5 --set params.data.file=DATA.CSV
    works export f.h5 --var sharpness_min
    mv out f.csv
    works export g.h5 --var sharpness_min
    cmp out f.csv
}

@test "bad input is refused in one line that names its key" {
    flat_case
    refused 2 simulate.size -- run case.yaml --set simulate.size=100
    refused 2 params.data.samples -- run case.yaml --set params.data.samples=0
    refused 2 params.depth -- run case.yaml --set params.depth=0
    refused 2 params.init_scale -- run case.yaml --set sweep=null --set params.init_scale=-1
    refused 2 params.lr -- run case.yaml --set params.lr=.nan
    refused 2 params.data.targets -- run case.yaml --set 'params.data.targets=[1]'
    refused 2 params.readout -- run case.yaml --set 'params.readout=[1,0,0,0]'
    refused 2 params.width -- run case.yaml --set params.architecture=residual --set params.width=7
    refused 2 params.activation -- run case.yaml --set params.architecture=residual \
        --set params.activation=gelu
    refused 2 params.data "nothing to learn" -- run case.yaml \
        --set 'params.data={covariance: [[1, 0], [0, 0]], minimizer: [0, 1]}'
    refused 2 "memory" -- run case.yaml --set params.width=100000 --set params.data.dim=100000
}

@test "matrices of one's own, and files that are none" {
    need_python h5py numpy
    "$PYTHON" - <<'PYTHON'
import h5py
import numpy

shapes = {"W1": (4, 4), "W2": (4, 4), "W3": (4, 4), "W4": (1, 4)}
whole = {name: 0.5 * numpy.cos(numpy.arange(a * b).reshape(a, b)) for name, (a, b) in shapes.items()}
numpy.savez("w.npz", **whole)
with h5py.File("w.h5", "w") as file:
    for name, matrix in whole.items():
        file[name] = matrix
numpy.savez("few.npz", W1=whole["W1"])
numpy.savez("wide.npz", **{**whole, "W4": numpy.ones((2, 4))})
broken = whole["W2"].copy()
broken[1, 2] = numpy.nan
numpy.savez("nan.npz", **{**whole, "W2": broken})
PYTHON
    flat_case
    for file in w.npz w.h5; do
        works run case.yaml --set sweep=null --set params.weights=$file -o $file.r.h5
        grep -q '^weights_sharpness .* agrees' out
        works export $file.r.h5 --var weights_sharpness --var weights_least --var flattest_distance
        mv out $file.csv
    done
    cmp w.npz.csv w.h5.csv
    echo no >junk.h5
    refused 2 "params.weights: ./few.npz: 1 arrays; allowed: 4" -- solve case.yaml --set sweep=null \
        --set params.weights=few.npz
    refused 2 "params.weights: ./wide.npz: array 4 (W4)" -- solve case.yaml --set sweep=null \
        --set params.weights=wide.npz
    refused 2 "params.weights: ./nan.npz" "row 1, column 2" -- solve case.yaml --set sweep=null \
        --set params.weights=nan.npz
    refused 5 "params.weights: ./junk.h5" -- solve case.yaml --set sweep=null --set params.weights=junk.h5
    refused 5 "params.weights: ./none.npz" -- solve case.yaml --set sweep=null --set params.weights=none.npz
    refused 2 "params.weights" "one file" -- solve case.yaml --set sweep=null \
        --set 'params.weights=[[1, 2]]'
    refused 2 "init_scale" -- solve case.yaml --set params.weights=w.npz
    refused 2 "params.eigenvalues" -- solve case.yaml --set params.eigenvalues=1000
    refused 2 "params.data.test_targets" -- solve case.yaml --set sweep=null \
        --set 'params.data={inputs: [[1], [2]], targets: [1, 2], test_inputs: [[3]]}'
}
