#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The model scaling-laws from the command line, on cases that take a fraction of a second.

load helper

setup() {
    enter
    case_file case.yaml <<'YAML'
model: scaling-laws
params: {features: {power_law: 1.5, count: 60}, target: 2, width: 12, samples: 20, time: 100, record: [1, 10]}
simulate: {seeds: 20}
YAML
}

@test "without a size students are those of the parameters, with sizes they have a dimension" {
    works simulate case.yaml
    works export case.h5 --group mc --var test_mse
    [ "$(head -n 1 out)" = t,test_mse,test_mse_se ] || explain header
    works simulate case.yaml -o sizes.h5 --set 'simulate.size=[1, 2]'
    works export sizes.h5 --group mc --var test_mse,train_mse,bias,var_joint
    [ "$(head -n 1 out)" = size,t,test_mse,test_mse_se,train_mse,train_mse_se,bias,bias_se,var_joint,var_joint_se ] ||
        explain header
    works simulate case.yaml -o ridge.h5 --set params.time=null --set params.record=null \
        --set params.training=ridge --set params.ridge=0.01
    works export ridge.h5 --group mc --var test_mse,top_eigenvalue
    [ "$(head -n 1 out)" = test_mse,test_mse_se,top_eigenvalue,top_eigenvalue_se ] || explain header
}

@test "power laws and ensembles are swept by their main member" {
    works simulate case.yaml --set params.features=null --set params.target=null \
        --set 'sweep.features=[1.2, 1.5]' --set 'sweep.ensemble=[1, 4]' --set params.width=4 --set params.samples=6
    works export case.h5 --group mc --var ensemble_risk
    [ "$(head -n 1 out)" = features,ensemble,t,ensemble_risk,ensemble_risk_se ] || explain header
    [ "$(wc -l <out)" -eq 13 ] || explain rows
}

@test "a dry run says how a framework trains the same students" {
    works simulate case.yaml --dry-run
    says out "output_divisor 3.464101615; gradient flow" "matrix 0: init_std 1, raw_lr 0" \
        "matrix 1: init_std 0, raw_lr 0.1" "matrix 0 is frozen"
    works simulate case.yaml --dry-run --set params.time=null --set params.record=null \
        --set params.training=mini-batch --set params.batch=5 --set params.lr=0.3 \
        --set params.batch_terms=limit --set simulate.size=3
    says out "size 3: output_divisor 6; SGD" "15 of the samples a step" "matrix 1: init_std 0, raw_lr 0.3"
    works simulate case.yaml --dry-run --set params.width=inf
    says out "output_divisor 1;" "matrix 0: init_std 0, raw_lr 0.1"
}

@test "students on the features of a file" {
    cat >features.csv <<'CSV'
x0,x1,y
3,0,4.1
1,0,2.1
2,2,3.9
2,-2,1.9
CSV
    case_file data.yaml <<'YAML'
model: scaling-laws
params:
  data: {file: features.csv, inputs: x, targets: y}
  samples: 4
  training: ridge
  ridge: 1e9
simulate: {seeds: 20}
YAML
    works simulate data.yaml
    says err "data.inputs: 4 rows measure the covariance of 2 features"
    # So large a ridge leaves the whole variance of y, 0.5 + 0.5 + 0.01.
    works export data.h5 --group mc --var test_mse
    sed -n 2p out | cut -d, -f1 | awk '{ exit !($1 > 1.0099999 && $1 < 1.0100001) }' || explain variance
}

@test "of few rows it is said once that their spectrum is biased, by theory too" {
    printf 'x0,x1,y\n3,0,4.1\n1,0,2.1\n2,2,3.9\n2,-2,1.9\n' >features.csv
    case_file data.yaml <<'YAML'
model: scaling-laws
params: {data: {file: features.csv, inputs: x, targets: y}}
sweep: {width: [1, 2]}
simulate: {seeds: 2}
YAML
    local command
    for command in "solve --force" "simulate --force" "run --force" \
        "find --set sweep=null --param width=1:4 --max test_mse --at t=10000 --points 3"; do
        # shellcheck disable=SC2086
        works $command data.yaml
        [ "$(grep -c "4 rows measure the covariance of 2 features" err)" -eq 1 ] || explain "$command"
    done
}

@test "a dry run counts the covariance of measured features" {
    { seq -s, -f 'x%g' 0 299 | sed 's/$/,y/'; for i in $(seq 30); do seq -s, "$i" 7 $((7 * 300 + i)); done; } >features.csv
    case_file data.yaml <<'YAML'
model: scaling-laws
params: {data: {file: features.csv, inputs: x, targets: y}, training: ridge}
YAML
    works solve data.yaml --dry-run
    # the matrix and its eigenvectors at least
    awk '$1 == "theory" && $4 == "MB," { memory = $3 } END { exit !(memory > 2 * 8e-6 * 300 * 300) }' out ||
        explain memory
}

@test "features and targets whose squares are no doubles are refused" {
    { echo x,y; seq 20 | sed 's/.*/&e60,&/'; } >features.csv
    case_file data.yaml <<'YAML'
model: scaling-laws
params: {data: {file: features.csv, inputs: x, targets: y}}
YAML
    refused 2 data.inputs "too large" 1e+100 -- solve data.yaml
    { echo x,y; seq 20 | sed 's/.*/&e-60,&/'; } >features.csv
    refused 2 data.inputs "too small" 1e-100 -- solve data.yaml
    { echo x,y; seq 20 | sed 's/.*/&,&e110/'; } >features.csv
    refused 2 data.targets "too large" 1e+200 -- solve data.yaml
    { echo x,y; seq 20 | sed 's/.*/&e200,&/'; } >features.csv
    refused 2 data.inputs "too large" -- solve data.yaml
    { echo x,y; seq 20 | sed 's/.*/&,&e200/'; } >features.csv
    refused 2 data.targets "too large" -- solve data.yaml
}

@test "numbers beyond the method are refused in one line" {
    refused 2 params.ridge 1e300 1e+100 -- solve case.yaml --set params.time=null --set params.record=null \
        --set params.training=ridge --set params.ridge=1e300
    refused 2 params.ridge 1e-300 1e-100 -- solve case.yaml --set params.time=null --set params.record=null \
        --set params.training=ridge --set params.ridge=1e-300
    refused 2 params.time 1e-300 -- solve case.yaml --set params.record=null --set params.time=1e-300
    refused 2 params.record 1e-200 -- solve case.yaml --set 'params.record=[0, 1e-200]'
    refused 2 frontier.to "5 widths" -- solve case.yaml --set 'params.frontier={from: 3, to: 6}'
    refused 2 frontier.widths from -- solve case.yaml --set 'params.frontier={widths: 10}'
    refused 2 frontier.widths "5 make 4" -- solve case.yaml --set 'params.frontier={from: 1, to: 5, widths: 5}'
    refused 2 frontier.compute 1e+300 1e+100 -- solve case.yaml --set 'params.frontier={from: 5, to: 50, compute: [1e300]}'
    refused 2 frontier.compute 1e-300 1e-100 -- solve case.yaml --set 'params.frontier={from: 5, to: 50, compute: [1e-300]}'
    refused 2 features.eigenvalues 1e155 1e+100 -- solve case.yaml --set params.target=null \
        --set 'params.features={eigenvalues: [1, 1e155]}'
    refused 2 target.weights2 1e200 1e+100 -- solve case.yaml --set 'params.features={eigenvalues: [1]}' \
        --set 'params.target={weights2: [1e200]}'
}

@test "find varies widths and batches, which are whole numbers" {
    works find case.yaml --set params.noise2=1 --param samples=2:50 --max test_mse --at t=100
    awk -F, 'NR == 2 { exit !($1 == int($1) && $1 > 2 && $1 < 50 && $2 == 0) }' out || explain "the peak"
    works find case.yaml --set params.time=null --set params.record=null --set params.samples=null \
        --set params.training=one-pass --set params.noise2=1 --set params.width=null --param batch=1:100 \
        --zero plateau=1.02
    awk -F, 'NR == 2 { exit !($1 == int($1) && $1 > 1 && $1 < 100) }' out || explain "the batch"
    refused 2 width 2.5 "an integer >= 1, or inf" -- find case.yaml --param width=2.5:50 --max test_mse --at t=100
}

@test "nonsense is refused in one line" {
    refused 2 params.width 2.5 "an integer >= 1, or inf" -- simulate case.yaml --set params.width=2.5
    refused 2 params.lr "belongs to training" -- simulate case.yaml --set params.lr=0.1
    refused 2 params.batch_terms "size 2" limit -- simulate case.yaml --set params.samples=null \
        --set params.time=null --set params.record=null --set params.training=one-pass --set simulate.size=2
    refused 2 simulate.size missing -- simulate case.yaml --set model=deep-linear --set params=null
}

@test "students that diverge are counted" {
    tool simulate case.yaml --set params.time=null --set params.record=null --set params.training=gd \
        --set params.lr=50 --set params.steps=1000
    [ "$status" -eq 3 ] || explain "exit code $status, want 3"
    says err "100 % of the seeds diverged"
}
