#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Spectra of networks with many outputs: what would be noticed, and what is.

setup() {
    cases="$BATS_TEST_DIRNAME/../../data/cases"
    cd "$BATS_TEST_TMPDIR" || return 1
}

@test "an output scale that is off by 3 % is caught, with a readout that is fixed and one that is trained" {
    local case gamma code
    for case in many-outputs outputs-steps; do
        "$NNDMFT" simulate "$cases/$case.yaml" -q -o mc.h5 --force
        for gamma in 1.455 1.545; do
            "$NNDMFT" solve "$cases/$case.yaml" --set params.gamma=$gamma -q -o wrong.h5 --force
            code=0
            "$NNDMFT" validate wrong.h5 mc.h5 || code=$?
            [ "$code" -eq 4 ]
        done
    done
}
