#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Fluctuations at order 1/N against thousands of networks, beside the shipped cases.

setup() {
    cases="$BATS_TEST_DIRNAME/../../data/cases"
    cd "$BATS_TEST_TMPDIR" || return 1
}

agrees() {
    "$NNDMFT" run "$@" -q -o out.h5
}

@test "smoothed relu on two samples" {
    agrees "$cases/fluctuations-relu.yaml" --set simulate.size=600 --set simulate.seeds=4000 \
        --set 'params.data={gram: [[1, 0.3], [0.3, 1]], targets: [1, -0.5]}'
}
