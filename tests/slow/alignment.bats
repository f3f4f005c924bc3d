#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Alignment: theory against pairs of real networks.

setup() {
    cases="$BATS_TEST_DIRNAME/../../data/cases"
    cd "$BATS_TEST_TMPDIR" || return 1
}

agrees() {
    "$NNDMFT" run "$@" -q -o out.h5
}

@test "ridge at one size" {
    agrees "$cases/alignment.yaml" --set simulate.size=200 --set simulate.seeds=640
}

@test "weight decay" {
    agrees "$cases/alignment.yaml" --set sweep=null --set params.ridge=null \
        --set params.training=weight-decay --set params.weight_decay=0.1 --set params.alpha=1.5
}

@test "ridge by trained networks" {
    agrees "$cases/alignment.yaml" --set sweep=null --set params.ridge=0.1 --set params.alpha=1.5 \
        --set simulate.route=network --set simulate.size=100 --set simulate.seeds=160
}
