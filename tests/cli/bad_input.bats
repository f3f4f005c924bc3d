#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Whatever is wrong with the input: one line that says what and where, and the right exit code.

load helper

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    tiny_case
    tool run case.yaml -o whole.h5
    tool solve case.yaml -o theory.h5
}

setup() {
    enter
    tiny_case
    cp "$BATS_FILE_TMPDIR"/*.h5 .
    rm -f case.h5
}

# ---- the case file ----

@test "an unknown key of the case names the place, the key and the allowed ones" {
    bad_case case.yaml:2:8 modle "unknown key" allowed params sweep simulate compare <<'YAML'
model: deep-linear
modle: x
YAML
}

@test "an unknown parameter names the place, the key and the allowed ones" {
    bad_case case.yaml:3:10 params.detph "unknown key" depth alpha gamma0 two_time <<'YAML'
model: deep-linear
params:
  detph: 2
YAML
}

@test "an unknown key of simulate names the place and the allowed ones" {
    bad_case case.yaml:2:27 simulate.seed "unknown key" seeds base_seed storage control <<'YAML'
model: deep-linear
simulate: {size: 8, seed: 2}
YAML
    bad_case simulate.contrl "did you mean simulate.control?" <<'YAML'
model: deep-linear
simulate: {size: 8, contrl: false}
YAML
}

@test "an unknown key of compare names the place and the allowed ones" {
    bad_case case.yaml:2:16 compare.tol "unknown key" rtol vars until <<'YAML'
model: deep-linear
compare: {tol: 2}
YAML
}

@test "no list of any model may be empty: what is left out is absent, or null" {
    tool models
    awk '{ print $1 }' out >names
    while read -r model; do
        printf 'model: %s\n' "$model" >case.yaml
        tool describe "$model"
        awk '/^variables/ { exit } /^  [^ ]/ { key = $1 } /or a list of such/ { print key }' out >keys
        while read -r key; do
            refused 2 "params.$key" "a list of 0" "or a list of such" -- solve case.yaml --set "params.$key=[]"
        done <keys
    done <names
}

@test "fractions of samples and of steps" {
    bad_case params.samples "2.5 is not an integer >= 1, or inf" <<'YAML'
model: directional
params: {samples: 2.5}
YAML
    bad_case params.steps "2.5 is not an integer >= 0" <<'YAML'
model: directional
params: {integrator: gd, steps: 2.5}
YAML
}

@test "text where a number belongs" {
    bad_case case.yaml:2:14 params.nu two "a number > 0" <<'YAML'
model: deep-linear
params: {nu: two}
YAML
}

@test "a number in quotes is text" {
    bad_case case.yaml:2: params.nu '"1"' "a number > 0" <<'YAML'
model: deep-linear
params: {nu: "1"}
YAML
}

@test "a fraction where an integer belongs" {
    bad_case case.yaml:2:17 params.depth 1.5 integer <<'YAML'
model: deep-linear
params: {depth: 1.5}
YAML
}

@test "a list where a number belongs" {
    bad_case case.yaml:2: params.depth "a list of 2" integer <<'YAML'
model: deep-linear
params: {depth: [1, 2]}
YAML
}

@test "a mapping where a list belongs" {
    bad_case case.yaml:2: params.sigma "a mapping" "a list" <<'YAML'
model: deep-linear
params: {sigma: {first: 1}}
YAML
}

@test "a list where the mapping of parameters belongs" {
    bad_case case.yaml:2: params "not a mapping" <<'YAML'
model: deep-linear
params: [1, 2]
YAML
}

@test "text where true or false belongs" {
    bad_case case.yaml:2:18 params.center perhaps "true or false" <<'YAML'
model: deep-linear
params: {center: perhaps}
YAML
}

@test "a word that is not one of the choices lists the choices" {
    bad_case case.yaml:2:20 params.training offline fixed online fresh <<'YAML'
model: deep-linear
params: {training: offline}
YAML
}

@test "interpolation is of plain descent with recorded times in common" {
    local with
    for with in 'momentum: 0.5' 'weight_decay: 0.1' 'schedule: [1, 2]' 'training: fresh'; do
        printf 'model: deep-linear\nparams: {method: interpolate, steps: 6400, %s}\n' "$with" |
            bad_case "params.${with%%:*}" "method: interpolate" || return 1
    done
    bad_case case.yaml:2:36 params.method "belongs to integrator: gd" <<'YAML'
model: deep-linear
params: {integrator: flow, method: interpolate}
YAML
    bad_case case.yaml:2:38 params.steps "3199 are few" ">= 3200" <<'YAML'
model: deep-linear
params: {method: interpolate, steps: 3199}
YAML
    bad_case case.yaml:2:44 params.record "5 is the common divisor" ">= 16" <<'YAML'
model: deep-linear
params: {method: interpolate, steps: 6400, record: [640, 5]}
YAML
}

@test "a negative depth is out of range" {
    bad_case case.yaml:2:17 params.depth -1 "out of range" ">= 1" <<'YAML'
model: deep-linear
params: {depth: -1}
YAML
}

@test "alpha = 0 is out of range" {
    bad_case case.yaml:2:17 params.alpha 0 "out of range" "> 0, or inf" <<'YAML'
model: deep-linear
params: {alpha: 0}
YAML
}

@test "nu = inf is out of range" {
    bad_case case.yaml:2:14 params.nu inf "out of range" <<'YAML'
model: deep-linear
params: {nu: inf}
YAML
}

@test "a number too large for double precision is not a number" {
    bad_case case.yaml:2:14 params.nu 1e999 <<'YAML'
model: deep-linear
params: {nu: 1e999}
YAML
}

@test "NaN is out of range however it is written" {
    local nan
    for nan in nan .nan .NaN; do
        printf 'model: deep-linear\nparams: {nu: %s}\n' "$nan" |
            bad_case case.yaml:2:14 params.nu "$nan"
    done
}

@test "a list whose length does not follow from the depth" {
    bad_case case.yaml:2: params.sigma "a list of 2" "3 (depth + 1)" <<'YAML'
model: deep-linear
params: {depth: 2, sigma: [1, 1]}
YAML
}

@test "a record beyond the last step" {
    bad_case case.yaml:2: params.record "6 is no step of 0..5" <<'YAML'
model: deep-linear
params: {steps: 5, record: [0, 6]}
YAML
}

@test "what belongs to descent alone, or to gradient flow alone" {
    local key
    for key in momentum=0.5 weight_decay=0.1 'schedule=[1]' training=fresh; do
        case_file case.yaml <<YAML
model: deep-linear
params: {integrator: flow, ${key/=/: }}
YAML
        refused 2 case.yaml:2: "params.${key%%=*}" "integrator: gd" -- solve case.yaml
    done
    bad_case case.yaml:2: params.steps "flow needs an integer >= 1" <<'YAML'
model: deep-linear
params: {integrator: flow, steps: 0}
YAML
    bad_case case.yaml:2: params.time "integrator: flow" <<'YAML'
model: deep-linear
params: {time: 2}
YAML
    bad_case case.yaml:2: params.method "rk4 belongs to integrator: flow" <<'YAML'
model: deep-linear
params: {method: rk4}
YAML
    bad_case case.yaml:2: params.record_every "5 counts steps" <<'YAML'
model: deep-linear
params: {integrator: flow, record_every: 5}
YAML
    bad_case case.yaml:2: params.steps "100 belongs to gd, or to method: euler, heun or rk4" <<'YAML'
model: deep-linear
params: {integrator: flow, method: adaptive, steps: 100}
YAML
}

@test "a record that is no time of a flow, or no step of its grid" {
    bad_case case.yaml:2: params.record "2.5 is no time of 0..2" <<'YAML'
model: deep-linear
params: {integrator: flow, time: 2, record: [1, 2.5]}
YAML
    bad_case case.yaml:2: params.record "0.5 is no step: steps are whole numbers" <<'YAML'
model: deep-linear
params: {integrator: flow, time: 2, steps: 10, record: [0.5]}
YAML
    bad_case case.yaml:2: params.record "12 is no step of 0..10" <<'YAML'
model: deep-linear
params: {integrator: flow, time: 2, steps: 10, record: [12]}
YAML
    bad_case case.yaml:2: params.record "linear is not a number >= 0, or a list of such, or log" <<'YAML'
model: directional
params: {record: linear}
YAML
}

@test "a flow that would take networks for ever" {
    case_file case.yaml <<'YAML'
model: deep-linear
params: {integrator: flow, time: 1.0e+30}
simulate: {size: 20, seeds: 2}
YAML
    refused 2 params.time "too long for a simulated flow; allowed: up to 1.66e+07" -- run case.yaml
    # From a small start it is only seen on the way.
    refused 2 params.time "1e+18 is too long" "allowed: 1e+07 of them" -- simulate case.yaml \
        --set params.time=1e18 --set params.sigma=0.001 --set params.depth=2
    refused 2 params.time "1e+30 is too long" "allowed: 1e+07 of them" -- simulate case.yaml \
        --set model=alignment --set params.integrator=null --set params.training=flow
}

@test "a number inside a mapping is named with its path" {
    bad_case case.yaml:2:41 params.law.mixture.weights "a is not a number > 0" <<'YAML'
model: directional
params: {law: {mixture: {weights: [0.5, a], scales: [1, 2]}}}
YAML
    bad_case case.yaml:2:52 params.covariance.power_law "-3 is out of range" <<'YAML'
model: alignment
params: {alpha: 1, snr: 2, covariance: {power_law: -3, dim: 10}}
YAML
    bad_case case.yaml:2:23 simulate.size "a is not an integer >= 1" <<'YAML'
model: deep-linear
simulate: {size: [10, a], seeds: 2}
YAML
}

@test "a learning rate together with gradient flow" {
    bad_case case.yaml:2:32 params.lr 0.1 flow <<'YAML'
model: deep-linear
params: {integrator: flow, lr: 0.1}
YAML
}

@test "a value that is wrong at one point of the sweep only" {
    bad_case case.yaml:2: params.sigma "3 (depth + 1)" <<'YAML'
model: deep-linear
params: {sigma: [1, 1]}
sweep: {depth: [1, 2]}
YAML
}

@test "a key in both params and sweep" {
    bad_case case.yaml:3: sweep.nu params <<'YAML'
model: deep-linear
params: {nu: 1}
sweep: {nu: [1, 2]}
YAML
}

@test "a list as one value of a sweep" {
    bad_case case.yaml:2: sweep.sigma "a list of 2 is neither a number nor a text" <<'YAML'
model: deep-linear
sweep: {sigma: [[1, 2], 3]}
YAML
}

@test "a mapping as one value of a sweep" {
    bad_case case.yaml:2: sweep.nu "a mapping is neither a number nor a text" <<'YAML'
model: deep-linear
sweep: {nu: [{a: 1}, 3]}
YAML
}

@test "an empty list to sweep" {
    bad_case case.yaml:2: sweep.nu "a list of 0 is not a list of one or more values" <<'YAML'
model: deep-linear
sweep: {nu: []}
YAML
}

@test "the same value twice in a sweep" {
    bad_case case.yaml:2:17 sweep.nu "1.0 stands there twice" <<'YAML'
model: deep-linear
sweep: {nu: [1, 1.0]}
YAML
    bad_case case.yaml:2:20 sweep.nu "2.0 stands there twice" <<'YAML'
model: deep-linear
sweep: {nu: [2, 1, 2.0]}
YAML
}

@test "options that would be ignored are refused" {
    refused 2 "--var" "names no variable" -- export theory.h5 --var ,
    refused 2 "--var" "names no variable" -- plot theory.h5 --var ''
    refused 2 "--points" "an integer from 3" -- find case.yaml --param lr=0.1:1 --min test_risk \
        --points 0.5
    refused 2 "--threads" "an integer from 1 to 4096" -- solve case.yaml --threads 1e-300
}

@test "a second document in a case file" {
    bad_case case.yaml "more than one document" <<'YAML'
model: deep-linear
---
model: wide-mlp
YAML
}

@test "what is missing has the place of what it is missing from" {
    bad_case case.yaml:1:1 params.data "holds no data" <<'YAML'
model: wide-mlp
YAML
    bad_case case.yaml:2:1 params.data "holds no data" <<'YAML'
model: wide-mlp
params:
  depth: 2
YAML
}

@test "keys of data that mean nothing beside the others" {
    local key
    for key in 'noise: 1' 'dim: 3' 'target: sign' 'standardize: true' 'checksum: ab' \
        'test_inputs: [[1]]'; do
        bad_case case.yaml:2: "params.data.${key%%:*}" "means nothing here" <<YAML
model: wide-mlp
params: {data: {gram: [[1]], targets: [1], $key}}
YAML
    done
}

@test "a data file that is not there, or lacks what is asked of it" {
    printf 'x0,y\n1,1\n' >t.csv
    local yaml='model: wide-mlp
params:
  data: {inputs: z, targets: y, file: '
    case_file <<<"${yaml}nope.csv}"
    refused 5 case.yaml:3: params.data.file nope.csv "No such file" -- solve case.yaml
    case_file <<<"${yaml}t.csv}"
    refused 2 case.yaml:3: params.data.file t.csv 'no array "z"' -- solve case.yaml
}

@test "null stands for an absent key, and removing an absent one makes nothing" {
    works solve case.yaml --set output=null --set name=null --set simulate=null \
        --set simulate.seeds=null --set sweep.nu=null
    [ -e case.h5 ] || explain "not under the default name"
}

@test "a sweep over something that is not a parameter" {
    bad_case case.yaml:2: sweep.bogus "not a parameter" "describe deep-linear" <<'YAML'
model: deep-linear
sweep: {bogus: [1]}
YAML
}

@test "a sweep with more points than anybody can want" {
    { echo "model: deep-linear"; echo "sweep:"
        for key in nu gamma0 noise lr; do
            echo "  $key: [$(seq -s, 1 40)]"
        done; } | bad_case case.yaml: sweep. "more than 1000000 points"
}

@test "a model that does not exist lists those that do" {
    bad_case case.yaml:1:8 deep-liner "not a model" deep-linear <<'YAML'
model: deep-liner
YAML
}

@test "a case without a model" {
    bad_case case.yaml:1: model missing "nndmft models" <<'YAML'
params: {nu: 1}
YAML
}

@test "a variable to compare that does not exist" {
    bad_case case.yaml:2: compare.vars nope "nndmft describe deep-linear" <<'YAML'
model: deep-linear
compare: {vars: [test_risk, nope]}
YAML
}

@test "a key that stands twice" {
    bad_case case.yaml:2: duplicate <<'YAML'
model: deep-linear
model: deep-linear
YAML
}

@test "text that is not YAML names the line" {
    bad_case case.yaml:4: "not valid YAML" <<'YAML'
model: deep-linear
params:
  - nu: 1
 bad: [1
YAML
}

@test "a list instead of a case" {
    bad_case case.yaml:1:1 "not a mapping" <<'YAML'
[1, 2]
YAML
}

@test "an override of a case that is not a mapping" {
    local text
    for text in '- model: deep-linear' 'deep-linear' '3'; do
        echo "$text" >case.yaml
        refused 2 "not a mapping" -- solve case.yaml --set params.nu=2
    done
}

@test "bytes that are not UTF-8 name the place" {
    LC_ALL=C printf 'model: deep-linear\nname: a\300b\n' >case.yaml
    refused 2 case.yaml:2:8 UTF-8 -- solve case.yaml
    LC_ALL=C printf '%%t\300Vg' >case.yaml
    refused 2 case.yaml:1:3 UTF-8 -- solve case.yaml
    LC_ALL=C printf 'model: deep-linear\nname: \355\240\200\n' >case.yaml
    refused 2 UTF-8 -- solve case.yaml
}

@test "letters beyond ASCII are welcome" {
    works solve case.yaml --set name=größe-名-🙂
    [ -e größe-名-🙂.h5 ]
}

@test "an alias" {
    bad_case case.yaml:3: alias <<'YAML'
model: &m deep-linear
params: {nu: 1}
name: *m
YAML
}

@test "nesting without end" {
    { echo "model: deep-linear"; printf 'name: %s%s\n' "$(printf '[%.0s' {1..500})" \
        "$(printf ']%.0s' {1..500})"; } | bad_case case.yaml:
}

@test "an empty case file" {
    bad_case case.yaml empty </dev/null
}

@test "a case file of comments only" {
    echo "# nothing" | bad_case case.yaml empty
}

@test "a missing case file" {
    refused 2 nowhere.yaml "No such file" -- solve nowhere.yaml
}

@test "a folder as case file" {
    refused 2 "Is a directory" -- solve .
}

@test "random bytes as case file" {
    head -c 5000 /dev/urandom >case.yaml
    refused 2 case.yaml -- solve case.yaml
}

@test "a program as case file" {
    head -c 20000 "$NNDMFT" >case.yaml
    refused 2 "not a case file" -- solve case.yaml
}

@test "a result as case file" {
    refused 2 theory.h5 "not a case file" -- solve theory.h5
}

@test "control characters in the input do not reach the terminal" {
    refused 2 "is not a model" -- solve case.yaml --set 'model="x\ny\e[31m"'
    ! grep -q "$(printf "\033")" err || explain "an escape sequence"
}

@test "a case file without end" {
    refused 2 /dev/zero "not a case file" -- solve /dev/zero
}

# ---- overrides ----

@test "--set without a value or without a key" {
    refused 2 "--set params.nu" KEY=VALUE -- solve case.yaml --set params.nu
    refused 2 "--set =3" KEY=VALUE -- solve case.yaml --set =3
    refused 2 "--set params.nu=" "no value" -- solve case.yaml --set params.nu=
}

@test "--set with a value that is not YAML" {
    refused 2 "--set params.nu=[1" "not valid YAML" -- solve case.yaml --set 'params.nu=[1'
}

@test "--set below something that is not a mapping" {
    refused 2 "--set params.nu.x=3" "not a mapping" -- solve case.yaml --set params.nu.x=3
}

@test "--set of an unknown parameter or a value out of range names the option" {
    refused 2 "--set params.bogus=1" "unknown key" -- solve case.yaml --set params.bogus=1
    refused 2 "--set params.nu=-1" "out of range" -- solve case.yaml --set params.nu=-1
}

@test "--set that removes what is needed" {
    refused 2 model missing -- solve case.yaml --set model=null
    refused 2 simulate.size missing -- run case.yaml --set simulate.size=null
    refused 2 simulate -- simulate case.yaml --set simulate=null
}

@test "--set overrides, and null removes so that the default holds" {
    works solve case.yaml --set params.nu=null --set params.alpha=3 --dry-run
    says out "  nu: 1" "  alpha: 3"
}

# ---- simulation ----

@test "a simulation without size" {
    case_file <<'YAML'
model: deep-linear
simulate: {seeds: 4}
YAML
    refused 2 case.yaml:2: simulate.size missing -- simulate case.yaml
}

@test "sizes that are zero, negative, doubled or too large" {
    refused 2 simulate.size 0 "out of range" -- run case.yaml --set simulate.size=0
    refused 2 simulate.size -4 "out of range" -- run case.yaml --set simulate.size=-4
    refused 2 simulate.size twice -- run case.yaml --set 'simulate.size=[16, 16]'
    refused 2 simulate.size "out of range" -- run case.yaml --set simulate.size=1e10
}

@test "as many seeds as sizes, or one number" {
    refused 2 simulate.seeds "one per size" -- run case.yaml --set 'simulate.size=[16, 20]' \
        --set 'simulate.seeds=[1, 2, 3]'
}

@test "a size that leaves a layer without neurons is refused before anything runs" {
    refused 2 params.nu 0.01 "size 16" -- run case.yaml --set params.nu=0.01
    refused 2 params.nu 0.01 "size 16" -- simulate case.yaml --set params.nu=0.01
    refused 2 params.nu 0.01 "size 16" -- run case.yaml --set params.nu=0.01 --set params.lr=50
    [ ! -e case.h5.parts ]
}

@test "a size beyond the memory limit is refused before anything runs" {
    refused 2 memory "0.5 GB" -- run case.yaml --set simulate.size=100000 --memory 0.5
    refused 2 memory "0.5 GB" -- run case.yaml --set simulate.size=100000 --memory 0.5 \
        --set params.lr=50
    [ ! -e case.h5.parts ]
}

@test "more steps than memory holds" {
    refused 2 theory memory GB -- solve case.yaml --set params.steps=1000000 \
        --set params.two_time=true
}

# ---- the command line ----

@test "an unknown command" {
    refused 2 frobnicate "not a command" "nndmft --help" -- frobnicate
}

@test "no command at all shows the overview as an error" {
    tool
    [ "$status" -eq 2 ]
    [ ! -s out ]
    says err Usage
}

@test "an unknown option" {
    refused 2 "nndmft solve" --bogus -- solve --bogus case.yaml
}

@test "an option of another command" {
    refused 2 "nndmft info" --format -- info --format csv theory.h5
}

@test "a missing argument, and one too many" {
    refused 2 "nndmft solve" CASE missing -- solve
    refused 2 "nndmft info" FILE missing -- info
    refused 2 "nndmft describe" MODEL missing -- describe
    refused 2 "nndmft solve" other.yaml -- solve case.yaml other.yaml
    refused 2 "nndmft models" extra -- models extra
}

@test "an option without its argument" {
    refused 2 "nndmft solve" -- solve case.yaml -o
}

@test "numbers of threads and amounts of memory that make no sense" {
    local n
    for n in 0 -1 1.5 many '' 1e6; do
        refused 2 --threads -- solve case.yaml --threads="$n"
    done
    for n in 0 -1 lots nan inf; do
        refused 2 --memory -- solve case.yaml --memory="$n"
    done
}

@test "an unknown format, group or axis lists the known ones" {
    refused 2 xml csv json -- export theory.h5 --format xml
    refused 2 nope theory mc seeds compare -- export theory.h5 --group nope
    refused 2 "--log" z x y xy -- plot theory.h5 --log z
}

@test "a model to describe that does not exist" {
    refused 2 nope "nndmft models" -- describe nope
}

# ---- result files ----

@test "a missing result file" {
    local command
    for command in info plot export validate; do
        refused 5 nowhere.h5 "No such file" -- $command nowhere.h5
    done
    refused 5 nowhere.h5 -- validate theory.h5 nowhere.h5
}

@test "a folder as result file" {
    local command
    for command in info plot export validate; do
        refused 5 "not a regular file" -- $command .
    done
}

@test "a truncated result file" {
    local command
    head -c 5000 whole.h5 >cut.h5
    for command in info plot export validate; do
        refused 5 cut.h5 damaged -- $command cut.h5
    done
}

@test "a result file with one flipped byte" {
    local command
    printf '\377' | dd of=whole.h5 bs=1 seek=20000 conv=notrunc status=none
    for command in info plot export validate; do
        refused 5 whole.h5 damaged -- $command whole.h5
    done
}

@test "an empty result file" {
    local command
    : >empty.h5
    for command in info plot export validate; do
        refused 5 empty.h5 "not an HDF5 file" -- $command empty.h5
    done
}

@test "a result file that is not HDF5" {
    local command
    cp case.yaml case.txt
    for command in info plot export validate; do
        refused 5 case.txt "not an HDF5 file" -- $command case.txt
    done
}

@test "a result file of a newer schema says which version to use" {
    local command
    need_python h5py
    "$PYTHON" - <<'PYTHON'
import h5py
with h5py.File("newer.h5", "w") as file:
    file.attrs["file_schema_version"] = 2
    file.attrs["nndmft_version"] = "9.9"
    file["theory/loss"] = [1.0, 2.0]
PYTHON
    for command in info plot export validate; do
        refused 5 newer.h5 schema 9.9 "newer nndmft" -- $command newer.h5
    done
}

@test "an HDF5 file without arrays" {
    need_python h5py
    "$PYTHON" -c 'import h5py; h5py.File("bare.h5", "w").close()'
    refused 5 bare.h5 "no arrays" -- info bare.h5
    refused 5 bare.h5 "no arrays" -- validate theory.h5 bare.h5
}

@test "a file without theory, or without simulation, cannot be validated" {
    works simulate case.yaml -o mc.h5
    refused 2 mc.h5 "no theory" -- validate mc.h5
    refused 2 theory.h5 "no simulation" -- validate theory.h5
    refused 2 theory.h5 "no simulation" -- validate theory.h5 theory.h5
}

@test "points that theory and simulation do not share" {
    works simulate case.yaml -o mc.h5 --set params.record='[3]' --set params.steps=3
    works solve case.yaml -o theory.h5 --set params.record='[2]' --set params.steps=2 --force
    tool validate theory.h5 mc.h5
    [ "$status" -eq 2 ] || explain "exit code $status"
    [ ! -s out ]
    [ "$(grep -vc 'nndmft: differs: params' err)" -eq 1 ] || explain "more than one line"
    says err "no value of t in common"
}

@test "parameters that differ are told, however late in a list" {
    local list
    list=$(printf '1, %.0s' {1..200})
    works solve case.yaml -o theory.h5 --set "params.schedule=[${list}1]" --force
    works simulate case.yaml -o mc.h5 --set "params.schedule=[${list}2]"
    works validate theory.h5 mc.h5
    says err "differs: params.schedule"
}

@test "validate takes overrides of compare only" {
    refused 2 "--set params.nu=2" "compare.*" -- validate whole.h5 --set params.nu=2
    refused 2 "compare.rtol" "out of range" -- validate whole.h5 --set compare.rtol=0
}

@test "a variable that the file does not hold lists those that it does" {
    refused 2 nope test_risk overlap -- plot theory.h5 --var nope
    refused 2 nope test_risk overlap -- export theory.h5 --var nope
    refused 2 nope test_risk overlap -- export theory.h5 --var nope --format json
}

@test "a view that does not exist lists those that do" {
    refused 2 nope training norms -- plot theory.h5 --view nope
}

@test "a group that the file does not hold" {
    refused 2 theory.h5 "no group mc" -- export theory.h5 --group mc
    refused 2 whole.h5 "no group seeds" -- export whole.h5 --group seeds
}

@test "variables of different dimensions in one table list the sets" {
    refused 2 --var "[t] test_risk" "[t,layer] g_norm2" -- export theory.h5
}

@test "a picture of an unknown kind names the known ones" {
    local name
    for name in x.gif x x. .svg.x; do
        refused 2 "$name" .svg .pdf .png -- plot theory.h5 -o "$name"
    done
}

# ---- where results go ----

@test "an output folder that does not exist" {
    refused 5 nowhere/x.h5 -- solve case.yaml -o nowhere/x.h5
    refused 5 nowhere/x.h5 -- run case.yaml -o nowhere/x.h5
    refused 5 nowhere/x.svg -- plot theory.h5 -o nowhere/x.svg
    refused 5 nowhere/x.csv -- export theory.h5 --var overlap -o nowhere/x.csv
    [ ! -e nowhere ]
}

@test "an output path that leads through a file" {
    refused 5 case.yaml/x.h5 -- solve case.yaml -o case.yaml/x.h5
    refused 5 case.yaml/x.svg -- plot theory.h5 -o case.yaml/x.svg
    refused 5 case.yaml/x.csv -- export theory.h5 --var overlap -o case.yaml/x.csv
}

@test "a folder that nobody can write to" {
    refused 5 /proc/x.h5 -- solve case.yaml -o /proc/x.h5
    refused 5 /proc/x.csv -- export theory.h5 --var overlap -o /proc/x.csv
}

@test "a folder, a device or nothing as output" {
    refused 5 folder -- solve case.yaml -o .
    refused 5 "not a regular file" -- solve case.yaml -o /dev/full
    refused 5 -- solve case.yaml -o ''
    refused 5 /dev/null -- plot theory.h5 -o /dev/null/x.svg
}

@test "a read-only file is not replaced" {
    chmod 444 theory.h5
    refused 5 theory.h5 read-only -- solve case.yaml -o theory.h5
    cmp theory.h5 "$BATS_FILE_TMPDIR/theory.h5"
}

@test "a name longer than any file system takes" {
    refused 5 "too long" -- solve case.yaml -o "$(printf 'a%.0s' {1..300}).h5"
}

@test "something else than a result is not replaced" {
    cp case.yaml mine.h5
    refused 5 mine.h5 "not an HDF5 file" -- run case.yaml -o mine.h5
    cmp mine.h5 case.yaml
}

@test "the case file itself is never replaced, not even by force" {
    cp case.yaml before.yaml
    refused 2 case.yaml "is the input" -- run case.yaml -o case.yaml --force
    cmp case.yaml before.yaml
}

@test "the data of a case are never replaced, not even by force" {
    { echo x,y; seq 20 | sed 's/.*/&,&/'; } >mine.csv
    cp mine.csv before.csv
    mkdir cases
    printf 'model: scaling-laws\nparams: {data: {file: ../mine.csv, inputs: x, targets: y}}\n' >cases/mine.yaml
    refused 2 mine.csv "is the input" -- solve cases/mine.yaml -o mine.csv --force
    refused 2 mine.csv "is the input" -- solve cases/mine.yaml -o mine.csv --force \
        --set "params.data.file=$PWD/mine.csv"
    cmp mine.csv before.csv
}

@test "a result is not replaced by its own table" {
    refused 2 theory.h5 "is the input" -- export theory.h5 --var overlap -o theory.h5
    cmp theory.h5 "$BATS_FILE_TMPDIR/theory.h5"
}

@test "a user's own HDF5 file is not replaced" {
    need_python h5py
    "$PYTHON" -c 'import h5py; h5py.File("mine.h5", "w")["x"] = [1.0]'
    cp mine.h5 before.h5
    refused 2 mine.h5 "not a result" --force -- run case.yaml -o mine.h5
    cmp mine.h5 before.h5
}

# ---- what would not fit together ----

@test "results of another case are kept unless forced" {
    cp whole.h5 before.h5
    refused 2 whole.h5 "another case" --force -- solve case.yaml -o whole.h5 --set params.nu=2
    refused 2 whole.h5 "another case" --force -- simulate case.yaml -o whole.h5 --set params.nu=2
    cmp whole.h5 before.h5
    works solve case.yaml -o whole.h5 --set params.nu=2 --force
    works info whole.h5
    says out /theory "  nu: 2"
    ! grep -q "^/mc" out || explain "/mc of another case was kept"
    cp before.h5 whole.h5
    works simulate case.yaml -o whole.h5 --set params.nu=2 --force
    works info whole.h5
    says out /mc
    ! grep -q "^/theory" out || explain "/theory of another case was kept"
}

@test "shards of another case are refused unless forced" {
    works simulate case.yaml
    rm case.h5
    refused 2 case.h5.parts "another case" --force -- simulate case.yaml --set params.lr=0.2
    works simulate case.yaml --set params.lr=0.2 --force
}

@test "a run that diverges keeps the curve up to there" {
    tool solve case.yaml --set params.lr=50 --set params.steps=40
    [ "$status" -eq 3 ] || explain "exit code $status"
    [ ! -s out ]
    says err "diverged at step" case.h5
    works export case.h5 --var train_mse
    [ "$(wc -l <out)" -eq 42 ]
    [ -n "$(sed -n 2p out | cut -d, -f2)" ]
    [ -z "$(sed -n 42p out | cut -d, -f2)" ]
}

@test "a simulation in which every seed diverges" {
    tool simulate case.yaml --set params.lr=50 --set params.steps=40
    [ "$status" -eq 3 ] || explain "exit code $status"
    says err "100 % of the seeds diverged" case.h5
    works export case.h5 --group mc --var diverged_fraction
    [ "$(sed -n 2p out | cut -d, -f2)" = 1 ]
}

@test "one diverging point of a sweep does not fail the run" {
    works solve case.yaml --set params.lr=null --set 'sweep.lr=[0.1, 50]' --set params.steps=40
    works export case.h5 --var status
    [ "$(wc -l <out)" -eq 3 ]
}
