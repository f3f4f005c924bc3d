#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Every command does what the manual says, on cases that take milliseconds.

load helper

# Enough networks to tell a learning rate from another.
sharp_case() {
    case_file sharp.yaml <<'YAML'
model: deep-linear
params: {depth: 1, alpha: 2, nu: 1, steps: 10, lr: 0.1, sigma: 0.6, gamma0: 2}
simulate: {size: [20, 40], seeds: 400}
compare: {rtol: 0.1, vars: [test_risk, train_mse, overlap, beta_norm2, g_norm2, h_norm2]}
YAML
}

sweep_case() {
    case_file sweep.yaml <<'YAML'
model: deep-linear
params: {depth: 2, steps: 4}
sweep: {gamma0: [0.5, 1, 2], parameterization: [mup, ntk]}
simulate: {size: [16, 24], seeds: [8, 6], storage: trajectories}
YAML
}

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    sharp_case
    sweep_case
    tool run sharp.yaml
    tool run sweep.yaml
}

setup() {
    enter
    tiny_case
}

# A result made once for the whole file.
shared() {
    cp "$BATS_FILE_TMPDIR/$1" .
}

# holds FILE GROUP...: the file has exactly these groups; a simulation has its influences too.
holds() {
    local file=$1
    shift
    works info "$file"
    grep '^/' out | sort >found || true
    printf '/%s\n' "$@" | sed 's,^/mc$,&\n&/influence,' | sort | diff found - || explain "$file does not hold exactly: $*"
}

# ---- run, solve, simulate ----

@test "run writes theory, simulation and comparison, and prints a line per variable" {
    works run case.yaml
    head -n 1 out | grep -q '^variable .*verdict$'
    local name
    for name in test_risk train_mse overlap beta_norm2 g_norm2 h_norm2; do
        grep -Eq "^$name .*(agrees|disagrees|inconclusive)$" out || explain "no line for $name"
    done
    # Nothing but the header, a line per variable, and why points of a variable are left out.
    grep -Ev '^[a-z][a-z0-9_]* .* (agrees|disagrees|inconclusive)$' out >rest
    [ "$(grep -Evc '^[a-z][a-z0-9_]*: not claimed at [1-9][0-9]* points?: [a-z]' rest)" -eq 1 ]
    [ -z "$(sed -n 's/: not claimed.*//p' rest | sort | uniq -d)" ] || explain "a variable twice"
    says err "nndmft: wrote case.h5"
    holds case.h5 theory mc compare
}

@test "run of a case without simulation is theory only, without a table" {
    works run case.yaml --set simulate=null
    [ ! -s out ]
    holds case.h5 theory
    [ ! -e case.h5.parts ]
}

@test "solve writes theory only" {
    works solve case.yaml
    [ ! -s out ]
    holds case.h5 theory
    [ ! -e case.h5.parts ]
}

@test "simulate writes the simulation only, and keeps its blocks beside it" {
    works simulate case.yaml
    [ ! -s out ]
    holds case.h5 mc
    ls case.h5.parts/*.h5
    no_temporaries
}

@test "solve after simulate keeps the simulation, and the other way round" {
    works simulate case.yaml -o a.h5
    works export a.h5 --group mc --var overlap -o mc.csv
    works solve case.yaml -o a.h5
    holds a.h5 theory mc
    works export a.h5 --group mc --var overlap
    cmp out mc.csv
    works export a.h5 --var overlap -o theory.csv
    works simulate case.yaml -o a.h5 --set simulate.seeds=12
    holds a.h5 theory mc
    works export a.h5 --var overlap
    cmp out theory.csv
    works validate a.h5
}

@test "theory and simulation in two steps equal one run" {
    need_python h5py
    works run case.yaml -o one.h5
    works simulate case.yaml -o two.h5
    works solve case.yaml -o two.h5
    same_data one.h5 two.h5
}

@test "theory does not stand beside a simulation with other settings" {
    local other
    works run case.yaml
    cp case.h5 before.h5
    for other in base_seed=2 size=24 seeds=9 'size=[16, 24]' storage=trajectories; do
        refused 2 case.h5 "another case" --force -- solve case.yaml --set "simulate.$other"
        cmp case.h5 before.h5
    done
    refused 2 case.h5 "another case" --force -- solve case.yaml --set simulate=null
    cmp case.h5 before.h5
    # What is compared, and where, is no part of a simulation.
    works solve case.yaml --set compare.rtol=1 --set name=other -o case.h5
    holds case.h5 theory mc
    works solve case.yaml --set simulate.base_seed=2 --force
    holds case.h5 theory
}

@test "theory stays beside a simulation that is replaced, but not one of other parameters" {
    need_python h5py
    works run case.yaml
    cp case.h5 before.h5
    refused 2 case.h5 "another case" --force -- simulate case.yaml --set params.lr=0.2
    refused 2 case.h5 "another case" --force -- simulate case.yaml --set 'sweep.gamma0=[1, 2]'
    cmp case.h5 before.h5
    # Blocks of the other base seed are not mixed with these.
    refused 2 case.h5.parts "another case" --force -- simulate case.yaml \
        --set simulate.base_seed=2
    cmp case.h5 before.h5
    rm -r case.h5.parts
    works simulate case.yaml --set simulate.base_seed=2
    holds case.h5 theory mc
    works simulate case.yaml --set simulate.base_seed=2 -o fresh.h5
    same_data case.h5 fresh.h5 mc
    same_data case.h5 before.h5 theory
    works info case.h5
    says out "base_seed: 2"
}

@test "a sweep over other values is another case" {
    local other
    works run case.yaml --set 'sweep.gamma0=[1, 2]' -o sweep.h5
    cp sweep.h5 before.h5
    for other in '[1, 3]' '[2, 1]' '[1, 2, 3]' '1'; do
        refused 2 sweep.h5 "another case" --force -- solve case.yaml \
            --set "sweep.gamma0=$other" -o sweep.h5
        cmp sweep.h5 before.h5
    done
    works solve case.yaml --set 'sweep.gamma0=[1, 2.0]' -o sweep.h5
    holds sweep.h5 theory mc
}

@test "a run of another case replaces everything, if forced" {
    works run case.yaml
    refused 2 "another case" --force -- run case.yaml --set params.lr=0.05
    works run case.yaml --set params.lr=0.05 --force
    holds case.h5 theory mc compare
    says out "  lr: 0.05"
    works run case.yaml --set params.lr=0.02 --set simulate=null --force
    holds case.h5 theory
    says out "  lr: 0.02"
}

@test "the result is named after the case, the key output, or -o, in the working folder" {
    mkdir cases
    tiny_case cases/deep.yaml
    works solve cases/deep.yaml
    [ -e deep.h5 ]
    works solve cases/deep.yaml --set name=other
    [ -e other.h5 ]
    works solve cases/deep.yaml --set output=third.h5
    [ -e third.h5 ]
    works solve cases/deep.yaml --set output=third.h5 -o fourth.h5
    [ -e fourth.h5 ]
    [ "$(ls cases)" = deep.yaml ]
}

@test "paths with spaces and letters beyond ASCII" {
    mkdir "my cases"
    tiny_case "my cases/größe 1.yaml"
    works run "my cases/größe 1.yaml"
    [ -e "größe 1.h5" ]
    works run "my cases/größe 1.yaml" -o "my cases/a result.h5"
    works validate "my cases/a result.h5"
    works export "my cases/a result.h5" --var overlap -o "my cases/a table.csv"
    works plot "my cases/a result.h5" -o "my cases/a picture.svg"
    works info "my cases/a result.h5"
    says out "my cases/größe 1.yaml"
    [ "$(find . -mindepth 1 -name '*.h5' -type f -path './*.h5' ! -path '*.parts/*' | wc -l)" -eq 2 ]
}

@test "a link to a result stays a link" {
    mkdir store
    works solve case.yaml -o store/real.h5
    ln -s store/real.h5 case.h5
    works solve case.yaml --set params.lr=0.2
    [ -L case.h5 ]
    works info store/real.h5
    says out "  lr: 0.2"
}

@test "quiet prints nothing but results, verbose more" {
    works run case.yaml -q
    [ ! -s err ] || explain "not quiet"
    says out variable overlap
    works run case.yaml -v
    [ -s err ]
}

@test "trajectories keep every seed" {
    shared sweep.h5
    holds sweep.h5 theory mc mc/seeds compare
    works export sweep.h5 --group seeds --var train_mse
    [ "$(head -n 1 out)" = gamma0,parameterization,size,seed,t,train_mse ] || explain header
    # 6 points, 2 sizes, 8 seeds (padded), 5 times
    [ "$(wc -l <out)" -eq $((6 * 2 * 8 * 5 + 1)) ]
}

@test "gradient flow and online training run too" {
    works run case.yaml --set params.lr=null --set params.integrator=flow --set params.time=1 \
        --set params.steps=12 -o flow.h5
    works export flow.h5 --var train_mse
    [ "$(tail -n 1 out | cut -d, -f1)" = 1 ]
    works run case.yaml --set params.alpha=inf -o online.h5
    holds online.h5 theory mc compare
}

# ---- validate ----

@test "validate prints the table that run printed" {
    works run case.yaml
    mv out table
    works validate case.h5
    diff table out
}

@test "theory and simulation of one case agree" {
    shared sharp.h5
    works validate sharp.h5 --strict
    [ "$(grep -c 'agrees$' out)" -eq 6 ]
    ! grep -q disagrees out || explain "disagrees"
}

@test "validate of two files lists the parameter that differs and exits 4" {
    shared sharp.h5
    sharp_case
    works solve sharp.yaml --set params.lr=0.15 -o other.h5
    tool validate other.h5 sharp.h5
    [ "$status" -eq 4 ] || explain "exit code $status"
    says err "params.lr" 0.15 0.1
    [ "$(wc -l <err)" -eq 1 ] || explain "more than the one parameter"
    says out disagrees
    # Of what only one of them has it says so, whichever it is.
    works solve sharp.yaml --set params.gamma0=null --set 'sweep.gamma0=[1, 2]' -o sweep.h5
    tool validate sweep.h5 sharp.h5
    says err "params.gamma0: theory absent, simulation 2" \
        "sweep: theory {gamma0: [1, 2]}, simulation absent"
}

@test "run exits 4 when theory and simulation disagree" {
    sharp_case
    tool run sharp.yaml --set simulate.size=3 --set simulate.seeds=4000 \
        --set compare.rtol=0.01
    [ "$status" -eq 4 ] || explain "exit code $status"
    says out disagrees
    says err "wrote sharp.h5"
    [ "$(wc -l <err)" -eq 1 ]
}

@test "an inconclusive comparison passes unless strict" {
    # One network has no standard error.
    works run case.yaml --set simulate.seeds=1
    says out inconclusive
    tool run case.yaml --set simulate.seeds=1 --strict
    [ "$status" -eq 4 ]
    works validate case.h5
    tool validate case.h5 --strict
    [ "$status" -eq 4 ]
    [ ! -s err ] || explain "a message without a failure"
}

@test "strict asks every variable, and one that is inconclusive is enough" {
    need_python h5py
    works solve case.yaml
    # Both are where theory is; the error of one is a millionth of it, that of the other 100 times
    # the largest value.
    "$PYTHON" - <<'PYTHON'
import h5py

with h5py.File("case.h5") as theory, h5py.File("mine.h5", "w") as mine:
    mine["t"] = theory["theory/t"][()]
    mine["t"].make_scale()
    for name, error in ("test_risk", 1e-6), ("train_mse", 100):
        x = theory["theory"][name][()]
        mine[name] = x
        mine[name + "_se"] = 0 * x + error * abs(x).max()
        for dataset in mine[name], mine[name + "_se"]:
            dataset.dims[0].attach_scale(mine["t"])
PYTHON
    local validate="validate case.h5 mine.h5 --set compare.rtol=0.02"
    # shellcheck disable=SC2086 # several words
    {
        works $validate
        [ "$(wc -l <out)" -ge 3 ]
        tool $validate --strict
        [ "$status" -eq 4 ] || explain "exit code $status"
        ! grep -q disagrees out || explain "disagrees"
        works $validate --set 'compare.vars=[test_risk]' --strict
        tool $validate --set 'compare.vars=[train_mse]' --strict
        [ "$status" -eq 4 ] || explain "exit code $status"
    }
}

@test "validate takes other tolerances and fewer variables" {
    shared sharp.h5
    tool validate sharp.h5 --set compare.rtol=0.001 --strict
    [ "$status" -eq 4 ]
    works validate sharp.h5 --set 'compare.vars=[overlap]' --set compare.until=3
    [ "$(wc -l <out)" -eq 2 ]
    [ "$(sed -n 2p out | awk '{print $1, $2}')" = "overlap 4" ] || explain "points"
}

# ---- export ----

@test "CSV has a header, a row per point and an error beside each estimate" {
    shared sweep.h5
    works export sweep.h5 --group mc --var train_mse,overlap --var test_risk
    [ "$(head -n 1 out)" = \
        gamma0,parameterization,size,t,train_mse,train_mse_se,overlap,overlap_se,test_risk,test_risk_se ] ||
        explain header
    [ "$(wc -l <out)" -eq $((6 * 2 * 5 + 1)) ]
    [ "$(sed -n 2p out | cut -d, -f1-4)" = 0.5,mup,16,0 ]
    [ "$(tail -n 1 out | cut -d, -f1-4)" = 2,ntk,24,4 ]
    [ "$(awk -F, '{print NF}' out | sort -u)" = 10 ]
}

@test "CSV leaves cells empty where there is no number" {
    tool solve case.yaml --set params.lr=50 --set params.steps=20
    works export case.h5 --var overlap
    [ "$(tail -n 1 out)" = 20, ] || explain "last row"
    ! grep -qi nan out || explain "nan"
}

@test "CSV keeps every digit" {
    works solve case.yaml --set params.lr=0.1234567890123456
    works export case.h5 --var train_mse
    local digits
    digits=$(sed -n 5p out | cut -d, -f2 | tr -cd 0-9 | sed 's/^0*//' | wc -c)
    [ "$digits" -ge 15 ]
}

@test "one set of dimensions needs no choice of variables" {
    works solve case.yaml
    works export case.h5 --var test_risk,train_mse,overlap,beta_norm2
    [ "$(head -n 1 out)" = t,test_risk,train_mse,overlap,beta_norm2 ]
}

@test "JSON is what xarray's from_dict takes" {
    need_python json
    shared sweep.h5
    local group
    for group in theory mc seeds compare; do
        works export sweep.h5 --format json --group $group
        "$PYTHON" - <<'PYTHON'
import json

def refuse(word):
    raise ValueError(word)

data = json.load(open("out"), parse_constant=refuse)
assert set(data) == {"coords", "attrs", "dims", "data_vars"}, list(data)
assert data["coords"]["gamma0"]["data"] == [0.5, 1, 2]
assert data["coords"]["parameterization"]["data"] == ["mup", "ntk"]
def shape(x):
    return [len(x)] + shape(x[0]) if isinstance(x, list) else []
for name, array in data["data_vars"].items():
    assert shape(array["data"]) == [data["dims"][d] for d in array["dims"]], name
PYTHON
    done
}

@test "JSON has null where there is no number" {
    tool solve case.yaml --set params.lr=50 --set params.steps=20
    works export case.h5 --format json --var overlap
    says out null
    ! grep -q -i -w -e nan -e inf out || explain "not JSON"
    "$PYTHON" -m json.tool out >/dev/null
}

@test "export to a file equals export to stdout and says so on stderr only" {
    shared sharp.h5
    works export sharp.h5 --var overlap -o table.csv
    [ ! -s out ]
    works export sharp.h5 --var overlap
    cmp out table.csv
    works export sharp.h5 --format json -o all.json
    "$PYTHON" -m json.tool all.json >/dev/null
    works export sharp.h5 --group compare --var overlap_z
    [ "$(head -n 1 out)" = t,overlap_z ]
    no_temporaries
}

@test "a table of a case is that of its theory, without a file between" {
    works solve case.yaml --set params.lr=0.2
    works export case.h5 --var train_mse -o table.csv
    rm case.h5
    works export case.yaml --set params.lr=0.2 --var train_mse
    cmp out table.csv
    [ ! -e case.h5 ] || explain "a file"
    works export case.yaml --set params.lr=0.2 --var train_mse --format json
    says out '"long_name"'
    refused 5 nowhere -- export case.yaml -o nowhere/table.csv
    refused 2 case.yaml "group mc" theory -- export case.yaml --group mc
    refused 2 nonsense train_mse -- export case.yaml --var nonsense
    refused 2 "case.yaml: is the input" -- export case.yaml -o case.yaml
    works solve case.yaml
    refused 2 --set case.h5 -- export case.h5 --set params.lr=1
    tool export case.yaml --set params.lr=50 --set params.steps=20 --var train_mse
    [ "$status" -eq 3 ] || explain "a theory that diverges"
    says err "diverged at step"
    [ "$(sed -n 2p out)" != 0, ] || explain "no curve"
}

# ---- plot ----

@test "pictures come as svg, pdf and png" {
    shared sharp.h5
    works plot sharp.h5 -o a.svg
    grep -q '<svg' a.svg
    works plot sharp.h5 -o a.pdf
    [ "$(head -c 4 a.pdf)" = %PDF ]
    works plot sharp.h5 -o a.png
    [ "$(head -c 4 a.png | tail -c 3)" = PNG ]
    [ ! -s out ]
    no_temporaries
}

@test "a picture is named after the result, in the working folder" {
    mkdir results
    cp "$BATS_FILE_TMPDIR/sharp.h5" results
    works plot results/sharp.h5
    [ -s sharp.svg ]
    [ "$(ls results)" = sharp.h5 ]
}

@test "a picture of chosen variables, of a view, with logarithmic axes" {
    shared sharp.h5
    works plot sharp.h5 --var overlap -o overlap.svg
    works plot sharp.h5 --view norms -o norms.svg
    works plot sharp.h5 --log y -o y.svg
    works plot sharp.h5 --log xy --var train_mse,test_risk -o xy.svg
    ! cmp -s overlap.svg norms.svg || explain "the same picture"
}

@test "pictures of theory or simulation alone, and of a sweep" {
    works solve case.yaml -o theory.h5
    works simulate case.yaml -o mc.h5
    works plot theory.h5
    works plot mc.h5
    shared sweep.h5
    works plot sweep.h5
    [ -s theory.svg ]
    [ -s mc.svg ]
    [ -s sweep.svg ]
}

@test "plot --list names views and variables and draws nothing" {
    shared sharp.h5
    works plot sharp.h5 --list
    says out training norms "test_risk [t" "h_norm2 ["
    [ "$(ls)" = "$(printf '%s\n' case.yaml err out sharp.h5)" ]
}

@test "the same result gives the same picture" {
    shared sharp.h5
    works plot sharp.h5 -o a.svg
    works plot sharp.h5 -o b.svg
    cmp a.svg b.svg
}

# ---- info, models, describe, the rest ----

@test "info tells groups, dimensions, provenance and the resolved case" {
    shared sweep.h5
    works info sweep.h5
    says out "model     deep-linear" "version   " "created   20" \
        "history   nndmft run sweep.yaml" "/theory" "/mc" "gamma0" "mup, ntk" "16, 24" \
        "overlap with the target" "depth: 2" "storage: trajectories" "alpha: 2"
}

@test "the resolved case that info prints gives identical data" {
    need_python h5py
    shared sweep.h5
    works info sweep.h5
    sed '1,/^case$/d' out >again.yaml
    works run again.yaml -o again.h5
    same_data sweep.h5 again.h5 theory mc compare
    shared sharp.h5
    works info sharp.h5
    sed '1,/^case$/d' out >again.yaml
    works run again.yaml -o more.h5
    same_data sharp.h5 more.h5 theory mc compare
}

@test "dry-run prints case, memory, operations and the recipe, and writes nothing" {
    works run case.yaml --set 'simulate.size=[16, 24]' --set params.depth=2 --dry-run
    says out "model: deep-linear" "depth: 2" "output: case.h5" memory operations "expected" \
        "size 16" "size 24" output_divisor "matrix 0: init_std" "matrix 2:" raw_lr
    [ "$(ls)" = "$(printf '%s\n' case.yaml err out)" ]
    works solve case.yaml --dry-run
    says out "theory      memory"
    ! grep -q '^simulation' out || explain "solve does not simulate"
    works simulate case.yaml --dry-run
    ! grep -q '^theory' out || explain "simulate does not solve"
}

@test "dry-run: memory in MB is that of matrices of time by time" {
    # One of 2000 x 2000 numbers has 32 MB; theory holds no fewer than one, and not a hundred.
    works solve case.yaml --dry-run --set params.steps=2000 --set params.spectrum=false \
        --set params.two_time=true
    local megabytes
    megabytes=$(sed -n 's/^theory *memory \([^ ]*\) MB.*/\1/p' out)
    megabytes=$(printf %.0f "$megabytes")
    [ "$megabytes" -ge 32 ] && [ "$megabytes" -le 3200 ] || explain "$megabytes MB"
}

@test "dry-run: threads share points and blocks, but no point or block itself" {
    cat >sweep.yaml <<'YAML'
model: deep-linear
params: {depth: 1, steps: 400, record_every: 400, spectrum: false, ntk: false}
simulate: {size: 64, seeds: 40000}
YAML
    local run
    for run in "one 4" "four 4 sweep.gamma0=[1,2,3,4]" "four 2 sweep.gamma0=[1,2,3,4]" \
        "long 1 params.steps=3000" "mixed 4 params.steps=null sweep.steps=[3,3000,2,1]" \
        "blocks 8 simulate.seeds=1"; do
        # shellcheck disable=SC2086 # several words
        set -- $run
        works run sweep.yaml --dry-run --threads "$2" ${3:+--set "$3"} ${4:+--set "$4"}
        sed -n "s/^\(theory\|simulation\) /$1-$2 &/p" out >>costs
    done
    "$PYTHON" - <<'PYTHON'
import re

cost = {}
for line in open("costs"):
    case, what = line.split()[:2]
    numbers = re.search("operations (.*), expected (.*) s, (.*) at a time", line).groups()
    cost[case, what] = [float(x) for x in numbers]


def check(case, longest, workers):
    """The speed of the machine, which is measured anew by each run, is that of the simulation,
    which has more blocks than threads. Three digits are printed."""
    operations, seconds, threads = cost[case, "simulation"]
    rate = operations / seconds / int(case.split("-")[1])
    operations, seconds, threads = cost[case, "theory"]
    want = max(operations / workers, longest) / rate
    assert threads == workers, (case, threads)
    assert abs(seconds / want - 1) < 0.03, (case, seconds, want)


check("one-4", 0, 1)
check("four-4", 0, 4)
check("four-2", 0, 2)
check("mixed-4", cost["long-1", "theory"][0], 4)
assert cost["blocks-8", "simulation"][2] == 1
PYTHON
}

@test "the resolved case that dry-run prints gives identical data" {
    need_python h5py
    works run case.yaml
    works run case.yaml --dry-run
    sed '/^$/,$d' out >again.yaml
    works run again.yaml -o again.h5
    same_data case.h5 again.h5 theory mc compare
}

@test "overrides are part of the stored case and of the history" {
    works solve case.yaml --set params.gamma0=3 --set simulate=null
    works info case.h5
    says out "gamma0: 3" "nndmft solve case.yaml --set params.gamma0=3"
    ! grep -q simulate: out || explain "simulate was removed"
}

@test "null removes what is there, and makes nothing of what is not" {
    case_file bare.yaml <<'YAML'
model: deep-linear
params: {steps: 3}
YAML
    works run bare.yaml --set simulate.seeds=null --set sweep.lr=null --set params.steps=null
    holds bare.h5 theory
    works info bare.h5
    says out "steps: 40"
    ! grep -Eq "simulate:|sweep:" out || explain "an empty mapping was made"
}

@test "the time of a file is that of Greenwich, wherever it was made" {
    local before after created
    before=$(date +%s)
    TZ=XYZ-9 works solve case.yaml
    after=$(date +%s)
    works info case.h5
    created=$(date -d "$(sed -n 's/^created *//p' out)" +%s)
    [ "$created" -ge "$before" ] && [ "$created" -le "$after" ]
}

@test "version and help" {
    works --version
    grep -Eq '^nndmft [0-9]+\.[0-9]+\.[0-9]+ \(.+\)$' out || explain version
    works --help
    local command
    for command in run solve simulate validate plot export info models describe; do
        grep -q "^  $command " out || explain "help lacks $command"
    done
    for command in run solve simulate validate plot export info models describe; do
        works $command --help
        says out "Usage: nndmft $command"
        works $command --version
        says out "nndmft "
    done
}

@test "the mode of a file follows the umask, and an old file keeps its own" {
    (umask 027 && works solve case.yaml)
    [ "$(stat -c %a case.h5)" = 640 ]
    chmod 604 case.h5
    works solve case.yaml
    [ "$(stat -c %a case.h5)" = 604 ]
}

# ---- what a comparison would notice ----

@test "--detect says how many seeds would notice a wrong parameter, swept or not" {
    shared sharp.h5
    works validate sharp.h5 --detect sigma=1.1 --detect params.lr=3
    grep -Eq '^sigma times 1.1: would be noticed with [0-9]+/[0-9]+ seeds \(19 of 20 times, first in [a-z0-9_]+\)$' out
    grep -q '^lr times 3: would be noticed with ' out
    # The larger the error, the fewer the seeds.
    works validate sharp.h5 --detect lr=1.1 --detect lr=1.3
    local few many
    many=$(sed -n 's/^lr times 1.1: .* with \([0-9]*\).*/\1/p' out)
    few=$(sed -n 's/^lr times 1.3: .* with \([0-9]*\).*/\1/p' out)
    [ "$few" -lt "$many" ] || explain "$few of $many"
    shared sweep.h5
    tool validate sweep.h5 --detect gamma0=1.5
    says out "gamma0 times 1.5"
}

@test "--detect of what is no number, unknown, or without a simulation is refused" {
    shared sharp.h5
    refused 2 "--detect foo" -- validate sharp.h5 --detect foo=1.1
    refused 2 "--detect sigma.foo" "no such parameter" -- validate sharp.h5 --detect sigma.foo=1.1
    refused 2 "--detect parameterization" "finite number" -- validate sharp.h5 --detect parameterization=2
    refused 2 "--detect sigma" "KEY=FACTOR" -- validate sharp.h5 --detect sigma
    refused 2 "--detect sigma=1" "KEY=FACTOR" -- validate sharp.h5 --detect sigma=1
    refused 2 "--detect" "simulate" -- run case.yaml --set simulate=null --detect sigma=2
    [ ! -e case.h5 ]
}

@test "a file without influences is judged point by point, and says so" {
    shared sharp.h5
    /usr/bin/python3 - <<'PY'
import h5py
with h5py.File("sharp.h5", "a") as f:
    del f["mc/influence"]
PY
    works validate sharp.h5
    says out Bonferroni
}

# At every size, since a file does not say which point came from how many.
@test "without influences, the fewest of the seeds per size are what error bars are known by" {
    need_python h5py
    shared sweep.h5
    "$PYTHON" - <<'PY'
import shutil
import h5py
with h5py.File("sweep.h5", "a") as f:
    del f["mc/influence"]
for seeds in "6", "8":
    shutil.copy("sweep.h5", seeds + ".h5")
    with h5py.File(seeds + ".h5", "a") as f:
        text = f.attrs["case"]
        text = text if isinstance(text, str) else text.decode()
        assert "seeds: [8, 6]" in text
        f.attrs["case"] = text.replace("seeds: [8, 6]", f"seeds: {seeds}")
PY
    local file
    for file in sweep 6 8; do
        tool validate $file.h5
        mv out $file.txt
    done
    cmp sweep.txt 6.txt
    if cmp -s sweep.txt 8.txt; then
        explain "the number of seeds does not count"
    fi
}
