/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Theory of linear students of random features: losses at the recorded times, what they consist of,
 * and constants. */
#include "theory/models.h"

#include <math.h>
#include <stdlib.h>

#include "core/companion.h"
#include "core/feature_spectrum.h"
#include "core/hand_over.h"
#include "theory/claims.h"
#include "theory/scaling_laws_claims.h"
#include "theory/scaling_laws_frontier.h"
#include "theory/shortfall.h"

/* A contour error that a result may have, relative to the loss, or that at the start if larger. */
static const double ACCEPTED = 1e-6;

/* ---- variables over time ---- */

enum {
    TEST_MSE,
    TRAIN_MSE,
    TEST_RISK,
    SAME_PROJECTION,
    SAME_DATA,
    INDEPENDENT,
    BIAS,
    VAR_DATA,
    VAR_PROJECTION,
    VAR_JOINT,
    ENSEMBLE_RISK,
    LOSSES
};

static const char *const NAME[LOSSES] = {
    [TEST_MSE] = "test_mse",
    [TRAIN_MSE] = "train_mse",
    [TEST_RISK] = "test_risk",
    [SAME_PROJECTION] = "same_projection",
    [SAME_DATA] = "same_data",
    [INDEPENDENT] = "independent",
    [BIAS] = "bias",
    [VAR_DATA] = "var_data",
    [VAR_PROJECTION] = "var_projection",
    [VAR_JOINT] = "var_joint",
    [ENSEMBLE_RISK] = "ensemble_risk",
};

typedef struct {
    nnd_context *ctx;
    nnd_scaling_problem problem;
    nnd_frame *frame;
    size_t times; /* 0: scalars */
    double *value[LOSSES], *least[LOSSES];
    bool said[LOSSES][4]; /* reasons that were given */
} task;

static const char *const REASON[] = {NND_UNRESOLVED, NND_SMALLEST_EIGENVALUE, NND_HEAVY_TAILS,
                                     NND_SHARED_ORDER};
enum { UNRESOLVED, SMALLEST, TAILS, SHARED, REASONS, NO_REASON = REASONS };

static bool is_absent(const task *x, int v) {
    return v == TRAIN_MSE && x->problem.params->training == NND_SCALING_ONE_PASS;
}

static nnd_status add_variable(task *x, int v) {
    const nnd_model *model = &nnd_scaling_laws_model;
    char name[NND_COMPANION_SIZE];
    nnd_status status = nnd_frame_add_variable(x->frame, model, NAME[v], &x->value[v]);
    (void)nnd_companion_name(NAME[v], NND_MIN_SIZE, sizeof name, name);
    if (status == NND_OK)
        status = nnd_frame_add_variable(x->frame, model, name, &x->least[v]);
    return status == NND_OK ? nnd_frame_set_text(x->frame, name, NND_CORRECTION, "1/size") : status;
}

/* A mean of E_A x E_D students: pairs that share both, one of the two, or nothing. */
static double ensemble_risk(const nnd_scaling_ensemble *e, const double *v) {
    double a = (double)e->projections, d = (double)e->data, sum = v[TEST_RISK];
    if (d > 1.0)
        sum += (d - 1.0) * v[SAME_PROJECTION];
    if (a > 1.0) /* not of a single one, where it may be infinite */
        sum += (a - 1.0) * v[SAME_DATA];
    return (sum + (a - 1.0) * (d - 1.0) * v[INDEPENDENT]) / (a * d);
}

static void split(const task *x, const nnd_feature_losses *o, double *v) {
    v[TEST_MSE] = o->value[NND_FEATURES_TEST];
    v[TRAIN_MSE] = o->value[NND_FEATURES_TRAIN];
    v[TEST_RISK] = v[TEST_MSE] - x->problem.features.label_noise;
    v[SAME_PROJECTION] = o->value[NND_FEATURES_PROJECTION];
    v[SAME_DATA] = o->value[NND_FEATURES_DATA];
    v[INDEPENDENT] = v[BIAS] = o->value[NND_FEATURES_NEITHER];
    v[VAR_DATA] = v[SAME_DATA] - v[BIAS];
    v[VAR_PROJECTION] = v[SAME_PROJECTION] - v[BIAS];
    v[VAR_JOINT] = v[TEST_RISK] - v[BIAS] - v[VAR_DATA] - v[VAR_PROJECTION];
    if (isinf(v[TEST_RISK]))
        v[VAR_JOINT] = INFINITY;
    v[ENSEMBLE_RISK] = ensemble_risk(&x->problem.params->ensemble, v);
}

static bool needs_shared_batches(const task *x, int v) {
    return v == SAME_DATA || v == VAR_DATA || v == VAR_JOINT ||
           (v == ENSEMBLE_RISK && x->problem.params->ensemble.projections > 1);
}

/* Why a value is not claimed at any size. */
static int objection(const task *x, const nnd_scaling_claims *c, int v, const double *values,
                     double error) {
    const double resolved = 10.0, nearly = 1e-3;
    const nnd_scaling_problem *p = &x->problem;
    double start = values[LOSSES];
    if (!(fabs(values[v]) > resolved * error))
        return UNRESOLVED;
    if (nnd_scaling_vanishes(p, v == TRAIN_MSE) && fabs(values[v]) < nearly * start)
        return SMALLEST;
    if (c->heavy_tails)
        return TAILS;
    if (needs_shared_batches(x, v) && nnd_scaling_lacks_shared_terms(p))
        return SHARED;
    return NO_REASON;
}

/* Differences have the errors of all they are made of: S_D - S_0, S_A - S_0, and of all four. */
static double error_of(int v, double of_loss) {
    if (v == VAR_JOINT)
        return 4.0 * of_loss;
    return v == VAR_DATA || v == VAR_PROJECTION ? 2.0 * of_loss : of_loss;
}

/* Values of one time, and the sizes from which they are claimed. What is not resolved is 0: it
 * would else be negative as often as not. */
static void put_losses(task *x, size_t at, double ridge, double start,
                       const nnd_feature_losses *o) {
    nnd_scaling_claims c = nnd_scaling_claims_at(&x->problem, ridge);
    double v[LOSSES + 1];
    split(x, o, v);
    v[LOSSES] = start;
    for (int i = 0; i < LOSSES; i++) {
        if (is_absent(x, i))
            continue;
        double of = i == TRAIN_MSE ? v[TRAIN_MSE] : v[TEST_RISK];
        double error = error_of(i, o->error);
        int why = objection(x, &c, i, v, error);
        x->value[i][at] = fabs(v[i]) > error || isnan(v[i]) ? v[i] : fmax(v[i], 0.0);
        x->least[i][at] = why == NO_REASON ? nnd_scaling_claim(c.correction * of, v[i]) : INFINITY;
        if (why != NO_REASON && !isnan(v[i]))
            x->said[i][why] = true;
    }
}

static nnd_status put_reasons(const task *x) {
    nnd_status status = NND_OK;
    for (int v = 0; v < LOSSES; v++)
        for (int r = 0; status == NND_OK && r < REASONS; r++)
            if (x->said[v][r])
                status = nnd_claim_reason(x->frame, NAME[v], REASON[r]);
    return status;
}

static nnd_status add_losses(task *x) {
    nnd_status status = NND_OK;
    for (int v = 0; status == NND_OK && v < LOSSES; v++)
        if (!is_absent(x, v))
            status = add_variable(x, v);
    return status;
}

/* ---- constants ---- */

static nnd_status put_number(const task *x, const char *name, double value) {
    return nnd_frame_add_number(x->frame, &nnd_scaling_laws_model, name, value);
}

static nnd_status add_end(const task *x) {
    const nnd_features *f = &x->problem.features;
    nnd_feature_losses end;
    nnd_status status = nnd_feature_ridge(x->ctx, f, 0.0, &end);
    double kappa = nnd_kappa(&f->modes, fmin(f->samples, f->width), 0.0, 0.0);
    if (status == NND_OK)
        status = put_number(x, "kappa0", kappa);
    return status == NND_OK ? put_number(x, "test_mse_inf", end.value[NND_FEATURES_TEST]) : status;
}

static nnd_status add_constants(const task *x) {
    nnd_scaling_stability s;
    nnd_status status = nnd_scaling_stability_find(x->ctx, &x->problem, &s);
    if (status == NND_OK)
        status = add_end(x);
    if (status == NND_OK)
        status = put_number(x, "top_eigenvalue", s.edge);
    if (status != NND_OK || x->problem.how.lr == 0.0)
        return status;
    status = put_number(x, "stability", s.stability);
    if (status == NND_OK)
        status = put_number(x, "stability_edge", s.limit);
    if (status == NND_OK && x->problem.how.batch > 0.0)
        status = put_number(x, "plateau", s.plateau.test);
    return status;
}

/* ---- ridge regression ---- */

static nnd_status solve_ridge(task *x) {
    nnd_feature_losses o;
    double ridge = x->problem.params->ridge;
    nnd_status status = nnd_feature_ridge(x->ctx, &x->problem.features, ridge, &o);
    if (status == NND_OK)
        status = add_losses(x);
    if (status == NND_OK)
        put_losses(x, 0, ridge, 0.0, &o);
    return status;
}

/* ---- training ---- */

/* d log y/d log t at point i of three: of the parabola through them. */
static double slope_at(const double *t, const double *y, size_t i) {
    double x0 = log(t[0]), x1 = log(t[1]), x2 = log(t[2]);
    double first = (log(y[1]) - log(y[0])) / (x1 - x0),
           second = (log(y[2]) - log(y[1])) / (x2 - x1);
    double bend = (second - first) / (x2 - x0), x = log(t[i]);
    return first + bend * (2.0 * x - x0 - x1);
}

/* NaN where times are too few, and where the risk is not resolved. */
static nnd_status add_exponent(const task *x, const double *time, const nnd_feature_losses *o) {
    const double *risk = x->value[TEST_RISK];
    double *exponent;
    size_t first = time[0] == 0.0 ? 1 : 0;
    nnd_status status =
        nnd_frame_add_variable(x->frame, &nnd_scaling_laws_model, "exponent", &exponent);
    for (size_t t = first; status == NND_OK && x->times >= first + 3 && t < x->times; t++) {
        size_t from = t == first ? t : t + 1 == x->times ? t - 2 : t - 1;
        double least = fmin(risk[from], fmin(risk[from + 1], risk[from + 2]));
        if (least > o[t].error)
            exponent[t] = slope_at(time + from, risk + from, t - from);
    }
    return status;
}

/* C = N t of each student. */
static nnd_status add_compute(const task *x, const double *time) {
    const nnd_scaling_ensemble *e = &x->problem.params->ensemble;
    double students = (double)e->projections * (double)e->data, *compute = NULL;
    double width = x->problem.features.width;
    if (isinf(width))
        return NND_OK;
    nnd_status status =
        nnd_frame_add_variable(x->frame, &nnd_scaling_laws_model, "compute_used", &compute);
    for (size_t t = 0; status == NND_OK && t < x->times; t++)
        compute[t] = students * width * time[t];
    return status;
}

static nnd_status add_error(const task *x, const nnd_feature_losses *o, double start) {
    double largest = 0.0, relative = 0.0;
    for (size_t t = 0; t < x->times; t++) {
        largest = fmax(largest, o[t].error);
        relative = fmax(relative, o[t].error / fmax(start, o[t].value[NND_FEATURES_TEST]));
    }
    nnd_status status = put_number(x, "contour_error", largest);
    if (status != NND_OK || relative <= ACCEPTED)
        return status;
    status = nnd_shortfall_set(x->frame,
                               "contours of %lld nodes are off by %.2g of the loss (usable: %.2g); "
                               "raise params.nodes",
                               (long long)x->problem.params->nodes, relative, ACCEPTED);
    return status == NND_OK ? NND_NOT_CONVERGED : status;
}

/* Time of gradient flow to which a step of descent comes. */
static double pace(const nnd_feature_training *how) {
    return how->lr == 0.0 ? 1.0 : how->lr / (1.0 - how->momentum);
}

static nnd_status solve_times(task *x) {
    nnd_reals t = {0};
    nnd_feature_losses *o = NULL, start = {0};
    const double zero = 0.0;
    bool steps = x->problem.how.lr > 0.0;
    nnd_status status = nnd_scaling_laws_times(x->ctx, x->problem.params, &t);
    x->times = t.count;
    if (status == NND_OK) {
        o = calloc(t.count, sizeof *o);
        status = o != NULL
                     ? nnd_frame_add_dim(x->frame, "t", steps ? NND_COORD_INTEGER : NND_COORD_REAL,
                                         t.count, t.value)
                     : nnd_fail_memory(x->ctx, "losses");
    }
    if (status == NND_OK)
        status = nnd_scaling_losses(x->ctx, &x->problem, t.count, t.value, o);
    if (status == NND_OK)
        status = nnd_scaling_losses(x->ctx, &x->problem, 1, &zero, &start);
    if (status == NND_OK)
        status = add_losses(x);
    for (size_t i = 0; status == NND_OK && i < t.count; i++)
        put_losses(x, i, 1.0 / (pace(&x->problem.how) * t.value[i]), start.value[NND_FEATURES_TEST],
                   &o[i]);
    if (status == NND_OK)
        status = add_exponent(x, t.value, o);
    if (status == NND_OK)
        status = add_compute(x, t.value);
    if (status == NND_OK)
        status = add_error(x, o, start.value[NND_FEATURES_TEST]);
    free(t.value);
    free(o);
    return status;
}

/* ---- the model ---- */

nnd_status nnd_scaling_laws_theory(nnd_context *ctx, const void *params, nnd_frame **frame) {
    task x = {.ctx = ctx};
    nnd_status status = nnd_scaling_problem_make(ctx, params, &x.problem), solved = NND_OK;
    if (status == NND_OK)
        status = nnd_frame_new(ctx, &x.frame);
    if (status == NND_OK)
        status = add_constants(&x);
    if (status == NND_OK)
        status = solved =
            nnd_scaling_laws_is_timed(x.problem.params) ? solve_times(&x) : solve_ridge(&x);
    if (status >= NND_OK)
        status = put_reasons(&x);
    if (status == NND_OK && !isnan(x.problem.params->frontier.from))
        status = nnd_scaling_frontier_add(ctx, &x.problem, x.frame);
    nnd_hand_over(status >= NND_OK, x.frame, frame);
    nnd_scaling_problem_clear(&x.problem);
    return status == NND_OK ? solved : status;
}

/* Of the widths of a frontier, worked on side by side. */
static void add_frontier_cost(const nnd_scaling_problem *x, const nnd_reals *t, nnd_cost *cost) {
    const nnd_scaling_frontier *f = &x->params->frontier;
    double budgets = (double)nnd_scaling_frontier_budgets(x->params), bytes, flops;
    if (isnan(f->from))
        return;
    nnd_feature_training how = x->how;
    how.alone = true;
    nnd_feature_cost(&x->features, &how, t->count, t->value, &bytes, &flops);
    cost->threads = (double)f->widths;
    cost->flops += (double)f->widths * flops * fmax(1.0, 2.0 * budgets / (double)t->count);
    cost->bytes += (double)f->widths * bytes;
    cost->results += 6.0 * budgets * sizeof(double);
}

nnd_status nnd_scaling_laws_theory_cost(nnd_context *ctx, const void *params, nnd_cost *cost) {
    nnd_scaling_problem x;
    nnd_reals t = {0};
    *cost = (nnd_cost){0};
    nnd_status status = nnd_scaling_problem_make(ctx, params, &x);
    if (status == NND_OK && nnd_scaling_laws_is_timed(x.params))
        status = nnd_scaling_laws_times(ctx, x.params, &t);
    if (status == NND_OK) {
        nnd_feature_cost(&x.features, &x.how, t.count, t.value, &cost->bytes, &cost->flops);
        cost->results = (double)(2 * LOSSES + 2) * fmax(1.0, (double)t.count) * sizeof(double);
    }
    if (status == NND_OK && t.count > 0)
        add_frontier_cost(&x, &t, cost);
    if (status == NND_OK && nnd_scaling_laws_has_data(x.params)) {
        double bytes, flops;
        nnd_feature_spectrum_cost(&x.params->data, &bytes, &flops);
        cost->bytes = fmax(cost->bytes, bytes);
        cost->flops += flops;
    }
    free(t.value);
    nnd_scaling_problem_clear(&x);
    return status;
}
