#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# A project of somebody else's builds with the library, without a warning, and its programs run:
# one in C, of theory, ensemble and comparison, one in C++, of a solver.

load ../cli/helper

setup() {
    enter
    SOURCES=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    cp -r "$SOURCES/tests/slow/consumer" .
    cp "$SOURCES/docs/examples/one_model.c" consumer
}

programs_run() {
    consumer/build/one_model >out
    says out "  0  1.444444" "test_risk"
    if grep disagrees out; then
        return 1
    fi
    [ "$(consumer/build/kappa)" = "$("$NNDMFT" --version | grep -o '[0-9.]*' | head -n 1) 0.666666666667" ]
}

@test "a project finds the installed library with pkg-config" {
    local build package
    build=$(cd "$(dirname "$NNDMFT")/.." && pwd)
    DESTDIR=$PWD/root meson install -C "$build" --no-rebuild --quiet --tags runtime,devel
    package=$(find root -name nndmft.pc)
    sed -i "s|^prefix=|prefix=$PWD/root|" "$package"
    PKG_CONFIG_PATH=$PWD/$(dirname "$package") meson setup --wrap-mode=nofallback \
        consumer/build consumer >log || explain "$(tail -n 20 log)"
    ninja -C consumer/build >log || explain "$(tail -n 20 log)"
    readelf -d consumer/build/one_model | grep -q 'NEEDED.*libnndmft.so.[0-9]*.[0-9]*]'
    programs_run
}

@test "a project builds the library as its subproject" {
    mkdir consumer/subprojects
    ln -s "$SOURCES" consumer/subprojects/nndmft
    meson setup --wrap-mode=forcefallback consumer/build consumer >log || explain "$(tail -n 20 log)"
    ninja -C consumer/build >log || explain "$(tail -n 20 log)"
    [ ! -e consumer/build/subprojects/nndmft/tests ]
    programs_run
}
