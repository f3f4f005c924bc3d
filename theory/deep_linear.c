/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/models.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/companion.h"
#include "core/hand_over.h"
#include "core/text.h"
#include "nndmft/deep_linear.h"
#include "nndmft/number.h"
#include "theory/claims.h"
#include "theory/deep_linear_curves.h"
#include "theory/deep_linear_interpolate.h"
#include "theory/deep_linear_run.h"
#include "theory/deep_linear_spectrum.h"
#include "theory/deep_linear_stabilised.h"
#include "theory/deep_linear_step_error.h"
#include "theory/deep_linear_two_time.h"
#include "theory/deep_linear_window.h"

/* ---- what is recorded ---- */

/* A run and what it leaves. */
typedef struct {
    nnd_context *ctx;
    const nnd_deep_linear *p;
    bool part;         /* of several, which are judged together */
    bool looser;       /* the check of another */
    nnd_reals marks;   /* steps or, of an adaptive flow, times to record */
    double *time;      /* the same as `t` has them */
    size_t next;       /* recorded time that comes next: as many are sound */
    size_t done;       /* sound steps of one that has steps */
    nnd_curves curves; /* at recorded times; of a flow by a fixed method at every step */
    nnd_flow_account flow;
    nnd_frame *frame;    /* NULL: curves alone */
    nnd_two_time *pairs; /* NULL: not asked for */
    nnd_spectra *spectra;
} run;

static bool is_flow(const nnd_deep_linear *p) {
    return p->integrator == NND_GRADIENT_FLOW;
}

/* A flow whose step has an error of its own. */
static bool has_steps(const nnd_deep_linear *p) {
    return is_flow(p) && !nnd_deep_linear_adapts(p);
}

static nnd_status look(run *r, nnd_small *n, double time, bool recorded) {
    nnd_status status = NND_OK;
    if (recorded || has_steps(r->p))
        nnd_curves_add(&r->curves, n);
    else
        nnd_curves_note(&r->curves, n);
    if (recorded && r->pairs != NULL)
        status = nnd_two_time_add(r->pairs, n, r->next);
    if (status == NND_OK && r->frame != NULL)
        status = nnd_spectra_look(r->spectra, n, r->done, time, recorded ? r->next : SIZE_MAX);
    if (status == NND_OK && recorded)
        r->next++;
    return status;
}

static nnd_status look_at_step(void *data, nnd_small *n, size_t step) {
    run *r = data;
    double mark = (double)step;
    r->done = step;
    nnd_status status = nnd_progress_step(r->ctx, mark, (double)r->p->steps);
    return status != NND_OK ? status
                            : look(r, n, nnd_deep_linear_time(r->p, mark),
                                   r->next < r->marks.count && r->marks.value[r->next] == mark);
}

static nnd_status look_at_time(void *data, nnd_small *n, double tau, size_t mark) {
    run *r = data;
    nnd_status status = nnd_progress_step(r->ctx, (double)r->next, (double)r->marks.count);
    return status != NND_OK ? status : look(r, n, tau, mark != SIZE_MAX);
}

/* Room for the curves, and the recorded times. */
static nnd_status begin(run *r) {
    const nnd_deep_linear *p = r->p;
    nnd_status status = nnd_deep_linear_marks(r->ctx, p, &r->marks);
    if (status == NND_OK)
        status = nnd_curves_make(r->ctx, (size_t)p->depth,
                                 has_steps(p) ? (size_t)p->steps + 1 : r->marks.count, &r->curves);
    if (status != NND_OK)
        return status;
    r->time = calloc(r->marks.count, sizeof *r->time);
    if (r->time == NULL)
        return nnd_fail_memory(r->ctx, "the recorded times");
    for (size_t i = 0; i < r->marks.count; i++)
        r->time[i] = nnd_deep_linear_time(p, r->marks.value[i]);
    return NND_OK;
}

/* The run itself; NND_DIVERGED: stopped after r->done steps. */
static nnd_status go(run *r, nnd_small *n) {
    /* Where recorded times limit steps, those of the check are longer too. */
    double longest = r->looser ? 1.0 : 0.5;
    if (nnd_deep_linear_adapts(r->p))
        return nnd_small_flow(r->ctx, n, longest, r->marks.count, r->time, look_at_time, r,
                              &r->flow);
    return nnd_small_run(r->ctx, n, look_at_step, r, &r->done);
}

static void clear_run(run *r) {
    nnd_spectra_free(r->spectra);
    nnd_two_time_free(r->pairs);
    nnd_curves_clear(&r->curves);
    free(r->marks.value);
    free(r->time);
}

/* ---- the frame ---- */

static nnd_status add_time(const run *r, const char *name) {
    return nnd_frame_add_dim(r->frame, name, is_flow(r->p) ? NND_COORD_REAL : NND_COORD_INTEGER,
                             r->marks.count, r->time);
}

/* In the order of the columns of curves; the last two have one for each layer. */
static const char *const CURVES[] = {"test_risk",  "train_mse", "overlap",
                                     "beta_norm2", "g_norm2",   "h_norm2"};
enum { CURVE_NAMES = sizeof CURVES / sizeof *CURVES };

static nnd_status make_frame(run *r) {
    nnd_status status = nnd_frame_new(r->ctx, &r->frame);
    if (status == NND_OK)
        status = add_time(r, "t");
    if (status == NND_OK)
        status = nnd_frame_add_range(r->frame, "layer", (size_t)r->p->depth + 1, 0.0);
    for (int i = 0; i < CURVE_NAMES && status == NND_OK; i++)
        status = nnd_frame_add_variable(r->frame, &nnd_deep_linear_model, CURVES[i], NULL);
    if (status == NND_OK && r->p->two_time)
        status = add_time(r, "s");
    if (status == NND_OK && r->p->two_time)
        status = nnd_two_time_new(r->ctx, r->p, r->frame, &r->pairs);
    if (status == NND_OK)
        status = nnd_spectra_new(r->ctx, r->p, r->frame, &r->spectra);
    return status;
}

/* The sound recorded times from the table of curves. */
static void fill_curves(const run *r) {
    size_t layers = (size_t)r->p->depth + 1;
    for (size_t i = 0, column = 0; i < CURVE_NAMES; i++) {
        double *x = nnd_frame_find(r->frame, CURVES[i])->data;
        size_t width = i < NND_SCALAR_CURVES ? 1 : layers;
        for (size_t t = 0; t < r->next; t++)
            for (size_t l = 0; l < width; l++)
                x[t * width + l] = nnd_curves_at(
                    &r->curves, has_steps(r->p) ? (size_t)r->marks.value[t] : t, column + l);
        column += width;
    }
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

static nnd_status refuse_step(nnd_context *ctx, const nnd_deep_linear *p, double error) {
    static const char *const method[] = {
        [NND_EULER] = "euler", [NND_HEUN] = "heun", [NND_RK4] = "rk4"};
    double steps;
    bool enough;
    nnd_status status =
        nnd_deep_linear_steps_for(ctx, p, error, NND_CLAIMED_ERROR, &steps, &enough);
    if (status != NND_OK)
        return status;
    char what[96] = "are far too few";
    if (isfinite(error))
        nnd_format(what, sizeof what, "leave an error of %.2g of a curve's largest value, above %g",
                   error, NND_CLAIMED_ERROR);
    return nnd_fail(ctx, NND_E_UNSOLVED, "%lld steps of %s %s; %s%.0f would do",
                    (long long)p->steps, method[p->method], what, enough ? "" : "more than ",
                    steps);
}

/* Curves are refused if the step costs more than what is claimed, from a quarter of it on there is
 * a warning. A flow itself does not diverge: where the run does, its steps are too long. */
static nnd_status judge_step(const run *r, nnd_status ran) {
    double error = INFINITY;
    nnd_status status = NND_OK;
    if (!has_steps(r->p))
        return NND_OK;
    if (ran == NND_OK)
        status = nnd_deep_linear_step_error(r->ctx, r->p, &r->curves, &error);
    if (status == NND_OK && error > NND_CLAIMED_ERROR)
        return refuse_step(r->ctx, r->p, error);
    if (status == NND_OK && error > 0.25 * NND_CLAIMED_ERROR)
        nnd_log(r->ctx, NND_LOG_WARNING, "theory: steps: %lld leave an error of %.2g (step_error)",
                (long long)r->p->steps, error);
    return status == NND_OK ? nnd_frame_set_number(r->frame, NULL, "step_error", error) : status;
}

/* ---- what the march leaves out ---- */

/* More than rounding does to a run at once; where it grows, so does this. */
static const double ROUNDING = 1e-12;
/* The run's own part of the time it takes with a check: that has fewer coordinates. */
static const double RUN_OF_CHECKED = 0.6;

/* The time of the last of so many rows. */
static double end_of_rows(const run *r, size_t rows) {
    if (rows == 0)
        return -1.0;
    return has_steps(r->p) ? nnd_deep_linear_time(r->p, (double)rows - 1.0) : r->time[rows - 1];
}

/* What a looser tolerance, and a readout longer by what the run itself drops in all its layers,
 * make of the curves, relative to the largest value of each: more than the run's own tolerance
 * does. *until: the last time before it is too much, NaN if it never is. */
static nnd_status march_error(const run *r, double dropped, nnd_status ran, double *error,
                              double *until) {
    const double looser = 100.0, layers = (double)r->p->depth + 1.0;
    const double longer = ROUNDING + layers * r->p->tolerance * dropped;
    run other = {.ctx = r->ctx, .p = r->p, .looser = true};
    nnd_small n = {0};
    nnd_status status = begin(&other);
    if (status == NND_OK)
        status = nnd_small_make(r->ctx, r->p, looser * r->p->tolerance, nnd_small_stages(r->p), &n);
    nnd_progress_within(r->ctx, RUN_OF_CHECKED, 1.0);
    if (status == NND_OK) {
        nnd_conditioned_add(n.system, longer, n.readout, n.readout);
        status = go(&other, &n);
    }
    if (status >= NND_OK) {
        size_t sound = nnd_curves_agreeing(&r->curves, &other.curves, NND_CLAIMED_ERROR);
        *until = sound < r->curves.rows ? end_of_rows(r, sound) : NAN;
        bool ended = other.curves.rows < r->curves.rows; /* it diverged, and earlier */
        if (!ended)
            other.curves.rows = r->curves.rows;
        *error =
            ended && ran == NND_OK ? INFINITY : nnd_curves_difference(&r->curves, 1, &other.curves);
    }
    nnd_small_clear(&n);
    clear_run(&other);
    return status >= NND_OK ? NND_OK : status;
}

/* Coordinates of inputs, layers and samples. */
static nnd_status set_ranks(const run *r, const nnd_small *n) {
    char text[256] = "";
    size_t spaces = n->depth + (r->p->training == NND_TRAIN_FIXED ? 2 : 1), length = 0;
    for (size_t s = 0; s < spaces && length + 24 < sizeof text; s++)
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%zu", s > 0 ? ", " : "",
                                   nnd_conditioned_dim(n->system, n->space[s]));
    return nnd_frame_set_text(r->frame, NULL, "march_ranks", text);
}

static nnd_status account_flow(const run *r) {
    nnd_status status = nnd_frame_set_number(r->frame, NULL, "flow_steps", (double)r->flow.steps);
    return status == NND_OK && !isnan(r->flow.frozen)
               ? nnd_frame_set_number(r->frame, NULL, "frozen_at", r->flow.frozen)
               : status;
}

/* Curves that are not known well enough are not claimed after `until` (NaN: they are). */
static nnd_status judge_march(nnd_context *ctx, const nnd_deep_linear *p, double error,
                              double until, nnd_frame *frame) {
    char claimed[64] = "";
    if (until < 0.0)
        nnd_format(claimed, sizeof claimed, "; nothing is claimed");
    else if (!isnan(until))
        nnd_format(claimed, sizeof claimed, "; nothing is claimed after t = %g", until);
    if (error > 0.25 * NND_CLAIMED_ERROR)
        nnd_log(ctx, NND_LOG_WARNING,
                "theory: tolerance: %g leaves an error below %.2g (march_error)%s", p->tolerance,
                error, claimed);
    nnd_status status = nnd_claim_until(&nnd_deep_linear_model, frame, until, NND_INEXACT);
    return status == NND_OK ? nnd_frame_set_number(frame, NULL, "march_error", error) : status;
}

static nnd_status account(const run *r, const nnd_small *n, nnd_status ran) {
    double error, until, dropped = nnd_conditioned_dropped(n->system);
    nnd_status status = set_ranks(r, n);
    if (status == NND_OK && nnd_deep_linear_adapts(r->p))
        status = account_flow(r);
    if (status == NND_OK)
        status = nnd_frame_set_number(r->frame, NULL, "march_dropped", dropped);
    if (status != NND_OK || !r->p->check)
        return status;
    status = march_error(r, dropped, ran, &error, &until);
    if (status != NND_OK || r->part)
        return status == NND_OK ? nnd_frame_set_number(r->frame, NULL, "march_error", error)
                                : status;
    return judge_march(r->ctx, r->p, error, until, r->frame);
}

/* ---- all of it ---- */

static nnd_status complete(run *r, const nnd_small *n, nnd_status ran) {
    double beyond;
    fill_curves(r);
    nnd_status status = nnd_spectra_finish(r->spectra, &beyond);
    if (status == NND_OK)
        status = claim_until_edge(r->frame, beyond);
    if (status == NND_OK)
        status = nnd_frame_add_scalar(r->frame, NND_DIVERGED_AT,
                                      ran == NND_DIVERGED ? (double)r->done : NAN);
    if (status == NND_OK)
        status = judge_step(r, ran);
    return status == NND_OK ? account(r, n, ran) : status;
}

static nnd_status solve(run *r, nnd_frame **frame) {
    nnd_context *ctx = r->ctx;
    const nnd_deep_linear *p = r->p;
    nnd_small n = {0};
    nnd_status ran = NND_OK, status = begin(r);
    if (status == NND_OK)
        status = make_frame(r);
    if (status == NND_OK)
        status = nnd_small_make(ctx, p, p->tolerance, nnd_small_stages(p), &n);
    nnd_progress_within(ctx, 0.0, p->check ? RUN_OF_CHECKED : 1.0);
    if (status == NND_OK)
        status = ran = go(r, &n);
    if (status >= NND_OK)
        status = complete(r, &n, ran);
    nnd_small_clear(&n);
    clear_run(r);
    nnd_hand_over(status == NND_OK, r->frame, frame);
    return status == NND_OK ? ran : status;
}

static nnd_status solve_part(nnd_context *ctx, const void *params, nnd_frame **frame) {
    run r = {.ctx = ctx, .p = params, .part = true};
    return solve(&r, frame);
}

static nnd_status interpolate(nnd_context *ctx, const nnd_deep_linear *p, nnd_frame **frame) {
    nnd_frame *f = NULL;
    nnd_status status = nnd_deep_linear_interpolate(ctx, p, solve_part, &f);
    if (status == NND_OK && p->check) {
        double error = nnd_frame_find_attribute(f, NULL, "march_error")->number;
        status = judge_march(ctx, p, error, error > NND_CLAIMED_ERROR ? -1.0 : NAN, f);
    }
    nnd_hand_over(status == NND_OK, f, frame);
    return status;
}

nnd_status nnd_deep_linear_theory(nnd_context *ctx, const void *params, nnd_frame **frame) {
    run r = {.ctx = ctx, .p = params};
    return r.p->method == NND_INTERPOLATE ? interpolate(ctx, r.p, frame) : solve(&r, frame);
}

/* ---- cost ---- */

/* Of the gradient. Steps of an adaptive flow are such that their error, of third order, is the
 * tolerance, and few once all has been learned. */
static double evaluations(const nnd_deep_linear *p) {
    if (nnd_deep_linear_adapts(p))
        return 6.0 * fmin(p->time, 5.0) / cbrt(p->tolerance) + 100.0;
    return (double)p->steps * (double)nnd_small_stages(p);
}

/* An estimate from above of the top mode of the NTK at the start. */
static double top_mode(const nnd_deep_linear *p) {
    double s = 1.0 / sqrt(p->alpha), modes = 1.0;
    for (size_t l = 0; l <= (size_t)p->depth; l++)
        modes *= fmax(1.0, nnd_deep_linear_sigma(p, l));
    return ((double)p->depth + 1.0) * modes * (1.0 + s) * (1.0 + s);
}

/* Of a long run at the edge of stability: with so many coordinates, two a step, its time forbids
 * it, and memory is looked at as it grows. */
static const double MOST_EDGE_STEPS = 2000.0;

/* Coordinates of the inputs at the end, roughly: fields of descent span Krylov spaces, which grow
 * like the root of time until the slowest mode has been learned, momentum forgotten, or for ever
 * where what is learned comes near the edge of stability; by two at most a step, which they do
 * beyond the edge, unless they soon diverge. Measured for depths 1 to 6. */
static double coordinates(const nnd_deep_linear *p) {
    double steps = evaluations(p), digits = -log(p->tolerance), memory = 1.0 - p->momentum;
    if (p->training == NND_TRAIN_FRESH)
        return 2.0 * (nnd_small_compresses(p)
                          ? fmin(steps, 2.0 * (double)nnd_small_window_length(p))
                          : steps) +
               2.0;
    double s = 1.0 / sqrt(p->alpha), top = top_mode(p);
    double time = is_flow(p) ? p->time : p->lr * (double)p->steps / memory;
    double edge = is_flow(p) ? 0.0 : p->lr * top / (2.0 * (1.0 + p->momentum));
    bool near = edge > 0.5 && edge < 2.0;
    if (near && edge > 0.9)
        return 2.0 * fmin(steps + 1.0, MOST_EDGE_STEPS) + 2.0;
    double young = 1.6 * sqrt(time * top * digits);
    double old = near ? INFINITY : digits * 1.1 * (1.0 + s) / fmax(fabs(1.0 - s), 1e-12);
    double deep = ((double)p->depth + 1.0) * (near ? 0.6 : nnd_deep_linear_adapts(p) ? 0.5 : 0.375);
    return 2.0 * fmin(steps + 1.0, deep * (fmin(young, old) + digits / memory)) + 2.0;
}

/* Arrays of the shape of a matrix, over all of them: M, K and both N of each, of which one side is
 * smaller, a velocity, and what an adaptive flow keeps. */
static double arrays(const nnd_deep_linear *p) {
    double beside = p->momentum > 0.0 ? 1.0 : 0.0;
    if (nnd_deep_linear_adapts(p))
        beside = NND_FLOW_KEPT;
    return 3.0 * ((double)p->depth + 1.0) + beside * (double)p->depth;
}

/* Of the run of method: interpolate with the most steps, and all of them; results are kept of each.
 */
static nnd_status interpolated_cost(nnd_context *ctx, const nnd_deep_linear *p, nnd_cost *cost) {
    const double results = 7.0;
    double all;
    nnd_deep_linear longest = nnd_deep_linear_longest_node(p, &all);
    nnd_status status = nnd_deep_linear_theory_cost(ctx, &longest, cost);
    cost->flops *= all;
    cost->bytes += results * cost->results;
    return status;
}

nnd_status nnd_deep_linear_theory_cost(nnd_context *ctx, const void *params, nnd_cost *cost) {
    const nnd_deep_linear *p = params;
    if (p->method == NND_INTERPOLATE)
        return interpolated_cost(ctx, p, cost);
    double times = nnd_deep_linear_most_marks(p);
    double layers = (double)p->depth + 1.0, numbers = 4.0 + 2.0 * layers, n = coordinates(p);
    double queries = evaluations(p) + 1.0, steps = queries / (double)nnd_small_stages(p);
    if (p->spectrum || p->ntk)
        numbers += 3.0 * (layers + 2.0) * (double)p->outliers;
    if (p->two_time)
        numbers += (2.0 * layers + 2.0) * times;
    cost->results = numbers * times * sizeof(double);
    /* The answers take five passes over an array. The run of the check is somewhat smaller, that
     * of half the steps of a flow has half of it; the run itself is kept beside. */
    double matrix = 0.6 * n * n, repeated = (p->check ? 1.7 : 1.0) + (has_steps(p) ? 0.5 : 0.0);
    const double growth = 1.4; /* rooms are larger by up to half on each side */
    cost->bytes =
        (p->check || has_steps(p) ? 1.5 : 1.0) * growth * arrays(p) * matrix * sizeof(double);
    if (p->two_time)
        cost->bytes += times * (2.0 * layers + 2.0) * n * sizeof(double);
    if (has_steps(p))
        cost->bytes += 2.0 * (4.0 + 2.0 * layers) * (double)p->steps * sizeof(double);
    double work = repeated * queries * layers * 5.0 * matrix * (n < 2.0 * queries ? 0.7 : 1.0);
    cost->flops = 2.0 * (work + nnd_spectra_work(p, n, times, steps));
    if (p->spectrum || p->ntk)
        cost->bytes += layers * 6.0 * matrix * sizeof(double);
    return NND_OK;
}
