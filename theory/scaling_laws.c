/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/models.h"

static nnd_status unknown(nnd_context *ctx) {
    return nnd_fail(ctx, NND_E_INPUT, "scaling-laws has no theory");
}

nnd_status nnd_scaling_laws_theory(nnd_context *ctx, const void *params, nnd_frame **frame) {
    (void)params;
    (void)frame;
    return unknown(ctx);
}

nnd_status nnd_scaling_laws_theory_cost(nnd_context *ctx, const void *params, nnd_cost *cost) {
    (void)params;
    (void)cost;
    return unknown(ctx);
}
