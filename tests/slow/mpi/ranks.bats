#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Several MPI ranks give the bits of one process. NNDMFT is a build with MPI.

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    cat >case.yaml <<'YAML'
model: deep-linear
params: {depth: 2, noise: 0.3, steps: 10}
sweep: {gamma0: [0.5, 1, 2]}
simulate: {size: [60, 100], seeds: 90, storage: trajectories}
compare: {rtol: 1}
YAML
}

ranks() {
    count=$1
    shift
    OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 \
        mpirun --oversubscribe -n "$count" "$NNDMFT" "$@"
}

# Groups of two results hold the same numbers.
same() {
    for group in /theory /mc /mc/seeds /compare; do
        h5diff "$1" "$2" "$group" "$group" || return 1
    done
}

@test "two and three ranks give the datasets of one process" {
    "$NNDMFT" run case.yaml -o one.h5 -q
    ranks 2 run case.yaml -o two.h5 -q --threads 1
    ranks 3 run case.yaml -o three.h5 -q --threads 2
    same one.h5 two.h5
    same one.h5 three.h5
}

@test "ranks resume what one process began, and the other way round" {
    "$NNDMFT" run case.yaml -o one.h5 -q
    "$NNDMFT" simulate case.yaml -o mixed.h5 -q --set simulate.seeds=30
    ranks 2 run case.yaml -o mixed.h5 -q --threads 1
    same one.h5 mixed.h5
    ranks 2 simulate case.yaml -o back.h5 -q --set simulate.seeds=30
    "$NNDMFT" run case.yaml -o back.h5 -q
    same one.h5 back.h5
}

@test "bad input fails on every rank and hangs none" {
    run timeout 60 env OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 \
        mpirun --oversubscribe -n 2 "$NNDMFT" run case.yaml --set params.alpha=0
    [ "$status" -eq 2 ]
    run timeout 60 env OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 \
        mpirun --oversubscribe -n 2 "$NNDMFT" run case.yaml -o /no/such/folder/x.h5
    [ "$status" -eq 5 ]
}
