#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The model directional from the command line: its example cases, its pictures, what it refuses.

load helper

setup() {
    enter
}

cases() {
    echo "$BATS_TEST_DIRNAME/../../data/cases"
}

# What the comparison says of every variable: agrees.
all_agree() {
    ! grep -Ev "agrees$|^variable|: not claimed at " out | grep . || explain "not everything agrees"
}

@test "flow to a million million" {
    works solve "$(cases)/directional-flow.yaml" --set params.time=1e12 -o flow.h5
    works export flow.h5 --var omega_ratio --var angle_ratio
    [ "$(grep -c ,1000000000000, out)" -eq 4 ] || explain "no last time at four depths"
    awk -F, '$2 == 1e12 && ($3 - 1 > 1e-5 || 1 - $3 > 1e-5) {exit 1}' out || explain "no ratio 1"
}

@test "full matrices equal the reduced maps, beyond the edge of stability too" {
    for name in matrices edge; do
        works run "$(cases)/directional-$name.yaml" -o $name.h5
        all_agree
    done
    works run "$(cases)/directional-unbalanced.yaml" --set params.time=100 -o unbalanced.h5
    all_agree
}

@test "finite samples agree until the angle falls below their noise, which is said" {
    works run "$(cases)/directional-samples.yaml" --set params.samples=2e4 \
        --set params.steps=80 --set simulate.seeds=4 -o samples.h5
    says err "below the sampling noise of 20000 samples"
    grep -Eq "^theta +[1-9][0-9]* +[1-9][0-9]* .* agrees$" out ||
        explain "theta is not compared in part"
    works export samples.h5 --group mc --var train_error
}

@test "pictures of norm and angle, of the floor, of the multiplier" {
    works run "$(cases)/directional-samples.yaml" --set params.samples=1000 \
        --set params.steps=40 --set simulate.seeds=2 --set compare='{rtol: 2}' -o d.h5
    for view in direction floor stability exponents ratios training; do
        works plot d.h5 --view $view -o $view.svg
    done
    works plot d.h5 -o default.svg
    cmp default.svg direction.svg
    says direction.svg "asymptotic law"
    says floor.svg "sampling noise"
}

@test "bounds stand beside the flow, and the time at which the norm turns" {
    works solve "$(cases)/directional-flow.yaml" --set params.time=1e3 -o flow.h5
    works plot flow.h5 --view bounds -o bounds.svg
    says bounds.svg "lower bound" "the norm turns"
    works export flow.h5 --var turning_time
    [ "$(awk -F, 'NR > 1 && $2 > 0.5 && $2 < 20' out | wc -l)" -eq 4 ] || explain "not four turns"
}

@test "recipe and cost before anything runs" {
    works run "$(cases)/directional-samples.yaml" --dry-run
    says out "SGD, full batch" "rank-one layers"
}

@test "one layer starts from nothing, more cannot" {
    case_file <<'YAML'
model: directional
params: {depth: 1, omega0: 0, time: 10}
YAML
    works solve case.yaml -o nothing.h5
    bad_case params.omega0 "0 is a saddle at depth 2" "depth 1" <<'YAML'
model: directional
params: {depth: 2, omega0: 0}
YAML
}

@test "the opposite direction is a start like others" {
    case_file <<'YAML'
model: directional
params: {depth: 3, theta0: 3.141592653589793, time: 1000}
simulate: {seeds: 2}
YAML
    works run case.yaml
    works export case.h5 --var theta
    [ "$(awk -F, 'NR > 1 && $2 < 3.14159265358979' out | wc -l)" -eq 0 ] || explain "it moved"
}

@test "values out of range name what is allowed" {
    bad_case params.depth "-1" "integer" <<<'{model: directional, params: {depth: -1}}'
    bad_case params.dim "1 is out of range" "law sphere" ">= 2" \
        <<<'{model: directional, params: {law: sphere, dim: 1}}'
    bad_case params.theta0 4 <<<'{model: directional, params: {theta0: 4}}'
    bad_case params.theta0 "one dimension" <<<'{model: directional, params: {dim: 1}}'
    bad_case params.omega0 "-1" <<<'{model: directional, params: {omega0: -1}}'
    bad_case params.samples "0.5" <<<'{model: directional, params: {samples: 0.5}}'
    bad_case params.samples "10.5" integer <<<'{model: directional, params: {samples: 10.5}}'
    bad_case params.lr "0" <<<'{model: directional, params: {integrator: gd, lr: 0}}'
    bad_case params.steps "integer" <<<'{model: directional, params: {integrator: gd, steps: 2.5}}'
    bad_case params.record "200" "0..100" \
        <<<'{model: directional, params: {integrator: gd, record: [200]}}'
}

@test "schedules of descent by list and by law, one at a time" {
    for schedule in '[1, 0.5]' '{power: -0.5}' '{factor: 0.99}'; do
        works run "$(cases)/directional-matrices.yaml" --force \
            --set "params.schedule=$schedule" -o s.h5
        all_agree
    done
    bad_case params.schedule "2 of list, power and factor" \
        <<<'{model: directional, params: {integrator: gd, schedule: {power: 1, factor: 0.9}}}'
    bad_case params.schedule "integrator: gd" \
        <<<'{model: directional, params: {schedule: {power: 1}}}'
    bad_case params.schedule.factor "-1" "> 0" \
        <<<'{model: directional, params: {integrator: gd, schedule: {factor: -1}}}'
    bad_case params.schedule.list "fast is not a number" \
        <<<'{model: directional, params: {integrator: gd, schedule: fast}}'
}

@test "fresh batches keep the predictor off the direction of the teacher, as theory says" {
    works run "$(cases)/directional-batches.yaml" --set sweep.batch=[50] --set simulate.seeds=16 \
        --set params.dim=40 --set compare.rtol=0.2 -o b.h5
    all_agree
    grep -Eq "^perp_floor +[1-9]" out || explain "the floor is not compared"
    works plot b.h5 --view batches -o b.svg
    works simulate "$(cases)/directional-batches.yaml" --dry-run
    says out "SGD, 100 fresh samples in every step"
    bad_case params.batch "integrator: gd" <<<'{model: directional, params: {batch: 10}}'
    bad_case params.batch "one of them" \
        <<<'{model: directional, params: {integrator: gd, batch: 10, samples: 100}}'
    bad_case params.batch "two given layers" <<<'{model: directional, params: {integrator: gd, batch: 10,
        init: {M: [[1]], p: [0.5], a: [1]}}}'
    bad_case params.batch "dim >= 2" \
        <<<'{model: directional, params: {integrator: gd, batch: 10, dim: 1, theta0: 0}}'
    bad_case params.batch "-1" <<<'{model: directional, params: {integrator: gd, batch: -1}}'
    bad_case params.law.radius "kind: sphere" <<<'{model: directional, params: {law: {radius: 2}}}'
    bad_case params.law.radius "> 0" \
        <<<'{model: directional, params: {law: {kind: sphere, radius: 0}}}'
}

@test "keys of the other integrator are refused" {
    bad_case params.lr "integrator: gd" <<<'{model: directional, params: {lr: 0.1}}'
    bad_case params.steps "integrator: gd" <<<'{model: directional, params: {steps: 10}}'
    bad_case params.time "integrator: flow" \
        <<<'{model: directional, params: {integrator: gd, time: 10}}'
}

@test "laws and starts that make no sense are refused" {
    bad_case params.law "gaussian" <<<'{model: directional, params: {law: cauchy}}'
    bad_case params.law.mixture "2 weights and 1 scales" \
        <<<'{model: directional, params: {law: {mixture: {weights: [1, 2], scales: [1]}}}}'
    bad_case params.law.mixture.scales "-1" \
        <<<'{model: directional, params: {law: {mixture: {weights: [1], scales: [-1]}}}}'
    bad_case params.init "two layers" "depth is 3" \
        <<<'{model: directional, params: {depth: 3, init: {M: [[1]], p: [0], a: [1]}}}'
    bad_case params.init "2 in a" \
        <<<'{model: directional, params: {init: {M: [[1]], p: [0], a: [1, 2]}}}'
    bad_case params.init.M "symmetric" \
        <<<'{model: directional, params: {init: {M: [[1, 2], [0, 9]], p: [0, 0], a: [1, 2]}}}'
    bad_case params.init.M "eigenvalue" \
        <<<'{model: directional, params: {init: {M: [[1]], p: [2], a: [1]}}}'
    bad_case params.init.M ".nan is not rows of numbers" \
        <<<'{model: directional, params: {init: {M: [[.nan]], p: [0], a: [1]}}}'
    bad_case params.omega0 "init: aligned" \
        <<<'{model: directional, params: {omega0: 1, init: {M: [[1]], p: [0], a: [1]}}}'
}

@test "simulations that cannot be are refused" {
    case_file <<'YAML'
model: directional
params: {time: 1.0e6}
simulate: {seeds: 2}
YAML
    refused 2 params.time "1e+06" "100000" -- simulate case.yaml
    case_file <<'YAML'
model: directional
params: {dim: 2, time: 10, init: {M: [[1, 0], [0, 1]], p: [0.1, 0], a: [1, 1]}}
simulate: {seeds: 2}
YAML
    refused 2 params.dim ">= 3" -- simulate case.yaml
    case_file <<'YAML'
model: directional
params: {dim: 1.0e9, samples: 1.0e6, time: 10}
simulate: {seeds: 2}
YAML
    refused 2 "memory" -- simulate case.yaml
    case_file <<'YAML'
model: directional
simulate: {size: 100, seeds: 2}
YAML
    refused 2 size -- simulate case.yaml
}
