/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/directional_path.h"

#include <math.h>
#include <stdlib.h>

#include "core/timegrid.h"

void nnd_directional_polar(double along, double log_perp, double *omega, double *zeta) {
    double norm = hypot(along, exp(log_perp));
    *omega = norm;
    if (norm == 0.0)
        *zeta = NAN;
    else if (along > 0.0)
        *zeta = log_perp - log(norm + along);
    else
        *zeta = log(norm - along) - log_perp;
}

double nnd_directional_gap(double zeta) {
    return 2.0 / (1.0 + exp(-2.0 * zeta));
}

double nnd_directional_neg_log_sin(double zeta) {
    double u = fabs(zeta);
    return u < 1.0 ? log(cosh(u)) : u - M_LN2 + log1p(exp(-2.0 * u));
}

/* Noise adds to the angle in square: this many times above it, it is no longer seen. */
static const double ABOVE_NOISE = 5.0;
/* -log sin theta at which rounding ends a simulated angle: what cancels between hidden units leaves
 * about 1e-33 across the teacher, of which exp(-50) is to be 1e11 times; a single unit reaches the
 * smallest doubles. */
static const double ROUNDING = 50.0, UNDERFLOW = 600.0;

double nnd_directional_floor(const nnd_directional_path *path, double omega) {
    const nnd_directional *p = path->params;
    double noise = nnd_logistic_at(path->averages, omega).noise;
    return sqrt(((double)p->dim - 1.0) * noise / p->samples) / path->constants.c0;
}

bool nnd_directional_resolved(const nnd_directional_path *path, double omega, double zeta) {
    const nnd_directional *p = path->params;
    bool deep = p->depth > 1 && p->width > 1;
    if (nnd_directional_neg_log_sin(zeta) > (deep ? ROUNDING : UNDERFLOW))
        return false;
    return 2.0 * atan(exp(zeta)) >= ABOVE_NOISE * nnd_directional_floor(path, omega);
}

static nnd_status make_times(nnd_context *ctx, nnd_directional_path *path) {
    const nnd_directional *p = path->params;
    if (p->integrator == NND_GRADIENT_FLOW) {
        nnd_reals times;
        nnd_status status = nnd_record_times(ctx, p->time, &p->record, &times);
        path->t = times.value;
        path->count = times.count;
        return status;
    }
    nnd_timegrid grid;
    nnd_status status =
        nnd_record_steps(ctx, (size_t)p->steps, &p->record, (size_t)p->record_every, &grid);
    if (status != NND_OK)
        return status;
    path->t = calloc(grid.count, sizeof(double));
    path->count = grid.count;
    for (size_t i = 0; path->t != NULL && i < grid.count; i++)
        path->t[i] = (double)grid.step[i];
    nnd_timegrid_clear(&grid);
    return path->t != NULL ? NND_OK : nnd_fail_memory(ctx, "the recorded times");
}

static nnd_status make_averages(nnd_context *ctx, nnd_directional_path *path) {
    const nnd_law *law = &path->params->law;
    bool mixture = law->kind == NND_LAW_MIXTURE;
    nnd_logistic_law of = {
        .sphere = law->kind == NND_LAW_SPHERE ? (size_t)path->params->dim : 0,
        .components = mixture ? law->mixture.weights.count : 0,
        .weight = law->mixture.weights.value,
        .scale = law->mixture.scales.value,
    };
    nnd_status status = nnd_logistic_new(ctx, &of, &path->averages);
    if (status == NND_OK)
        path->constants = nnd_logistic_constants_of(path->averages);
    return status;
}

nnd_status nnd_directional_path_make(nnd_context *ctx, const nnd_directional *p,
                                     nnd_directional_path *path) {
    *path = (nnd_directional_path){.params = p, .diverged_at = NAN};
    nnd_status status = make_averages(ctx, path);
    if (status == NND_OK)
        status = make_times(ctx, path);
    if (status != NND_OK)
        return status;
    path->point = calloc(path->count, sizeof *path->point);
    return path->point != NULL ? NND_OK : nnd_fail_memory(ctx, "the path of the predictor");
}

nnd_status nnd_directional_path_follow(nnd_context *ctx, nnd_directional_path *path) {
    return path->params->integrator == NND_GRADIENT_FLOW ? nnd_directional_flow(ctx, path)
                                                         : nnd_directional_descend(ctx, path);
}

void nnd_directional_path_clear(nnd_directional_path *path) {
    nnd_logistic_free(path->averages);
    free(path->t);
    free(path->point);
    *path = (nnd_directional_path){0};
}
