#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The sampled reference cases of wide-mlp.md#s13-8 as they were computed: 8192 sites, 12 marches.

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    GRAM='gram: [[1, 0.4, -0.2], [0.4, 0.8, 0.1], [-0.2, 0.1, 1.2]]'
    LABELS="outputs: 3, loss: cross-entropy, data: {$GRAM, labels: [0, 1, 2]}"
}

# solves PARAMS
solves() {
    echo "{model: wide-mlp, params: {samples: 8192, replicates: 12, $1}}" >case.yaml
    "$NNDMFT" solve case.yaml -q -o out.h5
}

# says VARIABLE COORDINATES VALUE SE: that line of the table, within 5 joint standard errors and 5e-4.
says() {
    "$NNDMFT" export out.h5 --var "$1" >table.csv
    awk -F, -v at="$2," -v want="$3" -v se="$4" '
        function abs(x) { return x < 0 ? -x : x }
        index($0, at) == 1 {
            found = 1
            value = $(NF - 1); own = $NF
            most = 5 * sqrt(own * own + se * se) + 5e-4 * abs(want)
            print "got " value "(" own "), want " want "(" se ")"
            good = abs(value - want) <= most
        }
        END { exit !(found && good) }' table.csv
}

@test "several classes" {
    solves "depth: 2, gamma0: 3, lr: 0.3, steps: 16, record: [8, 16], $LABELS"
    says output 8,0,0 .37914 2e-4
    says output 16,0,0 .78820 6e-4
    says output 16,2,1 -.31824 7e-4
    says loss 16 .48560 2e-4
    says h_gram 16,2,0,0 2.97018 2e-3
    says ntk 16,0,0,0,0 .9175 9e-3
    says ntk 16,0,0,1,1 1.9223 9e-3
    says stability 16 .07714 4e-4
    says outlier_strength 16,1,1 2.5593 2e-3
    says outlier 16,1,2 2.40054 5e-4
}

@test "momentum, decay and a schedule" {
    solves "depth: 2, gamma0: 3, lr: 0.12, steps: 20, record: [10, 20], momentum: 0.8,
        weight_decay: 0.02, schedule: [0.25, 0.5, 0.75, 1], $LABELS"
    says output 10,0,2 -.35531 2e-4
    says output 20,0,0 1.05874 8e-4
    says loss 20 .35645 2e-4
    says h_gram 20,2,0,0 3.83867 4e-3
    says outlier_strength 20,1,2 5.8113 6e-3
    says outlier 20,1,1 2.68918 9e-4
}

@test "three layers of relu" {
    solves "depth: 3, activation: relu, sigma_w: 1.4142135623730951, gamma0: 2, lr: 0.1, steps: 10,
        record: [5, 10], $LABELS"
    says output 5,0,0 .73833 1e-3
    says output 10,2,2 2.69889 2e-3
    says loss 10 .05801 6e-5
    says h_gram 10,3,0,0 32.09271 2e-2
    says ntk 10,0,0,0,1 -39.1308 4e-1
    says outlier_strength 10,2,1 .9462 8e-4
}

@test "branches and biases" {
    solves "depth: 4, residual: mup-depth, sigma_b: 0.5, gamma0: 2, lr: 0.1, steps: 12, record: [0, 12],
        outputs: 3, data: {$GRAM, targets: [[1, 0, -0.5], [-0.5, 1, 0], [0, 0.5, 1]]}"
    says h_gram 0,4,0,0 1.78058 1e-4
    says output 12,0,0 .30185 7e-4
    says loss 12 .27077 2e-4
    says ntk 12,0,0,1,1 1.7372 6e-3
    says outlier_strength 12,1,1 .1657 3e-4
}

@test "flow with decay" {
    solves "depth: 2, gamma0: 3, integrator: flow, method: rk4, time: 4.8, steps: 6, record: [6],
        weight_decay: 0.05, $LABELS"
    says output 4.7999999999999998,0,0 .68806 6e-4
    says loss 4.7999999999999998 .54689 2e-4
    says ntk 4.7999999999999998,0,0,1,1 1.8617 5e-3
    says outlier 4.7999999999999998,1,2 2.09606 7e-4
}

@test "a tiny output scale" {
    solves "depth: 2, gamma0: 1.0e-4, lr: 0.3, steps: 10, record: [10], $LABELS"
    says output 10,0,0 .41085 2e-4
    says loss 10 .73526 9e-5
    says stability 10 .03890 1e-5
}
