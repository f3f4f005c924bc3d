#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# What ships is whole: every example case, every model with its template.

load helper

setup() {
    enter
}

@test "every example case resolves" {
    local file few
    for file in "$BATS_TEST_DIRNAME"/../../data/cases/*.yaml; do
        few=()
        # Networks without theory.
        if grep -q "^  parameterization: standard" "$file"; then
            works simulate "$file" --dry-run
            continue
        fi
        # What is sampled takes its time; a few samples and steps are enough here.
        ! grep -q "^model: wide-mlp" "$file" ||
            few=(--set params.samples=512 --set params.replicates=2 --set params.steps=3)
        ! grep -q "^model: deep-fluctuations" "$file" ||
            few=(--set params.samples=512 --set params.replicates=2 --set params.steps=3
                --set "params.record=[2]")
        if grep -q "^# Theory is refused" "$file"; then
            refused 2 "too many for theory" "nndmft simulate" -- solve "$file" -o example.h5 --force
            works simulate "$file" --dry-run
            continue
        fi
        works solve "$file" -q -o example.h5 --force "${few[@]}"
        works run "$file" --dry-run
    done
}

@test "models lists the models, describe their parameters and variables" {
    works models
    says out deep-linear
    local model
    cut -d' ' -f1 out >names
    while read -r model; do
        works describe "$model"
        says out parameters variables default
    done <names
    works describe deep-linear
    says out gamma0 alpha two_time "test_risk(t)" "g_norm2(t,layer)"
}

@test "the template of every model is a case that runs" {
    works models
    local model few
    cut -d' ' -f1 out >names
    while read -r model; do
        works describe "$model" --case
        cp out template.yaml
        few=()
        # What is sampled takes its time; a few samples and steps are enough here.
        ! grep -q "^  replicates:" template.yaml ||
            few=(--set params.samples=128 --set params.replicates=2 --set params.steps=3)
        # A model whose theory is not known says so.
        tool solve template.yaml -o "$model.h5" "${few[@]}"
        grep -q "$model has no theory" err || [ "$status" -eq 0 ] || explain "template of $model"
    done <names
}
