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

@test "overlaps of outliers that mix are left out until they do not" {
    sed 's/size: .400, 800./size: [256, 512]/' "$BATS_TEST_DIRNAME/../../data/cases/three-classes.yaml" >case.yaml
    grep -q 'size: .256, 512.' case.yaml
    run "$NNDMFT" run case.yaml -q -o out.h5
    echo "$output"
    [ "$status" -eq 0 ] && ! grep -q disagrees <<<"$output"
    for side in left right; do # of the first outlier, at t = 8 as it is alone
        "$NNDMFT" export out.h5 --var "outlier_${side}_min_size" | grep -q "^8,1,1,0$"
    done
    # The second overlap is small beside the first.
    "$NNDMFT" export out.h5 --var outlier_right_min_size | awk -F, '$1 == 24 && $3 == 2 && $4 > 1e4 {n++} END {exit !n}'
}

THREE='gram: [[1, 0.4, -0.2], [0.4, 0.8, 0.1], [-0.2, 0.1, 1.2]]'

# trains PARAMS DATA [SEEDS]: networks of two widths and theory agree.
trains() {
    agrees "model: wide-mlp
params: {kernels: false, spectrum: false, samples: 4096, $1, data: {$2}}
simulate: {size: [128, 256], seeds: ${3-[512, 256]}, orthonormal_init: true}"
}

@test "several outputs with the summed square loss, relu, momentum and a schedule" {
    trains 'depth: 2, activation: relu, sigma_w: 1.4142, gamma0: 1, lr: 0.04, steps: 16, outputs: 3, momentum: 0.5,
        schedule: [0.5, 1]' "$THREE, labels: [0, 1, 2]"
}

@test "classes by flow with decay" {
    trains 'depth: 2, gamma0: 3, integrator: flow, time: 4, method: rk4, steps: 8, record: [2, 4],
        weight_decay: 0.05, outputs: 3, loss: cross-entropy' "$THREE, labels: [0, 1, 2]"
}

@test "eight residual layers with biases and decay" {
    trains 'depth: 8, residual: mup-depth, sigma_b: 0.5, gamma0: 2, lr: 0.1, steps: 10, weight_decay: 0.02,
        loss: logistic' "$THREE, targets: [1, -1, 1]"
}

@test "several outputs with the summed square loss, tanh and momentum" {
    trains 'depth: 2, gamma0: 2, lr: 0.2, steps: 12, outputs: 3, momentum: 0.5' "$THREE, labels: [0, 1, 2]"
}

@test "classes, relu and decay" {
    trains 'depth: 2, activation: relu, sigma_w: 1.4142, gamma0: 2, lr: 0.1, steps: 12, record: [4, 12], outputs: 3,
        loss: cross-entropy, weight_decay: 0.02' "$THREE, labels: [0, 1, 2]" '[1024, 512]'
}

# notices KEY=VALUE: theory solved with another value disagrees with the networks.
notices() {
    "$NNDMFT" solve case.yaml -q -o wrong.h5 --force --set "params.$1"
    run "$NNDMFT" validate wrong.h5 out.h5 -q
    echo "$output"
    [ "$status" -eq 4 ] && grep -q "^loss .* disagrees" <<<"$output"
}

@test "a tenth more momentum or decay is noticed" {
    trains 'depth: 2, gamma0: 2, lr: 0.2, steps: 16, record: [8, 16], momentum: 0.5, weight_decay: 0.05,
        outputs: 3, loss: cross-entropy' "$THREE, labels: [0, 1, 2]"
    "$NNDMFT" validate out.h5 --detect momentum=1.1 --detect weight_decay=1.1 | # half the seeds, or fewer
        awk '/would be noticed with/ { split($8, n, "/"); enough += n[1] <= 256 && n[2] <= 128 }
            END { exit enough != 2 }'
    notices momentum=0.55
    notices weight_decay=0.055
}
