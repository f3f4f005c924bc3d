#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The model alignment from the command line, on cases that take a fraction of a second.

load helper

setup() {
    enter
    case_file case.yaml <<'YAML'
model: alignment
params: {ridge: 0.1}
sweep: {alpha: [0.5, 1, 2], snr: [0.5, 2, 8]}
simulate: {size: 40, seeds: 200}
compare: {rtol: 0.2, vars: [cosine, signal, noise, gen_error]}
YAML
}

@test "theory and simulation of alignment agree" {
    works run case.yaml
    [ "$(grep -c 'agrees$' out)" -eq 4 ] || explain "not all agree"
}

@test "variables are scalars for ridge and curves for early stopping" {
    works solve case.yaml
    works export case.h5 --var cosine,cka
    [ "$(head -n 1 out)" = alpha,snr,cosine,cka ] || explain header
    works run case.yaml --set params.ridge=null --set params.training=flow --set 'params.record=[1]' \
        --set simulate.seeds=40 --set compare.vars=null --set compare.rtol=1 -o flow.h5
    works export flow.h5 --group mc --var cosine
    [ "$(head -n 1 out)" = alpha,snr,size,t,cosine,cosine_se ] || explain header
}

@test "the least alignment over alpha is found" {
    works find case.yaml --set sweep=null --param alpha=0.1:10 --min cosine
    says out 0.79151
    works solve case.yaml --set sweep=null --set params.minimum=true -o min.h5
    works export min.h5 --var alpha_min
    says out 0.79151
}

@test "no ridge at the threshold: alignment 0, not a failure" {
    works solve case.yaml --set sweep=null --set params.alpha=1 --set params.ridge=0 -o edge.h5
    works export edge.h5 --var cosine,cka
    [ "$(sed -n 2p out)" = 0,0 ] || explain "not 0"
}

@test "pictures: over alpha with minima, map, decoupling" {
    works solve case.yaml
    local view
    for view in alignment map decoupling; do
        works plot case.h5 --view $view -o $view.svg
        [ -s $view.svg ]
    done
    works plot case.h5 --list
    says out map decoupling
}

@test "a tanh network and two classes: simulated, drawn beside the theory, not compared" {
    works run case.yaml --set params.ridge=null --set params.training=gaussian-init \
        --set params.dim=20 --set params.time=5 --set simulate.size=20 --set simulate.seeds=4 \
        --set simulate.activation=tanh --set simulate.task=classification --set compare.vars=null
    says out inconclusive
    works export case.h5 --group mc --var cosine,gen_error
    [ "$(wc -l <out)" -eq 10 ]
}

@test "sizes and dimensions must agree; nonsense is refused in one line" {
    refused 2 params.dim "simulate.size is 40" -- simulate case.yaml --set params.dim=30
    refused 2 params.snr -1 "out of range" -- solve case.yaml --set sweep=null --set params.snr=-1
    refused 2 params.alpha 0 "out of range" -- solve case.yaml --set sweep=null --set params.alpha=0
    refused 2 "a list of 0" -- solve case.yaml --set 'params.covariance={eigenvalues: []}'
    refused 2 simulate.activation "needs a hidden layer" -- solve case.yaml \
        --set simulate.activation=tanh
    refused 2 params.alpha "leaves no sample" -- simulate case.yaml --set sweep=null \
        --set params.alpha=0.001
}

@test "one thread and two give the same bits, resumed or not" {
    need_python h5py
    works simulate case.yaml --threads 1 -o one.h5
    works simulate case.yaml --threads 2 --set simulate.seeds=70 -o two.h5
    works simulate case.yaml --threads 2 -o two.h5
    same_data one.h5 two.h5 mc
}

@test "deep networks in batches, the second one another: simulated with CKA of each layer" {
    works run case.yaml --set sweep=null --set params.ridge=null --set params.training=white-init \
        --set params.dim=20 --set params.time=2 --set 'params.record=[2]' --set params.depth=4 \
        --set simulate.size=20 --set simulate.seeds=4 --set simulate.activation=relu \
        --set simulate.batch=8 --set 'simulate.second={depth: 3, activation: tanh, width: 0.5}' \
        --set compare.vars=null
    works export case.h5 --group mc --var cka_layer
    [ "$(wc -l <out)" -eq 3 ] || explain "not two layers"
    refused 2 simulate.second "depth 1; allowed: 2 to 4" -- simulate case.yaml --set sweep=null \
        --set params.ridge=null --set params.training=white-init --set params.dim=40 \
        --set 'simulate.second={depth: 1}'
    refused 2 params.depth "allowed with nonlinear networks: 2 to 4" -- simulate case.yaml --set sweep=null \
        --set params.ridge=null --set params.training=rich --set params.depth=5 --set simulate.batch=4
    refused 2 params.probe "200 points of 80 training inputs" -- simulate case.yaml --set sweep=null \
        --set 'params.probe={points: 200, on: train}'
    works run case.yaml --set sweep=null --set 'params.probe={points: 20, on: train}' \
        --set simulate.seeds=4 --set compare.vars=null -o train.h5
    works export train.h5 --group mc --var cka_probe
    refused 2 simulate.batch "needs a hidden layer" -- simulate case.yaml --set simulate.batch=4
}

# Images of clothes, as shipped.
fashion() {
    case_file fashion.yaml <<YAML
model: alignment
params:
  data: {file: $BATS_TEST_DIRNAME/../../data/fashion.h5, inputs: pixels, labels: label, positive: [0, 1, 2, 3, 4]}
  ridge: 0.01
  snr: 1
  samples: 400
simulate: {size: 196, seeds: 100}
YAML
}

@test "images: theory of normal inputs is not claimed where it is wrong, with the reason" {
    fashion
    works run fashion.yaml --set compare.rtol=0.05
    grep '^gen_error .* inconclusive$' out || explain "claimed"
    says out "gen_error: not claimed at 1 point: inputs are not normal (\`kurtosis\`)"
    works export fashion.h5 --var kurtosis,residual
    says out 0.2939931308
}

@test "images: inputs as they are agree" {
    fashion
    works run fashion.yaml --set params.tails=measured --set compare.rtol=0.05
    grep '^cosine .* agrees$' out || explain "no agreement"
    grep '^gen_error .* agrees$' out || explain "no agreement"
}

@test "a table with a rare attribute: claimed from where samples have it, with the reason" {
    works solve "$BATS_TEST_DIRNAME/../../data/cases/alignment-health.yaml" -o health.h5
    works export health.h5 --var gen_error_min_size
    [ "$(sed -n '2,$p' out | tr '\n' ' ')" = "30,inf 100,inf 300,inf 1000,0 3000,0 " ] || explain "other claims"
    works run "$BATS_TEST_DIRNAME/../../data/cases/alignment-health.yaml" --set sweep=null --set params.samples=300 \
        --set simulate.seeds=20 -o few.h5
    says out "gen_error: not claimed at 1 point: samples may lack a direction of the inputs that few rows have"
}

@test "images: a tanh network and two classes learn from them" {
    fashion
    works run fashion.yaml --set params.training=white-init --set params.ridge=null --set params.time=2 \
        --set 'params.record=[2]' --set simulate.seeds=2 --set simulate.activation=tanh \
        --set simulate.task=classification --set params.samples=300
    works export fashion.h5 --group mc --var gen_error
    says out gen_error
}

@test "images: ten classes are simulated, without theory; nonsense is refused in one line" {
    fashion
    local ten=(--set params.data.positive=null --set params.outputs=10 --set params.training=white-init
        --set params.ridge=null --set params.time=2 --set 'params.record=[2]' --set simulate.seeds=2
        --set simulate.activation=tanh --set simulate.test_points=50)
    works simulate fashion.yaml "${ten[@]}" --set simulate.task=classification --set params.samples=300
    works export fashion.h5 --group mc --var gen_error
    works export fashion.h5 --group mc --var flip_fraction
    # (1 - sqrt(1/2)) 9/10
    says out 0.26360389
    local classes=("${ten[@]}" --set simulate.task=classification)
    refused 2 params.outputs "10 classes have no theory" -- solve fashion.yaml "${classes[@]}" -o ten.h5
    refused 2 params.samples "9 samples of 10 classes" -- simulate fashion.yaml "${classes[@]}" \
        --set params.samples=9
    refused 2 params.data.labels "allowed: classes 0..8" -- simulate fashion.yaml "${classes[@]}" \
        --set params.outputs=9
    refused 2 params.outputs "means nothing beside data" -- simulate fashion.yaml --set params.outputs=10 -o ten.h5
}

@test "images: networks are measured on test images, and their layers compared on them" {
    fashion
    local tanh=(--set params.training=white-init --set params.ridge=null --set params.time=2
        --set 'params.record=[2]' --set simulate.seeds=2 --set simulate.activation=tanh --set params.samples=100)
    local tests=(--set params.data.test_inputs=pixels_test --set params.data.test_labels=label_test)
    works simulate fashion.yaml "${tanh[@]}" "${tests[@]}" --set 'params.probe={points: 40, on: test}'
    works export fashion.h5 --group mc --var gen_error,cka_probe
    works simulate fashion.yaml "${tanh[@]}" -o drawn.h5
    works export drawn.h5 --group mc --var gen_error
    refused 2 params.data.test_inputs "linear networks are measured on the rows" -- solve fashion.yaml \
        "${tests[@]}" -o no.h5
    refused 2 params.data.test_labels "missing beside test_inputs" -- simulate fashion.yaml "${tanh[@]}" \
        --set params.data.test_inputs=pixels_test -o no.h5
    refused 2 params.probe.on "40 points of 0 data.test_inputs" -- simulate fashion.yaml "${tanh[@]}" \
        --set 'params.probe={points: 40, on: test}' -o no.h5
    refused 2 params.probe.on "allowed: test, train" -- simulate fashion.yaml "${tanh[@]}" "${tests[@]}" \
        --set 'params.probe={points: 40}' -o no.h5
}

@test "IDX files of a set are read from one of them" {
    need_python
    python3 - <<'PYTHON'
import gzip, random, struct
random.seed(1)
rows = [[random.randrange(256) for _ in range(6)] for _ in range(40)]
with gzip.open("train-images-idx3-ubyte.gz", "wb") as f:
    f.write(struct.pack(">IIII", 0x803, 40, 2, 3) + bytes(sum(rows, [])))
with open("train-labels-idx1-ubyte", "wb") as f:
    f.write(struct.pack(">II", 0x801, 40) + bytes(sum(row) % 10 for row in rows))
PYTHON
    case_file idx.yaml <<'YAML'
model: alignment
params:
  data: {file: train-images-idx3-ubyte.gz, inputs: train-images, labels: train-labels, positive: [0, 2, 4, 6, 8]}
  ridge: 0.1
  samples: 30
simulate: {size: 6, seeds: 4}
YAML
    works run idx.yaml
    refused 2 idx.yaml:3 params.data.file 't10k-images' 'it has: train-images, train-labels' -- \
        solve idx.yaml --set params.data.inputs=t10k-images
    refused 2 idx.yaml:3 params.data.labels "row 0 is" "allowed: classes 0..1" -- \
        solve idx.yaml --set params.data.positive=null
}

@test "data that make no sense with alignment are refused in one line" {
    fashion
    refused 2 params.samples "beside alpha" -- solve fashion.yaml --set params.alpha=2
    refused 2 params.samples "missing beside data" -- solve fashion.yaml --set params.samples=null
    refused 2 params.covariance "means nothing beside data" -- solve fashion.yaml \
        --set 'params.covariance={eigenvalues: [1]}'
    refused 2 params.label_noise "beside snr" -- solve fashion.yaml --set params.label_noise=1
    refused 2 params.tails "without input_noise" -- solve fashion.yaml --set params.tails=measured \
        --set params.input_noise=1
    refused 2 params.samples "needs data or dim" -- solve case.yaml --set sweep=null --set params.samples=9
    refused 2 params.dim "simulate.size is 100" -- simulate fashion.yaml --set simulate.size=100
    refused 2 params.data.file "has no array" -- solve fashion.yaml --set params.data.labels=lable
    refused 2 "all rows are equal" -- solve fashion.yaml --set params.data=null \
        --set 'params.data={inputs: [[1, 2], [1, 2]], targets: [1, 0]}'
    refused 2 "all are equal" -- solve fashion.yaml --set 'params.data.positive=[11]'
}
