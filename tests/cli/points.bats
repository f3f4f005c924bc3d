#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Sweep points that cannot be solved, and numbers that are none.

load helper

setup() {
    enter
    # Where weights decay by 0.01 a step their NTK is smaller than double precision holds.
    case_file <<'YAML'
model: deep-linear
params: {steps: 80, record: [80], spectrum: false}
sweep: {weight_decay: [0, 0.99]}
simulate: {size: 10, seeds: 4}
compare: {rtol: 2, vars: [test_risk]}
YAML
}

@test "a point that cannot be solved is named and left out of the comparison" {
    works run case.yaml
    says err "theory: weight_decay=0.99: the NTK at step 80 is smaller than double precision holds"
    works export case.h5 --var status
    [ "$(sed -n 3p out)" = 0.98999999999999999,-7 ]
    works export case.h5 --var test_risk
    [ "$(grep -c '^0.98999999999999999,.*,$' out)" -eq "$(grep -c '^0.98999999999999999,' out)" ]
    works export case.h5 --group compare --var test_risk_z
    [ -n "$(sed -n 2p out | cut -d, -f3)" ]
    [ -z "$(tail -n 1 out | cut -d, -f3)" ]
}

@test "only a sweep without any answer fails" {
    refused 3 "no point can be solved" "weight_decay=0.999: the NTK at step 80" -- \
        solve case.yaml --set 'sweep.weight_decay=[0.999, 0.99]'
    refused 3 "the NTK at step 80" -- \
        solve case.yaml --set sweep=null --set params.weight_decay=0.99
    [ ! -e case.h5 ]
}

@test "parameters that do not go together name their point of the sweep" {
    bad_case case.yaml:2: params.sigma "3 (depth + 1)" "at depth=2, nu=0.5" <<'YAML'
model: deep-linear
params: {sigma: [1, 1]}
sweep: {depth: [1, 2], nu: [0.5]}
YAML
}

@test "steps of a flow that are too few are refused with the number that would do" {
    refused 3 "6 steps of rk4 leave an error of" "above 0.002; 8 would do" -- \
        solve case.yaml --set sweep=null --set params.record=null --set params.integrator=flow \
        --set params.steps=6
    works solve case.yaml --set sweep=null --set params.record=null --set params.integrator=flow \
        --set params.steps=8
}

@test "descent beyond its edge says at which step it diverges" {
    case_file <<'YAML'
model: alignment
params: {training: gd, alpha: 0.5, snr: 2, lr: 0.5, steps: 1000, record: [1000]}
YAML
    tool solve case.yaml
    [ "$status" -eq 3 ] || explain "exit code $status"
    says err "theory: diverged at step 21"
    works export case.h5 --var gen_error
    [ "$(tail -n 1 out)" = 1000, ]
}

@test "a long sweep of theory ends when it is told to" {
    local values worker code=0
    values=$(seq -s, 0.1 0.01 4)
    { echo "model: alignment"; echo "sweep: {alpha: [$values], snr: [$values]}"; } | case_file
    "$NNDMFT" solve case.yaml -q 2>err &
    worker=$!
    sleep 0.5
    kill -TERM "$worker"
    wait "$worker" || code=$?
    [ "$code" -eq 130 ] || explain "exit code $code"
    [ "$(wc -l <err)" -eq 1 ]
    says err interrupted
    [ ! -e case.h5 ]
}

@test "one long eigenvalue problem ends too" {
    local worker code=0
    "$NNDMFT" solve case.yaml --set sweep=null --set params.training=fresh \
        --set params.steps=900 --set params.record=null --set params.lr=0.001 -q 2>err &
    worker=$!
    sleep 1
    kill -INT "$worker"
    wait "$worker" || code=$?
    [ "$code" -eq 130 ] || explain "exit code $code"
    [ "$(cat err)" = "nndmft: interrupted" ] || says err interrupted
}
