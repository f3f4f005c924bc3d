#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Measures of similarity: statistics that take hundreds of samples.

@test "standard errors are the spread over samples, and the table of them is the document's" {
    local row
    "${NNDMFT%/cli/nndmft}"/tests/similarity_errors >"$BATS_TEST_TMPDIR/table"
    while read -r row; do
        grep -qF -e "$row" "$BATS_TEST_DIRNAME/../../docs/similarity.md" || {
            echo "not in the document: $row"
            return 1
        }
    done <"$BATS_TEST_TMPDIR/table"
}
