/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/deep_linear_two_time.h"

#include <stdlib.h>

struct nnd_two_time {
    nnd_context *ctx;
    bool fixed;
    size_t layers, times;
    double *g, *h, *delta, *residual; /* of the frame */
    nnd_known_vector *kept;           /* per field, per time */
};

static size_t field_count(const nnd_two_time *pairs) {
    return 2 * pairs->layers + 2;
}

nnd_status nnd_two_time_new(nnd_context *ctx, const nnd_deep_linear *p, nnd_frame *frame,
                            nnd_two_time **pairs) {
    nnd_two_time *made = calloc(1, sizeof *made);
    if (made == NULL)
        return nnd_fail_memory(ctx, "the pairs of times");
    *made = (nnd_two_time){.ctx = ctx,
                           .fixed = p->training == NND_TRAIN_FIXED,
                           .layers = (size_t)p->depth + 1,
                           .times = nnd_frame_find_dim(frame, "t")->length};
    *pairs = made;
    made->kept = calloc(field_count(made) * made->times, sizeof *made->kept);
    nnd_status status = made->kept != NULL ? NND_OK : nnd_fail_memory(ctx, "the pairs of times");
    const nnd_model *model = &nnd_deep_linear_model;
    if (status == NND_OK)
        status = nnd_frame_add_variable(frame, model, "g_two_time", &made->g);
    if (status == NND_OK)
        status = nnd_frame_add_variable(frame, model, "h_two_time", &made->h);
    if (status == NND_OK)
        status = nnd_frame_add_variable(frame, model, "delta_two_time", &made->delta);
    if (status == NND_OK && made->fixed)
        status = nnd_frame_add_variable(frame, model, "train_two_time", &made->residual);
    return status;
}

void nnd_two_time_free(nnd_two_time *pairs) {
    if (pairs == NULL)
        return;
    free(pairs->kept);
    free(pairs);
}

/* Keeps a field as number `of` of its kind's table x of times x times. */
static nnd_status add_field(nnd_two_time *pairs, nnd_small *n, size_t time, size_t of,
                            nnd_known_space space, nnd_known_vector field, double *x) {
    nnd_known_vector *kept = pairs->kept + of * pairs->times;
    nnd_status status = nnd_conditioned_add_vector(n->system, space, &kept[time]);
    if (status != NND_OK)
        return status;
    nnd_conditioned_add(n->system, 1.0, field, kept[time]);
    for (size_t s = 0; s <= time; s++)
        x[time * pairs->times + s] = x[s * pairs->times + time] =
            nnd_conditioned_dot(n->system, kept[time], kept[s]);
    return NND_OK;
}

nnd_status nnd_two_time_add(nnd_two_time *pairs, nnd_small *n, size_t time) {
    const nnd_small_fields *f = &n->fields[0];
    size_t square = pairs->times * pairs->times, layers = pairs->layers;
    nnd_status status = NND_OK;
    for (size_t l = 0; l < layers && status == NND_OK; l++) {
        status = add_field(pairs, n, time, l, n->space[l], f->g[l], pairs->g + l * square);
        if (status == NND_OK)
            status =
                add_field(pairs, n, time, layers + l, n->space[l], f->h[l], pairs->h + l * square);
    }
    if (status == NND_OK)
        status = add_field(pairs, n, time, 2 * layers, n->space[0], f->delta, pairs->delta);
    if (status == NND_OK && pairs->fixed)
        status = add_field(pairs, n, time, 2 * layers + 1, n->space[n->depth + 1], f->residual,
                           pairs->residual);
    return status;
}
