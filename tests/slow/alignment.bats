#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Alignment: theory against pairs of real networks.

setup() {
    cases="$BATS_TEST_DIRNAME/../../data/cases"
    cd "$BATS_TEST_TMPDIR" || return 1
}

agrees() {
    "$NNDMFT" run "$@" -q -o out.h5
}

@test "ridge at one size" {
    agrees "$cases/alignment.yaml" --set simulate.size=200 --set simulate.seeds=640
}

@test "weight decay" {
    agrees "$cases/alignment.yaml" --set sweep=null --set params.ridge=null \
        --set params.training=weight-decay --set params.weight_decay=0.1 --set params.alpha=1.5
}

@test "ridge by trained networks" {
    agrees "$cases/alignment.yaml" --set sweep=null --set params.ridge=0.1 --set params.alpha=1.5 \
        --set simulate.route=network --set simulate.size=100 --set simulate.seeds=160
}

# near SAMPLES WANTED ERROR: the cosine of the ensemble is within three standard errors, its own and that of what is
# wanted.
near() {
    "$NNDMFT" export "images$1.h5" --group mc --var cosine >"images.csv"
    awk -F, -v want="$2" -v error="$3" -v samples="$1" 'NR == 2 {
        z = ($2 - want) / sqrt($3 * $3 + error * error)
        print samples " samples: want " want "(" error ") got " $2 "(" $3 "), z = " z
        exit !(z * z <= 9)
    }' images.csv
}

# theory SAMPLES WANTED: the theory of normal inputs, to the printed digits.
theory() {
    "$NNDMFT" export "images$1.h5" --var cosine >"theory.csv"
    awk -F, -v want="$2" -v samples="$1" 'NR == 2 {
        print samples " samples: want " want " got " $1
        exit !($1 - want <= 0.0005 && want - $1 <= 0.0005)
    }' theory.csv
}

# Another program's networks, on other draws of the same images (alignment.md#s10-3).
@test "60000 images of 28 x 28 pixels, as Debian ships them" {
    cat >images.yaml <<'YAML'
model: alignment
params:
  data:
    file: /usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz
    inputs: train-images
    labels: train-labels
    positive: [0, 1, 2, 3, 4]
  ridge: 0.01
  snr: 1
simulate: {size: 784}
YAML
    while read -r samples seeds networks error normal; do
        "$NNDMFT" run images.yaml --set "params.samples=$samples" --set "simulate.seeds=$seeds" -q \
            -o "images$samples.h5" >"images$samples.out"
        near "$samples" "$networks" "$error"
        theory "$samples" "$normal"
        grep '^gen_error .* inconclusive$' "images$samples.out"
    done <<'TABLE'
400 48 0.514 0.015 0.534
784 32 0.576 0.006 0.578
1500 24 0.718 0.005 0.715
5000 8 0.891 0.002 0.898
TABLE
    "$NNDMFT" run images.yaml --set params.samples=1500 --set params.tails=measured \
        --set simulate.seeds=48 -q -o as_they_are.h5 >as_they_are.out
    grep '^gen_error .* agrees$' as_they_are.out
}
