#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Every view of every shipped case: no text lies on another, none leaves the page.

load ../cli/helper

setup() {
    enter
}

# fill CASE: result.h5 of a shipped case. Those that take long have fewer samples and steps: other
# numbers in the same pictures. Of those without a theory a few networks are trained.
fill() {
    case $(basename "$1" .yaml) in
    digits | digits-batches) works solve "$1" --set params.samples=1024 --set params.steps=8 -o result.h5 ;;
    digits-classes) works solve "$1" --set params.samples=1024 --set params.steps=12 -o result.h5 ;;
    fluctuations-features) works solve "$1" --set params.samples=512 -o result.h5 ;;
    coordinates-standard) works simulate "$1" --set 'simulate.seeds=[8, 8, 8, 8]' -o result.h5 ;;
    relu-images) works simulate "$1" --set params.steps=4 --set params.record=null -o result.h5 ;;
    *) works solve "$1" -o result.h5 ;;
    esac
}

# apart STYLE: texts of all views of result.h5 keep apart.
apart() {
    local view
    while read -r view; do
        works plot result.h5 --view "$view" --style "$1" -o a.pdf
        "$PYTHON" "$BATS_TEST_DIRNAME/../texts_apart.py" a.pdf || explain "$view"
    done <views
}

@test "texts keep apart in every view of every case, on a screen and in a column" {
    local case
    for case in "$BATS_TEST_DIRNAME"/../../data/cases/*.yaml; do
        LIMIT=600 fill "$case"
        works plot result.h5 --list
        sed -n '/^views:/,/^variables:/s/^  //p' out >views
        [ -s views ] || explain "$case: no views"
        apart web
        apart paper
        rm result.h5
    done
}
