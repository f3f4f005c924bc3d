#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Fluctuations at order 1/N against thousands of networks: every example case, and what the unit
# tests cannot resolve.

setup() {
    cases="$BATS_TEST_DIRNAME/../../data/cases"
    cd "$BATS_TEST_TMPDIR" || return 1
}

agrees() {
    "$NNDMFT" run "$@" -q -o out.h5
}

@test "variance for several output scales at three widths" {
    agrees "$cases/fluctuations.yaml"
}

@test "two samples and a test point" {
    agrees "$cases/fluctuations-samples.yaml"
}

@test "bias of tanh and linear networks" {
    agrees "$cases/fluctuations-bias.yaml"
}

@test "smoothed relu, theory and network" {
    agrees "$cases/fluctuations-relu.yaml"
}

@test "smoothed relu on two samples" {
    agrees "$cases/fluctuations-relu.yaml" --set simulate.size=600 --set simulate.seeds=4000 \
        --set 'params.data={gram: [[1, 0.3], [0.3, 1]], targets: [1, -0.5]}'
}

@test "online training in ten dimensions" {
    agrees "$cases/fluctuations-online.yaml"
}

@test "fresh batches" {
    agrees "$cases/fluctuations-batch.yaml"
}

@test "kernels of deep relu networks at initialisation" {
    agrees "$cases/fluctuations-deep.yaml"
}

@test "lazy training of deep tanh networks" {
    agrees "$cases/fluctuations-lazy.yaml"
}
