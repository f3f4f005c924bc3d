#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# wide-mlp on the command line: simulation, data files, and what is wrong with a case.

load helper

setup() {
    enter
}

# wide_case DATA [PARAMS] [SIMULATE]: a small case in case.yaml.
wide_case() {
    case_file case.yaml <<YAML
model: wide-mlp
params: {${2:-steps: 4}, data: {$1}}
simulate: {size: 32, seeds: 4${3:+, $3}}
YAML
}

GOOD='gram: [[1, 0.4], [0.4, 0.8]], targets: [1, -0.5]'

# objects PATTERN... -- WIDE_CASE_ARGUMENTS
objects() {
    local patterns=()
    while [ "$1" != -- ]; do
        patterns+=("$1")
        shift
    done
    shift
    wide_case "$@"
    refused 2 "${patterns[@]}" -- simulate case.yaml -o mc.h5
    [ ! -e mc.h5 ] || explain "a result was written"
}

@test "networks are trained and recorded, on test samples too" {
    wide_case "$GOOD, test_gram: [[0.5, -0.1]], test_self: [1], test_targets: [0.3]" \
        "depth: 3, two_time: true, steps: 4"
    works simulate case.yaml -o mc.h5
    tool info mc.h5
    local name
    for name in loss delta output test_output test_loss ntk ntk_test stability h_gram phi_gram \
        g_gram readout_norm2 induced_norm input_eig outlier outlier_left outlier_right phi_two_time g_two_time; do
        h5ls -r mc.h5 | grep -q "^/mc/$name " || explain "no $name"
    done
}

@test "many samples are trained on, without what is of the size of their square, and theory refuses them" {
    local data='generate: gaussian, samples: 5000, test_samples: 1000, dim: 5, target: classes'
    wide_case "$data" "depth: 2, activation: relu, loss: logistic, batch: 1000, kernels: false, steps: 2"
    works simulate case.yaml -o mc.h5 --memory 0.1 --set simulate.seeds=1
    h5ls -r mc.h5 >names
    says names "/mc/induced_norm " "/mc/test_accuracy "
    ! grep -q "/mc/stability " names || explain "stability of many samples"
    refused 2 "params.data: 5000 samples and 1000 tests are too many for theory" \
        "1024 together at params.samples: 8192 sites" "nndmft simulate" -- solve case.yaml
    refused 2 "params.data: 5000 samples" -- run case.yaml
    refused 2 "allowed: 4096 together" -- solve case.yaml --set params.parameterization=ntk
    [ ! -e case.h5 ] || explain "a result was written"
    works simulate case.yaml -o one.h5 --threads 1 --set simulate.seeds=3
    works simulate case.yaml -o two.h5 --threads 2 --set simulate.seeds=3
    h5diff one.h5 two.h5 /mc || explain "they differ"
    works simulate case.yaml -o few.h5 --set params.data.samples=40 --set params.data.test_samples=9 \
        --set params.batch=0
    h5ls -r few.h5 | grep -q "^/mc/stability " || explain "no stability of few samples"
}

@test "one thread and two give the same networks, in blocks or extended" {
    wide_case "$GOOD" "depth: 2, batch: 1, steps: 4"
    works simulate case.yaml -o one.h5 --threads 1 --set simulate.seeds=80
    works simulate case.yaml -o two.h5 --threads 2 --set simulate.seeds=80
    h5diff one.h5 two.h5 /mc || explain "they differ"
}

@test "threads do not matter with classes, momentum, decay, skip connections and biases, nor for a flow" {
    local data='generate: gaussian, samples: 4, test_samples: 2, dim: 5, target: classes'
    wide_case "$data" "depth: 3, outputs: 3, loss: cross-entropy, momentum: 0.5, weight_decay: 0.05, \
        residual: mup-depth, sigma_b: 0.3, schedule: [0.5, 1], batch: 3, steps: 4"
    works simulate case.yaml -o one.h5 --threads 1 --set simulate.seeds=80
    works simulate case.yaml -o two.h5 --threads 2 --set simulate.seeds=80
    h5diff one.h5 two.h5 /mc || explain "they differ"
    wide_case "$data" "outputs: 3, loss: cross-entropy, integrator: flow, time: 0.5, record: [0.1]"
    works simulate case.yaml -o flow1.h5 --threads 1
    works simulate case.yaml -o flow2.h5 --threads 2
    h5diff flow1.h5 flow2.h5 /mc || explain "flows differ"
    h5ls flow1.h5/mc | grep -q '^stability' && explain "a flow has no edge of stability"
    true
}

@test "the digits that ship are found from the case that ships" {
    local cases="$BATS_TEST_DIRNAME/../../data/cases"
    works simulate "$cases/digits.yaml" -o mc.h5 --set simulate.size=70 --set simulate.seeds=2 \
        --set params.steps=2
    h5ls mc.h5/mc | grep -q '^test  *Dataset {16}' || explain "no 16 test samples"
}

@test "a case without data says what data could be" {
    case_file case.yaml <<'YAML'
model: wide-mlp
simulate: {size: 32, seeds: 4}
YAML
    refused 2 params.data gram inputs generate -- simulate case.yaml
}

@test "Gram matrices that are none" {
    objects params.data.gram symmetric -- "gram: [[1, 0.4], [0.3, 0.8]], targets: [1, 0]"
    objects params.data.gram eigenvalue -- "gram: [[1, 2], [2, 1]], targets: [1, 0]"
    objects params.data.gram -- "gram: [[1, 0.4]], targets: [1]"
    objects params.data -- "gram: [[1, .nan], [.nan, 1]], targets: [1, 0]"
}

@test "targets of the wrong length" {
    objects params.data.targets 3 2 -- "gram: [[1, 0.4], [0.4, 0.8]], targets: [1, 0, 1]"
    objects params.data.targets -- "gram: [[1, 0.4], [0.4, 0.8]]"
}

@test "an activation that is not known names those that are" {
    objects params.activation swish tanh softplus -- "$GOOD" "activation: swish"
}

@test "a data file that is missing, of the wrong shape, or holds no number" {
    wide_case "file: nowhere.h5, inputs: x, targets: y"
    refused 5 nowhere.h5 "No such file" -- simulate case.yaml
    printf 'x0,x1,y\n1,2,1\n3,4,-1\n' >data.csv
    objects data.csv z -- "file: data.csv, inputs: z, targets: y"
    objects params.data.targets -- "file: data.csv, inputs: x, targets: x"
    printf 'x0,x1,y\n1,nan,1\n3,4,-1\n' >data.csv
    objects params.data.inputs -- "file: data.csv, inputs: x, targets: y"
    printf 'x0,x1,y\n1,2,1\n3,4,-1\n' >data.csv
    wide_case "file: data.csv, inputs: x, targets: y"
    works simulate case.yaml -o mc.h5
}

@test "parameters that do not go together" {
    objects params.samples 1000 "power of two" -- "$GOOD" "samples: 1000"
    objects params.solver exact linear -- "$GOOD" "solver: exact"
    objects params.solver quadrature depth -- "$GOOD" "solver: quadrature"
    objects params.record 90 40 -- "$GOOD" "record: [90]"
    objects params.batch -- "$GOOD" "batch: -1"
    objects params.depth -- "$GOOD" "depth: 0"
    objects params.rank_tol -- "$GOOD" "rank_tol: 0"
    objects params.lr -- "$GOOD" "lr: .nan"
}

@test "a width that does not suit" {
    wide_case "$GOOD"
    refused 2 simulate.size -- simulate case.yaml --set simulate.size=-3
    refused 2 simulate.size 10000000 -- simulate case.yaml --set simulate.size=10000000
    refused 2 simulate.orthonormal_init 2 3 -- simulate case.yaml --set simulate.size=2 \
        --set simulate.orthonormal_init=true
    refused 2 memory -- simulate case.yaml --set simulate.size=100000 --set params.depth=90
}

@test "options of the simulation are no parameters" {
    objects params.center "unknown key" -- "$GOOD" "center: false"
    objects simulate.orthonormal_init perhaps -- "$GOOD" "" "orthonormal_init: perhaps"
}

@test "a case that runs away is reported, its curves kept up to there" {
    wide_case "$GOOD" "depth: 2, activation: linear, lr: 100, steps: 40"
    tool simulate case.yaml -o mc.h5
    [ "$status" -eq 3 ] || explain "exit code $status, want 3"
    says err diverged
    works export mc.h5 --group mc --var loss
}

@test "a dry run tells a framework how to train the same network" {
    wide_case "$GOOD" "depth: 2, gamma0: 2, sigma_w: 1.5"
    works simulate case.yaml --dry-run
    # 2 sqrt(32), 1.5/sqrt(32), 0.1 2^2 1.5^2
    says out "output_divisor 11.3137" "init_std 0.26516" "raw_lr 0.9" "(y - f)^2/2"
}

@test "targets of zero are learned at once" {
    case_file case.yaml <<'YAML'
model: wide-mlp
params: {depth: 2, lr: 0.3, steps: 3, samples: 256, replicates: 2, data: {gram: [[1, 0], [0, 1]], targets: [0, 0]}}
YAML
    works solve case.yaml -o theory.h5
    works export theory.h5 --var output
    awk -F, 'NR > 1 && $3 != "0" { bad = 1 } END { exit bad }' out || explain "outputs are not 0"
    says out "3,1,0,"
}

@test "eigenvalues that coincide, and times beyond the edge of stability, are not compared" {
    case_file case.yaml <<'YAML'
model: wide-mlp
params: {activation: linear, steps: 2, data: {gram: [[1, 0], [0, 1]], targets: [1, -1]}}
sweep: {lr: [0.25, 2.25]}
YAML
    works solve case.yaml -o theory.h5
    works export theory.h5 --var input_eig_min_size
    says out "0.25,0,1,inf" "2.25,0,1,inf"
    works export theory.h5 --var loss_min_size
    # lr 2.25 begins beyond, and from the next step on nothing is claimed; lr 0.25 is claimed.
    says out "0.25,2,0" "2.25,0,0" "2.25,1,inf"
}

@test "the table says why points are not compared, and so does the file" {
    case_file case.yaml <<'YAML'
model: wide-mlp
params: {activation: linear, steps: 2, data: {gram: [[1, 0], [0, 1]], targets: [1, -1]}}
sweep: {lr: [0.25, 2.25]}
simulate: {size: [16, 32], seeds: 4}
YAML
    works run case.yaml -o pair.h5
    [ "$(grep -c '^loss: ' out)" = 1 ] || explain "one line for each variable"
    says out "loss: not claimed at 2 points: beyond the edge of stability" \
        "input_eig: not claimed at 18 points: degenerate"
    works export pair.h5 --group compare --format json
    /usr/bin/python3 - <<'PY' || explain "the JSON lacks the reason"
import json
attributes = json.load(open("out"))["data_vars"]["loss_diff"]["attrs"]
assert attributes["unclaimed"] == 2 == attributes["left_out"], attributes
assert attributes["reason"].startswith("beyond the edge of stability"), attributes
PY
}

@test "losses, outputs and integrators that do not go together" {
    local two='gram: [[1, 0.4], [0.4, 0.8]]'
    objects 'case.yaml:2:' 'params.lr' 'integrator: gd' -- "$GOOD" 'integrator: flow, lr: 0.1'
    objects 'case.yaml:2:' 'params.momentum' 'integrator: gd' -- "$GOOD" 'integrator: flow, momentum: 0.5'
    objects 'case.yaml:2:' 'params.batch' '1 belongs to integrator: gd' -- "$GOOD" 'integrator: flow, batch: 1'
    objects 'case.yaml:2:' 'params.time' 'integrator: flow' -- "$GOOD" 'time: 2'
    objects 'case.yaml:2:' 'params.record' '5 is no step of 0..4' -- "$GOOD" 'steps: 4, record: [5]'
    objects 'case.yaml:2:' 'params.loss' 'logistic has 1 output, not 3' -- "$GOOD" 'loss: logistic, outputs: 3'
    objects 'case.yaml:2:' 'params.loss' 'cross-entropy needs outputs >= 2' -- "$GOOD" 'loss: cross-entropy'
    objects 'case.yaml:2:' 'params.data.targets' 'row 1 is -0.5; allowed: -1 and 1' -- "$GOOD" 'loss: logistic'
    objects 'case.yaml:2:' 'params.data.targets' '2 x 1 numbers; allowed: 2 x 3' -- "$GOOD" 'outputs: 3'
    objects 'case.yaml:2:' 'params.data.labels' 'row 1 is 3; allowed: classes 0..2' -- \
        "$two, labels: [0, 3]" 'outputs: 3'
    objects 'case.yaml:2:' 'params.two_time' 'needs outputs: 1' -- "$two, labels: [0, 1]" 'outputs: 2, two_time: true'
    objects 'case.yaml:2:' 'params.optimizer' 'adam divides each entry of the gradient by its own size' -- \
        "$GOOD" 'optimizer: adam'
}
