/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Gradient descent: exact maps directional.md#s3-b, directional.md#s3-c and directional.md#s3-d. */
#include <cblas.h>
#include <math.h>
#include <stdlib.h>

#include "core/divergence.h"
#include "core/rng.h"
#include "core/streams.h"
#include "theory/claims.h"
#include "theory/directional_batch.h"
#include "theory/directional_pair.h"
#include "theory/directional_polar.h"

/* Random errors are a function of the step. */
static void draw_errors(const nnd_directional_path *path, double t, size_t n, double *error) {
    nnd_rng_normals((nnd_rng_key){path->shaker, 0, 0}, NND_STREAM_DIRECTIONAL_THEORY_ROUNDING,
                    (uint64_t)t, n, error);
    cblas_dscal((int)n, path->shake, error, 1);
}

/* Layers of rank one, w = s^(L-1) b; a single layer has s = 1. The perpendicular part of b is kept
 * as its logarithm and sign: plain numbers would underflow and hide that it grows again. On batches
 * that is its mean, about which each of the D - 1 directions has the variance `spread`; norm, omega
 * and zeta are of the root mean square. */
typedef struct {
    const nnd_directional_path *path;
    double c0, depth;
    double lr;                       /* of the next step */
    double along, log_perp, sign, s; /* of b; w has this sign times that of the gain */
    double spread, others;           /* of b; D - 1 */
    double log_memory;               /* log of what is left of any part across since the start */
    double gain, norm;               /* s^(L-1), |b| */
    double omega, zeta;
    nnd_logistic_averages at;
} aligned;

static void aligned_settle(aligned *x) {
    double log_across = x->log_perp;
    if (x->spread > 0.0)
        log_across = 0.5 * log(exp(2.0 * x->log_perp) + x->others * x->spread);
    x->gain = pow(x->s, x->depth - 1.0);
    nnd_directional_polar(copysign(1.0, x->gain) * x->along, log_across, &x->norm, &x->zeta);
    x->omega = fabs(x->gain) * x->norm;
    if (x->omega == 0.0)
        x->zeta = NAN;
    x->at = nnd_logistic_at(x->path->averages, x->omega);
}

static aligned aligned_start(const nnd_directional_path *path) {
    const nnd_directional *p = path->params;
    double depth = (double)p->depth, s = p->depth > 1 ? pow(p->omega0, 1.0 / depth) : 1.0;
    double norm = p->depth > 1 ? s : p->omega0;
    /* The double nearest to pi stands for pi. */
    bool straight = p->theta0 == 0.0 || p->theta0 >= M_PI || norm == 0.0;
    aligned x = {
        .path = path, .c0 = path->constants.c0, .depth = depth, .others = (double)p->dim - 1.0};
    x.s = s;
    x.along = norm * cos(p->theta0);
    x.log_perp = straight ? -INFINITY : log(norm) + log(sin(p->theta0));
    x.sign = straight ? 0.0 : 1.0;
    aligned_settle(&x);
    return x;
}

static double aligned_multiplier(const aligned *x) {
    return 1.0 - x->lr * x->gain * x->gain * x->at.slope;
}

/* directional.md#eq16: each direction is pulled back as the mean is, and kicked by the batch. */
static void aligned_fluctuate(aligned *x, double multiplier) {
    double gain2 = x->gain * x->gain;
    double noise =
        nnd_directional_batch_noise(x->path, x->gain * x->along, gain2 * x->spread, x->at.slope);
    x->spread = multiplier * multiplier * x->spread + x->lr * x->lr * gain2 * noise;
}

/* directional.md#eq6, with g along v as delta + h (1 - cos theta), and b . g as |b| (delta - c0 (1
 * - cos theta)), which do not cancel. */
static void aligned_step(aligned *x) {
    double gap = nnd_directional_gap(x->zeta), multiplier = aligned_multiplier(x);
    bool still = x->omega == 0.0;
    double pull = still ? x->c0 : x->at.delta + x->at.h * gap;
    double radial =
        still ? x->c0 * x->along : copysign(x->norm, x->gain) * (x->at.delta - x->c0 * gap);
    if (x->path->params->batch > 0)
        aligned_fluctuate(x, multiplier);
    x->along += x->lr * x->gain * pull;
    if (x->depth > 1.0)
        x->s += x->lr * pow(x->s, x->depth - 2.0) * radial;
    x->log_perp += log(fabs(multiplier));
    x->log_memory += log(fabs(multiplier));
    x->sign *= (multiplier > 0.0) - (multiplier < 0.0);
}

/* An error of its logarithm is also one of the number. */
static void aligned_shake(const nnd_directional_path *path, double t, aligned *x) {
    double error[3];
    draw_errors(path, t, 3, error);
    x->along *= 1.0 + error[0];
    x->s *= 1.0 + error[1];
    if (isfinite(x->log_perp))
        x->log_perp += error[2] * fmax(1.0, fabs(x->log_perp));
}

static void aligned_look(const aligned *x, nnd_directional_point *point) {
    point->omega = x->omega;
    point->zeta = x->zeta;
    point->sign = copysign(1.0, x->gain) * x->sign;
    point->multiplier = aligned_multiplier(x);
    point->spread = x->gain * x->gain * x->spread;
    double start = fmax(2.0 * x->log_memory, 2.0 * x->log_perp - log(x->others * x->spread));
    point->settled = start < log(NND_CLAIMED_ERROR);
}

/* Keeps F in range: its scale goes to log_scale. */
static void pair_rescale(nnd_directional_pair *pair) {
    int n = (int)(pair->units * pair->units);
    double size = cblas_dnrm2(n, pair->f, 1);
    if (!(size > 0.0 && size < 0x1p-300))
        return;
    cblas_dscal(n, 0x1p300, pair->f, 1);
    pair->log_scale -= 300.0 * M_LN2;
}

static void pair_step(nnd_directional_pair *pair, double lr, double *rate) {
    nnd_directional_pair_rate(pair, rate);
    cblas_daxpy((int)(pair->units * (pair->units + 2)), lr, rate, 1, pair->f, 1);
    pair_rescale(pair);
}

static void pair_shake(const nnd_directional_path *path, double t, nnd_directional_pair *pair,
                       double *error) {
    size_t n = pair->units * (pair->units + 2);
    draw_errors(path, t, n, error);
    for (size_t i = 0; i < n; i++)
        pair->f[i] *= 1.0 + error[i];
}

static void pair_look(const nnd_directional_pair *pair, double lr, nnd_directional_point *point) {
    point->omega = pair->omega;
    point->zeta = pair->zeta;
    point->sign = nnd_directional_pair_sign(pair);
    point->multiplier = 1.0 - lr * pair->at.h;
}

/* Exponents between a step and the one before it. */
static void add_exponents(double t, const nnd_directional_point *before,
                          nnd_directional_point *point) {
    point->omega_exponent = point->angle_exponent = NAN;
    if (t < 2.0)
        return;
    double ratio = log(t / (t - 1.0));
    double now = nnd_directional_neg_log_sin(point->zeta);
    double then = nnd_directional_neg_log_sin(before->zeta);
    point->omega_exponent = log(point->omega / before->omega) / ratio;
    if (isfinite(now) && isfinite(then) && then > 0.0)
        point->angle_exponent = log(now / then) / ratio;
}

/* Where a perpendicular part has sunk into noise or rounding and then grows, a simulation grows
 * that instead, and from there on goes its own way. */
static void keep_watch(const nnd_directional_path *path, const nnd_directional_point *before,
                       nnd_directional_point *point) {
    bool sunk = isfinite(point->zeta) && !nnd_directional_resolved(path, point);
    bool batches = path->params->batch > 0;
    point->lost = before->lost || (!batches && before->blind && fabs(point->multiplier) > 1.0);
    point->blind = point->lost || sunk;
}

/* One of the two reductions. */
typedef struct {
    const nnd_directional_path *path;
    bool given;
    double lr;    /* of the next step */
    double rates; /* sum of the multipliers of all steps before */
    aligned aligned;
    nnd_directional_pair pair;
    double *rate; /* of the pair */
} descent;

static nnd_status descent_make(nnd_context *ctx, const nnd_directional_path *path, descent *d) {
    *d = (descent){.path = path, .given = path->params->init.kind == NND_START_GIVEN};
    if (!d->given) {
        d->aligned = aligned_start(path);
        return NND_OK;
    }
    nnd_status status = nnd_directional_pair_make(ctx, path, &d->pair);
    d->rate = calloc(d->pair.units * (d->pair.units + 2) + 1, sizeof *d->rate);
    return status == NND_OK && d->rate == NULL ? nnd_fail_memory(ctx, "two layers") : status;
}

static void descent_clear(descent *d) {
    free(d->rate);
    nnd_directional_pair_clear(&d->pair);
}

static void look(descent *d, double t, nnd_directional_point *point) {
    const nnd_directional *p = d->path->params;
    d->lr = d->aligned.lr = p->lr * nnd_rates_at(&p->schedule, (size_t)t);
    point->time = p->lr * d->rates;
    if (d->given)
        pair_look(&d->pair, d->lr, point);
    else
        aligned_look(&d->aligned, point);
}

static void step(descent *d, double t) {
    bool shaken = d->path->shake > 0.0;
    d->rates += nnd_rates_at(&d->path->params->schedule, (size_t)t);
    if (d->given) {
        pair_step(&d->pair, d->lr, d->rate);
        if (shaken)
            pair_shake(d->path, t, &d->pair, d->rate);
        nnd_directional_pair_settle(&d->pair);
    } else {
        aligned_step(&d->aligned);
        if (shaken)
            aligned_shake(d->path, t, &d->aligned);
        aligned_settle(&d->aligned);
    }
}

nnd_status nnd_directional_descend(nnd_context *ctx, nnd_directional_path *path) {
    descent d;
    nnd_status status = descent_make(ctx, path, &d);
    nnd_directional_point now = {0}, before;
    for (double t = 0.0; status == NND_OK && path->sound < path->count; t += 1.0) {
        before = now;
        look(&d, t, &now);
        keep_watch(path, &before, &now);
        if (nnd_has_diverged(INFINITY, now.omega)) {
            path->diverged_at = t;
            status = NND_DIVERGED;
            break;
        }
        if (path->t[path->sound] == t) {
            add_exponents(t, &before, &now);
            path->point[path->sound++] = now;
        }
        if (fmod(t, 65536.0) == 0.0)
            status = nnd_progress_step(ctx, t, path->t[path->count - 1]);
        step(&d, t);
    }
    descent_clear(&d);
    return status;
}
