#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Texts in and out: names of every kind, what is read again, what is announced or suggested.

load helper

setup() {
    enter
    tiny_case
}

# What a case becomes is read again: the second run finds results of the same case.
runs_twice() {
    works solve "$@"
    works solve "$@"
}

@test "results of cases with odd names are read again" {
    local name
    for name in @lr '#1' '- x' '1e3' 'größe' 'a: "quoted" \ one'; do
        cp case.yaml "./$name.yaml"
        runs_twice "./$name.yaml"
        [ -s "$name.h5" ] || explain "$name.h5 is missing"
        works info "./$name.h5"
    done
}

@test "a data file with an odd name is found again from the result" {
    printf 'x0,x1,y\n1,0,1\n0,1,-1\n' >'#1 @.csv'
    case_file <<'YAML'
model: two-layer-fluctuations
params: {activation: linear, data: {file: "#1 @.csv", inputs: [x1, "x0"], targets: y}, steps: 2}
YAML
    runs_twice case.yaml
    works info case.h5
    sed '1,/^case$/d' out >again.yaml
    says again.yaml 'file: "#1 @.csv"' 'inputs: [x1, x0]'
    works solve again.yaml -o again.h5
    same_data case.h5 again.h5
}

@test "a file whose name is not UTF-8 needs a name in the case, and gets along with one" {
    local latin=$'caf\xe9'
    cp case.yaml "$latin.yaml"
    refused 2 name "not UTF-8" "give the case a" -- solve "$latin.yaml"
    works solve "$latin.yaml" --set name=cafe -o "$latin.h5"
    works solve "$latin.yaml" --set name=cafe -o "$latin.h5"
    works info "$latin.h5"
    says out 'caf\xE9.h5'
    iconv -f UTF-8 -t UTF-8 out >/dev/null || explain "not UTF-8"
}

@test "a name is no path, and holds no control characters" {
    local name
    for name in ../x /tmp/x a/b .. .; do
        refused 2 "name: is a path" -- solve case.yaml --set name="$name"
    done
    refused 2 "name: holds a control character" -- solve case.yaml --set 'name="a\nb"'
    refused 2 "name: holds a control character" -- solve case.yaml --set 'name="a\x9bb"'
    refused 2 "output: holds a control character" -- solve case.yaml --set 'output="a\eb.h5"'
    refused 2 "name: is longer than 200 bytes" -- solve case.yaml \
        --set name="$(printf 'n%.0s' {1..201})"
}

@test "an output outside the working folder is announced before it is written" {
    mkdir inside outside
    cd inside || return 1
    tiny_case
    local path
    for path in ../outside/x.h5 "$BATS_TEST_TMPDIR/outside/x.h5"; do
        works solve case.yaml --set output="$path"
        [ "$(head -n 1 err)" = "nndmft: warning: the case writes outside the working folder: $path" ] ||
            explain "not announced"
    done
    ln -s ../outside link
    works solve case.yaml --set output=link/y.h5 --dry-run
    says err "outside the working folder"
    # What the command line says is no surprise, and what stays inside is none either.
    works solve case.yaml -o ../outside/x.h5
    ! grep -q outside\ the err
    mkdir below
    for path in ./x.h5 below/x.h5 "$PWD/below/y.h5"; do
        works solve case.yaml --set output="$path"
        ! grep -q outside\ the err || explain "announced: $path"
    done
}

@test "a case is read from standard input" {
    works solve case.yaml
    timeout 20 "$NNDMFT" solve - <case.yaml 2>err
    says err "wrote stdin.h5"
    same_data case.h5 stdin.h5
    status=0
    echo 'model: x' | timeout 20 "$NNDMFT" solve - >out 2>err || status=$?
    one_line_error 2 stdin:1:8: model
}

@test "a stream without end is refused, and one without a word is left at once" {
    status=0
    yes | timeout 20 "$NNDMFT" solve /dev/stdin >out 2>err || status=$?
    one_line_error 2 "larger than 2097152 bytes"
    mkfifo pipe
    local signal
    for signal in INT TERM; do
        status=0
        # A shell lets its background jobs ignore SIGINT, hence the detour over Python.
        "$PYTHON" - "$signal" "$NNDMFT" <<'PYTHON' || status=$?
import signal, subprocess, sys, time
child = subprocess.Popen([sys.argv[2], "solve", "pipe"], stderr=subprocess.DEVNULL)
time.sleep(0.3)
child.send_signal(getattr(signal, "SIG" + sys.argv[1]))
sys.exit(child.wait(timeout=1) != 130)
PYTHON
        [ "$status" -eq 0 ] || explain "SIG$signal was not heard"
    done
}

@test "many keys and long sweeps are read in no time" {
    { printf 'model: deep-linear\nparams:\n'; seq -f '  k%.0f: 1' 60000; } >case.yaml
    LIMIT=10 refused 2 params.k1 "unknown key" -- solve case.yaml
    { printf 'model: deep-linear\nparams: {depth: 1, steps: 1}\nsweep:\n  gamma0: ['
        printf '%s]\n' "$(seq -s ', ' 20000)"; } >case.yaml
    LIMIT=20 works solve case.yaml --dry-run
    says out "19998, 19999, 20000]"
    printf '%s\n' "sweep: {gamma0: [$(seq -s ', ' 20000), 7]}" 'model: deep-linear' >case.yaml
    LIMIT=10 refused 2 case.yaml:1: sweep.gamma0 "7 stands there twice" -- solve case.yaml
}

@test "what is misspelt is suggested" {
    refused 2 "did you mean params.lr?" -- solve case.yaml --set lr=0.2
    refused 2 "did you mean params?" -- solve case.yaml --set parms.lr=0.2
    refused 2 "did you mean params.depth?" -- solve case.yaml --set params.detph=2
    refused 2 "did you mean simulate.seeds?" -- solve case.yaml --set simulate.sedes=2
    refused 2 "did you mean compare.rtol?" -- solve case.yaml --set rtol=2
    refused 2 "did you mean sweep.gamma0?" -- solve case.yaml --set 'sweep.gama0=[1, 2]'
    refused 2 "did you mean deep-linear?" -- solve case.yaml --set model=deep-liner
    refused 2 "did you mean overlap?" -- solve case.yaml --set compare.vars=overlpa
    refused 2 "did you mean solve?" -- solv case.yaml
    refused 2 "did you mean overlap?" -- find case.yaml --param gamma0=1:2 --max overlp --at t=2
    refused 2 "did you mean gamma0?" -- find case.yaml --param gama0=1:2 --max overlap --at t=2
    works solve case.yaml
    refused 2 "did you mean overlap?" -- export case.h5 --var overlapp
    refused 2 "did you mean overlap?" -- plot case.h5 --var overlapp -o x.svg
    refused 2 "did you mean deep-linear?" -- describe deep-liner
}

@test "integers are exact or refused, wherever they stand" {
    local key limit=9007199254740991
    case_file <<'YAML'
model: wide-mlp
params: {data: {generate: gaussian, samples: 2, dim: 2, seed: 9007199254740991}, steps: 1, samples: 64}
simulate: {size: 8, seeds: 2, base_seed: 9007199254740991}
YAML
    for key in params.seed params.data.seed simulate.base_seed; do
        refused 2 "$key: 9007199254740993 is out of range" "<= $limit" -- \
            solve case.yaml --set $key=9007199254740993
        refused 2 "$key: 9007199254740992 is out of range" "<= $limit" -- \
            solve case.yaml --set $key=9007199254740992
    done
    refused 2 "9007199254740993 is out of range" -- \
        solve case.yaml --set 'sweep.seed=[1, 9007199254740993]'
    works simulate case.yaml --set 'sweep.seed=[9007199254740990, 9007199254740991]'
    works export case.h5 --group mc --format json
    says out "[9007199254740990, 9007199254740991]"
    works info case.h5
    says out "base_seed: $limit" "seed: $limit" "seed: [9007199254740990, $limit]"
}
