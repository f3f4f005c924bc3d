/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/learners.h"

#include <stdlib.h>
#include <string.h>

#include "core/companion.h"
#include "core/divergence.h"
#include "core/hand_over.h"
#include "validate/seed_frame.h"

nnd_status nnd_learners_load(nnd_context *ctx, const nnd_data *data, int64_t steps,
                             const nnd_integers *record, int64_t every, nnd_learners *x) {
    nnd_status status = nnd_dataset_make(ctx, data, &x->set);
    if (status == NND_OK)
        status = nnd_dataset_reproduce(ctx, &x->set, 0);
    if (status == NND_OK)
        status = nnd_timegrid_make(ctx, (size_t)steps, record, (size_t)every, &x->grid);
    x->train = x->set.samples;
    return status;
}

static nnd_status add_dims(nnd_learners *x) {
    nnd_status status = nnd_frame_add_range(x->frame, "mu", x->train, 0.0);
    if (status == NND_OK)
        status = nnd_frame_add_range(x->frame, "nu", x->train, 0.0);
    if (status == NND_OK && x->set.tests > 0)
        status = nnd_frame_add_range(x->frame, "test", x->set.tests, 0.0);
    return status;
}

nnd_status nnd_learners_make(nnd_context *ctx, const nnd_network_plan *plan, size_t first_seed,
                             size_t count, nnd_learners *x) {
    nnd_status status = nnd_network_make(ctx, plan, &x->net);
    if (status != NND_OK)
        return status;
    nnd_network_set_inputs(&x->net, 0, x->set.inputs);
    x->residual = calloc(plan->networks * plan->samples, sizeof(double));
    x->bound = calloc(plan->networks, sizeof(double));
    x->gram = calloc(plan->samples * plan->samples, sizeof(double));
    if (x->residual == NULL || x->bound == NULL || x->gram == NULL)
        return nnd_fail_memory(ctx, "a block of networks");
    status = nnd_seed_frame_new(ctx, first_seed, count, &x->grid, &x->frame);
    return status == NND_OK ? add_dims(x) : status;
}

nnd_status nnd_learners_end(nnd_learners *x, nnd_status status, nnd_frame **frame) {
    nnd_hand_over(status == NND_OK, x->frame, frame);
    nnd_dataset_clear(&x->set);
    nnd_timegrid_clear(&x->grid);
    nnd_network_clear(&x->net);
    free(x->residual);
    free(x->bound);
    free(x->gram);
    return status;
}

void nnd_learners_progress(nnd_context *ctx, const nnd_learners *x, size_t count) {
    double n = (double)count;
    nnd_progress_within(ctx, (double)x->first / n, (double)(x->first + x->net.networks) / n);
}

bool nnd_learners_evaluate(nnd_learners *x, size_t b, size_t t, double *loss) {
    size_t samples = x->net.samples;
    const double *f = x->net.output + b * samples;
    double *residual = x->residual + b * samples;
    if (t > 0 && x->bound[b] == 0.0)
        return false;
    *loss = nnd_loss(NND_HALF_SQUARE, x->train, NULL, x->set.targets, f, residual);
    if (t == 0)
        x->bound[b] = nnd_divergence_limit(NND_DIVERGENCE_BOUND, *loss,
                                           nnd_half_mean_square(x->train, x->set.targets));
    if (!nnd_has_diverged(x->bound[b], *loss))
        return true;
    x->bound[b] = 0.0;
    memset(residual, 0, samples * sizeof(double));
    *nnd_seed_row(x->frame, NND_DIVERGED_AT, x->first + b) = (double)t;
    return false;
}

void nnd_learners_descend(nnd_learners *x, const double *weight, double rate) {
    size_t samples = x->net.samples;
    for (size_t b = 0; b < x->net.networks; b++)
        for (size_t mu = 0; mu < x->train; mu++)
            if (weight != NULL)
                x->residual[b * samples + mu] *= rate * weight[mu];
            else
                x->residual[b * samples + mu] =
                    rate * x->residual[b * samples + mu] / (double)x->train;
    nnd_network_descend(&x->net, x->residual, NULL);
}

void nnd_learners_record(nnd_learners *x, size_t b, size_t i) {
    size_t train = x->train, tests = x->set.tests, seed = x->first + b, row = b * x->net.samples;
    memcpy(nnd_seed_row(x->frame, "delta", seed) + i * train, x->residual + row,
           train * sizeof(double));
    if (tests > 0)
        memcpy(nnd_seed_row(x->frame, "test_output", seed) + i * tests, x->net.output + row + train,
               tests * sizeof(double));
}

void nnd_learners_copy_gram(const nnd_learners *x, double factor, double *out) {
    for (size_t mu = 0; mu < x->train; mu++)
        for (size_t nu = 0; nu < x->train; nu++)
            out[mu * x->train + nu] = factor * x->gram[mu * x->net.samples + nu];
}
