/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From runs of `wide-mlp` to a frame: means over replicates, standard errors, warnings. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/companion.h"
#include "core/statistics.h"
#include "theory/claims.h"
#include "theory/wide_mlp_curves.h"

/* Above these no curve is meaningful (wide-mlp.md#s6); the first one times the edge of stability.
 */
static const double MOST_STABILITY = 2.0, MOST_SPREAD = 0.05;

/* Variables of the frame; what is not named here goes with one of them. */
static const char *const NAME[WIDE_VARIABLES] = {
    [WIDE_LOSS] = "loss",
    [WIDE_DELTA] = "delta",
    [WIDE_OUTPUT] = "output",
    [WIDE_TEST_OUTPUT] = "test_output",
    [WIDE_TEST_LOSS] = "test_loss",
    [WIDE_ACCURACY] = "accuracy",
    [WIDE_TEST_ACCURACY] = "test_accuracy",
    [WIDE_NTK] = "ntk",
    [WIDE_NTK_TEST] = "ntk_test",
    [WIDE_ALIGNMENT] = "kernel_alignment",
    [WIDE_STABILITY] = "stability",
    [WIDE_H_GRAM] = "h_gram",
    [WIDE_PHI_GRAM] = "phi_gram",
    [WIDE_G_GRAM] = "g_gram",
    [WIDE_READOUT_NORM2] = "readout_norm2",
    [WIDE_INPUT_EIG] = "input_eig",
    [WIDE_OUTLIER] = "outlier",
    [WIDE_OUTLIER_LEFT] = "outlier_left",
    [WIDE_OUTLIER_RIGHT] = "outlier_right",
    [WIDE_OUTLIER_STRENGTH] = "outlier_strength",
    [WIDE_ESCAPE_TIME] = "escape_time",
    [WIDE_BULK_EDGE] = "bulk_edge",
    [WIDE_RANK_PHI] = "rank_phi",
    [WIDE_RANK_G] = "rank_g",
    [WIDE_TRUNCATION] = "truncation",
    [WIDE_PHI_TWO_TIME] = "phi_two_time",
    [WIDE_G_TWO_TIME] = "g_two_time",
};

static nnd_status add_times(const nnd_wide_problem *q, nnd_frame *frame) {
    size_t count = q->marks.count;
    nnd_coord_kind kind = q->params->integrator == NND_DESCENT ? NND_COORD_INTEGER : NND_COORD_REAL;
    double *t = calloc(count, sizeof *t);
    nnd_status status = t != NULL ? NND_OK : nnd_fail_memory(q->ctx, "the recorded times");
    for (size_t i = 0; status == NND_OK && i < count; i++)
        t[i] = nnd_wide_mlp_time(q->params, q->marks.value[i]);
    if (status == NND_OK)
        status = nnd_frame_add_dim(frame, "t", kind, count, t);
    if (status == NND_OK && q->params->two_time)
        status = nnd_frame_add_dim(frame, "s", kind, count, t);
    free(t);
    return status;
}

static nnd_status add_dims(const nnd_wide_problem *q, nnd_frame *frame) {
    size_t outputs = q->outputs > 1 ? q->outputs : 0;
    const struct {
        const char *name;
        size_t length;
        double first;
    } ranges[] = {
        {"mu", q->samples, 0},  {"nu", q->samples, 0},       {"test", q->tests, 0},
        {"layer", q->depth, 1}, {"matrix", q->depth - 1, 1}, {"k", (size_t)q->params->outliers, 1},
        {"c", outputs, 0},      {"c2", outputs, 0},
    };
    nnd_status status = add_times(q, frame);
    for (size_t i = 0; status == NND_OK && i < sizeof ranges / sizeof *ranges; i++)
        if (ranges[i].length > 0)
            status = nnd_frame_add_range(frame, ranges[i].name, ranges[i].length, ranges[i].first);
    return status;
}

/* ---- errors of truncation ---- */

/* How often a variable multiplies the fields of the march. Outputs and losses are apart; ranks have
 * no error. */
static const double DEGREE[WIDE_VARIABLES] = {
    [WIDE_NTK] = 4.0,           [WIDE_NTK_TEST] = 4.0,      [WIDE_STABILITY] = 4.0,
    [WIDE_H_GRAM] = 2.0,        [WIDE_PHI_GRAM] = 2.0,      [WIDE_G_GRAM] = 2.0,
    [WIDE_READOUT_NORM2] = 2.0, [WIDE_INPUT_EIG] = 2.0,     [WIDE_OUTLIER] = 1.0,
    [WIDE_OUTLIER_LEFT] = 2.0,  [WIDE_OUTLIER_RIGHT] = 2.0, [WIDE_OUTLIER_STRENGTH] = 1.0,
    [WIDE_ALIGNMENT] = 2.0,     [WIDE_ESCAPE_TIME] = 1.0,   [WIDE_PHI_TWO_TIME] = 2.0,
    [WIDE_G_TWO_TIME] = 2.0,
};

static double largest_size(size_t n, const double *x) {
    double most = 0.0;
    for (size_t i = 0; i < n; i++)
        most = isnan(x[i]) ? most : fmax(most, fabs(x[i]));
    return most;
}

/* What truncation may do to one run's n values x of a variable, given its effect on outputs
 * (wide-mlp.md#eq13) and on fields. A loss changes by |mean Delta e| and e^2/2, where rms(Delta)^2
 * is twice the loss, or |Delta| at most sqrt 2 times that of classes. */
static double truncation_of(const nnd_wide_mlp *p, nnd_wide_variable v, size_t n, const double *x,
                            double output, double field) {
    double loss = largest_size(n, x);
    switch (v) {
    case WIDE_OUTPUT:
    case WIDE_DELTA:
    case WIDE_TEST_OUTPUT:
        return output;
    case WIDE_LOSS:
    case WIDE_TEST_LOSS:
        return output *
               ((p->loss == NND_WIDE_MSE ? sqrt(2.0 * loss) : M_SQRT2 * loss) + 0.5 * output);
    default:
        return DEGREE[v] * field * largest_size(n, x);
    }
}

/* Times of a variable in memory: 1 for what is not ordered by them. */
static size_t slices(const nnd_wide_problem *q, nnd_wide_variable v) {
    bool whole = v == WIDE_ESCAPE_TIME || v == WIDE_PHI_TWO_TIME || v == WIDE_G_TWO_TIME;
    return whole ? 1 : q->marks.count;
}

/* s.e.^2 += (2 e)^2, e the mean over runs (wide-mlp.md#s7). */
static void add_truncation(size_t runs, const nnd_wide_curves *record, nnd_wide_variable v,
                           double *se) {
    size_t times = record->problem->marks.count, parts = slices(record->problem, v);
    size_t n = record->count[v] / parts;
    for (size_t t = 0; record->x[WIDE_TRUNCATION] != NULL && t < parts; t++) {
        double error = 0.0;
        for (size_t r = 0; r < runs; r++) {
            const double *output = record[r].x[WIDE_TRUNCATION] + (parts > 1 ? t : 0);
            const double *field = record[r].x[WIDE_FIELD_ERROR] + (parts > 1 ? t : 0);
            size_t of = parts > 1 ? 1 : times;
            error += truncation_of(record->problem->params, v, n, record[r].x[v] + t * n,
                                   largest_size(of, output), largest_size(of, field)) /
                     (double)runs;
        }
        for (size_t i = 0; i < n; i++)
            se[t * n + i] = hypot(se[t * n + i], 2.0 * error);
    }
}

/* ---- variables ---- */

static bool has_error(nnd_wide_variable v) {
    return v != WIDE_BULK_EDGE && v != WIDE_TRUNCATION;
}

/* Mean and standard error over runs of one variable; NaN where a run has none. */
static nnd_status add_variable(nnd_frame *frame, size_t runs, const nnd_wide_curves *record,
                               nnd_wide_variable v, double *sample) {
    char name[64];
    double *x, *se = NULL;
    nnd_status status = nnd_frame_add_variable(frame, &nnd_wide_mlp_model, NAME[v], &x);
    nnd_companion_name(NAME[v], NND_SE, sizeof name, name);
    if (status == NND_OK && runs > 1 && has_error(v))
        status = nnd_frame_add_variable(frame, &nnd_wide_mlp_model, name, &se);
    for (size_t i = 0; status == NND_OK && i < record->count[v]; i++) {
        for (size_t r = 0; r < runs; r++)
            sample[r] = record[r].x[v][i];
        nnd_estimate estimate = nnd_mean(runs, sample, 1);
        x[i] = estimate.value;
        if (se != NULL)
            se[i] = estimate.se;
    }
    if (status == NND_OK && se != NULL)
        add_truncation(runs, record, v, se);
    return status;
}

/* ---- claims ---- */

/* Whether any run claims a variable that is there from some size on only, or not at all. */
static bool is_limited(size_t runs, const nnd_wide_curves *record, nnd_wide_variable claim) {
    bool limited = false;
    for (size_t r = 0; r < runs; r++)
        for (size_t i = 0; i < record->count[claim]; i++)
            limited |= record[r].x[claim][i] > 0.0;
    return limited;
}

/* x_min_size of a variable: the mean over runs, infinite where there is nothing to claim. */
static nnd_status add_claim(nnd_frame *frame, size_t runs, const nnd_wide_curves *record,
                            nnd_wide_variable claim, nnd_wide_variable v) {
    char name[64];
    double *least;
    nnd_companion_name(NAME[v], NND_MIN_SIZE, sizeof name, name);
    nnd_status status = nnd_frame_add_variable(frame, &nnd_wide_mlp_model, name, &least);
    for (size_t i = 0; status == NND_OK && i < record->count[claim]; i++) {
        double sum = 0.0;
        for (size_t r = 0; r < runs; r++)
            sum += record[r].x[claim][i] / (double)runs;
        least[i] = isnan(sum) ? INFINITY : sum;
    }
    return status;
}

static nnd_status add_claims(size_t runs, const nnd_wide_curves *record, nnd_frame *frame) {
    static const struct {
        nnd_wide_variable claim, variable;
    } of[] = {
        {WIDE_INPUT_EIG_CLAIM, WIDE_INPUT_EIG},
        {WIDE_STABILITY_CLAIM, WIDE_STABILITY},
        {WIDE_OUTLIER_CLAIM, WIDE_OUTLIER},
        {WIDE_OUTLIER_LEFT_CLAIM, WIDE_OUTLIER_LEFT},
        {WIDE_OUTLIER_RIGHT_CLAIM, WIDE_OUTLIER_RIGHT},
    };
    nnd_status status = NND_OK;
    for (size_t i = 0; status == NND_OK && i < sizeof of / sizeof *of; i++) {
        const char *name = NAME[of[i].variable];
        if (record->x[of[i].claim] == NULL || !is_limited(runs, record, of[i].claim))
            continue;
        status = add_claim(frame, runs, record, of[i].claim, of[i].variable);
        if (status == NND_OK)
            status = of[i].claim >= WIDE_OUTLIER_CLAIM
                         ? nnd_claim_outlier_reasons(frame, name)
                         : nnd_claim_reason(frame, name, NND_DEGENERATE);
    }
    return status;
}

/* ---- warnings ---- */

/* Largest standard deviation over runs of an output, relative to the largest output. */
static double replicate_spread(const nnd_wide_problem *q, size_t runs,
                               const nnd_wide_curves *record, double *sample) {
    double largest = 0.0, spread = 0.0;
    for (size_t i = 0; i < record->count[WIDE_OUTPUT]; i++) {
        for (size_t r = 0; r < runs; r++)
            sample[r] = record[r].x[WIDE_OUTPUT][i];
        nnd_estimate estimate = nnd_mean(runs, sample, 1);
        largest = fmax(largest, fabs(estimate.value));
        spread = fmax(spread, estimate.se * sqrt((double)runs));
    }
    for (size_t i = 0; i < q->samples * q->outputs; i++)
        largest = fmax(largest, fabs(q->set.targets[i]));
    return largest > 0.0 ? spread / largest : 0.0;
}

static double largest(const nnd_array *array) {
    double most = 0.0;
    for (size_t i = 0; array != NULL && i < array->count; i++)
        most = fmax(most, array->data[i]);
    return most;
}

/* An attribute, and where it is beyond its limit a line in the log and another attribute. */
static nnd_status report(nnd_frame *frame, const char *key, double value, double limit,
                         const char *warning, const char *text) {
    nnd_status status = nnd_frame_set_number(frame, NULL, key, value);
    if (status != NND_OK || value <= limit)
        return status;
    char line[256];
    snprintf(line, sizeof line, text, value);
    nnd_log(nnd_frame_context(frame), NND_LOG_WARNING, "theory: %s", line);
    return nnd_frame_set_text(frame, NULL, warning, line);
}

/* Says so if dropped directions, not samples, make up most of an error of outputs that counts. */
static nnd_status report_truncation(const nnd_wide_problem *q, nnd_frame *frame) {
    const double half = sqrt(0.5), negligible = 1e-3;
    const nnd_array *error = nnd_frame_find(frame, "truncation");
    const nnd_array *se = nnd_companion(frame, "output", NND_SE);
    size_t n = q->samples * q->outputs;
    double scale = largest_size(n, q->set.targets), most = 0.0;
    for (size_t t = 0; error != NULL && t < error->count; t++) {
        double whole = largest_size(n, se->data + t * n);
        if (whole > negligible * scale && scale > 0.0)
            most = fmax(most, 2.0 * error->data[t] / whole);
    }
    return report(frame, "truncation_share", most, half, "warning_truncation",
                  "dropped directions make up %.2g of the standard error of outputs: a smaller "
                  "rank_tol is needed");
}

/* Says so if a matrix has so many directions that projections, O(k/S), are no longer exact. */
static nnd_status report_directions(const nnd_wide_problem *q, nnd_frame *frame) {
    const double many = 0.2;
    const nnd_array *phi = nnd_frame_find(frame, "rank_phi"), *g = nnd_frame_find(frame, "rank_g");
    double most = 0.0;
    for (size_t i = 0; phi != NULL && i < phi->count; i++)
        most = fmax(most, (phi->data[i] + g->data[i]) / (double)q->params->samples);
    return report(frame, "directions_share", most, many, "warning_directions",
                  "directions reach %.2g of the samples of a layer: more samples are needed");
}

static nnd_status add_attributes(const nnd_wide_problem *q, size_t runs,
                                 const nnd_wide_curves *record, const char *solver, double *sample,
                                 nnd_frame *frame) {
    nnd_status status = nnd_frame_set_text(frame, NULL, "solver", solver);
    if (status == NND_OK && q->params->integrator == NND_DESCENT)
        status =
            report(frame, "largest_stability", largest(nnd_frame_find(frame, "stability")),
                   MOST_STABILITY * nnd_wide_mlp_stability_edge(q->params), "warning_stability",
                   "stability reaches %.3g: beyond twice stability_edge units die or training "
                   "diverges, and the dynamics may be chaotic");
    if (status != NND_OK || runs == 1)
        return status;
    status = nnd_frame_set_number(frame, NULL, "samples", (double)q->params->samples);
    if (status == NND_OK)
        status = nnd_frame_set_number(frame, NULL, "replicates", (double)runs);
    if (status == NND_OK)
        status = nnd_frame_set_number(frame, NULL, "rank_tol", q->params->rank_tol);
    if (status == NND_OK)
        status = report_truncation(q, frame);
    if (status == NND_OK)
        status = report_directions(q, frame);
    if (status == NND_OK)
        status = report(frame, "replicate_spread", replicate_spread(q, runs, record, sample),
                        MOST_SPREAD, "warning_spread",
                        "replicates disagree by %.2g of the largest output: more samples are "
                        "needed, or the dynamics is chaotic and no reference is meaningful");
    return status;
}

/* ---- the frame ---- */

/* The first step at which a run was beyond the edge of stability; INFINITY: none. */
static double first_edge(size_t runs, const nnd_wide_curves *record) {
    double first = INFINITY;
    for (size_t r = 0; r < runs; r++)
        if (record[r].edge != SIZE_MAX)
            first = fmin(first, (double)record[r].edge);
    return first;
}

static nnd_status fill(const nnd_wide_problem *q, size_t runs, const nnd_wide_curves *record,
                       const char *solver, double *sample, nnd_frame *frame, double diverged) {
    nnd_status status = add_dims(q, frame);
    for (int v = 0; status == NND_OK && v < WIDE_VARIABLES; v++)
        if (record->x[v] != NULL && NAME[v] != NULL)
            status = add_variable(frame, runs, record, (nnd_wide_variable)v, sample);
    if (status == NND_OK)
        status = add_claims(runs, record, frame);
    if (status == NND_OK)
        status =
            nnd_claim_until(&nnd_wide_mlp_model, frame, first_edge(runs, record), NND_BEYOND_EDGE);
    if (status == NND_OK && q->params->integrator == NND_DESCENT)
        status = nnd_frame_add_number(frame, &nnd_wide_mlp_model, "stability_edge",
                                      nnd_wide_mlp_stability_edge(q->params));
    if (status == NND_OK)
        status = nnd_frame_add_scalar(frame, NND_DIVERGED_AT, diverged);
    if (status == NND_OK)
        status = add_attributes(q, runs, record, solver, sample, frame);
    return status;
}

nnd_status nnd_wide_frame(const nnd_wide_problem *problem, size_t runs,
                          const nnd_wide_curves *record, const char *solver, nnd_frame **frame) {
    double first = NAN;
    for (size_t r = 0; r < runs; r++)
        first = fmin(first, record[r].diverged);
    double *sample = calloc(runs, sizeof *sample);
    nnd_frame *out = NULL;
    nnd_status status = sample != NULL ? nnd_frame_new(problem->ctx, &out)
                                       : nnd_fail_memory(problem->ctx, "the curves");
    if (status == NND_OK)
        status = fill(problem, runs, record, solver, sample, out, first);
    free(sample);
    if (status != NND_OK) {
        nnd_frame_free(out);
        return status;
    }
    *frame = out;
    return isnan(first) ? NND_OK : NND_DIVERGED;
}
