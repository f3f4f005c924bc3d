#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The notebooks in docs/: they have the cells of their sources, every cell runs, and they are small.

setup() {
    NOTEBOOKS=$(cd "$BATS_TEST_DIRNAME/../../docs/notebooks" && pwd)
    PYTHONPATH=$(cd "$(dirname "$NNDMFT")/../python" && pwd)
    export PYTHONPATH
    /usr/bin/python3 -c "import nbclient, ipykernel, torch" || skip "no nbclient, ipykernel, torch"
}

runs() {
    [ "$(wc -c <"$NOTEBOOKS/$1.ipynb")" -lt 300000 ]
    "$NOTEBOOKS/make.py" --check "$BATS_TEST_TMPDIR" "$NOTEBOOKS/$1.py"
    [ -s "$BATS_TEST_TMPDIR/$1.ipynb" ]
}

@test "alignment" {
    runs alignment
}

@test "escape" {
    runs escape
}

@test "from PyTorch" {
    runs from-pytorch
}

@test "how wide" {
    runs how-wide
}

@test "my data" {
    runs my-data
}

@test "quickstart" {
    runs quickstart
}

@test "there is no other notebook, and none without a source" {
    [ "$(cd "$NOTEBOOKS" && ls ./*.ipynb | sed 's/ipynb$/py/')" = \
        "$(cd "$NOTEBOOKS" && ls ./*.py | grep -v '^./make.py$')" ]
    [ "$(ls "$NOTEBOOKS"/*.ipynb | wc -l)" -eq "$(grep -c '^    runs ' "$BATS_TEST_FILENAME")" ]
}
