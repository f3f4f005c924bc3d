#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# What `./dev install` puts somewhere works there: the tool, and programs that use the library.

bats_require_minimum_version 1.5.0
load helper

setup_file() {
    local build
    build=$(cd "$(dirname "$NNDMFT")/.." && pwd)
    DESTDIR="$BATS_FILE_TMPDIR/root" meson install -C "$build" --no-rebuild --quiet \
        --tags runtime,devel,doc
    INSTALLED=$(dirname "$(dirname "$(find "$BATS_FILE_TMPDIR/root" -name nndmft -type f)")")
    export INSTALLED
    chmod 755 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR"
}

setup() {
    enter
    unset LD_LIBRARY_PATH
}

# Another user's shell, where this one may start it.
as_nobody() {
    setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}

@test "the installed tool starts, for every user" {
    [ "$("$INSTALLED/bin/nndmft" --version)" = "$("$NNDMFT" --version)" ]
    as_nobody true 2>/dev/null || skip "no other user can be had"
    [ "$(as_nobody "$INSTALLED/bin/nndmft" --version)" = "$("$NNDMFT" --version)" ]
}

@test "the installed tool names the page that is installed with it" {
    "$INSTALLED/bin/nndmft" describe wide-mlp >out
    says out "  $INSTALLED/share/doc/nndmft/theory/wide-mlp.md"
    [ -f "$INSTALLED/share/doc/nndmft/theory/wide-mlp.md" ]
    # Without its documents it says where they are in the sources.
    cp "$INSTALLED/bin/nndmft" .
    LD_LIBRARY_PATH=$(dirname "$(find "$INSTALLED" -name 'libnndmft.so*' | head -n 1)") \
        ./nndmft describe wide-mlp >out
    says out "  docs/theory/wide-mlp.md"
}

# program STANDARD SOURCE: builds ./program as a user of the installed library does.
program() {
    local flags
    PKG_CONFIG_PATH=$(dirname "$(find "$INSTALLED" -name nndmft.pc)")
    export PKG_CONFIG_PATH
    flags=$(pkg-config --define-variable=prefix="$INSTALLED" --cflags --libs nndmft)
    # shellcheck disable=SC2086 # flags are words
    gcc -std="$1" -Wall -Wextra -Wpedantic -Werror -o program "$2" $flags
}

@test "programs are built with pkg-config alone, and find the library" {
    cat >program.c <<'C'
#include <nndmft/nndmft.h>
#include <stdio.h>

/* The first test risk of a deep linear network: 1 + sigma^(2L+2)/gamma0^2. */
int main(void) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_value *tree = NULL;
    nnd_case *c = NULL;
    nnd_frame *frame = NULL;
    if (nnd_yaml_read_text(ctx, "case",
                           "{model: deep-linear, params: {depth: 1, sigma: 1, gamma0: 2, steps: 0}}",
                           &tree) != NND_OK ||
        nnd_case_resolve(ctx, tree, &(nnd_case_source){.stem = "case"}, &c) != NND_OK ||
        nnd_theory_run(ctx, c, NULL, &frame) != NND_OK) {
        puts(nnd_context_message(ctx));
        return 1;
    }
    printf("%s %g\n", nnd_version(), nnd_frame_find(frame, "test_risk")->data[0]);
    nnd_frame_free(frame);
    nnd_case_free(c);
    nnd_value_free(tree);
    nnd_context_free(ctx);
    return 0;
}
C
    program c17 program.c
    [ "$(./program)" = "$(pkg-config --modversion nndmft) 1.25" ]
}

# Theory is where it must be at t = 0, 1 + sigma^4/gamma0^2 = 1 + 1/1.5^2.
@test "the example solves, simulates and compares a model without a case file" {
    program c99 "$BATS_TEST_DIRNAME/../../docs/examples/one_model.c"
    ./program >out
    grep -q '^ *0  1.444444$' out
    grep -q '^test_risk  *11  *0 .*agrees$' out
    if grep disagrees out; then
        return 1
    fi
}

# 24 matrices of N = 400 have 2.51(4) and 0.664(4).
@test "the example of a pencil finds bulk and outlier of a product of its own" {
    program c99 "$BATS_TEST_DIRNAME/../../docs/examples/own_pencil.c"
    ./program >out
    grep -q '^bulk from 0.00000000 to 1.29185530, mass 1.000000$' out
    grep -q '^outlier at 2.49300003, overlap 0.666811$' out
}

# The public headers, one a line, as programs name them.
headers() {
    (cd "$INSTALLED/include" && find nndmft -name '*.h' | sort)
}

# checks COMPILER STANDARD FILE: compiles without output, warnings are errors.
checks() {
    "$1" -std="$2" -Wall -Wextra -Wpedantic -Werror -fsyntax-only -I"$INSTALLED/include" "${@:3}"
}

@test "every public header stands alone, in C99" {
    local header
    echo 'extern int nothing;' >empty.c
    for header in $(headers); do
        checks gcc c99 -include "$header" empty.c || explain "$header"
    done
}

@test "the public headers are C11, C17 and C++17 too" {
    headers | sed 's/.*/#include <&>/' >all.c
    cp all.c all.cpp
    checks gcc c11 all.c
    checks gcc c17 all.c
    checks g++ c++17 all.cpp
}

# A name that begins with _ or . is the compiler's or the linker's.
@test "the library exports what the public headers declare, and nothing else" {
    local name='nnd_[a-z0-9_]*'
    headers | sed 's/.*/#include <&>/' >all.c
    gcc -I"$INSTALLED/include" -fsyntax-only -aux-info prototypes all.c
    gcc -I"$INSTALLED/include" -E -P all.c | sed -n 's/^extern const nnd_[a-z_]* //p' |
        grep -o "$name" >objects
    sed -n "s|^/\* $INSTALLED/include/.* extern .*[ *]\($name\) (.*|\1|p" prototypes |
        sort - objects >declared
    nm -D --defined-only "$(find "$INSTALLED" -name libnndmft.so)" | cut -d ' ' -f 3 |
        grep -v '^[_.]' | sort >exported
    [ "$(wc -l <declared)" -gt 100 ]
    diff declared exported
}

@test "dev demo builds the tool alone, and runs it" {
    local here=$BATS_TEST_DIRNAME/../.. name
    mkdir -p demo/bin demo/build/cli
    cp "$here/dev" demo/dev
    touch demo/build/build.ninja
    for name in bin/meson bin/ninja bin/dpkg-query build/cli/nndmft; do
        printf '#!/bin/sh\necho "%s $*" >>calls\necho install ok installed\n' "${name##*/}" >demo/$name
        chmod +x demo/$name
    done
    PATH=$PWD/demo/bin:$PATH demo/dev demo
    grep -v dpkg-query demo/calls >calls
    printf '%s\n' "meson configure build --buildtype=release" "ninja -C build cli/nndmft" \
        "nndmft run data/cases/quickstart.yaml -o quickstart.h5" \
        "nndmft plot quickstart.h5 -o quickstart.svg" | diff - calls
}
