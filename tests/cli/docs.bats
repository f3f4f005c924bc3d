#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The commands of docs/ do what the text around them says, as they are written there.

load helper

setup() {
    enter
    docs=$BATS_TEST_DIRNAME/../../docs
    # Documents call the tool by its name.
    ln -s "$NNDMFT" nndmft
    PATH=$PWD:$PATH
}

# block FILE LANGUAGE N: the N-th block of code in a language.
block() {
    awk -v "fence=\`\`\`$2" -v "n=$3" '
        $0 == "```" { inside = 0 }
        inside && seen == n { print }
        $0 == fence { inside = 1; seen++ }' "$docs/$1"
}

@test "the dry run beside own_simulation.py prints the numbers that the script uses" {
    block own-simulation.md sh 1 | grep -v -e python3 -e validate >commands
    says commands "nndmft simulate one-layer.yaml --set simulate.size=200 --dry-run"
    tr '\n' ' ' <"$docs/own_simulation.py" >script
    says script '`nndmft simulate one-layer.yaml --set simulate.size=200 --dry-run`'
    sh -e commands >out 2>err
    # sigma/sqrt(D), and gamma^2 sigma^2 lr / nu with gamma = gamma0 sqrt(nu).
    says out "matrix 0: init_std 0.04242640687, raw_lr 0.324" \
        "matrix 1: init_std 0.04242640687, raw_lr 0.324"
}

@test "the gallery tells of every case how long it takes, as the dry run has it" {
    "$docs/gallery.py" "$NNDMFT" >gallery
    for file in "$docs"/../data/cases/*.yaml; do
        name=$(basename "$file" .yaml)
        grep -q "^- \*\*\`$name\`\*\* (" gallery || { echo "$name"; false; }
    done
}

@test "an array of jobs keeps the swept coordinate, and its files are joined along it" {
    need_python xarray h5netcdf
    tiny_case
    printf 'sweep: {gamma0: [3, 5]}\n' >>case.yaml
    block slurm.md sh 2 >job
    says job "#SBATCH --array=0-4"
    for task in 0 1 2 3 4; do
        SLURM_ARRAY_TASK_ID=$task SLURM_CPUS_PER_TASK=1 bash -e job >out 2>err ||
            [ $? -eq 4 ] || explain "task $task failed"
    done
    { block slurm.md python 1; echo 'print(list(curves.gamma0.values), curves.train_mse.dims)'; } \
        >join.py
    "$PYTHON" join.py >out
    says out "[0.5, 1.0, 2.0, 4.0, 8.0] ('gamma0', 'size', 't')"
}

@test "describe and info name the page of the model, and what they cite stands there" {
    local model page citation
    works models
    cut -d' ' -f1 out >names
    while read -r model; do
        works describe "$model"
        page=$(sed -n '/^equations$/ { n; p }' out | tr -d ' ')
        [ -f "$page" ] || explain "$model: $page is no file"
        grep -oE '^ +[a-z-]+\.md#[a-z0-9-]+' out | tr -d ' ' >cited
        [ -s cited ] || explain "$model cites nothing"
        while read -r citation; do
            [ "${citation%#*}" = "${page##*/}" ] || explain "$citation is not of $page"
            grep -q "id=\"${citation#*#}\"" "$page" || explain "$citation is not there"
        done <cited
    done <names
    tiny_case
    works solve case.yaml
    works info case.h5
    says out "equations $(realpath "$docs/theory/deep-linear.md")"
}
