/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/models.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/hand_over.h"
#include "nndmft/solvers/flatness.h"
#include "theory/flat_minima_path.h"
#include "theory/flat_minima_weights.h"

/* The loss, and the data set that it comes of, if it does. */
static nnd_status make_loss(nnd_context *ctx, const nnd_flat_minima *p, nnd_quadratic *q,
                            nnd_dataset *set) {
    if (p->data.covariance.rows > 0) {
        nnd_status status = nnd_quadratic_make(
            ctx, p->data.covariance.rows, p->data.covariance.value, p->data.minimizer.value, q);
        if (status == NND_OK && q->ignored > 0.0)
            nnd_log(ctx, NND_LOG_NOTE,
                    "params.data.minimizer: its part outside the range of the covariance, of norm "
                    "%g, has no effect and is left out",
                    q->ignored);
        return status;
    }
    nnd_status status = nnd_dataset_make(ctx, &p->data, set);
    if (status == NND_OK)
        status = nnd_quadratic_fit(ctx, set->samples, set->dim, set->inputs, set->targets, q);
    return status;
}

/* The loss of the data; what it objects to concerns the key `data`. */
static nnd_status loss_of(nnd_context *ctx, const nnd_flat_minima *p, nnd_quadratic *q,
                          nnd_dataset *set) {
    nnd_status status = make_loss(ctx, p, q, set);
    char objection[256];
    snprintf(objection, sizeof objection, "%s", nnd_context_message(ctx));
    return status == NND_E_INPUT ? nnd_fail(ctx, status, "params.data: %s", objection) : status;
}

/* Mean of 2 tr(S Theta) over normal weights: E Theta is L kappa^(L-1) times the identity, with
 * kappa = 1 + s^2/L of the residual network (flat-minima.md#s4), width * scale^2 of the other. */
static double trace_at_start(const nnd_flat_minima *p, const nnd_quadratic *q) {
    double depth = (double)p->depth, variance = p->init_scale * p->init_scale, trace = 0.0;
    double kappa = p->architecture == NND_FLAT_RESIDUAL
                       ? 1.0 + variance / depth
                       : variance * (double)nnd_flat_minima_width(p, 1);
    for (size_t k = 0; k < q->rank; k++)
        trace += q->eigenvalue[k];
    return 2.0 * trace * depth * (p->depth == 1 ? 1.0 : pow(kappa, depth - 1.0));
}

typedef struct {
    const char *name;
    double value;
} scalar;

static nnd_status add_scalars(nnd_frame *frame, size_t count, const scalar *scalars) {
    nnd_status status = NND_OK;
    for (size_t i = 0; status == NND_OK && i < count; i++)
        status =
            nnd_frame_add_number(frame, &nnd_flat_minima_model, scalars[i].name, scalars[i].value);
    return status;
}

static nnd_status add_bounds(nnd_context *ctx, const nnd_flat_minima *p, const nnd_quadratic *q,
                             nnd_frame *frame, nnd_status *ran) {
    nnd_flatness f;
    nnd_status status = nnd_flatness_find(ctx, q, (size_t)p->depth, &f, NULL);
    if (status != NND_OK)
        return status;
    const scalar bounds[] = {
        {"sharpness_bound", f.simple},       {"sharpness_min", f.least},
        {"sharpness_flow", f.flow},          {"sharpness_flow_bound", f.flow_bound},
        {"sharpness_ceiling", f.ceiling},    {"c_star", f.c},
        {"duality_gap", f.least - f.primal}, {"lr_max", 2.0 / f.least},
    };
    status = add_scalars(frame, sizeof bounds / sizeof *bounds, bounds);
    if (status == NND_OK && p->weights.rows > 0)
        status = nnd_flat_minima_add_weights(ctx, p, q, f.c, frame, ran);
    else if (status == NND_OK && p->init == NND_FLAT_GAUSSIAN)
        status = nnd_frame_add_number(frame, &nnd_flat_minima_model, "trace_start",
                                      trace_at_start(p, q));
    return status;
}

nnd_status nnd_flat_minima_theory(nnd_context *ctx, const void *params, nnd_frame **frame) {
    const nnd_flat_minima *p = params;
    nnd_quadratic q = {0};
    nnd_dataset set = {0};
    nnd_frame *out = NULL;
    nnd_status ran = NND_OK, status = nnd_frame_new(ctx, &out);
    bool linear = nnd_flat_minima_is_linear(p);
    if (status == NND_OK && p->integrator == NND_DESCENT)
        status = nnd_frame_add_number(out, &nnd_flat_minima_model, "stability_limit", 2.0 / p->lr);
    if (status == NND_OK && linear)
        status = loss_of(ctx, p, &q, &set);
    if (status == NND_OK && linear)
        status = add_bounds(ctx, p, &q, out, &ran);
    if (status == NND_OK && nnd_flat_minima_has_path(p))
        status = nnd_flat_minima_add_path(ctx, p, &q, &set, out, &ran);
    nnd_dataset_clear(&set);
    nnd_quadratic_clear(&q);
    nnd_hand_over(status == NND_OK, out, frame);
    return status == NND_OK ? ran : status;
}

nnd_status nnd_flat_minima_theory_cost(nnd_context *ctx, const void *params, nnd_cost *cost) {
    const nnd_flat_minima *p = params;
    double d = (double)nnd_flat_minima_dim(p), depth = (double)p->depth;
    double n = p->data.covariance.rows > 0 ? d : (double)nnd_data_samples(&p->data);
    double all = n + (double)nnd_data_tests(&p->data);
    double least = fmin(n, d), decomposition = 20.0 * n * d * least;
    /* The data set with its Gram matrix; its copy and singular vectors; S and its root. */
    cost->bytes = sizeof(double) * ((all + n) * d + all * all + 2.0 * n * least + 5.0 * d * d);
    /* Each value of the dual takes about ten passes over the modes, a hundred values the search. */
    cost->flops = decomposition + 1e4 * least;
    if (p->weights.rows > 0) { /* the matrices, and at most 300 vectors of Lanczos' method */
        const double lanczos = 40.0;
        double weights = (double)nnd_flat_minima_weights(p);
        cost->bytes += sizeof(double) * 304.0 * weights;
        cost->flops += lanczos * (8.0 * weights + 4.0 * d * d + 4.0 * lanczos * weights);
    }
    if (nnd_flat_minima_has_path(p)) {
        const double lanczos = 40.0;
        nnd_reals times;
        nnd_status status = nnd_flat_minima_times(ctx, p, &times);
        if (status != NND_OK)
            return status;
        double weights = d + depth, records = (double)times.count;
        double many = fmax(1.0, (double)p->eigenvalues);
        free(times.value);
        cost->bytes += sizeof(double) * ((310.0 + 2.0 * many) * weights +
                                         records * (9.0 + 2.0 * many + 3.0 * depth));
        cost->flops +=
            records * many * lanczos * (8.0 * weights + 4.0 * d * d + 4.0 * lanczos * weights);
        cost->flops += (p->integrator == NND_DESCENT ? (double)p->steps : 2e4) * 2.0 * d * d;
    }
    return NND_OK;
}
