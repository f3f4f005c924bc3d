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

# fails CODE TEXT ARGUMENTS...: two ranks exit with CODE and say so in one line, as one process does.
fails() {
    local code=$1 text=$2
    shift 2
    run timeout 60 env OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 \
        mpirun --oversubscribe -n 2 "$NNDMFT" "$@"
    [ "$status" -eq "$code" ]
    [ "$(grep -v '^nndmft: w' <<<"$output" | grep -c '^nndmft')" -eq 1 ]
    grep '^nndmft' <<<"$output" | grep -qF -e "$text"
    run "$NNDMFT" "$@"
    [ "$status" -eq "$code" ]
}

@test "what fails on every rank is said once, and hangs none" {
    fails 2 "params.alpha: 0 is out of range" run case.yaml --set params.alpha=0
    fails 2 "none.yaml: No such file" run none.yaml
    fails 5 "cannot create a file in folder" run case.yaml -o /no/such/folder/x.h5
    fails 2 "the limit is 0.001 GB" run case.yaml --memory 0.001
    fails 2 "unrecognized option" run case.yaml --nonsense
    fails 2 "is not a command" nonsense
    fails 5 "none.h5: No such file" info none.h5
    fails 3 "theory diverged at every point" run case.yaml --set params.lr=300 -o a.h5 --force
}

@test "what fails on one rank fails on all, and is said by the first" {
    sed 's/alpha.*//; s/noise: 0.3/noise: -1/' case.yaml >bad.yaml
    local one=("$NNDMFT" run case.yaml -o a.h5) other=("$NNDMFT" run bad.yaml -o a.h5)
    for _ in 1 2; do
        run timeout 60 env OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 \
            mpirun --oversubscribe -n 1 "${one[@]}" : -n 1 "${other[@]}"
        [ "$status" -eq 2 ]
        [ "$(grep -c '^nndmft' <<<"$output")" -eq 1 ]
        grep -q '^nndmft: bad.yaml:.*noise: -1 is out of range' <<<"$output"
        [ ! -e a.h5 ]
        other=("${one[@]}")
        one=("$NNDMFT" run bad.yaml -o a.h5)
    done
}
