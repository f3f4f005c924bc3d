#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Equal cases give equal data, to the last bit, however the work was spread or disturbed.

load helper

# long_case [SEEDS]: about a second of work in several dozen blocks.
long_case() {
    case_file <<YAML
model: deep-linear
params: {depth: 2, steps: 60, spectrum: false, ntk: false}
simulate: {size: 96, seeds: ${1:-768}}
YAML
}

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    long_case
    tool simulate case.yaml -o undisturbed.h5
}

setup() {
    need_python h5py
    enter
    worker=
}

teardown() {
    [ -z "$worker" ] || kill -9 "$worker" 2>/dev/null || true
}

# Starts the tool in the background.
begin() {
    # The shell must not report jobs that are killed.
    "$NNDMFT" "$@" >begin.out 2>begin.err </dev/null 3>&- &
    worker=$!
}

# Waits for the background tool; its exit code is in $status.
finish() {
    status=0
    wait "$worker" 2>/dev/null || status=$?
    worker=
}

# True once this many blocks are on disk.
shards() {
    [ "$(find "$1.parts" -name '[!.]*.h5' 2>/dev/null | wc -l)" -ge "$2" ]
}

half_done() {
    begin simulate case.yaml --threads 1
    wait_until 20 shards case.h5 3
}

# ---- the same numbers ----

@test "the same case twice, with one and with two threads" {
    case_file <<'YAML'
model: deep-linear
params: {depth: 2, steps: 8, noise: 0.3}
sweep: {gamma0: [0.5, 2], nu: [0.7, 1, 2]}
simulate: {size: [24, 40], seeds: [50, 30], storage: trajectories}
compare: {rtol: 2}
YAML
    local threads
    works run case.yaml -o first.h5 --threads 1
    for threads in 1 2 5; do
        rm -rf again.h5 again.h5.parts
        works run case.yaml -o again.h5 --threads $threads
        same_data first.h5 again.h5 theory mc compare
    done
    h5dump -H -d /mc/seeds/train_mse again.h5 >/dev/null
}

@test "h5diff finds no difference in any group" {
    tiny_case
    works run case.yaml -o first.h5
    works run case.yaml -o again.h5
    h5diff first.h5 again.h5 /theory /theory
    h5diff first.h5 again.h5 /mc /mc
    h5diff first.h5 again.h5 /compare /compare
}

@test "more memory or less, more threads than blocks" {
    tiny_case
    works run case.yaml -o first.h5 --memory 0.001 --threads 1
    works run case.yaml -o again.h5 --memory 4 --threads 64
    same_data first.h5 again.h5
}

@test "another base seed gives other networks, and the same theory" {
    tiny_case
    works run case.yaml -o first.h5
    works run case.yaml -o other.h5 --set simulate.base_seed=2
    same_data first.h5 other.h5 theory
    ! same_data first.h5 other.h5 mc 2>/dev/null || { echo "the same simulation"; return 1; }
}

@test "a sweep point alone gives what it gives within the sweep" {
    tiny_case
    works run case.yaml -o sweep.h5 --set 'sweep.gamma0=[0.5, 2]'
    works run case.yaml -o point.h5 --set params.gamma0=2
    local group
    for group in theory mc; do
        works export sweep.h5 --group $group --var train_mse
        grep '^2,' out | cut -d, -f2- >wanted
        works export point.h5 --group $group --var train_mse
        tail -n +2 out | diff wanted -
    done
}

# ---- extending ----

@test "raising seeds keeps the blocks that are there and equals a fresh run" {
    long_case 100
    works simulate case.yaml
    stat -c '%i %y %n' case.h5.parts/*.h5 >before
    long_case 768
    works simulate case.yaml
    stat -c '%i %y %n' case.h5.parts/*.h5 >after
    # Every line of before stands in after: nothing was computed again.
    [ "$(grep -cxFf before after)" -eq "$(wc -l <before)" ]
    [ "$(wc -l <after)" -gt $(($(wc -l <before) + 2)) ]
    same_data case.h5 "$BATS_FILE_TMPDIR/undisturbed.h5" mc
}

@test "fewer seeds, and another size, equal a fresh run" {
    tiny_case
    works simulate case.yaml -o big.h5 --set simulate.seeds=400
    works simulate case.yaml -o big.h5 --set simulate.seeds=30 --set 'simulate.size=[16, 20]'
    works simulate case.yaml -o fresh.h5 --set simulate.seeds=30 --set 'simulate.size=[16, 20]'
    same_data big.h5 fresh.h5 mc
}

@test "a finished ensemble is not trained again" {
    tiny_case
    works simulate case.yaml
    stat -c '%i %y %n' case.h5.parts/* >before
    works simulate case.yaml
    stat -c '%i %y %n' case.h5.parts/* | diff before -
}

# ---- disturbed ----

@test "kill -9 in the middle, then the same command: identical data" {
    long_case
    half_done
    kill -9 "$worker"
    finish
    [ "$status" -eq 137 ]
    [ ! -e case.h5 ]
    shards case.h5 3
    printf '%s\n' case.h5.parts/*.h5 >before
    # What a kill in the middle of a block's last moment leaves behind.
    echo garbage >case.h5.parts/.point-00000_size-96_block-00099.h5.nndmft-abcdef.tmp
    works simulate case.yaml
    no_temporaries
    same_data case.h5 "$BATS_FILE_TMPDIR/undisturbed.h5" mc
    shards case.h5 $(($(wc -l <before) + 1))
}

@test "SIGINT and SIGTERM: exit 130, one line, resumable" {
    local signal
    for signal in INT TERM; do
        rm -rf case.h5 case.h5.parts
        long_case
        half_done
        kill -"$signal" "$worker"
        finish
        [ "$status" -eq 130 ] || { echo "exit code $status"; return 1; }
        [ "$(wc -l <begin.err)" -eq 1 ]
        grep -Eq '^nndmft: interrupted after [0-9]+ of [0-9]+ blocks; the same command goes on' \
            begin.err
        [ ! -s begin.out ]
        [ ! -e case.h5 ]
        no_temporaries
        works simulate case.yaml
        same_data case.h5 "$BATS_FILE_TMPDIR/undisturbed.h5" mc
    done
}

@test "a signal during a run keeps the older result" {
    long_case 64
    works simulate case.yaml
    cp case.h5 before.h5
    long_case
    begin run case.yaml --threads 1
    wait_until 20 shards case.h5 6
    kill -INT "$worker"
    finish
    [ "$status" -eq 130 ]
    cmp case.h5 before.h5
}

@test "a theory solved while the simulation is stopped stays" {
    long_case
    half_done
    kill -STOP "$worker"
    works solve case.yaml
    cp case.h5 theory.h5
    kill -CONT "$worker"
    finish
    [ "$status" -eq 0 ]
    same_data case.h5 theory.h5 theory
    same_data case.h5 "$BATS_FILE_TMPDIR/undisturbed.h5" mc
    [ -z "$(find . -name '.*lock')" ]
}

@test "what another case has put there meanwhile is not replaced without a word" {
    long_case
    half_done
    kill -STOP "$worker"
    works simulate case.yaml --set params.lr=0.05 --set simulate.seeds=4 -o other.h5
    mv other.h5 case.h5
    cp case.h5 before.h5
    kill -CONT "$worker"
    finish
    [ "$status" -eq 2 ]
    [ "$(wc -l <begin.err)" -eq 1 ]
    says begin.err "another case"
    cmp case.h5 before.h5
    # The work is not lost.
    works simulate case.yaml --force
    same_data case.h5 "$BATS_FILE_TMPDIR/undisturbed.h5" mc
}

@test "theory and simulation at once, again and again: both are there" {
    tiny_case
    works run case.yaml -o wanted.h5
    local i
    for i in 1 2 3; do
        rm -f case.h5
        begin simulate case.yaml
        works solve case.yaml
        finish
        [ "$status" -eq 0 ]
        same_data case.h5 wanted.h5
    done
}

@test "temporaries of a killed run go with the next one" {
    long_case
    half_done
    kill -9 "$worker"
    finish
    echo mine >.case.h5.backup.tmp
    # A writer that lives, and one that is dead.
    echo >.case.h5.nndmft-aaaaaa.tmp
    echo >.case.h5.nndmft-bbbbbb.tmp
    flock .case.h5.nndmft-aaaaaa.tmp "$NNDMFT" solve case.yaml >out 2>err
    [ -e .case.h5.nndmft-aaaaaa.tmp ]
    [ ! -e .case.h5.nndmft-bbbbbb.tmp ]
    works solve case.yaml
    [ "$(find . -maxdepth 1 -name '*.tmp')" = ./.case.h5.backup.tmp ]
}

@test "two processes on one output: the second is refused, the first is not disturbed" {
    long_case
    half_done
    local command
    for command in simulate "run --force"; do
        # shellcheck disable=SC2086 # several words
        tool $command case.yaml
        [ "$status" -eq 5 ] || explain "exit code $status"
        [ "$(cat err)" = "nndmft: another nndmft is writing to case.h5.parts" ] || explain "message"
    done
    kill -0 "$worker"
    finish
    [ "$status" -eq 0 ]
    same_data case.h5 "$BATS_FILE_TMPDIR/undisturbed.h5" mc
}
