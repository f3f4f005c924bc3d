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
    awk -F, '$2 == "change of features" { d = $3 - ($1 == "mup" ? 0 : -0.5); n++
            if (d * d > 0.06 ^ 2) exit 1 } END { exit n != 2 }' out
}

@test "the check is for models that list magnitudes, and for several sizes" {
    refused 2 simulate.size "two or more sizes" -- coordinates case.yaml --set simulate.size=64
    refused 2 simulate.size "two or more" -- coordinates case.yaml --set simulate=null
    tiny_case tiny.yaml
    refused 2 "deep-linear lists no magnitudes" -- coordinates tiny.yaml
}
