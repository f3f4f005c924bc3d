#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# SGD with fresh batches: how far real samples keep the predictor off the direction of the teacher,
# in six settings of one matrix, and of two layers.

load ../cli/helper

setup() {
    enter
}

# floor PARAMS SEEDS: theory and networks agree on variance and norm, to 3 % and no less.
floor() {
    printf 'model: directional\nparams: {integrator: gd, omega0: 5, theta0: 0.3, %s}\n' "$1" >case.yaml
    printf 'simulate: {seeds: %s}\ncompare: {rtol: 0.03}\n' "$2" >>case.yaml
    LIMIT=600 works run case.yaml --force
    for variable in perp_floor omega loss; do
        grep -Eq "^$variable +[1-9].* agrees$" out || explain "$variable of {$1}: not agreed"
    done
}

@test "one matrix, by rate and batch" {
    floor "depth: 1, dim: 100, batch: 100, lr: 0.5, steps: 300, record: [250]" 150
    floor "depth: 1, dim: 60, batch: 100, lr: 1, steps: 150, record: [100]" 250
    floor "depth: 1, dim: 100, batch: 200, lr: 1, steps: 150, record: [100]" 250
}

@test "other laws of the inputs" {
    floor "depth: 1, law: sphere, dim: 100, batch: 100, lr: 0.5, steps: 300, record: [250]" 150
    floor "depth: 1, law: {mixture: {weights: [1, 1], scales: [0.7, 1.3]}}, dim: 100, batch: 100,
        lr: 0.5, steps: 300, record: [250]" 150
}

@test "rates that grow" {
    floor "depth: 1, dim: 100, batch: 200, lr: 0.05, schedule: {power: 0.5}, steps: 250,
        record: [250]" 150
}

@test "two layers" {
    floor "depth: 2, dim: 60, batch: 100, width: 2, lr: 0.05, steps: 320, record: [300]" 250
}
