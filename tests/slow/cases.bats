#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Every shipped case that has a simulation, as it is and with its own seeds: theory and networks agree.

setup() {
    cases="$BATS_TEST_DIRNAME/../../data/cases"
    cd "$BATS_TEST_TMPDIR" || return 1
}

# agree MODEL: runs the cases of a model and says how each ended, with what does not agree.
agree() {
    local file name code count=0 failed=0
    for file in "$cases"/*.yaml; do
        grep -q "^model: $1$" "$file" || continue
        grep -q "^simulate:" "$file" || continue
        # Networks without theory.
        ! grep -q "^  parameterization: standard" "$file" || continue
        name=$(basename "$file" .yaml)
        code=0
        "$NNDMFT" run "$file" -q -o "$name.h5" >"$name.out" 2>"$name.err" || code=$?
        echo "$name: exit code $code"
        grep -v "^variable\|agrees$" "$name.out" || true
        tail -n 3 "$name.err"
        count=$((count + 1))
        [ "$code" -eq 0 ] || failed=$((failed + 1))
    done
    [ "$count" -gt 0 ] && [ "$failed" -eq 0 ]
}

@test "alignment" {
    agree alignment
}

@test "deep-linear" {
    agree deep-linear
}

@test "directional" {
    agree directional
}

@test "flat-minima" {
    agree flat-minima
}

@test "lazy-fluctuations" {
    agree lazy-fluctuations
}

@test "many-outputs" {
    agree many-outputs
}

@test "online-fluctuations" {
    agree online-fluctuations
}

@test "scaling-laws" {
    agree scaling-laws
}

@test "two-layer-fluctuations" {
    agree two-layer-fluctuations
}

@test "wide-mlp" {
    agree wide-mlp
}

@test "no model of a shipped case is missing above" {
    sed -n 's/^model: //p' "$cases"/*.yaml | sort -u >models
    [ -s models ]
    while read -r model; do
        grep -qx "    agree $model" "$BATS_TEST_FILENAME"
    done <models
}
