#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Pictures for print: no text lies on another, none leaves the page.

load helper

setup() {
    enter
}

# every_view FILE STYLE: draws each view as PDF; fails where texts overlap or are cut off.
every_view() {
    local view
    works plot "$1" --list
    sed -n '/^views:/,/^variables:/s/^  //p' out | while read -r view; do
        works plot "$1" --view "$view" --style "$2" -o "$view.pdf"
        "$PYTHON" "$BATS_TEST_DIRNAME/../texts_apart.py" "$view.pdf" || exit 1
    done
}

# touching WORD COMMANDS: a picture of gnuplot's with five words and what COMMANDS add; the check names WORD.
touching() {
    local word=$1
    shift
    {
        echo "set terminal pdfcairo size 3in,2in font 'sans,8' fontscale 0.75"
        echo "set label 'there is a level text' at screen 0.5, screen 0.5"
        printf '%s\n' "$@"
        echo "set ytics ('alone' 5); set xtics ('1.5' 5); plot [0:10] [0:10] NaN notitle"
    } | gnuplot >touching.pdf
    ! "$PYTHON" "$BATS_TEST_DIRNAME/../texts_apart.py" touching.pdf 2>told || explain "$word is not seen"
    grep -q "$word" told || explain "$(cat told), want $word"
}

@test "texts that touch are seen: level, upright, small, cut off, and numbers side by side" {
    touching "lies on" "set label 'above' at screen 0.5, screen 0.52"
    touching "lies on" "set label 'upright' at screen 0.55, screen 0.5 center rotate by 90"
    touching "lies on" "set ylabel 'what y is' offset 6,0"
    touching "lies on" "set label '10^{-7}' at screen 0.6, screen 0.5"
    touching "leaves the page" "set label 'beyond' at screen 0.95, screen 0.8"
    touching "leaves the page" "set label 'beyond' at screen 0.01, screen 0.98 rotate by 90"
    touching "two numbers" "set label '0.1' at screen 0.5, screen 0.8 right" \
        "set label '0.2' at screen 0.5, screen 0.8 left"
}

@test "texts of deep-linear pictures keep apart, on a screen and in a column" {
    case_file <<'YAML'
model: deep-linear
params: {depth: 2, alpha: 2, sigma: [0.6, 0.8, 1], noise: 0.3, lr: 0.2, steps: 30, two_time: true}
sweep: {gamma0: [0.5, 1, 2]}
simulate: {size: [24, 48], seeds: 8}
compare: {rtol: 2}
YAML
    tool run case.yaml
    every_view case.h5 web
    every_view case.h5 paper
}

@test "texts of a map with 25 values keep apart" {
    works solve "$BATS_TEST_DIRNAME/../../data/cases/alignment-map.yaml" -o map.h5
    every_view map.h5 web
    every_view map.h5 paper
}

@test "LaTeX gets every text, and fonts are in the PDF" {
    tiny_case
    works solve case.yaml
    works plot case.h5 --style paper -o a.TEX
    says a.TEX '\ensuremath{\beta}' '\begin{tikzpicture}'
    works plot case.h5 --style paper --font "DejaVu Serif" -o a.pdf
    pdffonts a.pdf | grep -q "DejaVuSerif.* yes yes"
}

@test "theory of one file and a simulation of another make one picture" {
    tiny_case
    works solve case.yaml -o theory.h5
    works simulate case.yaml -o mc.h5
    works plot theory.h5 mc.h5 -o both.svg
    says both.svg "simulation"
    works plot theory.h5 -o alone.svg
    ! grep -q simulation alone.svg
    refused 2 "mc.h5: holds no theory" -- plot mc.h5 theory.h5 -o no.svg
    refused 2 "theory.h5: holds no simulation" -- plot theory.h5 theory.h5 -o no.svg
    refused 2 "mc.h5" -- plot theory.h5 mc.h5 -o mc.h5
}

@test "widths, styles and fonts that make no sense are one line" {
    tiny_case
    works solve case.yaml
    refused 2 "width" -- plot case.h5 --width 2furlong -o a.svg
    refused 2 "4 to 100 cm" -- plot case.h5 --width 2cm -o a.svg
    refused 2 "web paper talk" -- plot case.h5 --style screen -o a.svg
    refused 2 "family" -- plot case.h5 --font "x';system('ls')" -o a.svg
    [ ! -e a.svg ]
}
