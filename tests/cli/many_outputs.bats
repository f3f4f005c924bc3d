#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The model many-outputs from the command line, on cases that take a fraction of a second.

load helper

setup() {
    enter
    case_file case.yaml <<'YAML'
model: many-outputs
params: {c: 0.5, d: 0.75, gamma: 1.5, steps: 2}
simulate: {size: [16, 24], seeds: 6}
YAML
}

# header FILE VAR...: the first line of the table that holds these variables of the simulation.
header() {
    works export "$1" --group mc $(printf -- '--var %s ' "${@:2}")
    head -n 1 out
}

@test "times, spikes and modes are dimensions where there are several" {
    works simulate case.yaml
    [ "$(header case.h5 risk)" = size,risk,risk_se ] || explain header
    [ "$(header case.h5 stieltjes_re)" = size,point,stieltjes_re,stieltjes_re_se ] || explain header
    [ "$(header case.h5 top_mean)" = width,top_mean,top_mean_se ] || explain header
    works simulate case.yaml -o more.h5 --set 'params.record=[0, 1]' --set 'params.spikes=[3, 4]' \
        --set 'params.z=[0.5, 1]'
    [ "$(header more.h5 risk)" = size,t,risk,risk_se ] || explain header
    [ "$(header more.h5 outlier)" = size,t,spike,outlier,outlier_se ] || explain header
    [ "$(header more.h5 cdf)" = size,t,z,cdf,cdf_se ] || explain header
    [ "$(header more.h5 top_sd)" = t,width,top_sd,top_sd_se ] || explain header
}

@test "networks as they are built have no size, and sweep over their width" {
    case_file raw.yaml <<'YAML'
model: many-outputs
params: {inputs: 8, outputs: 4, steps: 3, parameterization: ntk}
sweep: {width: [8, 16]}
simulate: {seeds: 6}
YAML
    works simulate raw.yaml
    [ "$(header raw.h5 top_mean)" = width,top_mean,top_mean_se ] || explain header
    works simulate raw.yaml --dry-run
    # f = V h/(gamma0 sqrt(N)), h = W x/sqrt(D): gamma = sqrt(8/8), eta gamma^2 = 0.1/8
    says out "output_divisor 1;" "matrix 0: init_std 0.3535533906, raw_lr 0.0125" "matrix 1 is frozen"
}

@test "more sizes extend an ensemble, whose largest eigenvalues stand at each" {
    works simulate case.yaml
    works simulate case.yaml --set 'simulate.size=[16, 24, 32]'
    works export case.h5 --group mc --var top_sd
    [ "$(wc -l <out)" -eq 4 ] || explain rows
}

@test "the closed form of modes meets networks that are started aligned" {
    case_file aligned.yaml <<'YAML'
model: many-outputs
params:
  variant: aligned
  c: 0.5
  d: 0.75
  gamma: 2
  integrator: flow
  time: 1.5
  target: [1, 0.5]
  z: [0.1, 0.3, 0.9]
simulate: {size: [16, 24], seeds: 4}
YAML
    works run aligned.yaml
    says out "mode_omega" "agrees"
    # Such networks are exact at any size: an error of 0.1 % in gamma shows at once.
    works simulate aligned.yaml --set params.gamma=2.002 -o wrong.h5
    tool validate aligned.h5 wrong.h5
    [ "$status" -eq 4 ] || explain "exit code $status, want 4"
}

@test "parameters that make no sense together are refused in one line" {
    refused 2 params.gamma0 parameterization -- solve case.yaml --set params.gamma0=1
    refused 2 params.d counts -- solve case.yaml --set params.inputs=4 --set params.outputs=4 --set params.c=null
    refused 2 params.width missing -- solve case.yaml --set params.inputs=4 --set params.outputs=4 \
        --set params.c=null --set params.d=null
    refused 2 params.lr_ratio fixed -- solve case.yaml --set params.lr_ratio=2
    refused 2 params.label_noise population -- solve case.yaml --set params.label_noise=1
    refused 2 params.start aligned -- solve case.yaml --set 'params.start={a: 1}'
    refused 2 params.target.weights 0.7 0.5 -- solve case.yaml --set 'params.target={values: [1, 2], weights: [0.3, 0.4]}'
    refused 2 params.width target.weights -- solve case.yaml --set params.variant=wide --set params.c=null \
        --set params.d=null --set params.outputs=4 --set params.inputs=6 --set params.parameterization=canonical \
        --set 'params.target={values: [1], weights: [0.1]}'
    refused 2 params.target "whole number" -- simulate case.yaml --set params.variant=aligned --set params.c=0.5 \
        --set params.d=0.5 --set 'simulate.size=[20]' --set 'params.target=[1, 2, 3]'
    refused 2 params.points "im > 0" -- solve case.yaml --set 'params.points=[[1, 0]]'
    refused 2 params.z.values ascending -- solve case.yaml --set 'params.z=[2, 1]'
    refused 2 params.c "no upper end" -- solve case.yaml --set params.c=1 --set params.steps=null \
        --set params.integrator=flow --set params.time=inf
    refused 2 params.spikes -- simulate case.yaml --set 'simulate.size=[2]' --set 'params.spikes=[1, 2]'
    refused 2 params.variant wide -- simulate case.yaml --set params.variant=wide
    refused 2 params.time finite -- simulate case.yaml --set params.variant=steps --set params.steps=null \
        --set params.integrator=flow --set params.time=inf
    refused 2 simulate.size missing -- simulate case.yaml --set simulate.size=null
}

@test "descent that diverges is counted, and said" {
    tool simulate case.yaml --set params.lr=5 --set params.steps=400
    [ "$status" -eq 3 ] || explain "exit code $status, want 3"
    works export case.h5 --group mc --var diverged_fraction
    [ "$(sed -n 2p out)" = 16,1 ] || explain "all diverge"
}
