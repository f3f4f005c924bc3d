#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Faults from outside: full disks, kills at any instant, damaged files, clocks that go backwards.
# Each ends in the right numbers or in one line and an exit code; never in a wrong file.

load ../cli/helper

KILLS=50
CUTS=50
# Seconds that a run may take on a machine that has more to do.
LIMIT=600

# Several seconds of work in one hundred blocks.
long_case() {
    case_file <<'YAML'
model: deep-linear
params: {depth: 2, steps: 60}
simulate: {size: 96, seeds: 3200}
YAML
}

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    long_case
    tool simulate case.yaml -o undisturbed.h5
    rm -rf undisturbed.h5.parts
    tiny_case tiny.yaml
    tool run tiny.yaml -o tiny.h5
}

setup() {
    enter
    tiny_case
    cp "$BATS_FILE_TMPDIR"/tiny.h5 .
    worker=
}

teardown() {
    [ -z "$worker" ] || kill -9 "$worker" 2>/dev/null || true
    if mountpoint -q disk 2>/dev/null; then umount disk; fi
}

# Runs the tool with a limit in KiB on the size of files; a crude model of a full disk.
limited() {
    local limit=$1
    shift
    status=0
    # shellcheck disable=SC2016 # expanded by the inner shell
    timeout "$LIMIT" bash -c 'ulimit -f "$0"; exec "$@"' "$limit" "$NNDMFT" "$@" >out 2>err </dev/null ||
        status=$?
}

# A file system of this size in the folder disk.
small_disk() {
    mkdir -p disk
    mount -t tmpfs -o "size=$1" none disk 2>/dev/null || skip "no file system can be mounted here"
}

# ok_or_refused CODE...: success, or one of the exit codes with one line.
ok_or_refused() {
    [ "$status" -ne 0 ] || return 0
    local code
    for code; do
        [ "$status" -ne "$code" ] || break
    done
    one_line_error "$code"
}

# ---- full disks ----

@test "a limit on file sizes: a result is whole or not there, the older one intact" {
    local limit command hit=0
    works solve case.yaml -o old.h5
    for command in run solve simulate; do
        for limit in 1 2 4 8 16 24 32 40 48 56 200; do
            rm -rf new.h5*
            limited $limit $command case.yaml -o new.h5
            ok_or_refused 5 || { echo "$command, limit $limit"; return 1; }
            if [ "$status" -eq 5 ]; then
                hit=$((hit + 1))
                [ ! -e new.h5 ]
                says err "File too large"
            else
                works info new.h5
            fi
            cp old.h5 new.h5
            limited $limit $command case.yaml -o new.h5
            ok_or_refused 5
            [ "$status" -eq 0 ] || cmp old.h5 new.h5
            works info new.h5
        done
    done
    [ "$hit" -ge 15 ]
    # What the limit interrupted is not taken for a finished block.
    works simulate case.yaml -o new.h5
}

@test "a limit on file sizes: blocks that were not written are computed when there is room" {
    need_python h5py
    local limit
    works simulate case.yaml -o whole.h5 --set simulate.seeds=300
    for limit in 1 8 30; do
        rm -rf new.h5*
        limited $limit simulate case.yaml -o new.h5 --set simulate.seeds=300
        one_line_error 5 "File too large"
        works simulate case.yaml -o new.h5 --set simulate.seeds=300
        same_data whole.h5 new.h5 mc
    done
}

@test "a limit on file sizes: a table is whole or not there" {
    local limit hit=0 format
    works solve case.yaml --set params.steps=200 -o tiny.h5 --force
    for format in csv json; do
        works export tiny.h5 --format $format --var overlap -o whole
        for limit in 1 2 3 4 5 6 7 8; do
            rm -f new
            limited $limit export tiny.h5 --format $format --var overlap -o new
            ok_or_refused 5
            if [ "$status" -eq 0 ]; then cmp whole new; else
                [ ! -e new ]
                hit=$((hit + 1))
            fi
            echo old >new
            limited $limit export tiny.h5 --format $format --var overlap -o new
            ok_or_refused 5
            if [ "$status" -eq 0 ]; then cmp whole new; else [ "$(cat new)" = old ]; fi
            limited $limit export tiny.h5 --format $format --var overlap
            [ "$status" -eq 0 ] || [ "$status" -eq 5 ]
            [ "$status" -eq 5 ] || cmp whole out
        done
    done
    [ "$hit" -ge 8 ]
}

@test "a limit on file sizes: a picture is whole or not there" {
    local limit kind hit=0
    for kind in svg pdf; do
        works plot tiny.h5 -o whole.$kind
        for limit in 1 4 8 12 14 16 20 24 32 40 48 56 64 100 400; do
            rm -f new.$kind
            limited $limit plot tiny.h5 -o new.$kind
            [ "$status" -eq 0 ] || [ "$status" -eq 5 ] || explain "$kind, limit $limit: $status"
            no_temporaries
            if [ "$status" -eq 0 ]; then
                [ "$(stat -c %s new.$kind)" -eq "$(stat -c %s whole.$kind)" ]
            else
                one_line_error 5 "too large"
                [ ! -e new.$kind ]
                hit=$((hit + 1))
            fi
            echo old >new.$kind
            limited $limit plot tiny.h5 -o new.$kind
            [ "$status" -eq 0 ] || [ "$(cat new.$kind)" = old ]
        done
    done
    [ "$hit" -ge 10 ]
}

@test "a full disk: one line, the older file intact, and the same command goes on later" {
    small_disk 1M
    local room
    cp tiny.h5 disk/old.h5
    for room in 0 4 12 20 28 36 44 52 60; do
        rm -rf disk/new* disk/ballast
        # Leaves this many KiB.
        head -c $((($(df --output=avail disk | tail -n 1) - room) * 1024)) /dev/zero >disk/ballast
        for command in run solve simulate; do
            rm -rf disk/new*
            tool $command case.yaml -o disk/new.h5 -q
            [ "$status" -eq 0 ] || [ ! -e disk/new.h5 ]
            [ "$status" -eq 0 ] || one_line_error 5 "No space left"
        done
        rm -rf disk/new*
        tool run case.yaml -o disk/old.h5 --force -q
        if [ "$status" -ne 0 ]; then
            one_line_error 5 "No space left"
            cmp tiny.h5 disk/old.h5
        fi
        cp tiny.h5 disk/old.h5 2>/dev/null || true
        rm -rf disk/old.h5.parts
        tool export tiny.h5 --var overlap -o disk/new.csv
        ok_or_refused 5
        tool plot tiny.h5 -o disk/new.svg -q
        ok_or_refused 5
        [ "$status" -eq 0 ] || [ ! -e disk/new.svg ]
        no_temporaries
        cp tiny.h5 disk/old.h5
    done
    rm -rf disk/ballast disk/new*
    works run case.yaml -o disk/new.h5
}

@test "a disk that fills in the middle of an ensemble" {
    need_python h5py
    long_case
    # One block takes about 200 KiB.
    small_disk 3M
    tool simulate case.yaml -o disk/case.h5
    one_line_error 5 "No space left"
    [ ! -e disk/case.h5 ]
    ls disk/case.h5.parts/*.h5
    mount -o remount,size=400M disk
    works simulate case.yaml -o disk/case.h5
    same_data disk/case.h5 "$BATS_FILE_TMPDIR/undisturbed.h5" mc
}

@test "a read-only file system" {
    small_disk 2M
    cp tiny.h5 disk
    mount -o remount,ro disk || skip "cannot be made read-only"
    local command
    for command in run solve simulate; do
        refused 5 "Read-only" -- $command case.yaml -o disk/new.h5
        tool $command case.yaml -o disk/tiny.h5
        one_line_error 5 "read-only" || one_line_error 5 "Read-only"
    done
    refused 5 -- export tiny.h5 --var overlap -o disk/new.csv
    refused 5 -- plot tiny.h5 -o disk/new.svg
    works info disk/tiny.h5
    works validate disk/tiny.h5
    works export disk/tiny.h5 --var overlap
}

# ---- output that nobody takes ----

@test "standard output full or closed" {
    local command
    for command in models "describe deep-linear" "describe deep-linear --case" --help --version \
        "run --help" "run --version" "info tiny.h5" "export tiny.h5 --var overlap" \
        "export tiny.h5 --format json" "validate tiny.h5" "plot tiny.h5 --list" \
        "run case.yaml --dry-run" "run case.yaml -q"; do
        status=0
        # shellcheck disable=SC2086 # several words
        timeout 20 "$NNDMFT" $command >/dev/full 2>err </dev/null || status=$?
        : >out
        one_line_error 5 || { echo "full: $command"; return 1; }
        status=0
        # shellcheck disable=SC2086
        timeout 20 "$NNDMFT" $command >&- 2>err </dev/null || status=$?
        one_line_error 5 || { echo "closed: $command"; return 1; }
    done
    works info case.h5
}

@test "every standard descriptor closed: the result is written and sound" {
    local code=0
    rm -f case.h5
    timeout 20 "$NNDMFT" solve case.yaml <&- >&- 2>&- || code=$?
    [ "$code" -eq 0 ]
    works info case.h5
    timeout 20 "$NNDMFT" plot tiny.h5 -o a.svg <&- >&- 2>&- || code=$?
    [ "$code" -eq 0 ]
    works plot tiny.h5 -o b.svg
    cmp a.svg b.svg
    timeout 20 "$NNDMFT" export tiny.h5 --var overlap -o a.csv <&- >&- 2>&- || code=$?
    [ "$code" -eq 0 ]
    works export tiny.h5 --var overlap
    cmp a.csv out
    timeout 20 "$NNDMFT" info nowhere.h5 <&- >&- 2>&- || code=$?
    [ "$code" -eq 5 ]
    timeout 20 "$NNDMFT" run case.yaml 2>/dev/full >/dev/null
}

@test "a reader that goes away ends the writer, soon and without a word" {
    works solve case.yaml --set params.steps=80 --set params.two_time=true
    "$PYTHON" - <<'PYTHON'
import os
import subprocess

tool = subprocess.Popen([os.environ["NNDMFT"], "export", "case.h5", "--format", "json"],
                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
tool.stdout.read(10)
tool.stdout.close()
message = tool.stderr.read().decode()
code = tool.wait(20)
assert code == 0, code
assert message == "", message
PYTHON
}

# ---- kills ----

@test "kill -9 at $KILLS random instants: the data of an undisturbed run" {
    need_python h5py
    long_case
    RANDOM=7
    local kills=0 rounds=0
    while [ "$kills" -lt "$KILLS" ]; do
        "$NNDMFT" simulate case.yaml >/dev/null 2>&1 </dev/null 3>&- &
        worker=$!
        sleep "0.$(printf '%03d' $((RANDOM % 160)))"
        kill -9 "$worker" 2>/dev/null || true
        local code=0
        wait "$worker" 2>/dev/null || code=$?
        worker=
        if [ "$code" -eq 137 ]; then
            kills=$((kills + 1))
        fi
        if [ -e case.h5 ]; then
            # It was done: check, and begin anew.
            same_data case.h5 "$BATS_FILE_TMPDIR/undisturbed.h5" mc
            rm -rf case.h5 case.h5.parts
            rounds=$((rounds + 1))
        fi
        [ "$code" -eq 137 ] || [ "$code" -eq 0 ] || { echo "exit code $code"; return 1; }
    done
    works simulate case.yaml
    same_data case.h5 "$BATS_FILE_TMPDIR/undisturbed.h5" mc
    [ -z "$(find case.h5.parts -name '*.tmp')" ]
    echo "# $kills kills, $rounds runs ended in between" >&3
}

@test "kill -9 while the result is written: the older file or the new one, always whole" {
    need_python h5py
    case_file <<'YAML'
model: deep-linear
params: {depth: 2, steps: 60, two_time: true}
sweep: {gamma0: [0.5, 1, 2]}
YAML
    works solve case.yaml -o new.h5 --set params.lr=0.2
    works solve case.yaml -o old.h5
    local i
    RANDOM=11
    for i in {1..30}; do
        cp old.h5 case.h5
        "$NNDMFT" solve case.yaml --set params.lr=0.2 >/dev/null 2>&1 </dev/null 3>&- &
        worker=$!
        sleep "0.0$(printf '%03d' $((RANDOM % 900)))"
        kill -9 "$worker" 2>/dev/null || true
        wait "$worker" 2>/dev/null || true
        worker=
        cmp -s old.h5 case.h5 || same_data new.h5 case.h5 theory
    done
}

@test "SIGINT and SIGTERM again and again: one clear line each time, then the same data" {
    need_python h5py
    long_case
    RANDOM=3
    local i signal code interrupted=0
    for i in {1..12}; do
        signal=INT
        [ $((i % 2)) -eq 0 ] || signal=TERM
        "$NNDMFT" simulate case.yaml >/dev/null 2>err </dev/null 3>&- &
        worker=$!
        sleep "0.$(printf '%03d' $((60 + RANDOM % 200)))"
        kill -$signal "$worker" 2>/dev/null || true
        code=0
        wait "$worker" 2>/dev/null || code=$?
        worker=
        case $code in
        130)
            interrupted=$((interrupted + 1))
            [ "$(wc -l <err)" -eq 1 ]
            grep -q '^nndmft: \(.*: \)\?interrupted' err
            no_temporaries
            ;;
        0) ;;
        143) [ ! -s err ] ;; # before it listened
        *)
            cat err
            return 1
            ;;
        esac
    done
    [ "$interrupted" -ge 2 ]
    works simulate case.yaml
    same_data case.h5 "$BATS_FILE_TMPDIR/undisturbed.h5" mc
}

@test "four processes at once on one output: one or more finish, the file is whole" {
    need_python h5py
    tiny_case
    works run case.yaml -o alone.h5
    local i pids code done_ones
    for _ in {1..10}; do
        rm -rf case.h5 case.h5.parts
        pids=()
        for i in 1 2 3 4; do
            "$NNDMFT" run case.yaml -q >"out.$i" 2>"err.$i" </dev/null 3>&- &
            pids+=($!)
        done
        done_ones=0
        for i in 1 2 3 4; do
            code=0
            wait "${pids[$((i - 1))]}" || code=$?
            case $code in
            0) done_ones=$((done_ones + 1)) ;;
            5)
                [ "$(wc -l <"err.$i")" -eq 1 ]
                grep -q "another nndmft is writing" "err.$i"
                ;;
            *)
                cat "err.$i"
                return 1
                ;;
            esac
        done
        [ "$done_ones" -ge 1 ]
        same_data alone.h5 case.h5 theory mc
        no_temporaries
    done
}

# ---- damaged files ----

# A shard with some of its bytes inverted: damage FILE OFFSET [LENGTH].
damage() {
    "$PYTHON" - "$@" <<'PYTHON'
import sys

path, offset, length = sys.argv[1], int(sys.argv[2]), int((sys.argv[3:] + ["1"])[0])
with open(path, "r+b") as file:
    file.seek(offset)
    bytes_ = bytes(255 - b for b in file.read(length))
    file.seek(offset)
    file.write(bytes_)
PYTHON
}

shards_case() {
    case_file <<'YAML'
model: deep-linear
params: {depth: 1, steps: 6}
simulate: {size: [16, 20], seeds: 200}
YAML
    works simulate case.yaml
    cp -r case.h5.parts parts
    mv case.h5 whole.h5
    shard=$(find case.h5.parts -name '*.h5' | sort | head -n 1)
    size=$(stat -c %s "$shard")
}

restore() {
    rm -rf case.h5 case.h5.parts
    cp -r parts case.h5.parts
}

@test "a shard with flipped bytes anywhere is computed again, never used" {
    need_python h5py
    shards_case
    local i length
    for length in 1 16; do
        for i in {0..24}; do
            restore
            damage "$shard" $(((size - length) * i / 24)) $length
            works simulate case.yaml
            says err "$shard" damaged "computed again"
            same_data whole.h5 case.h5 mc
            cmp "$shard" "parts/${shard##*/}"
        done
    done
}

@test "a shard cut short, emptied or replaced by something else is computed again" {
    need_python h5py
    shards_case
    local length
    for length in 0 1 7 8 63 64 65 1000 $((size / 2)) $((size - 65)) $((size - 64)) $((size - 1)); do
        restore
        truncate -s "$length" "$shard"
        works simulate case.yaml
        says err "computed again"
        same_data whole.h5 case.h5 mc
    done
    restore
    echo text >"$shard"
    works simulate case.yaml
    same_data whole.h5 case.h5 mc
    restore
    cat "$shard" >>"$shard.twice" && cat "$shard" >>"$shard.twice" && mv "$shard.twice" "$shard"
    tool simulate case.yaml
    ok_or_refused 2 5 || says err "computed again"
    [ "$status" -ne 0 ] || same_data whole.h5 case.h5 mc
    # HDF5 written by something else, with nothing amiss but its origin.
    restore
    "$PYTHON" -c "import h5py; h5py.File('$shard', 'w')['frame/train_mse'] = [1.0, 2.0]"
    works simulate case.yaml
    same_data whole.h5 case.h5 mc
    restore
    rm "$shard" && mkdir "$shard"
    refused 5 "$shard" -- simulate case.yaml
}

@test "a shard of another case is refused, and recomputed by force" {
    need_python h5py
    shards_case
    works simulate case.yaml --set params.lr=0.3 -o other.h5
    cp "other.h5.parts/${shard##*/}" "$shard"
    refused 2 "$shard" "another case" --force -- simulate case.yaml
    works simulate case.yaml --force
    same_data whole.h5 case.h5 mc
    works simulate case.yaml
    same_data whole.h5 case.h5 mc
}

@test "a shard under the name of another is never used" {
    need_python h5py
    shards_case
    local other
    other=$(find case.h5.parts -name '*.h5' | sort | sed -n 2p)
    cp "$other" "$shard"
    tool simulate case.yaml
    [ "$status" -eq 2 ] || [ "$status" -eq 5 ] || same_data whole.h5 case.h5 mc
}

@test "a result cut at every 1/$CUTS of its length: exit 5 or 2, one line, no hang" {
    local size command i
    size=$(stat -c %s tiny.h5)
    # shellcheck disable=SC2034 # read by tool
    local LIMIT=10
    for i in $(seq 0 $((CUTS - 1))); do
        head -c $((size * i / CUTS)) tiny.h5 >cut.h5
        for command in info validate "plot -o x.svg" "export --var overlap"; do
            # shellcheck disable=SC2086 # several words
            tool $command cut.h5
            [ "$status" -eq 2 ] || [ "$status" -eq 5 ] || explain "cut at $i: exit code $status"
            one_line_error "$status" cut.h5
        done
        # Such a file is not in the way of a new result, if forced; otherwise it is kept.
        cp cut.h5 kept.h5
        refused 5 kept.h5 -- run case.yaml -o kept.h5
        cmp cut.h5 kept.h5
    done
    works run case.yaml -o kept.h5 --force
}

@test "a result with a flipped byte at every 1/$CUTS of its length is refused" {
    local size command i
    size=$(stat -c %s tiny.h5)
    # shellcheck disable=SC2034 # read by tool
    local LIMIT=10
    for i in $(seq 0 $((CUTS - 1))); do
        cp "$BATS_FILE_TMPDIR/tiny.h5" flipped.h5
        damage flipped.h5 $((size * i / CUTS))
        for command in info validate "plot -o x.svg" "export --var overlap"; do
            # shellcheck disable=SC2086 # several words
            refused 5 flipped.h5 -- $command flipped.h5
        done
    done
}

@test "a result without its seal, cut or flipped anywhere, never crashes or hangs the tool" {
    need_python h5py
    # As another program would write it: HDF5 has no checksums in its old format.
    h5repack tiny.h5 plain.h5
    works info plain.h5
    works validate plain.h5
    local size i
    size=$(stat -c %s plain.h5)
    # shellcheck disable=SC2034 # read by tool
    local LIMIT=10
    for i in $(seq 0 99); do
        head -c $((size * i / 100)) plain.h5 >cut.h5
        tool info cut.h5
        ok_or_refused 2 5
        cp plain.h5 flipped.h5
        damage flipped.h5 $((size * i / 100)) 8
        for command in info validate "export --format json"; do
            # shellcheck disable=SC2086 # several words
            tool $command flipped.h5
            case $status in
            0 | 4) ;;
            2 | 5) [ "$(grep -c '^nndmft: ' err)" -ge 1 ] ;;
            *) explain "flipped at $i: exit code $status" ;;
            esac
        done
    done
}

@test "a read-only result and read-only shards" {
    need_python h5py
    shards_case
    restore
    cp whole.h5 case.h5
    chmod 444 case.h5
    refused 5 read-only -- simulate case.yaml
    cmp whole.h5 case.h5
    rm -f case.h5
    chmod 444 case.h5.parts/*.h5
    works simulate case.yaml
    same_data whole.h5 case.h5 mc
}

# ---- clocks ----

@test "a clock that goes backwards changes nothing but the date" {
    need_python h5py
    command -v faketime >/dev/null || skip "faketime is not installed"
    tiny_case
    works run case.yaml -o now.h5
    local when
    for when in '1970-01-02 00:00:00' '2037-01-01 00:00:00' '-3y'; do
        rm -rf then.h5 then.h5.parts
        status=0
        faketime -f "$when" timeout "$LIMIT" "$NNDMFT" run case.yaml -o then.h5 >out 2>err </dev/null ||
            status=$?
        [ "$status" -eq 0 ] || explain "$when: exit code $status" ||
            case $(cat err) in *"cannot be preloaded"*) skip "faketime does not work here" ;; esac
        same_data now.h5 then.h5
    done
}

@test "a clock set back in the middle of an ensemble" {
    need_python h5py
    command -v faketime >/dev/null || skip "faketime is not installed"
    long_case
    "$NNDMFT" simulate case.yaml --threads 1 >/dev/null 2>&1 </dev/null 3>&- &
    worker=$!
    sleep 0.5
    kill -9 "$worker"
    wait "$worker" 2>/dev/null || true
    worker=
    [ ! -e case.h5 ]
    status=0
    faketime -f '-400d' timeout "$LIMIT" "$NNDMFT" simulate case.yaml >out 2>err </dev/null || status=$?
    [ "$status" -eq 0 ] || explain "exit code $status"
    same_data case.h5 "$BATS_FILE_TMPDIR/undisturbed.h5" mc
    works info case.h5
    says out "created   $(date -u -d '-400 days' +%Y)"
    # While it runs: every reading of the clock is earlier than the one before.
    rm -rf case.h5 case.h5.parts
    status=0
    faketime -f '@2030-01-01 00:00:00 x-1' timeout "$LIMIT" "$NNDMFT" simulate case.yaml >out 2>err \
        </dev/null || status=$?
    [ "$status" -eq 0 ] || explain "exit code $status"
    same_data case.h5 "$BATS_FILE_TMPDIR/undisturbed.h5" mc
}
