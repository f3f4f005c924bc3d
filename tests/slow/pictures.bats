#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Every view of every shipped case: no text lies on another, none leaves the page.

load ../cli/helper

setup() {
    enter
}

@test "texts keep apart in every view of every case, on a screen and in a column" {
    local case view style
    for case in "$BATS_TEST_DIRNAME"/../../data/cases/*.yaml; do
        LIMIT=600 tool solve "$case" -o result.h5 --force
        [ -f result.h5 ] || continue # of a simulation alone
        works plot result.h5 --list
        sed -n '/^views:/,/^variables:/s/^  //p' out >views
        while read -r view; do
            for style in web paper; do
                works plot result.h5 --view "$view" --style "$style" -o a.pdf
                "$PYTHON" "$BATS_TEST_DIRNAME/../texts_apart.py" a.pdf || explain "$case $view"
            done
        done <views
        rm result.h5
    done
}
