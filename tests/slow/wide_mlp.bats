#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# wide-mlp against networks where theory had to learn what it does not know.

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
}

# agrees CASE_TEXT: the comparison finds nothing, and has something to compare.
agrees() {
    echo "$1" >case.yaml
    run "$NNDMFT" run case.yaml -q -o out.h5
    echo "$output"
    [ "$status" -eq 0 ] && grep -q "^output .* agrees" <<<"$output"
}

@test "a small output scale" {
    agrees 'model: wide-mlp
params: {depth: 2, gamma0: 1e-3, lr: 0.3, steps: 10, samples: 2048, spectrum: false, data: {gram: 1, targets: 1}}
simulate: {size: [256, 512], seeds: [400, 200], orthonormal_init: true}'
}

@test "eigenvalues that split like 1/sqrt(size) are left out until they are apart" {
    agrees 'model: wide-mlp
params: {activation: linear, lr: 0.2, steps: 10, kernels: false, data: {gram: [[1, 0], [0, 1]], targets: [1, -1]}}
simulate: {size: [512, 1024, 2048], seeds: 400}'
    grep -q "^input_eig " <<<"$output"
}

@test "beyond the edge of stability nothing is compared" {
    agrees 'model: wide-mlp
params: {lr: 4.2, steps: 20, data: {gram: [[1, 0.3], [0.3, 1]], targets: [1, -1]}}
simulate: {size: [512, 1024, 2048], seeds: 400}'
    "$NNDMFT" export out.h5 --var output_min_size | grep -q "^20,inf$"
}
