/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/wide_mlp_descent.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "nndmft/batch.h"
#include "nndmft/solvers/runge_kutta.h"

/* Slots: the state; of descent a velocity, of flow what a stage is evaluated at and its slopes, and
 * last the error of a step. */
enum { STATE, VELOCITY = 1, STAGE = 1, SLOPE = 2 };

/* A run in progress. */
typedef struct {
    const nnd_wide_problem *problem;
    const nnd_wide_dynamics *of;
    nnd_schedule batches;
    double *weight;
    size_t mark; /* the next one */
} run;

static bool flows(const nnd_wide_mlp *p) {
    return p->integrator == NND_GRADIENT_FLOW;
}

static nnd_runge_kutta method_of(const nnd_wide_mlp *p) {
    return p->method == NND_EULER  ? NND_RK_EULER
           : p->method == NND_HEUN ? NND_RK_HEUN
           : p->method == NND_RK4  ? NND_RK_RK4
                                   : NND_RK_DORMAND_PRINCE;
}

size_t nnd_wide_descent_slots(const nnd_wide_mlp *p) {
    size_t stages = flows(p) ? nnd_runge_kutta_stages(method_of(p)) : 0;
    return !flows(p) ? 2 : SLOPE + stages + (nnd_wide_mlp_adapts(p) ? 1 : 0);
}

double nnd_wide_descent_evaluations(const nnd_wide_mlp *p) {
    /* Steps of an adaptive flow, six evaluations each: about so many per unit of time, and one at
     * least to each recorded time. */
    const double per_time = 4.0;
    if (nnd_wide_mlp_adapts(p))
        return 6.0 * fmax(per_time * p->time, nnd_wide_mlp_most_marks(p));
    return (double)p->steps * (flows(p) ? (double)nnd_runge_kutta_stages(method_of(p)) : 1.0) + 1.0;
}

/* Looks at the state just evaluated, of step or time `now`. */
static nnd_status visit(run *r, double now) {
    const nnd_reals *marks = &r->problem->marks;
    bool marked = r->mark < marks->count && now == marks->value[r->mark];
    return r->of->visit(r->of->data, now, marked ? r->mark++ : SIZE_MAX, r->weight);
}

/* ---- descent in steps ---- */

/* V <- m V + s u, theta <- (1 - lambda) theta + V (wide-mlp.md#eq14). A gradient moves the state by
 * s u (1 + m + m^2 + ...) in all. What rests without decay need not be queried again, which would
 * bring rounding into it. */
static nnd_status descend(run *r) {
    const nnd_wide_dynamics *of = r->of;
    const nnd_wide_mlp *p = r->problem->params;
    nnd_status status = NND_OK;
    bool still = false, moved = false;
    for (size_t step = 0; status == NND_OK && step <= (size_t)p->steps; step++) {
        double rate = nnd_wide_mlp_rate(p, step);
        nnd_schedule_weights(&r->batches, step, r->weight);
        status = still ? NND_OK : of->evaluate(of->data, STATE);
        if (status == NND_OK)
            status = visit(r, (double)step);
        if (status == NND_OK && step < (size_t)p->steps)
            status = of->gradient(of->data, VELOCITY, p->momentum, rate, rate / (1.0 - p->momentum),
                                  r->weight);
        if (status != NND_OK)
            break;
        moved |= !of->rests(of->data);
        still = p->weight_decay == 0.0 && (p->momentum == 0.0 ? of->rests(of->data) : !moved);
        of->combine(of->data, STATE, 1.0 - p->weight_decay, 1.0, VELOCITY);
        status = nnd_progress_step(r->problem->ctx, (double)step, (double)p->steps);
    }
    return status;
}

/* ---- flow ---- */

/* The slope u - lambda theta at the state of a slot, just evaluated; it will count `felt` times. */
static nnd_status find_slope(run *r, size_t at, size_t slope, double felt) {
    const nnd_wide_dynamics *of = r->of;
    double decay = r->problem->params->weight_decay;
    nnd_status status = of->gradient(of->data, slope, 0.0, 1.0, felt, r->weight);
    if (status == NND_OK && decay > 0.0)
        of->combine(of->data, slope, 1.0, -decay, at);
    return status;
}

/* slot <- state + dt sum_j weight_j k_j */
static void advance(run *r, size_t slot, size_t stages, const double *weight, double dt) {
    const nnd_wide_dynamics *of = r->of;
    if (slot != STATE)
        of->combine(of->data, slot, 0.0, 1.0, STATE);
    for (size_t j = 0; j < stages; j++)
        if (weight[j] != 0.0)
            of->combine(of->data, slot, 1.0, dt * weight[j], SLOPE + j);
}

/* Slopes of the stages from number 1 on; that of number 0 is there. The last one of a pair is the
 * first one of the next step. */
static nnd_status find_slopes(run *r, nnd_runge_kutta method, double dt) {
    size_t stages = nnd_runge_kutta_stages(method);
    bool pair = nnd_runge_kutta_error_weights(method) != NULL;
    const double *whole = nnd_runge_kutta_weights(method, stages);
    nnd_status status = NND_OK;
    for (size_t i = 1; status == NND_OK && i < stages; i++) {
        advance(r, STAGE, i, nnd_runge_kutta_weights(method, i), dt);
        status = r->of->evaluate(r->of->data, STAGE);
        if (status == NND_OK)
            status =
                find_slope(r, STAGE, SLOPE + i, dt * fabs(whole[pair && i + 1 == stages ? 0 : i]));
    }
    return status;
}

/* Steps of a given length. */
static nnd_status flow_on_grid(run *r) {
    const nnd_wide_mlp *p = r->problem->params;
    nnd_runge_kutta method = method_of(p);
    size_t stages = nnd_runge_kutta_stages(method), steps = (size_t)p->steps;
    const double *whole = nnd_runge_kutta_weights(method, stages);
    double dt = p->time / (double)steps;
    nnd_status status = NND_OK;
    for (size_t step = 0; status == NND_OK && step <= steps; step++) {
        status = r->of->evaluate(r->of->data, STATE);
        if (status == NND_OK)
            status = visit(r, (double)step);
        if (status == NND_OK && step < steps)
            status = find_slope(r, STATE, SLOPE, dt * fabs(whole[0]));
        if (status == NND_OK && step < steps)
            status = find_slopes(r, method, dt);
        if (status == NND_OK && step < steps)
            advance(r, STATE, stages, whole, dt);
        if (status == NND_OK)
            status = nnd_progress_step(r->problem->ctx, (double)step, (double)steps);
    }
    return status;
}

/* Local error of a step over what is allowed; infinite if it is not finite. */
static double error_of(run *r, nnd_runge_kutta method, double dt) {
    size_t stages = nnd_runge_kutta_stages(method), error = SLOPE + stages;
    const double *weight = nnd_runge_kutta_error_weights(method);
    const nnd_wide_dynamics *of = r->of;
    of->combine(of->data, error, 0.0, dt * weight[0], SLOPE);
    for (size_t j = 1; j < stages; j++)
        of->combine(of->data, error, 1.0, dt * weight[j], SLOPE + j);
    double size = of->size(of->data, error) / r->problem->params->tolerance;
    return isfinite(size) ? size : INFINITY;
}

/* The elementary control of an error of fifth order. */
static double next_length(double dt, double error) {
    const double safety = 0.9, least = 0.2, most = 5.0;
    return dt * fmin(most, fmax(least, safety * pow(error, -0.2)));
}

/* A step from `now` of at most *dt, which becomes the length to try next; evaluated at its end. */
static nnd_status adaptive_step(run *r, double *now, double *dt) {
    const nnd_runge_kutta method = NND_RK_DORMAND_PRINCE;
    const nnd_wide_dynamics *of = r->of;
    double end = r->problem->marks.value[r->mark], length = *dt, error = INFINITY;
    bool last = false;
    while (error > 1.0) {
        last = *now + length * (1.0 + 1e-9) >= end;
        length = last ? end - *now : length;
        if (length <= 16.0 * DBL_EPSILON * end)
            return nnd_fail(r->problem->ctx, NND_E_UNSOLVED,
                            "steps of the flow become too short at time %g: a larger tolerance, or "
                            "a fixed `method`, is needed",
                            *now);
        nnd_status status = find_slopes(r, method, length);
        if (status != NND_OK)
            return status;
        error = error_of(r, method, length);
        *dt = last && error <= 1.0 ? fmax(*dt, next_length(length, error))
                                   : next_length(length, error);
        length = error > 1.0 ? *dt : length;
    }
    /* The last stage is the state at the end, and its slope the first one of the next step. */
    of->combine(of->data, STATE, 0.0, 1.0, STAGE);
    of->combine(of->data, SLOPE, 0.0, 1.0, SLOPE + nnd_runge_kutta_stages(method) - 1);
    *now = last ? end : *now + length;
    return NND_OK;
}

/* Steps as long as `tolerance` allows, with an end at each recorded time. */
static nnd_status flow_adaptively(run *r) {
    const nnd_wide_dynamics *of = r->of;
    double now = 0.0, dt = 0.0, end = r->problem->params->time;
    nnd_status status = of->evaluate(of->data, STATE);
    if (status == NND_OK)
        status = visit(r, now);
    if (status == NND_OK)
        status = find_slope(r, STATE, SLOPE, 0.0);
    /* At first as far as changes what is learned by its hundredth. */
    if (status == NND_OK)
        dt = fmin(end, 0.01 / fmax(of->size(of->data, SLOPE), DBL_MIN));
    while (status == NND_OK && r->mark < r->problem->marks.count) {
        status = adaptive_step(r, &now, &dt);
        if (status == NND_OK)
            status = visit(r, now);
        if (status == NND_OK)
            status = nnd_progress_step(r->problem->ctx, now, end);
    }
    return status;
}

nnd_status nnd_wide_descend(const nnd_wide_problem *problem, const nnd_wide_dynamics *dynamics) {
    const nnd_wide_mlp *p = problem->params;
    run r = {.problem = problem, .of = dynamics};
    nnd_status status = nnd_schedule_make(problem->ctx, p->batch, problem->samples, &r.batches);
    r.weight = calloc(problem->samples, sizeof *r.weight);
    if (status == NND_OK && r.weight == NULL)
        status = nnd_fail_memory(problem->ctx, "the weights of samples");
    if (status == NND_OK && flows(p))
        nnd_schedule_weights(&r.batches, 0, r.weight);
    if (status == NND_OK)
        status = !flows(p)                ? descend(&r)
                 : nnd_wide_mlp_adapts(p) ? flow_adaptively(&r)
                                          : flow_on_grid(&r);
    nnd_schedule_clear(&r.batches);
    free(r.weight);
    return status;
}
