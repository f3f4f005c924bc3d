#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Searches over time, for a divergence, with a bound; what is said when there is nothing to find.

load helper

setup() {
    enter
    case_file <<'YAML'
model: two-layer-fluctuations
params: {activation: linear, steps: 6, data: {gram: [[1, 0.6], [0.6, 1]], targets: [1, -0.5]}}
YAML
    case_file flow.yaml <<'YAML'
model: directional
params: {time: 1e6}
YAML
}

@test "the time at which the angle is small, at several depths" {
    works find flow.yaml --first "theta < 1e-3" --set params.depth=2
    [ "$(head -n 1 out)" = t,t_uncertainty,theta,theta_se,evaluations ]
    time=$(tail -n 1 out | cut -d , -f 1)
    works find flow.yaml --cross theta=1e-3 --set sweep.depth=[1,2]
    [ "$(wc -l <out)" -eq 3 ]
    [ "$(sed -n 3p out | cut -d , -f 1,2)" = "2,$time" ]
}

@test "what is never met is said with what was" {
    tool find flow.yaml --first "theta < -1" --set params.depth=2
    [ "$status" -eq 3 ]
    says err "theta is never below -1" "up to t = 1e+06"
    tool find case.yaml --param lr=0.1:1 --zero loss=77 --at t=6
    [ "$status" -eq 3 ]
    says err "loss does not cross 77" "it is from"
    tool find case.yaml --param lr=0.1:1 --diverges
    [ "$status" -eq 3 ]
    says err "training diverges at none of the 129 values" "apart"
}

@test "the largest stable rate lies just below one at which training diverges" {
    works find case.yaml --param lr=0.1:20 --diverges
    [ "$(head -n 1 out)" = lr,lr_uncertainty,diverged_at,diverged_at_se,lr_gap,evaluations ]
    rate=$(tail -n 1 out | cut -d , -f 1)
    works solve case.yaml --set params.lr="$rate"
    above=$(awk -v x="$rate" 'BEGIN { printf "%.12g", x * (1 + 3e-8) }')
    tool solve case.yaml --set params.lr="$above" --force
    [ "$status" -eq 3 ] || explain "no divergence at $above"
}

@test "the least loss below a share of the edge of stability" {
    works find case.yaml --param lr=0.1:1.3 --min loss --subject "stability<1" --at t=6
    head -n 1 out | grep -q ',loss,loss_se,stability,evaluations$'
    awk -F, 'NR == 2 { exit !($5 <= 1 && $5 > 0.99998) }' out
}

@test "searches that make no sense are refused in one line" {
    refused 2 "give one of" -- find case.yaml --param lr=1:2
    refused 2 "give one of" -- find case.yaml --param lr=1:2 --diverges --min loss
    refused 2 "--subject" "--min and --max alone" -- find case.yaml --param lr=1:2 --diverges \
        --subject "loss < 1"
    refused 2 "--first theta" "NAME < NUMBER" -- find flow.yaml --first "theta"
    refused 2 "--first theta < x" "NAME < NUMBER" -- find flow.yaml --first "theta < x"
    refused 2 "--cross theta" "VAR=LEVEL" -- find flow.yaml --cross theta
    refused 2 "--param" "over time" -- find flow.yaml --cross theta=1 --param depth=1:2
    refused 2 "thet is not a variable" "did you mean theta?" -- find flow.yaml --first "thet < 1"
    refused 2 "turning_time does not depend on t" "--first" -- find flow.yaml --cross turning_time=3
    refused 2 "--at" "t is what is sought" -- find flow.yaml --first "theta < 1e-3" --at t=3
    refused 2 "--at" "depends on mu" -- find case.yaml --first "delta < 0.5"
    refused 2 "is no dimension of" -- find case.yaml --param lr=0.1:1 --min loss \
        --subject "stability < 1" --at t=6,layer=1
}
