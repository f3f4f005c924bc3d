/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/models.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/companion.h"
#include "core/timegrid.h"
#include "nndmft/deep_linear.h"
#include "nndmft/number.h"
#include "theory/claims.h"
#include "theory/deep_linear_dynamics.h"
#include "theory/deep_linear_spectrum.h"
#include "theory/deep_linear_step_error.h"

/* Recorded times that are sound: those before the run diverged. */
static size_t sound_times(const nnd_dynamics *d, const nnd_timegrid *grid) {
    size_t n = 0;
    while (n < grid->count && grid->step[n] * d->stages < d->done)
        n++;
    return n;
}

static nnd_status add_time(nnd_frame *frame, const char *name, const nnd_deep_linear *p,
                           const nnd_timegrid *grid) {
    bool flow = p->integrator == NND_GRADIENT_FLOW;
    double *t = calloc(grid->count, sizeof *t);
    if (t == NULL)
        return nnd_fail_memory(nnd_frame_context(frame), "the recorded times");
    for (size_t i = 0; i < grid->count; i++)
        t[i] = flow ? p->time * (double)grid->step[i] / (double)p->steps : (double)grid->step[i];
    nnd_status status =
        nnd_frame_add_dim(frame, name, flow ? NND_COORD_REAL : NND_COORD_INTEGER, grid->count, t);
    free(t);
    return status;
}

/* One curve: a function of the query, at the sound times. */
static nnd_status add_curve(nnd_frame *frame, const char *name, const nnd_dynamics *d,
                            const nnd_timegrid *grid,
                            double (*value)(const nnd_dynamics *d, size_t q)) {
    double *x;
    nnd_status status = nnd_frame_add_variable(frame, &nnd_deep_linear_model, name, &x);
    for (size_t i = 0; status == NND_OK && i < sound_times(d, grid); i++)
        x[i] = value(d, grid->step[i] * d->stages);
    return status;
}

typedef double (*layer_gram)(const nnd_dynamics *d, size_t l, size_t q, size_t p);

static nnd_status add_norms(nnd_frame *frame, const char *name, const nnd_dynamics *d,
                            const nnd_timegrid *grid, layer_gram gram) {
    double *x;
    nnd_status status = nnd_frame_add_variable(frame, &nnd_deep_linear_model, name, &x);
    for (size_t i = 0; status == NND_OK && i < sound_times(d, grid); i++)
        for (size_t l = 0; l <= d->depth; l++) {
            size_t q = grid->step[i] * d->stages;
            x[i * (d->depth + 1) + l] = gram(d, l, q, q);
        }
    return status;
}

static void fill_two_time(double *x, size_t l, const nnd_dynamics *d, const nnd_timegrid *grid,
                          layer_gram gram) {
    size_t n = sound_times(d, grid);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            x[i * grid->count + j] =
                gram(d, l, grid->step[i] * d->stages, grid->step[j] * d->stages);
}

static double delta_gram(const nnd_dynamics *d, size_t l, size_t q, size_t p) {
    (void)l;
    return nnd_march_overlap(d->march, d->delta, q, p);
}

static double residual_gram(const nnd_dynamics *d, size_t l, size_t q, size_t p) {
    (void)l;
    return nnd_dynamics_residual_gram(d, q, p);
}

static double beta_norm2(const nnd_dynamics *d, size_t q) {
    return nnd_dynamics_beta_gram(d, q, q);
}

static nnd_status add_two_time(nnd_frame *frame, const nnd_dynamics *d, const nnd_timegrid *grid) {
    double *g, *h, *delta, *residual;
    nnd_status status = add_time(frame, "s", d->params, grid);
    if (status == NND_OK)
        status = nnd_frame_add_variable(frame, &nnd_deep_linear_model, "g_two_time", &g);
    if (status == NND_OK)
        status = nnd_frame_add_variable(frame, &nnd_deep_linear_model, "h_two_time", &h);
    if (status == NND_OK)
        status = nnd_frame_add_variable(frame, &nnd_deep_linear_model, "delta_two_time", &delta);
    if (status != NND_OK)
        return status;
    size_t square = grid->count * grid->count;
    for (size_t l = 0; l <= d->depth; l++) {
        fill_two_time(g + l * square, l, d, grid, nnd_dynamics_g_gram);
        fill_two_time(h + l * square, l, d, grid, nnd_dynamics_h_gram);
    }
    fill_two_time(delta, 0, d, grid, delta_gram);
    if (d->params->training != NND_TRAIN_FIXED)
        return NND_OK;
    status = nnd_frame_add_variable(frame, &nnd_deep_linear_model, "train_two_time", &residual);
    if (status == NND_OK)
        fill_two_time(residual, 0, d, grid, residual_gram);
    return status;
}

/* Claims end where the top mode of the NTK, at a recorded time or at one that is looked at besides,
 * is beyond what descent can follow. */
static nnd_status claim_until_edge(nnd_frame *frame, double beyond) {
    const nnd_array *stability = nnd_frame_find(frame, "stability");
    if (stability == NULL)
        return NND_OK;
    const nnd_dim *t = nnd_frame_find_dim(frame, "t");
    double edge = nnd_frame_find(frame, "stability_edge")->data[0], last = beyond;
    for (size_t i = stability->count; i-- > 0;)
        if (stability->data[i] > edge)
            last = fmin(last, t->value[i]);
    return nnd_claim_until(&nnd_deep_linear_model, frame, last, NND_BEYOND_EDGE);
}

static nnd_status fill_frame(nnd_frame *frame, const nnd_dynamics *d, const nnd_timegrid *grid) {
    double beyond;
    nnd_status status = add_time(frame, "t", d->params, grid);
    if (status == NND_OK)
        status = nnd_frame_add_range(frame, "layer", d->depth + 1, 0.0);
    if (status == NND_OK)
        status = add_curve(frame, "test_risk", d, grid, nnd_dynamics_test_risk);
    if (status == NND_OK)
        status = add_curve(frame, "train_mse", d, grid, nnd_dynamics_train_mse);
    if (status == NND_OK)
        status = add_curve(frame, "overlap", d, grid, nnd_dynamics_overlap);
    if (status == NND_OK)
        status = add_curve(frame, "beta_norm2", d, grid, beta_norm2);
    if (status == NND_OK)
        status = add_norms(frame, "g_norm2", d, grid, nnd_dynamics_g_gram);
    if (status == NND_OK)
        status = add_norms(frame, "h_norm2", d, grid, nnd_dynamics_h_gram);
    if (status == NND_OK && d->params->two_time)
        status = add_two_time(frame, d, grid);
    if (status == NND_OK)
        status = nnd_deep_linear_add_spectrum(nnd_frame_context(frame), d, grid,
                                              sound_times(d, grid), frame, &beyond);
    if (status == NND_OK)
        status = claim_until_edge(frame, beyond);
    return status;
}

/* What the step of a flow may cost: comparisons look for differences ten times larger. Above it the
 * curves are refused, from a quarter of it on there is a warning. */
static const double LARGEST_STEP_ERROR = 0.002;

static nnd_status refuse_step(nnd_context *ctx, const nnd_deep_linear *p, double error) {
    static const char *const method[] = {"euler", "heun", "rk4"};
    double steps;
    bool enough;
    nnd_status status =
        nnd_deep_linear_steps_for(ctx, p, error, LARGEST_STEP_ERROR, &steps, &enough);
    if (status != NND_OK)
        return status;
    char what[96] = "are far too few";
    if (isfinite(error))
        nnd_format(what, sizeof what, "leave an error of %.2g of a curve's largest value, above %g",
                   error, LARGEST_STEP_ERROR);
    return nnd_fail(ctx, NND_E_UNSOLVED, "%lld steps of %s %s; %s%.0f would do",
                    (long long)p->steps, method[p->method], what, enough ? "" : "more than ",
                    steps);
}

/* A flow itself does not diverge: where the run does, its steps are too long. */
static nnd_status judge_step(nnd_context *ctx, const nnd_dynamics *d, nnd_status ran,
                             double *error) {
    nnd_status status = NND_OK;
    *error = INFINITY;
    if (ran == NND_OK)
        status = nnd_deep_linear_step_error(ctx, d, error);
    if (status == NND_OK && *error > LARGEST_STEP_ERROR)
        return refuse_step(ctx, d->params, *error);
    if (status == NND_OK && *error > 0.25 * LARGEST_STEP_ERROR)
        nnd_log(ctx, NND_LOG_WARNING, "theory: steps: %lld leave an error of %.2g (step_error)",
                (long long)d->params->steps, *error);
    return status;
}

nnd_status nnd_deep_linear_theory(nnd_context *ctx, const void *params, nnd_frame **frame) {
    const nnd_deep_linear *p = params;
    nnd_dynamics d;
    nnd_timegrid grid = {0};
    nnd_frame *out = NULL;
    double step_error = NAN;
    nnd_status ran = NND_OK, status = nnd_dynamics_make(ctx, p, &d);
    if (status == NND_OK)
        status = ran = nnd_dynamics_run(ctx, &d);
    if (status >= NND_OK && p->integrator == NND_GRADIENT_FLOW)
        status = judge_step(ctx, &d, ran, &step_error);
    if (status >= NND_OK)
        status =
            nnd_timegrid_make(ctx, (size_t)p->steps, &p->record, (size_t)p->record_every, &grid);
    if (status == NND_OK)
        status = nnd_frame_new(ctx, &out);
    if (status == NND_OK)
        status = fill_frame(out, &d, &grid);
    if (status == NND_OK)
        status = nnd_frame_add_scalar(out, NND_DIVERGED_AT,
                                      ran == NND_DIVERGED ? (double)(d.done / d.stages) : NAN);
    if (status == NND_OK && !isnan(step_error))
        status = nnd_frame_set_number(out, NULL, "step_error", step_error);
    if (status == NND_OK)
        *frame = out;
    else
        nnd_frame_free(out);
    nnd_timegrid_clear(&grid);
    nnd_dynamics_clear(&d);
    return status == NND_OK ? ran : status;
}

/* The run of flow with half the steps, that tells the error of the step. */
static nnd_status add_half(nnd_context *ctx, const nnd_deep_linear *p, double *bytes,
                           double *multiply_adds) {
    nnd_deep_linear half = *p;
    half.steps = p->steps > 1 ? p->steps / 2 : 2;
    nnd_dynamics d;
    nnd_status status = nnd_dynamics_make(ctx, &half, &d);
    if (status == NND_OK) {
        double more_bytes, more_work;
        nnd_march_cost(d.march, &more_bytes, &more_work);
        *bytes += more_bytes;
        *multiply_adds += more_work;
    }
    nnd_dynamics_clear(&d);
    return status;
}

nnd_status nnd_deep_linear_theory_cost(nnd_context *ctx, const void *params, nnd_cost *cost) {
    nnd_dynamics d;
    nnd_status status = nnd_dynamics_make(ctx, params, &d);
    if (status == NND_OK) {
        const nnd_deep_linear *p = params;
        double multiply_adds, queries = (double)p->steps * (double)d.stages + 1.0;
        double times = p->record.count > 0
                           ? (double)p->record.count + 1.0
                           : floor((double)p->steps / (double)p->record_every) + 2.0;
        double layers = (double)p->depth + 1.0, numbers = 4.0 + 2.0 * layers;
        if (p->spectrum || p->ntk)
            numbers += 3.0 * (layers + 2.0) * (double)p->outliers;
        if (p->two_time)
            numbers += (2.0 * layers + 2.0) * times;
        cost->results = numbers * times * sizeof(double);
        nnd_march_cost(d.march, &cost->bytes, &multiply_adds);
        double march = multiply_adds;
        if (p->integrator == NND_GRADIENT_FLOW)
            status = add_half(ctx, p, &cost->bytes, &multiply_adds);
        multiply_adds += nnd_deep_linear_spectrum_work(p, march, queries, times);
        cost->flops = 2.0 * multiply_adds;
        if (p->spectrum || p->ntk)
            cost->bytes += (times + 65.0) * queries * sizeof(double);
        /* The joint Gram matrix of two fields, while it is factored. */
        if (p->spectrum || p->ntk)
            cost->bytes += 5.0 * queries * queries * sizeof(double);
    }
    nnd_dynamics_clear(&d);
    return status;
}
