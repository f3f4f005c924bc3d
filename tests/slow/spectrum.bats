#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Spectra of matrices: statistics that take thousands of them.

@test "p-values are uniform where there is nothing but noise" {
    "${NNDMFT%/cli/nndmft}"/tests/p_values
}
