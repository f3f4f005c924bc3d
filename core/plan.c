/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/plan.h"

#include <math.h>
#include <stdlib.h>

static int idlest(int workers, const double *load) {
    int least = 0;
    for (int k = 1; k < workers; k++)
        if (load[k] < load[least])
            least = k;
    return least;
}

/* Operations of the busiest worker. */
static nnd_status share_out(nnd_context *ctx, int workers, size_t kinds, const nnd_pieces *pieces,
                            double *busiest) {
    double *load = calloc((size_t)workers, sizeof *load);
    if (load == NULL)
        return nnd_fail_memory(ctx, "a plan");
    for (size_t i = 0; i < kinds; i++)
        for (size_t n = 0; n < pieces[i].count; n++)
            load[idlest(workers, load)] += pieces[i].flops;
    *busiest = 0.0;
    for (int k = 0; k < workers; k++)
        *busiest = fmax(*busiest, load[k]);
    free(load);
    return NND_OK;
}

nnd_status nnd_plan_make(nnd_context *ctx, size_t kinds, const nnd_pieces *pieces,
                         nnd_plan_bytes bytes, void *data, nnd_plan *plan) {
    size_t count = 0;
    *plan = (nnd_plan){0};
    for (size_t i = 0; i < kinds; i++) {
        count += pieces[i].count;
        plan->flops += (double)pieces[i].count * pieces[i].flops;
    }
    double limit = (double)nnd_context_memory_limit(ctx);
    plan->workers = nnd_context_concurrency(ctx, count, 0.0);
    while (plan->workers > 1 && bytes(plan->workers, data) > limit)
        plan->workers--;
    plan->bytes = bytes(plan->workers, data);
    return share_out(ctx, plan->workers, kinds, pieces, &plan->busiest);
}
