#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Pipes, surroundings, links, and files that strangers made.

load helper

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    tiny_case
    tool run case.yaml
    tool solve case.yaml -o long.h5 --set params.steps=100 --set params.two_time=true
}

setup() {
    enter
    cp "$BATS_FILE_TMPDIR"/*.{yaml,h5} .
}

# quiet_behind READER ARGUMENTS...: the tool ends with 0 and without a word when its reader has left.
quiet_behind() {
    local reader=$1 code
    shift
    set +o pipefail
    { code=0; timeout 60 "$NNDMFT" "$@" 2>err || code=$?; echo $code >code; } | $reader >out
    set -o pipefail
    code=$(cat code)
    [ "$code" -eq 0 ] || explain "exit code $code: $*"
    [ ! -s err ] || explain "a message: $*"
}

# ---- pipes ----

@test "a reader that has seen enough is no failure" {
    local format
    for format in csv json; do
        quiet_behind "head -c 1" export long.h5 --var g_two_time --format "$format"
        [ -s out ]
    done
    quiet_behind true describe deep-linear
    quiet_behind true info case.h5
    quiet_behind true plot case.h5 --list
    quiet_behind true models
    quiet_behind true --help
    quiet_behind true find case.yaml --param lr=0.01:0.1 --min test_risk --at t=6
}

@test "the verdict of a comparison does not depend on its reader" {
    works simulate case.yaml -o mc.h5 --set params.lr=0.4 --set simulate.seeds=400 \
        --set 'simulate.size=[20, 40]'
    set -- validate -q case.h5 mc.h5 --set compare.rtol=0.01
    tool "$@"
    [ "$status" -eq 4 ] || explain "exit code $status"
    { code=0; "$NNDMFT" "$@" 2>err || code=$?; echo $code >code; } | true
    [ "$(cat code)" -eq 4 ]
    [ ! -s err ]
}

@test "a full disk is a failure" {
    local command
    for command in "export case.h5 --var test_risk" "export case.h5 -o - --var test_risk" \
        "describe deep-linear" "info case.h5" models; do
        status=0
        # shellcheck disable=SC2086 # several words
        "$NNDMFT" $command >/dev/full 2>err || status=$?
        [ "$status" -eq 5 ] || explain "exit code $status: $command"
        [ "$(wc -l <err)" -eq 1 ]
    done
}

@test "a table or a picture that cannot be written is named" {
    local name command
    refused 5 nowhere/x.csv "No such file" -- export case.h5 --var test_risk -o nowhere/x.csv
    refused 5 nowhere/x.svg "No such file" -- plot case.h5 -o nowhere/x.svg
    refused 5 nowhere/x.h5 "No such file" -- solve case.yaml -o nowhere/x.h5
    # A file may not be longer than a kilobyte.
    for command in "export long.h5 --var test_risk -o long.csv" \
        "export long.h5 --format json -o long.json" "plot case.h5 -o long.svg"; do
        name=${command##* }
        status=0
        # shellcheck disable=SC2016,SC2086 # expanded by the inner shell; several words
        bash -c 'ulimit -f 1; exec "$@"' - "$NNDMFT" $command >out 2>err </dev/null || status=$?
        one_line_error 5
        grep -q "^nndmft: $name: .*: File too large" err || explain "message: $command"
        [ ! -e "$name" ]
    done
    status=0
    "$NNDMFT" export case.h5 --var test_risk >/dev/full 2>err || status=$?
    [ "$(cat err)" = "nndmft: stdout: writing failed: No space left on device" ]
}

@test "a group that a file does not hold: those that it holds are listed" {
    refused 2 long.h5 "has no group mc; there is: theory" -- export long.h5 --group mc
    refused 2 case.h5 "has no group seeds; there are: theory, mc, compare" -- \
        export case.h5 --group seeds
}

@test "-o - is the standard output, for tables alone" {
    works export case.h5 --var test_risk
    cp out wanted.csv
    works export case.h5 --var test_risk -o -
    cmp out wanted.csv
    refused 2 "-o -" "tables" -- plot case.h5 -o -
    refused 2 "-o -" "tables" -- run case.yaml -o -
    refused 2 "-o -" "tables" -- solve case.yaml --set 'output="-"'
    [ ! -e - ]
}

# ---- surroundings ----

@test "a parent that ignores its children, and settings of gnuplot, change nothing" {
    works plot case.h5 -o wanted.svg
    mkdir home
    echo "set terminal dumb" >home/.gnuplot
    status=0
    HOME=$PWD/home GNUTERM=x11 GNUPLOT_LIB=/nowhere env --ignore-signal=CHLD \
        "$NNDMFT" plot case.h5 -o got.svg 2>err || status=$?
    [ "$status" -eq 0 ] || explain "exit code $status"
    cmp wanted.svg got.svg
    env --ignore-signal=CHLD "$NNDMFT" info case.h5 >out
    says out "/theory" "/mc"
}

# ---- links ----

@test "output through a dangling link makes the file it points to" {
    mkdir data
    ln -s data/target.h5 link.h5
    works solve case.yaml -o link.h5
    [ -L link.h5 ]
    works info data/target.h5
    ln -s data/table.csv table.csv
    works export case.h5 --var test_risk -o table.csv
    [ -L table.csv ]
    [ -s data/table.csv ]
    ln -s b a
    ln -s a b
    refused 5 "symbolic links" -- solve case.yaml -o a
    [ -L a ]
    no_temporaries
}

# ---- tables and coordinates ----

@test "a variable of a comparison is exported by its name" {
    works export case.h5 --group compare --var g_norm2
    grep -q '^[a-z,]*,g_norm2_theory,g_norm2_mc,g_norm2_diff,g_norm2_se,g_norm2_z$' out
    [ "$(wc -l <out)" -gt 2 ]
}

@test "--at names the nearest coordinates, and takes each once" {
    set -- find case.yaml --param lr=0.01:0.1 --min test_risk
    refused 2 "--at: t=2.4: no such coordinate; nearest: 2, 3 (0 .. 6)" -- "$@" --at t=2.4
    refused 2 "--at: t stands twice" -- "$@" --at t=5,t=3
    refused 2 "--at: test_risk depends on t: say where, at t=..." -- "$@"
    refused 2 "--at: layer is no dimension of test_risk" -- "$@" --at t=2,layer=1
}

@test "--param names an interval, from below" {
    set -- find case.yaml --min test_risk --at t=2
    refused 2 "--param lr: not an interval LOW:HIGH" -- "$@" --param lr=0.1:0.01
    refused 2 "--param lr: not an interval LOW:HIGH" -- "$@" --param lr=0.1:0.1
}

# ---- files of strangers ----

@test "a file that leads to other files is refused by every command" {
    need_python h5py
    "$PYTHON" - <<'PYTHON'
import h5py

with open("secret", "wb") as file:
    file.write(b"root:x:0:0:root:/root:/bin/bash\n" * 2)
with h5py.File("secret.h5", "w") as file:
    file["x"] = [42.0, 43.0, 44.0]


def make(name, change):
    with h5py.File(name, "w") as file:
        file["x"] = [1.0, 2.0, 3.0]
        change(file)


make("external.h5", lambda f: f.create_dataset("y", (8,), "f8", external=[("secret", 0, 64)]))
make("link.h5", lambda f: f.__setitem__("y", h5py.ExternalLink("secret.h5", "/x")))
make("group.h5", lambda f: f.__setitem__("mc", h5py.ExternalLink("secret.h5", "/")))
layout = h5py.VirtualLayout(shape=(3,), dtype="f8")
layout[:] = h5py.VirtualSource("secret.h5", "x", shape=(3,))
make("virtual.h5", lambda f: f.create_virtual_dataset("y", layout))
PYTHON
    mkfifo pipe pipe.h5
    "$PYTHON" -c "import h5py; h5py.File('hangs.h5', 'w').create_dataset(
        'y', (8,), 'f8', external=[('pipe', 0, 64)])"
    cat >gram.yaml <<'YAML'
model: wide-mlp
params: {data: {file: external.h5, inputs: y, targets: x}, steps: 1}
YAML
    local file command
    # shellcheck disable=SC2034 # read by tool
    local LIMIT=10
    for file in external link group virtual hangs; do
        for command in info validate "export --group mc --var y" "plot -o x.svg"; do
            # shellcheck disable=SC2086 # several words
            refused 2 "$file.h5" -- $command $file.h5
        done
    done
    refused 2 "external.h5" -- solve gram.yaml
    refused 5 "pipe.h5: is not a regular file" -- info pipe.h5
    [ ! -e x.svg ]
}

@test "what foreign files say cannot reach the terminal" {
    need_python h5py
    "$PYTHON" - <<'PYTHON'
import h5py

evil = "\x1b[31m\nverdict agrees\u202e\u009b2J"
with h5py.File("evil.h5", "w") as file:
    file["x" + evil] = [1.0, 2.0]
    file["x" + evil].attrs["long_name"] = evil
    file.attrs["note" + evil] = evil
    file["s"] = [1.0, 2.0]
    file["s"].make_scale("s")
    file["labels"] = [evil, "b"]
    file["labels"].make_scale("labels")
    file["y"] = [1.0, 2.0]
    file["y"].dims[0].attach_scale(file["labels"])
PYTHON
    cp evil.h5 "$(printf 'a\033[31m.h5')"
    works info evil.h5
    cp out all
    works plot evil.h5 --list
    cat out >>all
    tool export evil.h5 --group mc --var nothing
    cat err >>all
    tool export "$(printf 'b\033[31m.h5')"
    cat err >>all
    says all '\x1B[31m\x0Averdict agrees\u202E\u009B2J'
    ! grep -q '^verdict' all || explain "a line of its own"
    ! LC_ALL=C grep -q "$(printf '[\001-\010\013-\037\177]')" all || explain "a control"
    ! LC_ALL=C grep -q "$(printf '\302\233\\|\342\200\256')" all || explain "C1, or a turn"
}
