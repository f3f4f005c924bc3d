#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Deep linear networks: what is stated of an error, over all options.

@test "the stated error of 50 random cases is above the true one" {
    CK_DEFAULT_TIMEOUT=600 "$(dirname "$NNDMFT")/../tests/slow_small_network"
}
