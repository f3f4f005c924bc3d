/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/models.h"

#include <stdio.h>
#include <stdlib.h>

#include "theory/shortfall.h"
#include "theory/wide_mlp_lazy.h"
#include "theory/wide_mlp_march.h"
#include "theory/wide_mlp_quadrature.h"

/* What is computed with. */
typedef enum { LAZY, EXACT, QUADRATURE, MARCH } method;

/* Descent of one output as it comes. */
static bool is_plain(const nnd_wide_mlp *p) {
    return p->outputs == 1 && p->loss == NND_WIDE_MSE && p->sigma_b == 0.0 && p->momentum == 0.0 &&
           p->weight_decay == 0.0 && !nnd_rates_given(&p->schedule) && p->integrator == NND_DESCENT;
}

/* The most accurate that applies, unless one is asked for. */
static method method_of(const nnd_wide_mlp *p) {
    if (p->parameterization == NND_NTK)
        return LAZY;
    if (p->solver == NND_WIDE_MARCH)
        return MARCH;
    if (p->solver == NND_WIDE_QUADRATURE)
        return QUADRATURE;
    if (p->activation.name == NND_LINEAR)
        return EXACT;
    bool one = nnd_data_samples(&p->data) == 1 && nnd_data_tests(&p->data) == 0;
    return p->depth == 1 && one && is_plain(p) && !p->two_time ? QUADRATURE : MARCH;
}

static nnd_status solve_march(const nnd_wide_problem *q, nnd_frame **frame) {
    size_t runs = (size_t)q->params->replicates;
    nnd_wide_curves *record = calloc(runs, sizeof *record);
    nnd_status status = record != NULL ? NND_OK : nnd_fail_memory(q->ctx, "the replicates");
    for (size_t r = 0; status == NND_OK && r < runs; r++)
        status = nnd_wide_curves_make(q, &record[r]);
    if (status == NND_OK)
        status = nnd_wide_march_replicates(q, runs, record);
    if (status == NND_OK)
        status = nnd_wide_frame(q, runs, record, "march", frame);
    for (size_t r = 0; record != NULL && r < runs; r++)
        nnd_wide_curves_clear(&record[r]);
    free(record);
    return status;
}

static nnd_status add_accuracy(nnd_frame *frame, const nnd_wide_accuracy *accuracy,
                               nnd_status ran) {
    nnd_status status =
        nnd_frame_set_number(frame, NULL, "quadrature_nodes", (double)accuracy->nodes);
    if (status == NND_OK)
        status = nnd_frame_set_number(frame, NULL, "quadrature_error", accuracy->error);
    if (status == NND_OK && ran == NND_NOT_CONVERGED)
        status = nnd_shortfall_set(frame,
                                   "curves still change by %.2g (usable: 1e-4) with %zu nodes; "
                                   "lower params.steps, params.lr or params.gamma0, or use "
                                   "params.solver: march",
                                   accuracy->change, accuracy->nodes);
    return status;
}

static nnd_status solve_exactly(const nnd_wide_problem *q, method by, nnd_frame **frame) {
    static const char *const name[] = {"lazy", "exact", "quadrature"};
    nnd_wide_curves record;
    nnd_wide_accuracy accuracy = {0};
    nnd_status status = nnd_wide_curves_make(q, &record), ran = NND_OK;
    if (status == NND_OK)
        ran = by == LAZY    ? nnd_wide_lazy(q, &record)
              : by == EXACT ? nnd_wide_march_exact(q, &record)
                            : nnd_wide_quadrature(q, &record, &accuracy);
    if (status == NND_OK)
        status = ran >= NND_OK ? nnd_wide_frame(q, 1, &record, name[by], frame) : ran;
    if (status >= NND_OK && by == QUADRATURE) {
        nnd_status added = add_accuracy(*frame, &accuracy, ran);
        if (added != NND_OK) {
            nnd_frame_free(*frame);
            *frame = NULL;
            status = added;
        }
    }
    nnd_wide_curves_clear(&record);
    return status == NND_OK ? ran : status;
}

/* Quadrature and the map of one neuron are written for plain descent of the square loss. */
static nnd_status check_quadrature(nnd_context *ctx, const nnd_wide_mlp *p) {
    if (is_plain(p))
        return NND_OK;
    return nnd_fail(ctx, NND_E_INPUT,
                    "params.solver: quadrature has one output, loss: mse, no biases, and neither "
                    "momentum, weight_decay, schedule nor integrator: flow; allowed: march, auto");
}

/* Where neurons pass a kink one by one, errors of a step fall like its length alone. */
static nnd_status check_march(nnd_context *ctx, const nnd_wide_mlp *p) {
    const double least = 1e-4;
    if (!nnd_activation_has_kink(&p->activation) || !nnd_wide_mlp_adapts(p) ||
        p->tolerance >= least)
        return NND_OK;
    return nnd_fail(ctx, NND_E_INPUT,
                    "params.tolerance: %g is too small for relu, at whose kink steps would shrink; "
                    "allowed: from %g on, or activation.smoothing, or method: rk4 with steps",
                    p->tolerance, least);
}

/* Each sample is a direction at every step, of which sites must be several times as many; other
 * methods hold kernels of all outputs. */
static nnd_status check_points(nnd_context *ctx, const nnd_wide_mlp *p, method by) {
    enum { SITES_PER_POINT = 8, MOST_OUTPUTS = 4096 };
    size_t samples = nnd_data_samples(&p->data), tests = nnd_data_tests(&p->data);
    size_t outputs = (size_t)p->outputs, most = MOST_OUTPUTS / outputs;
    if (by == MARCH)
        most = (size_t)p->samples / SITES_PER_POINT;
    if (samples + tests <= most)
        return NND_OK;
    char why[64] = "";
    if (by == MARCH)
        snprintf(why, sizeof why, " at params.samples: %lld sites", (long long)p->samples);
    else if (outputs > 1)
        snprintf(why, sizeof why, " of %zu outputs", outputs);
    return nnd_fail(ctx, NND_E_INPUT,
                    "params.data: %zu samples and %zu tests are too many for theory; allowed: %zu "
                    "together%s (nndmft simulate trains networks on any number)",
                    samples, tests, most, why);
}

static nnd_status check_method(nnd_context *ctx, const nnd_wide_mlp *p, method by) {
    nnd_status status = by == QUADRATURE ? check_quadrature(ctx, p)
                        : by == MARCH    ? check_march(ctx, p)
                                         : NND_OK;
    return status == NND_OK ? check_points(ctx, p, by) : status;
}

/* wide-mlp.md#s1-2. */
static nnd_status check_limit(nnd_context *ctx, const nnd_wide_mlp *p) {
    if (p->parameterization != NND_STANDARD)
        return NND_OK;
    return nnd_fail(ctx, NND_E_INPUT,
                    "params.parameterization: standard has no limit of infinite width: a step at "
                    "fixed lr moves outputs in proportion to the width; allowed in theory: mup, "
                    "ntk (commands simulate and coordinates train standard networks)");
}

nnd_status nnd_wide_mlp_theory(nnd_context *ctx, const void *params, nnd_frame **frame) {
    nnd_wide_problem problem = {0};
    method by = method_of(params);
    nnd_status status = check_limit(ctx, params);
    if (status == NND_OK)
        status = check_method(ctx, params, by);
    if (status == NND_OK)
        status = nnd_wide_problem_make(ctx, params, &problem);
    if (status == NND_OK)
        status = by == MARCH ? solve_march(&problem, frame) : solve_exactly(&problem, by, frame);
    nnd_wide_problem_clear(&problem);
    return status;
}

nnd_status nnd_wide_mlp_theory_cost(nnd_context *ctx, const void *params, nnd_cost *cost) {
    const nnd_wide_mlp *p = params;
    nnd_status status = check_limit(ctx, p);
    if (status == NND_OK)
        status = check_points(ctx, p, method_of(p));
    if (status != NND_OK)
        return status;
    double points = (double)(nnd_data_samples(&p->data) + nnd_data_tests(&p->data));
    double square = points * points * (double)p->depth;
    *cost = (nnd_cost){0};
    switch (method_of(p)) {
    case LAZY:
        /* Kernels by quadrature, some thousand nodes and tens of operations each. */
        cost->bytes = 8.0 * square * sizeof(double);
        cost->flops = 1e5 * square;
        break;
    case QUADRATURE:
        nnd_wide_quadrature_cost(p, cost);
        break;
    case EXACT:
    case MARCH:
        nnd_wide_march_cost(p, cost);
        break;
    }
    /* With standard errors. */
    cost->results = 2.0 * nnd_wide_march_numbers(p) * sizeof(double);
    return NND_OK;
}
