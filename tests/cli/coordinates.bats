#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The coordinate check: powers of the width of real networks beside those that theory expects.

load helper

setup() {
    enter
    case_file <<'YAML'
model: wide-mlp
params: {depth: 1, activation: tanh, lr: 0.3, steps: 4, record: [0, 4],
  data: {gram: [[1, 0.5], [0.5, 1]], targets: [1, -0.5]}}
sweep: {parameterization: [mup, ntk]}
simulate: {size: [32, 128, 512], seeds: 64}
YAML
}

@test "muP is flat, and NTK networks move less the wider they are" {
    works coordinates case.yaml -o c.h5
    says out "power of the size" "as expected"
    ! grep -q otherwise out || explain "a power is another one"
    works plot c.h5 --view coordinates -o c.svg
    says c.svg "change of gradients" theory simulation
    works export c.h5 --group answers --var slope
    # Fields: 0 in muP and -1/2 in NTK, each within the 1/N of the smallest width.
    awk -F, '$2 == "change of first features" { d = $3 - ($1 == "mup" ? 0 : -0.5); n++
            if (d * d > 0.06 ^ 2) exit 1 } END { exit n != 2 }' out
}

@test "standard networks grow with their width, within a step" {
    cat >standard.yaml <<'YAML'
model: wide-mlp
params: {depth: 2, activation: tanh, parameterization: standard, lr: 0.02, steps: 1, spectrum: false,
  data: {gram: [[1, 0.5], [0.5, 1]], targets: [1, -0.5]}}
simulate: {size: [32, 64, 128, 256], seeds: [2048, 1024, 512, 256]}
YAML
    works coordinates standard.yaml -o s.h5
    ! grep -q otherwise out || explain "a power is another one"
    # 1/N at the smallest width and the finite step bend powers by less than 0.1.
    works export s.h5 --group answers --var slope
    awk -F, 'BEGIN { want["tangent kernel"] = want["change of outputs"] = 1
                want["change of first features"] = -0.5
                want["change of deeper features"] = want["change of gradients"] = 0.5 }
        $1 in want { d = $2 - want[$1]; n++; if (d * d > 0.1 ^ 2) exit 1 }
        END { exit n != 5 }' out || explain "a power is far off"
    works simulate standard.yaml --dry-run
    says out "output_divisor 1;" "matrix 0: init_std 0.7071067812, raw_lr 0.02" \
        "matrix 1: init_std 0.125, raw_lr 0.02" "matrix 2: init_std 0.0625, raw_lr 0.02"
    refused 2 params.steps "one step" -- coordinates standard.yaml --set params.steps=2
    refused 2 simulate.center true -- coordinates standard.yaml --set simulate.center=false
    refused 2 params.integrator gd -- coordinates standard.yaml --set params.integrator=flow \
        --set params.time=1 --set params.steps=null --set params.lr=null
}

@test "standard networks have no theory, and say what has" {
    sed 's/^sweep.*//; s/activation: tanh/parameterization: standard/' case.yaml >standard.yaml
    local command
    for command in solve run; do
        refused 2 params.parameterization standard "no limit" "mup, ntk" simulate -- "$command" standard.yaml
    done
    tool solve standard.yaml --dry-run
    [ "$status" -eq 2 ] || explain "planned what there is not"
    refused 2 params.gamma0 standard -- simulate standard.yaml --set params.gamma0=2
    refused 2 params.sigma_b "mup or ntk" -- simulate standard.yaml --set params.sigma_b=1
    works simulate standard.yaml -o s.h5 --set simulate.size=32 --set params.lr=0.01
}

@test "the check is for models that list magnitudes, and for several sizes" {
    refused 2 simulate.size "two or more sizes" -- coordinates case.yaml --set simulate.size=64
    refused 2 simulate.size "two or more" -- coordinates case.yaml --set simulate=null
    tiny_case tiny.yaml
    refused 2 "deep-linear lists no magnitudes" -- coordinates tiny.yaml
}
