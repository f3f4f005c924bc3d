#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What the command-line tests share. Every test runs in a folder of its own.
# shellcheck disable=SC2154 # bats sets BATS_*

: "${NNDMFT:?the path of the executable}"

# The interpreter that sees the Python packages of Debian.
PYTHON=/usr/bin/python3

enter() {
    cd "$BATS_TEST_TMPDIR" || return 1
}

# Runs the tool: exit code in $status, output in the files out and err.
tool() {
    status=0
    timeout "${LIMIT:-60}" "$NNDMFT" "$@" >out 2>err </dev/null || status=$?
}

# Runs the tool and expects success.
works() {
    tool "$@"
    [ "$status" -eq 0 ] || explain "exit code $status, want 0: $*"
}

# Fails with everything that helps to understand why.
explain() {
    echo "$*"
    echo "--- stdout"
    head -n 20 out
    echo "--- stderr"
    head -n 20 err
    return 1
}

# case_file [NAME]: writes standard input to a file.
case_file() {
    cat >"${1:-case.yaml}"
}

# tiny_case [NAME]: a case that takes milliseconds.
tiny_case() {
    case_file "${1:-case.yaml}" <<'YAML'
model: deep-linear
params: {depth: 1, alpha: 2, nu: 1, steps: 6, lr: 0.1}
simulate: {size: 16, seeds: 8}
compare: {rtol: 2}
YAML
}

# The last run failed with this exit code and said why in one line that holds every pattern.
# Bad usage is followed by a sentence that points at --help. Nothing half-done is left behind.
one_line_error() {
    local code=$1 lines first pattern
    shift
    [ "$status" -eq "$code" ] || explain "exit code $status, want $code" || return 1
    lines=$(wc -l <err)
    first=$(head -n 1 err)
    if sed -n 2p err | grep -q "^Try .nndmft [a-z]* --help"; then
        lines=1
    fi
    [ "$lines" -eq 1 ] || explain "$lines lines on stderr, want 1" || return 1
    [[ $first == "nndmft: "* || $first == "nndmft "[a-z]*": "* ]] ||
        explain "does not begin with the name of the program" || return 1
    for pattern; do
        [[ $first == *"$pattern"* ]] || explain "does not say: $pattern" || return 1
    done
    [ ! -s out ] || explain "something on stdout" || return 1
    no_temporaries
}

# No temporary file stands in this folder or below.
no_temporaries() {
    local left
    left=$(find . -name '*.tmp')
    [ -z "$left" ] || explain "left behind: $left"
}

# refused CODE PATTERN... -- ARGUMENTS: runs the tool and expects a one-line error.
refused() {
    local patterns=()
    while [ "$1" != -- ]; do
        patterns+=("$1")
        shift
    done
    shift
    tool "$@"
    one_line_error "${patterns[@]}"
}

# bad_case PATTERN... : solves the case on standard input and expects exit code 2.
bad_case() {
    case_file case.yaml
    refused 2 "$@" -- solve case.yaml
    [ ! -e case.h5 ] || explain "a result was written"
}

# says FILE PATTERN...: the file holds every pattern.
says() {
    local file=$1 pattern
    shift
    for pattern; do
        grep -qF -e "$pattern" "$file" || explain "$file does not hold: $pattern" || return 1
    done
}

# Skips the test where Python lacks a package.
need_python() {
    local package
    for package; do
        "$PYTHON" -c "import importlib.util as u; exit(u.find_spec('$package') is None)" \
            2>/dev/null || skip "$PYTHON has no $package"
    done
}

# same_data A B [GROUP...]: the datasets of two files are equal to the last bit.
same_data() {
    "$PYTHON" - "$@" <<'PYTHON'
import sys

import h5py


def datasets(path, groups):
    found = {}
    def keep(name, item):
        if isinstance(item, h5py.Dataset):
            data = item[()]
            text = data.dtype.kind == "O"
            found[item.name] = data.shape, data.tolist() if text else data.tobytes()
    with h5py.File(path, "r") as file:
        for group in groups:
            if group in file:
                file[group].visititems(keep)
    return found


groups = sys.argv[3:] or ["theory", "mc"]
a, b = (datasets(path, groups) for path in sys.argv[1:3])
different = sorted(set(a) ^ set(b)) or [name for name in a if a[name] != b[name]]
if different or not a:
    sys.exit(f"{sys.argv[1]} and {sys.argv[2]} differ: {', '.join(different) or 'no datasets'}")
PYTHON
}

# wait_until SECONDS COMMAND...: waits for a command to succeed.
wait_until() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.01
    done
}
