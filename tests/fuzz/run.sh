#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: tests/fuzz/run.sh [EXECUTIONS [SECONDS]]
# Builds the harnesses with clang in build-fuzz and runs two at a time until each has done
# EXECUTIONS (default 1000000) or, if given, SECONDS have passed. Prints what they did; exit code 1
# after a crash, a hang or a leak, the inputs of which stay in build-fuzz/NAME.found.
#
# The library HDF5 comes from the system and is not instrumented: coverage is that of nndmft. HDF5
# 1.10 crashes and hangs on some damaged files by itself. Such inputs do not end the run; the tool
# must refuse each of them with one line, thanks to its child process. A finding in code of nndmft is
# a failure.
set -eu
cd "$(dirname "$0")/../.."
runs=${1:-1000000}
seconds=${2:-0}
root=$PWD
build=$root/build-fuzz
sanitize=-fsanitize=address,undefined
# What HDF5 and libfyaml allocate themselves on bad input and never free is not a leak of nndmft.
leaks=suppressions=$root/tests/fuzz/leaks.supp:print_suppressions=0
# Large allocations fail, as they do within the limits of the child process.
limits=allocator_may_return_null=1:max_allocation_size_mb=64
unset DEBUGINFOD_URLS || true

setup() {
    [ -f "$build/build.ninja" ] || CC=clang meson setup "$build" --buildtype=debugoptimized \
        --default-library=static -Db_lundef=false \
        -Dc_args="-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -Wno-pass-failed" \
        -Dc_link_args="$sanitize" >"$build.log" 2>&1 || { cat "$build.log"; exit 1; }
    rm -f "$build.log"
    ninja -C "$build" libnndmft.a cli/nndmft >"$build/log" 2>&1 ||
        { tail -n 40 "$build/log"; exit 1; }
    for name in case hdf5 npy safetensors; do
        harness=$name
        case $name in npy | safetensors) harness=matrices ;; esac
        # shellcheck disable=SC2046 # flags
        clang -std=gnu17 -D_GNU_SOURCE -g -O1 -fsanitize=fuzzer,address,undefined \
            -fno-sanitize-recover=undefined -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror \
            -Iinclude -I. -I"$build/include" -DENDING="\"$name\"" $(pkg-config --cflags hdf5-serial) \
            "tests/fuzz/fuzz_$harness.c" \
            -o "$build/fuzz_$name" "$build/libnndmft.a" \
            $(pkg-config --libs openblas hdf5-serial libfyaml libxxhash libzip zlib json-c fftw3) -lfftw3_threads -lgsl -llapacke \
            -lhdf5_serial_hl -lcsv -fopenmp -lm
    done
}

# Example cases, and for every model all its keys; these, with their values, are the dictionary too.
seed_case() {
    mkdir -p "$build/case.seeds"
    cp data/cases/*.yaml "$build/case.seeds"
    for model in $(ASAN_OPTIONS=detect_leaks=0 "$build/cli/nndmft" models | cut -d ' ' -f 1); do
        ASAN_OPTIONS=detect_leaks=0 "$build/cli/nndmft" describe "$model" --case |
            sed -e '/^ *# [^:]*$/d' -e 's/^\( *\)# \([a-z_0-9]*: \)/\1\2/' -e '/(.*)$/d' \
                >"$build/case.seeds/all-of-$model"
    done
    cp tests/fuzz/case.dict "$build/case.dict"
    grep -ahoE '[a-z_0-9]+: ' "$build"/case.seeds/* | sort -u | sed 's/.*/"&"/' >>"$build/case.dict"
    grep -ahoE ': [a-z][a-z-]+$' "$build"/case.seeds/* | sort -u | sed 's/: \(.*\)/"\1"/' \
        >>"$build/case.dict"
    printf 'model: deep-linear\n\000params.gamma0=2\000sweep.nu=[0.5, 1]' \
        >"$build/case.seeds/override"
    printf 'model: deep-linear\nparams: {depth: 1, sigma: [1, 2], record: [0, 3], two_time: true}\n' \
        >"$build/case.seeds/lists"
    printf 'model: deep-linear\nparams: {alpha: inf, schedule: [1, 0.5]}\nsimulate: {size: [4, 8], seeds: [2, 3], storage: trajectories}\ncompare: {vars: [overlap], until: 3}\n' \
        >"$build/case.seeds/online"
}

# Results of the tool in the format without checksums, and what other programs may have written.
seed_hdf5() {
    mkdir -p "$build/hdf5.seeds"
    printf 'model: deep-linear\nparams: {steps: 1}\nsimulate: {size: [4, 5], seeds: 2, storage: trajectories}\n' \
        >"$build/tiny.yaml"
    (cd "$build" && ASAN_OPTIONS=detect_leaks=0 ./cli/nndmft simulate tiny.yaml -q --force)
    if command -v h5repack >/dev/null; then
        h5repack "$build/tiny.h5" "$build/hdf5.seeds/tiny.h5"
    fi
    cp "$build/tiny.h5" "$build/hdf5.seeds/sealed.h5"
    /usr/bin/python3 tests/fuzz/make_corpus.py "$build/hdf5.seeds" ||
        echo "without python3-h5py the corpus is smaller"
}

# One file of each kind that the readers of matrices know, from its layout.
seed_matrices() {
    mkdir -p "$build/npy.seeds" "$build/safetensors.seeds"
    for about in "'<f8'|False|(2, 1)" "'>f4'|True|(2, 2)" "'<f2'|False|(2, 2, 1, 2)" "'|i1'|True|(4, 4)"; do
        printf '\223NUMPY\001\000\166\000%-117s\nabcdefghijklmnop' "{'descr': $(echo "$about" |
            sed "s/|\([TF][a-z]*\)|/, 'fortran_order': \1, 'shape': /"), }" \
            >"$build/npy.seeds/$(echo "$about" | tr -dc 'a-z0-9')"
    done
    for kind in F64:2,1 F32:2,2 F16:2,2,1,2 BF16:4,2 U8:4,4; do
        header="{\"a\":{\"dtype\":\"${kind%:*}\",\"shape\":[${kind#*:}],\"data_offsets\":[0,16]}}"
        printf '\100\000\000\000\000\000\000\000%-64sabcdefghijklmnop' "$header" \
            >"$build/safetensors.seeds/${kind%:*}"
    done
}

# fuzz NAME: one harness to the end; everything it says goes to NAME.log.
fuzz() {
    if [ "$1" = case ]; then
        options=
        how="-max_len=4096 -dict=$build/case.dict"
    elif [ "$1" != hdf5 ]; then
        options=$limits
        how="-max_len=4096 -dict=tests/fuzz/$1.dict"
    else
        # Leaks are looked for when a process ends, not after every input: HDF5 itself leaks often.
        options=$limits
        how="-max_len=65536 -len_control=0 -detect_leaks=0 -dict=tests/fuzz/hdf5.dict"
        how="$how -fork=1 -ignore_crashes=1 -ignore_timeouts=1 -ignore_ooms=1"
    fi
    mkdir -p "$build/$1.corpus" "$build/$1.found"
    # shellcheck disable=SC2086 # several words
    ASAN_OPTIONS=$options LSAN_OPTIONS=$leaks UBSAN_OPTIONS=print_stacktrace=1 \
        "$build/fuzz_$1" $how -runs="$runs" -max_total_time="$seconds" -rss_limit_mb=2048 \
        -timeout=25 -print_final_stats=1 -artifact_prefix="$build/$1.found/" "$build/$1.corpus" "$build/$1.seeds" \
        >"$build/$1.log" 2>&1
}

# Runs one input again: its exit code, and what it said in one.log.
again() {
    code=0
    ASAN_OPTIONS=detect_leaks=0:$limits timeout 60 "$build/fuzz_$1" -timeout=25 \
        -rss_limit_mb=2048 "$2" >"$build/one.log" 2>&1 || code=$?
}

# True if an input fails in HDF5 itself, or not again (a stalled machine), and the tool reads it or
# refuses it with one line.
only_hdf5() {
    again hdf5 "$1"
    if [ "$code" -ne 0 ]; then
        grep -q 'not true: \|runtime error: ' "$build/one.log" && return 1
        # The innermost frame that is not of the sanitizer or of libc.
        grep -E '^ *#[0-9]+ .*(libhdf5|/io/|/core/|/models/|/tests/fuzz/)' "$build/one.log" |
            head -n 1 | grep -q libhdf5 || return 1
    fi
    code=0
    ASAN_OPTIONS=detect_leaks=0:$limits timeout 90 "$build/cli/nndmft" info "$1" \
        >/dev/null 2>"$build/one.err" || code=$?
    case $code in
    0) ;;
    2 | 5) [ "$(wc -l <"$build/one.err")" -eq 1 ] ;;
    *) return 1 ;;
    esac
}

report() {
    log=$build/$1.log
    done_runs=$(sed -n 's/^stat::number_of_executed_units: *//p; s/^#\([0-9]*\):* .*cov: .*/\1/p' \
        "$log" | tail -n 1)
    cover=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
    edges=$(sed -n 's/.*Loaded 1 modules *(\([0-9]*\) inline.*/\1/p' "$log" | head -n 1)
    kept=$(find "$build/$1.corpus" -type f | wc -l)
    printf '%s: %s executions, coverage %s of %s edges, corpus %s inputs\n' "$1" "${done_runs:-0}" \
        "${cover:-0}" "${edges:-?}" "$kept"
    ours=0
    theirs=0
    for input in "$build/$1.found"/*; do
        [ -f "$input" ] || continue
        if [ "$1" = hdf5 ] && only_hdf5 "$input"; then
            theirs=$((theirs + 1))
            continue
        fi
        ours=$((ours + 1))
        echo "  $input"
    done
    [ "$theirs" -eq 0 ] || echo "  $theirs inputs at which HDF5 failed; the tool reads or refuses them all"
    if grep -q 'LeakSanitizer: detected' "$log"; then
        ours=$((ours + 1))
        echo "  memory leaks: see $log"
    fi
    [ "$ours" -eq 0 ] ||
        grep -E '^(==[0-9]+==)?(ERROR|SUMMARY)|not true|runtime error' "$log" | head -n 5
    [ "$ours" -eq 0 ]
}

# LLVM's OpenMP leaves a file behind for every process that crashed.
# shellcheck disable=SC2317 # run by the trap
clean() {
    rm -rf "$FUZZ_FOLDER"
    for file in /dev/shm/__KMP_REGISTERED_LIB_*; do
        process=${file#*LIB_}
        [ ! -O "$file" ] || [ -d "/proc/${process%%_*}" ] || rm -f "$file"
    done
}

# Inputs go through files in memory.
FUZZ_FOLDER=$(mktemp -d /dev/shm/nndmft-fuzz-XXXXXX)
export FUZZ_FOLDER
trap clean EXIT
setup
rm -rf "$build"/*.found
seed_case
seed_hdf5
seed_matrices
status=0
# Two at a time; HDF5's own failures do not count here.
pair() {
    fuzz "$1" &
    first=$!
    fuzz "$2" &
    second=$!
    wait $first || status=1
    wait $second || [ "$2" = hdf5 ] || status=1
    report "$1" || status=1
    report "$2" || status=1
}
pair case hdf5
pair npy safetensors
exit $status
