#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Two swept keys: every cell carries the labels of its own parameters. The keys have lists of
# different lengths, in no order, with values in common, so that labels which changed places would
# still name a cell, but another one.

load helper

# two_keys FIRST SECOND: a sweep over these two lines, in this order.
two_keys() {
    case_file <<YAML
model: deep-linear
params: {depth: 1, steps: 3, noise: 0.4, spectrum: false, ntk: false}
sweep:
  $1
  $2
simulate: {size: [8, 6], seeds: [3, 5], storage: trajectories}
compare: {rtol: 100}
YAML
}

NU="nu: [2, 0.5]"
GAMMA0="gamma0: [0.5, 3, 2]"

# The six cases without a sweep, as point-NU-GAMMA0.h5.
setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    two_keys "$NU" "$GAMMA0"
    local nu gamma0
    for nu in 2 0.5; do
        for gamma0 in 0.5 3 2; do
            tool run case.yaml -o point-$nu-$gamma0.h5 --set sweep=null --set params.nu=$nu \
                --set params.gamma0=$gamma0
        done
    done
}

setup() {
    enter
}

# cells GROUP FIRST SECOND: compares every cell of case.h5 with its single run, in the order of the
# keys, the last one fastest. FIRST and SECOND are nu and gamma0 or the other way round.
cells() {
    local group=$1 first=$2 second=$3 a b point
    local -A values=([nu]="2 0.5" [gamma0]="0.5 3 2")
    works export case.h5 --group "$group" --var train_mse,test_risk -o sweep.csv
    [[ $(head -n 1 sweep.csv) == "$first,$second,"* ]] || explain "order of the keys"
    head -n 1 sweep.csv >wanted.csv
    for a in ${values[$first]}; do
        for b in ${values[$second]}; do
            point=point-$a-$b.h5
            [ "$first" = nu ] || point=point-$b-$a.h5
            works export "$BATS_FILE_TMPDIR/$point" --group "$group" --var train_mse,test_risk
            tail -n +2 out | sed "s/^/$a,$b,/" >>wanted.csv
        done
    done
    diff wanted.csv sweep.csv
}

@test "every cell of theory, simulation and seeds equals its single run" {
    local group
    two_keys "$NU" "$GAMMA0"
    works run case.yaml
    for group in theory mc seeds; do
        cells $group nu gamma0
    done
}

@test "the same with the keys in the other order" {
    local group
    two_keys "$GAMMA0" "$NU"
    works run case.yaml --threads 3
    for group in theory mc seeds; do
        cells $group gamma0 nu
    done
}

@test "a file has the keys as leading dimensions, with their values in the order of the case" {
    need_python h5py
    two_keys "$GAMMA0" "$NU"
    works run case.yaml
    "$PYTHON" - "$BATS_FILE_TMPDIR" <<'PYTHON'
import sys

import h5py

with h5py.File("case.h5") as f:
    for group in "theory", "mc":
        risk = f[group]["test_risk"]
        assert [d.label or d[0].name.split("/")[-1] for d in risk.dims][:2] == ["gamma0", "nu"]
        assert list(risk.dims[0][0]) == [0.5, 3, 2], list(risk.dims[0][0])
        assert list(risk.dims[1][0]) == [2, 0.5], list(risk.dims[1][0])
        for i, gamma0 in enumerate(["0.5", "3", "2"]):
            for j, nu in enumerate(["2", "0.5"]):
                with h5py.File(f"{sys.argv[1]}/point-{nu}-{gamma0}.h5") as point:
                    assert (risk[i, j] == point[group]["test_risk"][()]).all(), (group, gamma0, nu)
PYTHON
}

@test "find over two swept keys gives each cell what its own case gives" {
    two_keys "$NU" "$GAMMA0"
    local nu gamma0 row=1
    local search=(--param lr=0.02:0.4 --min test_risk --at t=3 --points 9)
    works find case.yaml "${search[@]}"
    cp out found
    [ "$(head -n 1 found)" = nu,gamma0,lr,lr_uncertainty,test_risk,test_risk_se,evaluations ] || explain header
    [ "$(wc -l <found)" -eq 7 ]
    for nu in 2 0.5; do
        for gamma0 in 0.5 3 2; do
            row=$((row + 1))
            works find case.yaml "${search[@]}" --set sweep=null --set params.nu=$nu \
                --set params.gamma0=$gamma0
            [ "$(sed -n ${row}p found)" = "$nu,$gamma0,$(tail -n 1 out)" ] || explain "row $row"
        done
    done
}

@test "messages about a point name both of its values" {
    two_keys "$NU" "lr: [0.1, 80]"
    works solve case.yaml --set params.steps=60
    [ "$(grep -c diverged err)" -eq 2 ] || explain "two points diverge"
    says err "nu=2, lr=80: diverged" "nu=0.5, lr=80: diverged"
}

@test "find names the point without an answer, and exits 3" {
    two_keys "gamma0: [2, 0.5]" "nu: [1]"
    tool find case.yaml --param lr=0.02:0.4 --zero test_risk=1.2 --at t=3 --points 9
    [ "$status" -eq 3 ] || explain "exit code $status"
    grep -Eq "^2,1,,,,,[0-9]+$" out || explain "no empty row"
    grep -Eq "^0.5,1,0.[0-9]+,.*,1.2,,[0-9]+$" out || explain "no root"
    says err "gamma0=2, nu=1: test_risk does not cross 1.2" "no answer at 1 of 2 points"
}

@test "find says where an extremum is at the end of the interval, and only there" {
    two_keys "gamma0: [2, 0.5]" "nu: [1]"
    works find case.yaml --param lr=0.001:0.01 --min test_risk --at t=3 --points 9
    says err "gamma0=2, nu=1: the extremum is at the end 0.01" "gamma0=0.5, nu=1: the extremum"
    works find case.yaml --param lr=0.02:0.9 --min test_risk --at t=3 --points 9
    [ ! -s err ] || explain "the minimum is inside"
}
