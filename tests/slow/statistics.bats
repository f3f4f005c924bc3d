#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Theory against ensembles of real networks, extrapolated to infinite size.

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    cat >options.yaml <<'YAML'
model: deep-linear
params: {depth: 2, alpha: 2, nu: 0.7, gamma0: 3, sigma: [0.5, 0.7, 0.6], noise: 0.3, steps: 20}
simulate: {size: [200, 400], seeds: 400}
YAML
}

agrees() {
    "$NNDMFT" run "$@" -q -o out.h5
}

@test "outliers and NTK along gradient flow" {
    cat >flow.yaml <<'YAML'
model: deep-linear
params: {depth: 1, alpha: 2, nu: 1, gamma0: 3, sigma: 0.6, noise: 0.3, integrator: flow, time: 4,
  steps: 40, record: [10, 20, 30]}
simulate: {size: [300, 500], seeds: 80}
YAML
    agrees flow.yaml
}

@test "online training" {
    agrees options.yaml --set params.training=online
}

@test "fresh batches" {
    agrees options.yaml --set params.training=fresh --set simulate.seeds=1600
}

@test "centred networks" {
    agrees options.yaml --set params.center=true
}

@test "momentum and weight decay" {
    agrees options.yaml --set params.momentum=0.5 --set params.weight_decay=0.02 --set params.lr=0.05
}

@test "a schedule of learning rates" {
    agrees options.yaml --set 'params.schedule=[0.2, 0.5, 1, 2]'
}

@test "fewer samples than dimensions" {
    agrees options.yaml --set params.alpha=0.5
}

@test "NTK parameterization, wider than the input" {
    agrees options.yaml --set params.parameterization=ntk --set params.nu=2
}

@test "two-time order parameters" {
    agrees options.yaml --set params.two_time=true --set params.record_every=5 \
        --set simulate.seeds=1600
}

@test "a wrong theory is caught: 10 % in gamma0" {
    "$NNDMFT" solve options.yaml --set params.gamma0=3.3 -q -o theory.h5
    "$NNDMFT" simulate options.yaml -q -o mc.h5
    run "$NNDMFT" validate theory.h5 mc.h5
    [ "$status" -eq 4 ]
    [[ "$output" == *"params.gamma0"* ]]
}
