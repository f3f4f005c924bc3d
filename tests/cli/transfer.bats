#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Best rates against width: the table, its file, its picture, what is refused.

load helper

setup() {
    enter
    case_file <<'YAML'
model: two-layer-fluctuations
params: {activation: linear, steps: 6, record: [6],
  data: {gram: [[1, 0.6, 0.3], [0.6, 1, 0.2], [0.3, 0.2, 1]], targets: [1, -0.5, 0.3]}}
YAML
}

# column N ROW: a number of the table, row 0 being that of infinite width.
column() {
    awk -v n="$1" -v row="$2" 'NR == row + 2 { print $n }' out
}

# Of fluctuations.md, to the digits that are printed there.
@test "best rates of linear networks are those of the page, wherever they are looked for" {
    for where in "" "--param lr=0.4:1.4" "--param lr=0.05:1.6 --points 90"; do
        # shellcheck disable=SC2086 # words of an option
        works transfer case.yaml --width 100,400,1600 $where
        awk 'NR > 1 { printf "%.3f ", $2 }' out >rates
        says rates "1.143 1.116 1.133 1.141"
    done
}

@test "find agrees about the best rate at infinite width, within the errors of both" {
    works transfer case.yaml --param lr=0.4:1.4
    cp out table
    works find case.yaml --param lr=0.4:1.4 --min loss --at t=6
    awk -F, 'NR == FNR { if (FNR == 2) { split($0, a, " +"); rate = a[3]; error = a[4] } next }
        FNR == 2 { d = $1 - rate; exit !(d * d < (error + $2 + 5e-5) ^ 2) }' table out
}

@test "the file holds curves and answers, and the picture draws them" {
    works transfer case.yaml --width 100,400 --points 12 -o t.h5
    works export t.h5 --group answers --var best_rate
    says out "width,best_rate" "inf,1.14"
    works export t.h5 --var loss_at_width,stability_at_width
    [ "$(wc -l <out)" -eq 25 ]
    works plot t.h5 --view transfer -o t.svg
    says t.svg "infinite width" "at_width = 400" "lowest"
    works info t.h5
    says out "/answers" best_rate_next
}

@test "a best rate beyond the edge of stability is marked, one below it is not" {
    works transfer case.yaml --width 1600 --param lr=0.4:1.4
    ! grep -q "above the edge" out || explain "1.14 is below the edge at 1.23"
    sed -i 's/gamma0: 1,//; s/steps: 6, record: \[6\]/steps: 4, record: [4], gamma0: 4/' case.yaml
    sed -i 's/gram: .*/gram: [[1, 0.2], [0.2, 0.3]], targets: [1, -0.5]}}/' case.yaml
    for where in 0.2:0.7 0.47:0.53; do # with the edge among the rates, and beyond it
        works transfer case.yaml --width 1600 --param lr=$where -o t.h5 --force
        [ "$(grep -c "above the edge" out)" -eq 2 ]
    done
    works export t.h5 --group answers --var above_edge,edge_rate
    says out "inf,1,"
}

@test "networks stand beside theory, at the widths of the simulation" {
    works transfer case.yaml --set simulate.size=[200,400] --set simulate.seeds=400 --param lr=0.8:1.4 \
        --points 25 -o t.h5
    says out networks
    [ "$(awk 'NR == 2 { print $12 }' out)" = - ]
    # Their optimum within 5 standard errors and what the expansion leaves out.
    awk 'NR > 2 { d = $12 - $2; s = 5 * $13 + 2 * $4; if (d * d > s * s) exit 1 }' out
    works plot t.h5 --view transfer -o t.svg
    says t.svg simulation
}

@test "what is swept has rows of its own" {
    works transfer case.yaml --set sweep.gamma0=[0.5,1] --width 400 --param lr=0.4:1.4
    [ "$(awk 'NR > 1 { printf "%s:%s ", $1, $2 }' out)" = "0.5:inf 0.5:400 1:inf 1:400 " ]
    case_file linear.yaml <<'YAML'
model: deep-linear
params: {depth: 1, steps: 8, spectrum: false, ntk: false}
YAML
    works transfer linear.yaml --depth 1,2 --set sweep.nu=[1,4] --param lr=0.1:0.8 --points 12
    [ "$(awk 'NR > 1 { printf "%s:%s ", $1, $2 }' out)" = "1:1 1:2 4:1 4:2 " ]
}

@test "a width that is none of the expansion's has no answer, nor has a range without a minimum" {
    works transfer case.yaml --width 20,400 --param lr=0.4:1.4
    says out "too narrow for 1/N"
    tool transfer case.yaml --param lr=0.1:0.5
    one_line_error 3 "no minimum" "--param lr=LOW:HIGH"
}

@test "a file is known to be writable before the work, and replaced only if it holds answers" {
    works transfer case.yaml --param lr=0.4:1.4 -o t.h5
    works transfer case.yaml --param lr=0.4:1.3 -o t.h5
    works solve case.yaml -o solved.h5
    refused 2 solved.h5 "--force" -- transfer case.yaml --param lr=0.4:1.4 -o solved.h5
    works transfer case.yaml --param lr=0.4:1.4 -o solved.h5 --force
    refused 2 "is the input" -- transfer case.yaml --param lr=0.4:1.4 -o case.yaml
    refused 5 nowhere/t.h5 -- transfer case.yaml --param lr=0.4:1.4 -o nowhere/t.h5
    [ ! -s out ]
}

@test "what makes no sense is refused in one line" {
    refused 2 --width "not a list of numbers > 0" -- transfer case.yaml --width 100,-3
    refused 2 --width "not a list" -- transfer case.yaml --width "100;3"
    refused 2 --depth "no parameter depth" -- transfer case.yaml --depth 1,2
    refused 2 "--param lr=2:1" "LOW < HIGH" -- transfer case.yaml --param lr=2:1
    refused 2 lr "1.2 stands before 0.9" "must increase" -- transfer case.yaml --set sweep.lr=[1.2,0.9,1.1]
    refused 2 "--param lx" "not a parameter" -- transfer case.yaml --param lx=1:2
    refused 2 "--var los" "did you mean loss?" -- transfer case.yaml --var los
    refused 2 mu "no single number" -- transfer case.yaml --var delta --param lr=0.5:1
    refused 2 "--width" "1/width" -- transfer "$BATS_TEST_DIRNAME/../../data/cases/r1.yaml" --width 3
    case_file wide.yaml <<<'{model: wide-mlp}'
    refused 2 "--var is missing" -- transfer wide.yaml
}
