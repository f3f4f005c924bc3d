/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/scaling_laws_frontier.h"

#include <math.h>
#include <stdlib.h>

/* Budgets that are tried where none are given. */
enum { BUDGETS = 100 };

/* Risks of all widths at all budgets: log L(N_j, C_i/N_j), NaN where it is not known. */
typedef struct {
    const nnd_scaling_problem *problem;
    size_t widths, budgets;
    double *width;   /* ascending, whole numbers */
    double *compute; /* ascending */
    double *risk;    /* widths x budgets, logarithms */
} table;

/* The minimum of one budget. */
typedef struct {
    double width, risk; /* logarithms; NaN: not between the widths */
} optimum;

size_t nnd_scaling_frontier_budgets(const nnd_scaling_laws *p) {
    return p->frontier.compute.count > 0 ? p->frontier.compute.count : BUDGETS;
}

/* ---- the table ---- */

static void table_clear(table *x) {
    free(x->width);
    free(x->compute);
    free(x->risk);
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* From the first step (or a hundredth of the time) of the narrowest to the end of the widest. */
static void set_budgets(const nnd_scaling_laws *p, table *x) {
    const nnd_reals *given = &p->frontier.compute;
    if (given->count > 0) {
        for (size_t i = 0; i < given->count; i++)
            x->compute[i] = given->value[i];
        qsort(x->compute, given->count, sizeof *x->compute, ascending);
        x->budgets = 1;
        for (size_t i = 1; i < given->count; i++)
            if (x->compute[i] > x->compute[x->budgets - 1])
                x->compute[x->budgets++] = x->compute[i];
        return;
    }
    bool flow = p->training == NND_SCALING_FLOW;
    double last = flow ? p->time : (double)p->steps, first = flow ? 0.01 * fmin(last, 1.0) : 1.0;
    double low = x->width[0] * first, high = x->width[x->widths - 1] * last;
    for (size_t i = 0; i < x->budgets; i++)
        x->compute[i] = low * pow(high / low, (double)i / (double)(x->budgets - 1));
}

static nnd_status table_make(nnd_context *ctx, const nnd_scaling_problem *problem, table *x) {
    const nnd_scaling_laws *p = problem->params;
    *x = (table){.problem = problem, .budgets = nnd_scaling_frontier_budgets(p)};
    x->width = calloc((size_t)p->frontier.widths, sizeof *x->width);
    x->compute = calloc(x->budgets, sizeof *x->compute);
    x->risk = calloc((size_t)p->frontier.widths * x->budgets, sizeof *x->risk);
    if (x->width == NULL || x->compute == NULL || x->risk == NULL)
        return nnd_fail_memory(ctx, "the frontier");
    x->widths = nnd_scaling_frontier_widths(&p->frontier, x->width);
    set_budgets(p, x);
    return NND_OK;
}

/* ---- losses of one width ---- */

/* Times of a width at the budgets: as they are, or the steps before and after. */
typedef struct {
    size_t count;
    double *time;
    nnd_feature_losses *losses;
} curve;

/* log of the risk, NaN where it is not above its error. */
static double log_risk(const nnd_scaling_problem *problem, const nnd_feature_losses *o) {
    double risk = o->value[NND_FEATURES_TEST] - problem->features.label_noise;
    return risk > o->error ? log(risk) : NAN;
}

/* Between two steps: linear in the logarithms. */
static double between(const nnd_scaling_problem *problem, const curve *c, size_t i, double t) {
    double low = log_risk(problem, &c->losses[2 * i]);
    double high = log_risk(problem, &c->losses[2 * i + 1]);
    double first = c->time[2 * i], last = c->time[2 * i + 1];
    if (first == last)
        return low;
    return first == 0.0 ? NAN : low + (high - low) * log(t / first) / log(last / first);
}

static nnd_status solve_curve(nnd_context *ctx, const nnd_scaling_problem *problem, table *x,
                              size_t j, curve *c) {
    bool steps = problem->how.lr > 0.0;
    for (size_t i = 0; i < x->budgets; i++) {
        double t = x->compute[i] / x->width[j];
        c->time[2 * i] = steps ? floor(t) : t;
        c->time[2 * i + 1] = steps ? ceil(t) : t;
    }
    nnd_status status = nnd_scaling_losses(ctx, problem, c->count, c->time, c->losses);
    for (size_t i = 0; status == NND_OK && i < x->budgets; i++)
        x->risk[j * x->budgets + i] = between(problem, c, i, x->compute[i] / x->width[j]);
    return status;
}

static nnd_status solve_width(nnd_context *ctx, size_t j, void *data) {
    table *x = data;
    nnd_scaling_problem problem = *x->problem;
    nnd_scaling_stability stability;
    problem.features.width = x->width[j];
    problem.how.alone = true;
    curve c = {.count = 2 * x->budgets};
    c.time = calloc(c.count, sizeof *c.time);
    c.losses = calloc(c.count, sizeof *c.losses);
    nnd_status status =
        c.time != NULL && c.losses != NULL ? NND_OK : nnd_fail_memory(ctx, "the frontier");
    if (status == NND_OK)
        status = nnd_scaling_stability_find(ctx, &problem, &stability);
    if (status == NND_OK)
        status = solve_curve(ctx, &problem, x, j, &c);
    free(c.time);
    free(c.losses);
    return status;
}

/* ---- minima ---- */

/* The quartic through five points. */
static double polynomial(const double *x, const double *y, double at) {
    double sum = 0.0;
    for (int j = 0; j < 5; j++) {
        double term = y[j];
        for (int k = 0; k < 5; k++)
            if (k != j)
                term *= (at - x[k]) / (x[j] - x[k]);
        sum += term;
    }
    return sum;
}

/* Its minimum between the neighbours of the least point, the middle one, by golden section. */
static optimum minimum_of_five(const double *x, const double *y) {
    const double ratio = 0.6180339887498949, precision = 1e-9;
    double low = x[1], high = x[3];
    double a = high - ratio * (high - low), b = low + ratio * (high - low);
    while (high - low > precision) {
        if (polynomial(x, y, a) < polynomial(x, y, b))
            high = b;
        else
            low = a;
        a = high - ratio * (high - low);
        b = low + ratio * (high - low);
    }
    double at = 0.5 * (low + high);
    return (optimum){at, polynomial(x, y, at)};
}

/* Of budget i, from every `stride`-th width. */
static optimum minimum_at(const table *x, size_t i, size_t stride) {
    size_t best = 0, count = (x->widths - 1) / stride + 1;
    for (size_t j = 0; j < count; j++) {
        double risk = x->risk[j * stride * x->budgets + i];
        double least = x->risk[best * stride * x->budgets + i];
        if (isnan(least) || risk < least)
            best = j;
    }
    if (best < 2 || best + 2 >= count)
        return (optimum){NAN, NAN};
    double at[5], risk[5];
    for (size_t k = 0; k < 5; k++) {
        size_t j = (best + k - 2) * stride;
        at[k] = log(x->width[j]);
        risk[k] = x->risk[j * x->budgets + i];
        if (isnan(risk[k]))
            return (optimum){NAN, NAN};
    }
    return minimum_of_five(at, risk);
}

/* d value/d log C at budget i: of the parabola through it and its neighbours. */
static double exponent_at(const table *x, const double *value, size_t i) {
    if (i == 0 || i + 1 >= x->budgets)
        return NAN;
    double before = log(x->compute[i] / x->compute[i - 1]);
    double after = log(x->compute[i + 1] / x->compute[i]);
    double first = (value[i] - value[i - 1]) / before, second = (value[i + 1] - value[i]) / after;
    return (first * after + second * before) / (before + after);
}

/* ---- into the frame ---- */

enum { WIDTH, RISK, TIME, WIDTH_EXPONENT, RISK_EXPONENT, VARIABLES };
static const char *const NAME[VARIABLES] = {"optimal_width", "optimal_risk", "optimal_time",
                                            "optimal_width_exponent", "optimal_risk_exponent"};

/* Logarithms of the optima of every `stride`-th width, and their exponents. */
static void find_optima(const table *x, size_t stride, double *const *value) {
    for (size_t i = 0; i < x->budgets; i++) {
        optimum o = minimum_at(x, i, stride);
        value[WIDTH][i] = o.width;
        value[RISK][i] = o.risk;
    }
    for (size_t i = 0; i < x->budgets; i++) {
        value[WIDTH_EXPONENT][i] = exponent_at(x, value[WIDTH], i);
        value[RISK_EXPONENT][i] = exponent_at(x, value[RISK], i);
    }
}

static double largest_change(size_t count, const double *a, const double *b) {
    double largest = NAN;
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(a[i] - b[i]));
    return largest;
}

/* Errors of the exponents. */
static nnd_status add_errors(const table *x, double *const *value, nnd_frame *frame) {
    double *coarse = calloc(VARIABLES * x->budgets, sizeof *coarse), *part[VARIABLES];
    if (coarse == NULL)
        return nnd_fail_memory(nnd_frame_context(frame), "the frontier");
    for (size_t v = 0; v < VARIABLES; v++)
        part[v] = coarse + v * x->budgets;
    find_optima(x, 2, part);
    nnd_status status = NND_OK;
    for (size_t v = WIDTH_EXPONENT; status == NND_OK && v <= RISK_EXPONENT; v++)
        status = nnd_frame_set_number(frame, NAME[v], "error",
                                      largest_change(x->budgets, value[v], part[v]));
    free(coarse);
    return status;
}

static nnd_status put_optima(const table *x, nnd_frame *frame) {
    double *value[VARIABLES];
    nnd_status status = nnd_frame_add_dim(frame, "compute", NND_COORD_REAL, x->budgets, x->compute);
    for (size_t v = 0; status == NND_OK && v < VARIABLES; v++)
        status = nnd_frame_add_variable(frame, &nnd_scaling_laws_model, NAME[v], &value[v]);
    if (status != NND_OK)
        return status;
    find_optima(x, 1, value);
    status = add_errors(x, value, frame);
    for (size_t i = 0; i < x->budgets; i++) {
        value[WIDTH][i] = exp(value[WIDTH][i]);
        value[RISK][i] = exp(value[RISK][i]);
        value[TIME][i] = x->compute[i] / value[WIDTH][i];
    }
    return status;
}

/* Risks of the width that the parameters have, if it is finite, beside those of the best ones. */
static nnd_status put_own(nnd_context *ctx, const table *x, nnd_frame *frame) {
    double width = x->problem->features.width, *risk = NULL;
    if (isinf(width))
        return NND_OK;
    nnd_status status =
        nnd_frame_add_variable(frame, &nnd_scaling_laws_model, "risk_at_compute", &risk);
    table own = {x->problem, 1, x->budgets, &width, x->compute, risk};
    if (status == NND_OK)
        status = solve_width(ctx, 0, &own);
    for (size_t i = 0; status == NND_OK && i < x->budgets; i++)
        risk[i] = exp(risk[i]);
    return status;
}

nnd_status nnd_scaling_frontier_add(nnd_context *ctx, const nnd_scaling_problem *problem,
                                    nnd_frame *frame) {
    table x;
    nnd_status status = table_make(ctx, problem, &x);
    int workers = nnd_context_threads(ctx);
    if (status == NND_OK)
        status = nnd_parallel(ctx, workers, x.widths, solve_width, &x);
    if (status == NND_OK)
        status = put_optima(&x, frame);
    if (status == NND_OK)
        status = put_own(ctx, &x, frame);
    table_clear(&x);
    return status;
}
