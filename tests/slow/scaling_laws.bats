#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Scaling laws: theory against real random-feature students.

setup() {
    cases="$BATS_TEST_DIRNAME/../../data/cases"
    cd "$BATS_TEST_TMPDIR" || return 1
}

# agrees SETTINGS...: nothing disagrees with students of three sizes, and losses are decided.
agrees() {
    local set=() setting
    for setting in "$@"; do set+=(--set "$setting"); done
    "$NNDMFT" run "$cases/scaling-laws.yaml" -q -o out.h5 --force "${set[@]}" >table || { cat table; return 1; }
    cat table
    grep -q '^test_mse .* agrees$' table
}

DISCRETE=(params.time=null)

@test "flow: losses, pairs of students, bias and variances" {
    agrees
    [ "$(grep -c ' agrees$' table)" -ge 9 ]
}

@test "flow: more samples than parameters, more features than both" {
    agrees params.width=30 params.samples=15
    agrees params.width=120 params.samples=30
    agrees params.width=20 params.samples=inf
    agrees params.width=inf params.samples=30
}

@test "flow: two levels, each many times" {
    agrees 'params.features={eigenvalues: [1, 0.1], multiplicity: [10, 40]}' \
        'params.target={weights2: [0.1, 0.5]}'
}

@test "gradient descent" {
    agrees "${DISCRETE[@]}" params.training=gd params.lr=0.5 params.steps=2000
}

@test "gradient descent with momentum" {
    agrees "${DISCRETE[@]}" params.training=gd params.lr=0.3 params.momentum=0.8 params.steps=2000
}

@test "one-pass SGD, one sample a step" {
    agrees "${DISCRETE[@]}" params.training=one-pass params.samples=null params.batch=1 params.lr=0.1 \
        params.steps=100 params.batch_terms=limit 'simulate.seeds=[800, 400, 200]'
}

@test "one-pass SGD, ten samples a step" {
    agrees "${DISCRETE[@]}" params.training=one-pass params.samples=null params.batch=10 params.lr=0.4 \
        params.steps=60 params.batch_terms=limit 'simulate.seeds=[400, 200, 100]'
}

@test "one-pass SGD of one batch size: moments of its very batches" {
    agrees "${DISCRETE[@]}" params.training=one-pass params.samples=null params.batch=2 params.lr=0.2 \
        params.steps=100 params.width=inf 'simulate={seeds: 1500}'
}

@test "mini-batches" {
    agrees "${DISCRETE[@]}" params.training=mini-batch params.batch=10 params.lr=0.4 params.steps=300 \
        params.batch_terms=limit
}

@test "ridge, and none" {
    agrees "${DISCRETE[@]}" params.training=ridge params.ridge=0.01
    agrees "${DISCRETE[@]}" params.training=ridge params.width=60
}

@test "ensembles of projections and of data" {
    agrees 'params.ensemble={projections: 3, data: 2}'
    grep -q '^ensemble_risk .* agrees$' table
}

@test "numbers of the parameters themselves, without a size" {
    agrees params.features.count=400 params.width=100 params.samples=150 'simulate={seeds: 200}'
}

@test "what would be noticed: a parameter of a group" {
    "$NNDMFT" run "$cases/scaling-laws.yaml" -q -o out.h5 --detect features.power_law=1.03 |
        grep '^features.power_law times 1.03: would be noticed with [0-9]*/[0-9]*/[0-9]* seeds'
}

@test "an exponent of the features that is off by 3 % is caught" {
    "$NNDMFT" simulate "$cases/scaling-laws.yaml" -q -o mc.h5
    local b code
    for b in 1.455 1.545; do
        "$NNDMFT" solve "$cases/scaling-laws.yaml" --set params.features.power_law=$b -q -o wrong.h5 --force
        code=0
        "$NNDMFT" validate wrong.h5 mc.h5 || code=$?
        [ "$code" -eq 4 ]
    done
}
