/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/solvers/early_stopping.h"

#include <complex.h>
#include <gsl/gsl_sf_gamma.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/divergence.h"
#include "core/largest.h"
#include "nndmft/solvers/ode.h"
#include "solvers/cmplx.h"

enum { FEWEST_NODES = 32, MOST_NODES = 2048 };

static const double WANTED = 1e-9, ACCEPTED = 1e-6;
/* 1 - z phi below which the flow has come to its end, phi = 1/z; and steps after which it is given
 * up: explicit, hence some three to a characteristic time of the fastest mode. */
static const double AT_END = 1e-10;
enum { MOST_STEPS = 40000 };

/* The trapezoidal rule errs by what lies between its ellipse and the next obstacle, inwards the
 * spectrum, outwards where phi has grown by e^GROWTH; FARTHEST half widths away it may end too. */
static const double GROWTH = 8.0, FARTHEST = 4.0;

double nnd_white_growth(double scale, double q) {
    return 2.0 * q / (sqrt(scale * scale + 4.0 * q) + scale);
}

/* While beta is small, |beta| sin(theta)^L is conserved (theta: angle to X^T y) and theta decreases
 * at the rate |beta|^(1 - 2/L). Started at 90 degrees the time to grow is that of a start along
 * X^T y shorter by this factor. The integral of sin^(L-3) over a quarter turn is
 * sqrt(pi) Gamma(L/2 - 1)/(2 Gamma((L - 1)/2)). */
double nnd_random_start_factor(size_t depth) {
    if (depth == 2)
        return 0.25;
    double l = (double)depth;
    double turn =
        0.5 * sqrt(M_PI) * exp(gsl_sf_lngamma(0.5 * l - 1.0) - gsl_sf_lngamma(0.5 * (l - 1.0)));
    return pow((l - 2.0) * turn, -l / (l - 2.0));
}

/* ---- phi at the nodes ---- */

/* (1 - e^(-zt))/z and its limit t. */
static double complex flow_phi(double complex z, double t) {
    double complex x = z * t;
    if (cabs(x) < 1e-3)
        return t * (1.0 - x / 2.0 * (1.0 - x / 3.0 * (1.0 - x / 4.0 * (1.0 - x / 5.0))));
    return (1.0 - cexp(-x)) / z;
}

/* sum_k<n lr (1 - lr z)^k = (1 - (1 - lr z)^n)/z by repeated doubling, exact also at z = 0. */
static double complex descent_phi(double complex z, double lr, double steps) {
    double complex sum = 0.0, power = 1.0, block = lr, factor = 1.0 - lr * z;
    for (uint64_t n = (uint64_t)steps; n > 0; n >>= 1) {
        if (n & 1) {
            sum += power * block;
            power *= factor;
        }
        block += factor * block;
        factor *= factor;
    }
    return sum;
}

/* The system alignment.md#eq10: dphi/dt = p (1 - z phi) + q phi at every node. */
typedef struct {
    const nnd_spectral_rule *rule;
    const nnd_learning *learning;
    double complex *value; /* scratch */
} network;

/* a b without the search for infinities that C asks of the operator, several times the work. */
static double complex multiply(double complex a, double complex b) {
    return CMPLX(creal(a) * creal(b) - cimag(a) * cimag(b),
                 creal(a) * cimag(b) + cimag(a) * creal(b));
}

/* 1 - z phi */
static double complex rest(double complex z, double complex phi) {
    return 1.0 - multiply(z, phi);
}

static double speed(const network *n, double q) {
    if (n->learning->kind == NND_LEARN_WHITE)
        return n->learning->scale + nnd_white_growth(n->learning->scale, q);
    return pow(q, 1.0 - 1.0 / (double)n->learning->depth);
}

static double norm2(const network *n, const double complex *phi) {
    for (size_t j = 0; j < n->rule->count; j++)
        n->value[j] = multiply(phi[j], phi[j]);
    return nnd_spectral_learn(n->rule, n->value);
}

static bool derivative(double t, const double *y, double *dydt, void *user) {
    (void)t;
    network *n = user;
    const double complex *phi = (const double complex *)y, *z = n->rule->z;
    double complex *slope = (double complex *)dydt;
    double q = norm2(n, phi), depth = (double)n->learning->depth, turn;
    if (!(q >= 0.0))
        return false;
    for (size_t j = 0; j < n->rule->count; j++)
        n->value[j] = multiply(phi[j], rest(z[j], phi[j]));
    double along = nnd_spectral_learn(n->rule, n->value), p = speed(n, q);
    if (n->learning->kind == NND_LEARN_WHITE)
        turn = 2.0 / (sqrt(pow(n->learning->scale, 2) + 4.0 * q) + n->learning->scale) * along;
    else
        turn = q > 0.0 ? (depth - 1.0) * pow(q, -1.0 / depth) * along : 0.0;
    for (size_t j = 0; j < n->rule->count; j++)
        slope[j] = p * rest(z[j], phi[j]) + turn * phi[j];
    double *reached = dydt + 2 * n->rule->count;
    *reached = p;
    return true;
}

/* Largest distance from the fixed point, above what counts as none. */
static double distance(double t, const double *y, void *user) {
    const network *n = user;
    const double complex *phi = (const double complex *)y;
    double largest = 0.0;
    (void)t;
    for (size_t j = 0; j < n->rule->count; j++) {
        double complex x = rest(n->rule->z[j], phi[j]);
        largest = fmax(largest, fmax(fabs(creal(x)), fabs(cimag(x))));
    }
    return largest - AT_END;
}

/* phi at all times, at its end where the flow had come there, and the duration of the last one. */
static void collect(const network *net, size_t times, const double *time, const double *y,
                    const nnd_ode_stats *stats, double complex *phi, double *duration) {
    size_t n = net->rule->count, dim = 2 * n + 1, t = 0;
    for (; t < times && !isnan(y[t * dim]); t++)
        memcpy(phi + t * n, y + t * dim, n * sizeof *phi);
    *duration = t > 0 ? y[t * dim - 1] : 0.0;
    if (t == times)
        return;
    for (size_t i = t * n; i < times * n; i++)
        phi[i] = 1.0 / net->rule->z[i % n];
    *duration += speed(net, norm2(net, phi + t * n)) * (time[times - 1] - stats->reached);
}

/* Integrates alignment.md#eq10 together with the integral of p, the time that counts for the size
 * of phi. */
static nnd_status integrate(nnd_context *ctx, const nnd_spectral_rule *rule,
                            const nnd_learning *learning, size_t times, const double *time,
                            double complex *phi, double *duration, double *reached) {
    size_t n = rule->count, dim = 2 * n + 1;
    network net = {rule, learning, calloc(n, sizeof(double complex))};
    double *start = calloc(dim, sizeof *start), *y = calloc(times * dim, sizeof *y), first = 0.0;
    nnd_ode *ode = NULL;
    nnd_status status = NND_OK;
    if (net.value == NULL || start == NULL || y == NULL)
        status = nnd_fail_memory(ctx, "the flow");
    if (status == NND_OK && learning->kind == NND_LEARN_RICH) {
        for (size_t j = 0; j < n; j++)
            net.value[j] = 1.0;
        first = learning->scale / sqrt(nnd_spectral_learn(rule, net.value));
        for (size_t j = 0; j < n; j++)
            start[2 * j] = first;
    }
    const nnd_ode_event end = {distance, -1};
    nnd_ode_options options = {.dim = dim,
                               .rhs = derivative,
                               .user = &net,
                               .rtol = 1e-11,
                               .atol = first > 0.0 ? 1e-11 * first : 1e-13,
                               .max_steps = MOST_STEPS,
                               .event_count = 1,
                               .events = &end};
    if (status == NND_OK)
        status = nnd_ode_new(ctx, &options, &ode);
    if (status == NND_OK)
        status = nnd_ode_run(ode, 0.0, start, times, time, y);
    if (status >= NND_OK) {
        nnd_ode_stats stats = nnd_ode_statistics(ode);
        /* Another cause, a rule too coarse, is cured by more nodes. */
        if (stats.steps + stats.rejected >= MOST_STEPS)
            *reached = stats.reached;
        if (status == NND_OK)
            collect(&net, times, time, y, &stats, phi, duration);
    }
    nnd_ode_free(ode);
    free(net.value);
    free(start);
    free(y);
    return status;
}

static nnd_status evaluate(nnd_context *ctx, const nnd_spectral_rule *rule,
                           const nnd_learning *learning, size_t times, const double *time,
                           double complex *phi, double *duration, double *reached) {
    *reached = time[times - 1];
    if (learning->kind == NND_LEARN_RICH || learning->kind == NND_LEARN_WHITE)
        return integrate(ctx, rule, learning, times, time, phi, duration, reached);
    for (size_t t = 0; t < times; t++)
        for (size_t j = 0; j < rule->count; j++)
            phi[t * rule->count + j] = learning->kind == NND_LEARN_FLOW
                                           ? flow_phi(rule->z[j], time[t])
                                           : descent_phi(rule->z[j], learning->lr, time[t]);
    return NND_OK;
}

/* ---- doubling ---- */

/* How far beyond the spectrum the contour reaches: half way, in the logarithm of the conformal
 * radius, to the outer obstacle. phi grows like exp(-z duration) to the left of 0; that of descent
 * also to the right, where lr z > 2. */
static double reach(const double edge[2], const nnd_learning *learning, double duration) {
    double radius = 0.5 * (edge[1] - edge[0]), outer = edge[0] + GROWTH / duration;
    if (learning->kind == NND_LEARN_DESCENT)
        outer = fmin(outer, fmax(0.0, 2.0 / learning->lr - edge[1]) + GROWTH / duration);
    outer = fmin(outer, FARTHEST * radius);
    return radius * (sqrt(1.0 + 0.5 * outer / radius) - 1.0);
}

static double difference(double a, double b) {
    double largest = nnd_largest(fabs(a), fabs(b));
    return largest == 0.0 ? 0.0 : fabs(a - b) / largest;
}

/* Largest relative change of what is reported. */
static double change(size_t times, const nnd_spectral_overlaps *a, const nnd_spectral_overlaps *b) {
    double largest = 0.0;
    for (size_t t = 0; t < times; t++)
        for (int m = 0; m < NND_METRICS; m++) {
            double self_a = a[t].self_signal[m] + a[t].self_noise[m];
            double self_b = b[t].self_signal[m] + b[t].self_noise[m];
            double cross_a = a[t].cross_signal[m] + a[t].cross_noise[m];
            double cross_b = b[t].cross_signal[m] + b[t].cross_noise[m];
            largest = nnd_largest(largest, difference(self_a, self_b));
            largest = nnd_largest(largest, difference(cross_a, cross_b));
            largest = nnd_largest(largest, difference(a[t].teacher[m], b[t].teacher[m]));
        }
    return isnan(largest) ? INFINITY : largest;
}

typedef struct {
    const nnd_eigenmodes *modes;
    const nnd_pair_task *task;
    const nnd_learning *learning;
    bool contour;
    size_t times;
    const double *time;
} problem;

static nnd_status solve(nnd_context *ctx, const problem *x, size_t nodes, double *duration,
                        double *reached, nnd_spectral_overlaps *overlaps) {
    nnd_spectral_rule rule = {0};
    nnd_status status;
    if (x->contour) {
        double edge[2];
        nnd_sample_edges(x->modes, x->task, edge);
        status = nnd_spectral_rule_contour(ctx, x->modes, x->task,
                                           reach(edge, x->learning, *duration), nodes, &rule);
    } else
        status = nnd_spectral_rule_isotropic(ctx, x->modes, x->task, nodes, &rule);
    double complex *phi = calloc(x->times * nodes, sizeof *phi);
    if (status == NND_OK && phi == NULL)
        status = nnd_fail_memory(ctx, "the nodes");
    if (status == NND_OK)
        status = evaluate(ctx, &rule, x->learning, x->times, x->time, phi, duration, reached);
    if (status == NND_OK)
        status = nnd_spectral_overlap(ctx, &rule, x->times, phi, overlaps);
    free(phi);
    nnd_spectral_rule_clear(&rule);
    return status;
}

/* ---- divergence ---- */

static double error_at(const nnd_spectral_rule *rule, double lr, size_t step, double complex *phi) {
    for (size_t j = 0; j < rule->count; j++)
        phi[j] = descent_phi(rule->z[j], lr, (double)step);
    return nnd_spectral_train_error(rule, phi);
}

/* Once it is beyond the limit the error grows: a step is found by bisection. */
static void find_divergence(const nnd_spectral_rule *rule, double lr, double limit, size_t last,
                            double complex *phi, size_t *step) {
    if (!nnd_has_diverged(limit, error_at(rule, lr, last, phi)))
        return;
    size_t sound = 0;
    *step = last;
    while (*step - sound > 1) {
        size_t middle = sound + (*step - sound) / 2;
        if (nnd_has_diverged(limit, error_at(rule, lr, middle, phi)))
            *step = middle;
        else
            sound = middle;
    }
}

nnd_status nnd_descent_divergence(nnd_context *ctx, const nnd_eigenmodes *modes,
                                  const nnd_pair_task *task, double lr, double limit, size_t last,
                                  size_t *step) {
    const nnd_learning learning = {.kind = NND_LEARN_DESCENT, .lr = lr};
    nnd_spectral_rule rule = {0};
    double edge[2];
    *step = SIZE_MAX;
    nnd_sample_edges(modes, task, edge);
    if (lr * edge[1] <= 2.0)
        return NND_OK;
    nnd_status status;
    if (nnd_has_marchenko_pastur(modes, task))
        status = nnd_spectral_rule_isotropic(ctx, modes, task, MOST_NODES, &rule);
    else
        status = nnd_spectral_rule_contour(
            ctx, modes, task, reach(edge, &learning, lr * (double)last), MOST_NODES, &rule);
    double complex *phi = calloc(MOST_NODES, sizeof *phi);
    if (status == NND_OK && phi == NULL)
        status = nnd_fail_memory(ctx, "the nodes");
    if (status == NND_OK)
        find_divergence(&rule, lr, limit, last, phi, step);
    free(phi);
    nnd_spectral_rule_clear(&rule);
    return status;
}

/* ---- all ---- */

nnd_status nnd_early_stopping(nnd_context *ctx, const nnd_eigenmodes *modes,
                              const nnd_pair_task *task, const nnd_learning *learning, bool contour,
                              size_t times, const double *time, nnd_spectral_overlaps *overlaps,
                              nnd_early_stopping_report *report) {
    problem x = {modes, task, learning, contour || !nnd_has_marchenko_pastur(modes, task),
                 times, time};
    double duration = fmax(time[times - 1], 1e-3);
    if (learning->kind == NND_LEARN_DESCENT)
        duration *= learning->lr;
    nnd_spectral_overlaps *next = calloc(times, sizeof *next);
    if (next == NULL)
        return nnd_fail_memory(ctx, "overlaps");
    *report = (nnd_early_stopping_report){.change = INFINITY, .reached = time[times - 1]};
    nnd_status status = NND_OK;
    for (size_t nodes = FEWEST_NODES; nodes <= MOST_NODES; nodes *= 2) {
        status = solve(ctx, &x, nodes, &duration, &report->reached, next);
        if (status < NND_OK)
            break;
        if (report->reached < time[times - 1])
            break;
        if (status > NND_OK)
            continue;
        if (report->nodes > 0)
            report->change = change(times, overlaps, next);
        report->nodes = nodes;
        memcpy(overlaps, next, times * sizeof *next);
        if (report->change <= WANTED)
            break;
    }
    free(next);
    if (status < NND_OK)
        return status;
    return report->change <= ACCEPTED ? NND_OK : NND_NOT_CONVERGED;
}
