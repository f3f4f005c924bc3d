#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The models of fluctuations from the command line: agreement, a wrong parameter, bad input.

load helper

setup() {
    enter
}

two_layer() {
    case_file case.yaml <<'YAML'
model: two-layer-fluctuations
params: {activation: {name: tanh, gain: 0.4}, lr: 0.05, steps: 24, record_every: 4, center: true,
  bias: false, data: {gram: [[1]], targets: [1]}}
simulate: {size: [100, 200], seeds: 2000}
compare: {rtol: 0.1}
YAML
}

@test "two-layer networks agree with theory" {
    two_layer
    works run case.yaml
    says out delta_nvar ntk_nvar delta_ntk_ncov agrees
    ! grep -q disagrees out
}

@test "a wrong gamma0 on one side is detected" {
    two_layer
    works solve case.yaml -o theory.h5 --set params.gamma0=2
    works simulate case.yaml -o mc.h5
    tool validate theory.h5 mc.h5
    [ "$status" -eq 4 ] || explain "exit code $status, want 4"
    says err gamma0
    grep -E '^delta_nvar .* disagrees' out
}

@test "online training and lazy networks agree with theory" {
    case_file online.yaml <<'YAML'
model: online-fluctuations
params: {dim: 10, lr: 0.03, steps: 20, record_every: 5}
simulate: {size: [200, 400], seeds: 400}
compare: {rtol: 0.1, vars: [delta, ntk, error, perp_nvar, perp_bias]}
YAML
    works run online.yaml
    ! grep -q disagrees out
    case_file lazy.yaml <<'YAML'
model: lazy-fluctuations
params: {depth: 3, data: {gram: [[1]], targets: [1]}}
simulate: {size: 100, seeds: 1000}
compare: {rtol: 0.2}
YAML
    works run lazy.yaml
    ! grep -q disagrees out
}

deep_linear() {
    case_file deep.yaml <<'YAML'
model: deep-linear-fluctuations
params: {depth: 3, lr: 0.05, steps: 4, record_every: 2, data: {gram: [[1]], targets: [1]}}
simulate: {size: [48, 96], seeds: [3000, 1500]}
compare: {rtol: 0.15, vars: [delta, ntk, h_gram, g_gram, loss, delta_nvar, h_gram_nvar, loss_nvar]}
YAML
}

@test "deep linear networks agree with theory" {
    deep_linear
    works run deep.yaml
    says out delta_nvar h_gram_nvar loss_nvar agrees
    ! grep -q disagrees out
}

@test "a gamma0 that is wrong by a tenth is detected in deep linear networks" {
    deep_linear
    works solve deep.yaml -o theory.h5 --set params.gamma0=1.1
    works simulate deep.yaml -o mc.h5
    tool validate theory.h5 mc.h5
    [ "$status" -eq 4 ] || explain "exit code $status, want 4"
    says err gamma0
    grep -E '^g_gram .* disagrees' out
}

@test "widths of layers are as many as there are layers, and whole" {
    bad_case params.widths "2 of 3 hidden layers" <<'YAML'
model: deep-linear-fluctuations
params: {depth: 3, widths: [1, 2], data: {gram: [[1]], targets: [1]}}
YAML
    case_file case.yaml <<'YAML'
model: deep-linear-fluctuations
params: {depth: 2, steps: 1, widths: [0.5, 1], data: {gram: [[1]], targets: [1]}}
simulate: {size: 31, seeds: 4}
YAML
    refused 2 size 31 "widths[0]" -- simulate case.yaml
}

@test "exact relu is refused with a hint to smoothing" {
    bad_case params.activation kink "smoothing: 0.2" "bias: false" <<'YAML'
model: two-layer-fluctuations
params: {activation: relu, data: {gram: [[1]], targets: [1]}}
YAML
}

@test "exact relu without bias: what crosses the kink is counted, with an error" {
    case_file case.yaml <<'YAML'
model: two-layer-fluctuations
params: {activation: relu, bias: false, steps: 4, samples: 256,
  data: {gram: [[1, 0.3], [0.3, 1]], targets: [1, -0.5]}}
YAML
    works solve case.yaml
    ! grep -q warning err
    works export case.h5 --var delta_nvar_se
    works export case.h5 --var ntk_nvar_se
}

@test "a solver that does not converge says how far it came and what to change" {
    case_file case.yaml <<'YAML'
model: two-layer-fluctuations
params: {solver: quadrature, nodes: 16, steps: 4, data: {gram: [[1, 0.3], [0.3, 1]], targets: [1, -0.5]}}
YAML
    tool solve case.yaml
    [ "$status" -eq 3 ] || explain "exit code $status, want 3"
    says err "is off by" "params.tolerance 1e-07" "16 intervals" params.nodes sampled
}

@test "data is required, and checked" {
    bad_case data "no data" <<'YAML'
model: two-layer-fluctuations
params: {steps: 3}
YAML
    bad_case data.gram "no Gram matrix" <<'YAML'
model: lazy-fluctuations
params: {data: {gram: [[1, 2], [2, 1]], targets: [1, 1]}}
YAML
    bad_case data <<'YAML'
model: two-layer-fluctuations
params: {data: {gram: [[1, 0.2], [0.2, 1]], targets: [1]}}
YAML
}

@test "a solver that does not fit the case" {
    bad_case params.solver exact-linear "activation: linear" <<'YAML'
model: two-layer-fluctuations
params: {solver: exact-linear, data: {gram: [[1]], targets: [1]}}
YAML
    bad_case params.solver "at most 4 axes" <<'YAML'
model: two-layer-fluctuations
params: {solver: quadrature, data: {generate: gaussian, samples: 6, dim: 8, target: linear}}
YAML
    bad_case params.solver kink sampled <<'YAML'
model: two-layer-fluctuations
params: {activation: relu, bias: false, solver: quadrature, data: {gram: [[1]], targets: [1]}}
YAML
    bad_case params.samples 1000 "power of two" <<'YAML'
model: two-layer-fluctuations
params: {solver: sampled, samples: 1000, data: {gram: [[1]], targets: [1]}}
YAML
    bad_case params.nodes 31 even <<'YAML'
model: two-layer-fluctuations
params: {nodes: 31, data: {gram: [[1]], targets: [1]}}
YAML
}

@test "a record beyond the last step, a batch that is no number of samples, unknown keys" {
    bad_case params.record 50 "last step" <<'YAML'
model: two-layer-fluctuations
params: {steps: 40, record: [50], data: {gram: [[1]], targets: [1]}}
YAML
    bad_case params.batch 2.5 "whole number" <<'YAML'
model: online-fluctuations
params: {batch: 2.5}
YAML
    bad_case params.width "unknown key" <<'YAML'
model: lazy-fluctuations
params: {width: 3, data: {gram: [[1]], targets: [1]}}
YAML
}

@test "a sample without length is named" {
    case_file case.yaml <<'YAML'
model: lazy-fluctuations
params: {data: {gram: [[1, 0], [0, 0]], targets: [1, 1]}}
YAML
    refused 2 "sample 1" "no length" -- solve case.yaml
}

@test "what does not fit into memory is refused before anything runs" {
    case_file case.yaml <<'YAML'
model: two-layer-fluctuations
params: {steps: 20000, data: {generate: gaussian, samples: 20, dim: 30, target: linear}}
YAML
    refused 2 memory -- solve case.yaml
}

# A march of so many samples, which would say how much more it is, takes hours.
@test "results that do not fit into memory are refused at once" {
    case_file case.yaml <<'YAML'
model: deep-fluctuations
params: {steps: 40, data: {generate: gaussian, samples: 1000, dim: 100}}
YAML
    status=0
    timeout 60 "$NNDMFT" solve case.yaml >out 2>err || status=$?
    one_line_error 2 "theory needs" memory
}

@test "pictures: variance by default, band, scaling" {
    two_layer
    works run case.yaml --set simulate.seeds=64 --set compare.rtol=10
    works plot case.h5 -o a.svg
    works plot case.h5 --view band -o b.svg
    works plot case.h5 --view scaling -o c.svg
    grep -q delta_nvar a.svg
    grep -q "standard deviation, size 100" b.svg
    grep -q "distance from infinite width" c.svg
}

@test "a histogram over seeds needs every seed; a band of theory alone the widths" {
    two_layer
    works run case.yaml --set simulate.seeds=64 --set compare.rtol=10
    refused 2 simulate.storage=trajectories -- plot case.h5 --view histogram
    works run case.yaml --set simulate.seeds=64 --set compare.rtol=10 \
        --set simulate.storage=trajectories --force
    works plot case.h5 --view histogram -o a.svg
    grep -q "normal law of theory, without bias" a.svg
    refused 2 output -- plot case.h5 --view histogram --var outptu -o a.svg
    works solve case.yaml --set simulate=null --set 'params.at_width=[50, 200]' -o theory.h5
    works plot theory.h5 --view band -o b.svg
    grep -q "standard deviation, size 50, 200" b.svg
}

@test "deep-fluctuations: theory, networks of mini-batches, and their comparison" {
    case_file deep.yaml <<'YAML'
model: deep-fluctuations
params:
  depth: 2
  gamma0: 2
  lr: 0.2
  steps: 4
  record: [2]
  batch: 1
  data: {gram: [[1, 0.4], [0.4, 0.8]], targets: [1, -0.5]}
  samples: 256
  replicates: 3
simulate: {size: [32, 64], seeds: [512, 256]}
YAML
    works run deep.yaml
    says out delta_nvar
    ! grep -q disagrees out
    works export deep.h5 --var delta_nvar
    says out t,mu,delta_nvar,delta_nvar_se
}

@test "deep-fluctuations refuses kinks with the way out" {
    bad_case activation "smoothing: 0.2" <<'YAML'
model: deep-fluctuations
params: {activation: relu, data: {gram: [[1]], targets: [1]}}
YAML
}

# Right-hand sides that go back together differ in number, and with it the rounding of their sums.
@test "without kernels of layers the NTK is the same, and networks do not record them" {
    local model short file
    for model in deep-fluctuations deep-linear-fluctuations; do
        short=
        [ "$model" = deep-linear-fluctuations ] || short="samples: 128, replicates: 2,"
        case_file layers.yaml <<YAML
model: $model
params: {$short steps: 4, bias: false, data: {gram: [[1, 0.4], [0.4, 0.8]], targets: [1, -0.5]}}
simulate: {size: 32, seeds: 64}
YAML
        works solve layers.yaml -o all.h5 --force
        works solve layers.yaml -o few.h5 --set params.layers=false --force
        works simulate layers.yaml -o networks.h5 --set params.layers=false --force
        for file in few networks; do
            works info $file.h5
            says out ntk_nvar
            ! grep -q '[hg]_gram\|phi_gram\|layer ' out || return 1
        done
        for file in all few; do
            works export $file.h5 --var ntk,ntk_nvar
            mv out $file.csv
        done
        paste -d , all.csv few.csv | awk -F, 'NR == 1 {next}
            {for (i = 4; i <= NF/2; i++) if (($i - $(i + NF/2))^2 > (1e-9*$i)^2) exit 1}
            END {if (NR < 20) exit 1}' || explain "$model: the NTK differs"
    done
}
