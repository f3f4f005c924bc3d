#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Are verdicts right? False alarms of many ensembles with the right theory, and how often an error is
# found that should be. Prints TAP; about an hour of processor time.
#   run.sh TOOL [BASE_SEEDS [BASE_SEEDS_OF_ERRORS]]
set -eu
tool=$(realpath "$1")
runs=${2:-200}
errors=${3:-60}
here=$(cd "$(dirname "$0")" && pwd)
# Many small files with fsync: memory is faster than a disk.
[ -z "${TMPDIR:-}" ] && [ -w /dev/shm ] && TMPDIR=/dev/shm && export TMPDIR
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
test=0

result() { # OK DESCRIPTION
    test=$((test + 1))
    [ "$1" -eq 0 ] && echo "ok $test - $2" || echo "not ok $test - $2"
}

# each COUNT COMMAND: runs `sh -c COMMAND` with $1 = 1 .. COUNT, side by side; writes each exit code to a file.
each() {
    rm -rf code
    mkdir code
    seq "$1" | xargs -P "$(nproc)" -I N sh -c "($2); echo \$? >code/N" N N
}

codes() { cat code/* | grep -c "^$1\$" || true; }

# alarms CASE MOST: the right theory is called wrong at most MOST times.
alarms() {
    name=$(basename "$1" .yaml)
    each "$runs" "\"$tool\" run \"$1\" --set simulate.base_seed=\$((1000 + \$1)) --threads 1 -q \
        -o $name-\$1.h5 >$name-\$1.txt; code=\$?; rm -rf $name-\$1.h5 $name-\$1.h5.parts; exit \$code"
    false=$(codes 4)
    done=$((false + $(codes 0)))
    [ "$done" -eq "$runs" ] && [ "$false" -le "$2" ] && ok=0 || ok=1
    result "$ok" "$name: the right theory is called wrong in $false of $done runs of $runs"
    [ "$false" -eq 0 ] || grep -h disagrees "$name"-*.txt | sed 's/^/# /'
}

# detections CASE KEY VALUE SEEDS FIRST: how many of the ensembles find the wrong value; also sets `alarm`.
detections() {
    "$tool" solve "$1" -o wrong.h5 --force -q --set "params.$2=$3"
    each "$errors" "\"$tool\" simulate \"$1\" --set simulate.base_seed=\$(($5 + \$1)) \
        --set simulate.seeds=$4 --threads 1 -q -o mc-\$1.h5 --force &&
        { \"$tool\" validate right.h5 mc-\$1.h5 >/dev/null 2>&1; [ \$? -ne 4 ] || echo >alarm-\$1; } &&
        { \"$tool\" validate wrong.h5 mc-\$1.h5 >/dev/null 2>&1; code=\$?; }
        rm -rf mc-\$1.h5 mc-\$1.h5.parts; exit \$code"
    alarm=$(find . -name 'alarm-*' | wc -l)
    rm -f alarm-*
    found=$(codes 4)
}

# error CASE KEY VALUE FACTOR SEEDS LEAST: VALUE is FACTOR times too large. It is found with SEEDS at least LEAST
# times; and the forecast, from one ensemble, is right within a factor of two.
error() {
    name=$(basename "$1" .yaml)
    "$tool" solve "$1" -o right.h5 --force -q
    "$tool" simulate "$1" --set "simulate.seeds=$5" --set simulate.base_seed=1 -q -o forecast.h5 --force
    need=$("$tool" validate right.h5 forecast.h5 --detect "$2=$4" |
        sed -n 's/.* noticed with \([0-9]*\).*/\1/p')
    detections "$1" "$2" "$3" "$5" 2000
    [ "$found" -ge "$6" ] && [ "$alarm" -le 2 ] && ok=0 || ok=1
    result "$ok" "$name: $2 wrong by a factor of $4 is found in $found of $errors ensembles of $5, the right one called wrong in $alarm"
    detections "$1" "$2" "$3" "$((2 * need))" 3000
    twice=$found
    detections "$1" "$2" "$3" "$((need / 2 > 3 ? need / 2 : 3))" 4000
    [ $((20 * twice)) -ge $((18 * errors)) ] && [ $((20 * found)) -le $((19 * errors)) ] && ok=0 || ok=1
    result "$ok" "$name: forecast of $need seeds for $2: found in $found of $errors with half as many, $twice with twice as many"
}

most=$((runs / 50))
for name in deep-linear-32 deep-linear-160 alignment two-layer online wide-mlp flat-minima; do
    alarms "$here/$name.yaml" "$most"
done
quick=$here/../../../data/cases/quickstart.yaml
all=$runs
runs=$((runs / 2))
alarms "$quick" "$((runs / 50))"
runs=$all
least=$((errors * 9 / 10))
error "$here/deep-linear-errors.yaml" sigma 0.824 1.03 450 "$least"
error "$here/deep-linear-errors.yaml" gamma0 1.03 1.03 1200 "$least"
error "$here/two-layer-lr.yaml" lr 0.103 1.03 3000 "$least"
error "$here/alignment-errors.yaml" alpha 1.133 1.03 2000 "$least"
echo "1..$test"
