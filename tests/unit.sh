#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: tests/unit.sh FOLDER PROGRAM [WRAPPER...]
# Runs one test program of a build folder; its TAP lines go to FOLDER/tap/PROGRAM. A program that ends
# badly without saying so leaves one line "not ok" and the end of what it printed.
set -u
folder=$1
program=$2
shift 2
# Tests find their companions relative to the build folder.
cd "$folder" || exit 1
mkdir -p tap
# Threads that wait for others leave them the processor.
if ! OMP_WAIT_POLICY=passive CK_TAP_LOG_FILE_NAME=- CK_VERBOSITY=silent CK_DEFAULT_TIMEOUT=120 \
    "$@" "tests/$program" >"tap/$program" 2>&1 && ! grep -q '^not ok' "tap/$program"; then
    tail -n 40 "tap/$program" >"tap/$program.end"
    { echo "not ok - $program ended badly"; sed 's/^\(not \)\{0,1\}ok /  &/' "tap/$program.end"; } \
        >>"tap/$program"
    rm -f "tap/$program.end"
fi
exit 0
