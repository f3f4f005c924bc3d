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
