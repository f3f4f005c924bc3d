/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/models.h"

#include <math.h>
#include <stdlib.h>

#include "core/companion.h"
#include "core/hand_over.h"
#include "core/timegrid.h"
#include "nndmft/online_fluctuations.h"
#include "nndmft/solvers/online_linear.h"

/* Corrections beyond this fraction of the largest error are not what a comparison at one size with
 * the infinite width can resolve; the size must be larger, or several sizes extrapolated. */
static const double NEGLIGIBLE = 0.02;

static double delta(const nnd_online_linear_point *p, double dim) {
    (void)dim;
    return p->delta;
}

static double ntk(const nnd_online_linear_point *p, double dim) {
    (void)dim;
    return p->ntk;
}

static double error(const nnd_online_linear_point *p, double dim) {
    (void)dim;
    return p->delta * p->delta;
}

static double par_nvar(const nnd_online_linear_point *p, double dim) {
    (void)dim;
    return p->par_nvar;
}

static double perp_nvar(const nnd_online_linear_point *p, double dim) {
    return dim > 1.0 ? p->perp_nvar : 0.0;
}

static double par_bias(const nnd_online_linear_point *p, double dim) {
    (void)dim;
    return p->par_bias;
}

static double perp_bias(const nnd_online_linear_point *p, double dim) {
    (void)dim;
    return p->perp_bias;
}

static double delta_bias(const nnd_online_linear_point *p, double dim) {
    return p->par_bias + (dim - 1.0) * p->perp_bias;
}

static double par_batch(const nnd_online_linear_point *p, double dim) {
    (void)dim;
    return p->par_batch;
}

static double perp_batch(const nnd_online_linear_point *p, double dim) {
    (void)dim;
    return p->perp_batch;
}

/* |beta* - beta|^2 starts from 1. */
static double error_min_size(const nnd_online_linear_point *p, double dim) {
    return fabs(nnd_online_linear_error_ncorr(p, dim)) / NEGLIGIBLE;
}

static double delta_min_size(const nnd_online_linear_point *p, double dim) {
    return fabs(delta_bias(p, dim)) / NEGLIGIBLE;
}

static const struct {
    const char *name;
    double (*value)(const nnd_online_linear_point *p, double dim);
    bool across; /* needs a direction across the target */
    bool limit;  /* the size from which the correction of order 1/N is negligible */
} CURVES[] = {
    {"delta", delta, false, false},
    {"delta" NND_MIN_SIZE, delta_min_size, false, true},
    {"ntk", ntk, false, false},
    {"error", error, false, false},
    {"error" NND_MIN_SIZE, error_min_size, false, true},
    {"par_nvar", par_nvar, false, false},
    {"perp_nvar", perp_nvar, true, false},
    {"par_bias", par_bias, false, false},
    {"perp_bias", perp_bias, true, false},
    {"delta_bias", delta_bias, false, false},
    {"error_ncorr", nnd_online_linear_error_ncorr, false, false},
    {"par_batch_var", par_batch, false, false},
    {"perp_batch_var", perp_batch, true, false},
};

/* fluctuations.md#s1-8: error + error_ncorr/N. */
static nnd_status add_at_width(nnd_frame *frame, const nnd_online_fluctuations *p,
                               const nnd_timegrid *grid, const nnd_online_linear_point *point,
                               size_t sound) {
    const nnd_reals *width = &p->at_width;
    double *x;
    if (width->count == 0)
        return NND_OK;
    nnd_status status =
        nnd_frame_add_dim(frame, "at_width", NND_COORD_REAL, width->count, width->value);
    if (status == NND_OK)
        status =
            nnd_frame_add_variable(frame, &nnd_online_fluctuations_model, "error_at_width", &x);
    for (size_t k = 0; status == NND_OK && k < width->count; k++)
        for (size_t i = 0; i < grid->count && grid->step[i] < sound; i++) {
            const nnd_online_linear_point *at = &point[grid->step[i]];
            double dim = (double)p->dim;
            x[k * grid->count + i] =
                error(at, dim) + nnd_online_linear_error_ncorr(at, dim) / width->value[k];
        }
    return status;
}

static nnd_status fill_frame(nnd_frame *frame, const nnd_online_fluctuations *p,
                             const nnd_timegrid *grid, const nnd_online_linear_point *point,
                             size_t sound) {
    nnd_status status = nnd_timegrid_add_dim(grid, frame, "t");
    for (size_t c = 0; status == NND_OK && c < sizeof CURVES / sizeof *CURVES; c++) {
        double *x;
        if (CURVES[c].across && p->dim == 1)
            continue;
        status = nnd_frame_add_variable(frame, &nnd_online_fluctuations_model, CURVES[c].name, &x);
        if (status == NND_OK && CURVES[c].limit)
            status = nnd_frame_set_text(frame, CURVES[c].name, NND_CORRECTION, "1/size");
        for (size_t i = 0; status == NND_OK && i < grid->count && grid->step[i] < sound; i++)
            x[i] = CURVES[c].value(&point[grid->step[i]], (double)p->dim);
    }
    if (status == NND_OK)
        status = add_at_width(frame, p, grid, point, sound);
    if (status == NND_OK)
        status = nnd_frame_add_scalar(frame, NND_DIVERGED_AT,
                                      sound <= (size_t)p->steps ? (double)sound : NAN);
    return status;
}

nnd_status nnd_online_fluctuations_theory(nnd_context *ctx, const void *params, nnd_frame **frame) {
    const nnd_online_fluctuations *p = params;
    nnd_timegrid grid = {0};
    nnd_frame *out = NULL;
    size_t steps = (size_t)p->steps, sound = 0;
    nnd_online_linear_point *point = calloc(steps + 1, sizeof *point);
    nnd_status status = point != NULL
                            ? nnd_online_linear_run(ctx, p->gamma0, p->lr, steps, point, &sound)
                            : nnd_fail_memory(ctx, "the recursion");
    if (status == NND_OK)
        status = nnd_timegrid_make(ctx, steps, &p->record, (size_t)p->record_every, &grid);
    if (status == NND_OK)
        status = nnd_frame_new(ctx, &out);
    if (status == NND_OK)
        status = fill_frame(out, p, &grid, point, sound);
    nnd_hand_over(status == NND_OK, out, frame);
    nnd_timegrid_clear(&grid);
    free(point);
    if (status == NND_OK && sound <= steps)
        status = NND_DIVERGED;
    return status;
}

nnd_status nnd_online_fluctuations_theory_cost(nnd_context *ctx, const void *params,
                                               nnd_cost *cost) {
    const nnd_online_fluctuations *p = params;
    (void)ctx;
    double steps = (double)p->steps + 1.0;
    double times = nnd_timegrid_most(p->steps, &p->record, p->record_every);
    double curves = sizeof CURVES / sizeof *CURVES + 1.0;
    /* A step takes some 300 operations. */
    *cost = (nnd_cost){.bytes = steps * sizeof(nnd_online_linear_point),
                       .results = times * curves * sizeof(double),
                       .flops = 300.0 * steps};
    return NND_OK;
}
