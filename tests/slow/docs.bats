#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The simulation in docs/ that is written with NumPy alone, checked as the text beside it says.

@test "the commands of own-simulation.md, as they are written" {
    docs=$(cd "$BATS_TEST_DIRNAME/../../docs" && pwd)
    /usr/bin/python3 -c "import h5py, numpy" || skip "no h5py"
    cd "$BATS_TEST_TMPDIR" || return 1
    ln -s "$docs" docs
    ln -s "$NNDMFT" nndmft
    ln -s /usr/bin/python3 python3
    awk '/^```/ { inside = $0 == "```sh"; next } inside' docs/own-simulation.md >commands
    PATH=$PWD:$PATH sh -e commands >out
    [ "$(grep -c ' agrees' out)" -eq 2 ]
}
