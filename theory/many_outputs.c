/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Spectra of two-layer linear networks with as many outputs as neurons. */
#include "theory/models.h"

#include <math.h>
#include <stdlib.h>

#include "core/hand_over.h"
#include "nndmft/many_outputs.h"
#include "theory/many_outputs_laws.h"
#include "theory/many_outputs_modes.h"

/* many-outputs.md#s1-1 */
static nnd_status add_scales(const nnd_many_outputs *p, nnd_frame *frame) {
    nnd_outputs_scales s = nnd_many_outputs_scales(p);
    nnd_status status =
        nnd_frame_add_number(frame, &nnd_many_outputs_model, "gamma_canonical", s.gamma);
    return status == NND_OK
               ? nnd_frame_add_number(frame, &nnd_many_outputs_model, "rate_canonical", s.rate)
               : status;
}

/* ---- singular values beside eigenvalues ---- */

/* Adds `to`, the square roots of `from` if that is there. */
static nnd_status add_roots(nnd_frame *frame, const char *from, const char *to) {
    const nnd_array *squares = nnd_frame_find(frame, from);
    double *root;
    if (squares == NULL)
        return NND_OK;
    nnd_status status = nnd_frame_add_variable(frame, &nnd_many_outputs_model, to, &root);
    squares = nnd_frame_find(frame, from);
    for (size_t i = 0; status == NND_OK && i < squares->count; i++)
        root[i] = sqrt(squares->data[i]);
    return status;
}

/* The highest edge at each time. */
static nnd_status add_upper_edge(nnd_frame *frame, size_t times) {
    const nnd_array *edges = nnd_frame_find(frame, "edges");
    double *upper;
    if (edges == NULL)
        return NND_OK;
    nnd_status status =
        nnd_frame_add_variable(frame, &nnd_many_outputs_model, "upper_edge", &upper);
    edges = nnd_frame_find(frame, "edges");
    size_t each = edges->count / times;
    for (size_t i = 0; status == NND_OK && i < edges->count; i++)
        upper[i / each] = fmax(upper[i / each], edges->data[i]); /* NaN at first */
    return status;
}

/* The ends of the highest gap; NaN where there is none. */
static nnd_status add_gap(nnd_frame *frame, size_t times) {
    const nnd_array *gap = nnd_frame_find(frame, "gap");
    double *lower, *upper;
    if (gap == NULL)
        return NND_OK;
    nnd_status status = nnd_frame_add_variable(frame, &nnd_many_outputs_model, "gap_lower", &lower);
    if (status == NND_OK)
        status = nnd_frame_add_variable(frame, &nnd_many_outputs_model, "gap_upper", &upper);
    gap = nnd_frame_find(frame, "gap");
    size_t each = gap->count / (2 * times);
    for (size_t i = 0; status == NND_OK && i < times * each; i++)
        if (!isnan(gap->data[2 * i])) { /* they ascend */
            lower[i / each] = gap->data[2 * i];
            upper[i / each] = gap->data[2 * i + 1];
        }
    return status;
}

static nnd_status add_derived(nnd_frame *frame, size_t times) {
    nnd_status status = add_upper_edge(frame, times);
    if (status == NND_OK)
        status = add_gap(frame, times);
    if (status == NND_OK)
        status = add_roots(frame, "edges", "edge_sv");
    return status == NND_OK ? add_roots(frame, "outlier", "outlier_sv") : status;
}

/* ---- all ---- */

/* In the singular basis of the target. */
static bool is_diagonal(const nnd_many_outputs *p) {
    return p->variant == NND_WIDE || p->variant == NND_ALIGNED;
}

static nnd_status solve(nnd_context *ctx, const nnd_many_outputs *p, const nnd_reals *times,
                        nnd_frame *frame) {
    if (is_diagonal(p))
        return nnd_many_outputs_modes_add(ctx, p, times, frame);
    return nnd_many_outputs_laws_add(ctx, p, times, frame);
}

nnd_status nnd_many_outputs_theory(nnd_context *ctx, const void *params, nnd_frame **frame) {
    const nnd_many_outputs *p = params;
    nnd_reals times = {0, NULL};
    nnd_frame *out = NULL;
    nnd_status status = nnd_many_outputs_times(ctx, p, &times);
    if (status == NND_OK)
        status = nnd_frame_new(ctx, &out);
    if (status == NND_OK)
        status = nnd_many_outputs_add_times(p, &times, out);
    if (status == NND_OK)
        status = nnd_many_outputs_add_dims(p, out);
    if (status == NND_OK)
        status = add_scales(p, out);
    if (status == NND_OK)
        status = solve(ctx, p, &times, out);
    if (status >= NND_OK) {
        nnd_status derived = add_derived(out, times.count);
        status = derived == NND_OK ? status : derived;
    }
    nnd_hand_over(status >= NND_OK, out, frame);
    free(times.value);
    return status;
}

nnd_status nnd_many_outputs_theory_cost(nnd_context *ctx, const void *params, nnd_cost *cost) {
    (void)ctx;
    const nnd_many_outputs *p = params;
    bool diagonal = is_diagonal(p);
    double times = (double)p->record.count + 1.0;
    double grid = fmax((double)(p->z.count > 0 ? (size_t)p->z.count : p->z.values.count), 200.0);
    double each = 6.0 * grid + 4.0 * (double)nnd_many_outputs_points(p) +
                  3.0 * (double)nnd_many_outputs_modes(p) + 20.0;
    *cost = (nnd_cost){.bytes = 1e5, .results = times * each * sizeof(double)};
    if (diagonal)
        cost->flops = nnd_many_outputs_modes_flops(p, times, grid);
    else
        nnd_many_outputs_laws_cost(p, times, grid, &cost->bytes, &cost->flops);
    return NND_OK;
}
