/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From runs of `wide-mlp` to a frame: means over replicates, standard errors, warnings. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "nndmft/statistics.h"
#include "theory/wide_mlp_curves.h"

/* Closer than this to its edge, relative, finite networks blur an outlier (note, section 12). */
static const double BLURRED = 0.02;
/* Above these no curve is meaningful (note, section 6). */
static const double MOST_STABILITY = 4.0, MOST_SPREAD = 0.05;

static const char *const NAME[WIDE_VARIABLES][2] = {
    [WIDE_LOSS] = {"loss", "t"},
    [WIDE_DELTA] = {"delta", "t,mu"},
    [WIDE_OUTPUT] = {"output", "t,mu"},
    [WIDE_TEST_OUTPUT] = {"test_output", "t,test"},
    [WIDE_TEST_LOSS] = {"test_loss", "t"},
    [WIDE_NTK] = {"ntk", "t,mu,nu"},
    [WIDE_NTK_TEST] = {"ntk_test", "t,test,mu"},
    [WIDE_STABILITY] = {"stability", "t"},
    [WIDE_H_GRAM] = {"h_gram", "t,layer,mu,nu"},
    [WIDE_PHI_GRAM] = {"phi_gram", "t,layer,mu,nu"},
    [WIDE_G_GRAM] = {"g_gram", "t,layer,mu,nu"},
    [WIDE_READOUT_NORM2] = {"readout_norm2", "t"},
    [WIDE_INPUT_EIG] = {"input_eig", "t,k"},
    [WIDE_OUTLIER] = {"outlier", "t,matrix,k"},
    [WIDE_OUTLIER_LEFT] = {"outlier_left", "t,matrix,k"},
    [WIDE_OUTLIER_RIGHT] = {"outlier_right", "t,matrix,k"},
    [WIDE_OUTLIER_MARGIN] = {"outlier_margin", "t,matrix"},
    [WIDE_ESCAPE_TIME] = {"escape_time", "matrix"},
    [WIDE_BULK_EDGE] = {"bulk_edge", "matrix"},
    [WIDE_RANK_PHI] = {"rank_phi", "t,matrix"},
    [WIDE_RANK_G] = {"rank_g", "t,matrix"},
    [WIDE_TRUNCATION] = {"truncation", "t"},
    [WIDE_PHI_TWO_TIME] = {"phi_two_time", "layer,t,s,mu,nu"},
    [WIDE_G_TWO_TIME] = {"g_two_time", "layer,t,s,mu,nu"},
};

static nnd_status add_dims(const nnd_wide_problem *q, nnd_frame *frame) {
    const struct {
        const char *name;
        size_t length;
        double first;
    } ranges[] = {
        {"mu", q->samples, 0},  {"nu", q->samples, 0},       {"test", q->tests, 0},
        {"layer", q->depth, 1}, {"matrix", q->depth - 1, 1}, {"k", (size_t)q->params->outliers, 1},
    };
    nnd_status status = nnd_timegrid_add_dim(&q->grid, frame, "t");
    if (status == NND_OK && q->params->two_time)
        status = nnd_timegrid_add_dim(&q->grid, frame, "s");
    for (size_t i = 0; status == NND_OK && i < sizeof ranges / sizeof *ranges; i++)
        if (ranges[i].length > 0)
            status = nnd_frame_add_range(frame, ranges[i].name, ranges[i].length, ranges[i].first);
    return status;
}

/* Mean and standard error over runs of one variable; NaN where a run has none. */
static nnd_status add_variable(nnd_frame *frame, size_t runs, const nnd_wide_curves *record,
                               nnd_wide_variable v, double *sample) {
    char name[64];
    double *x, *se = NULL;
    nnd_status status = nnd_frame_add(frame, NAME[v][0], NAME[v][1], &x);
    snprintf(name, sizeof name, "%s_se", NAME[v][0]);
    if (status == NND_OK && runs > 1 && v != WIDE_BULK_EDGE)
        status = nnd_frame_add(frame, name, NAME[v][1], &se);
    for (size_t i = 0; status == NND_OK && i < record->count[v]; i++) {
        for (size_t r = 0; r < runs; r++)
            sample[r] = record[r].x[v][i];
        nnd_estimate estimate = nnd_mean(runs, sample, 1);
        x[i] = estimate.value;
        if (se != NULL)
            se[i] = estimate.se;
    }
    return status;
}

/* Finite networks are compared with an outlier where it stands clear of the edge. */
static nnd_status add_min_sizes(const nnd_wide_problem *q, nnd_frame *frame) {
    static const nnd_wide_variable variables[] = {WIDE_OUTLIER, WIDE_OUTLIER_LEFT,
                                                  WIDE_OUTLIER_RIGHT};
    const nnd_array *outlier = nnd_frame_find(frame, "outlier");
    nnd_status status = NND_OK;
    for (size_t k = 0; status == NND_OK && outlier != NULL && k < 3; k++) {
        char name[64];
        double *least;
        snprintf(name, sizeof name, "%s_min_size", NAME[variables[k]][0]);
        status = nnd_frame_add(frame, name, NAME[variables[k]][1], &least);
        for (size_t i = 0; status == NND_OK && i < outlier->count; i++)
            least[i] =
                outlier->data[i] > (1.0 + BLURRED) * 2.0 * q->params->sigma_w ? 0.0 : INFINITY;
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
    for (size_t i = 0; i < q->samples; i++)
        largest = fmax(largest, fabs(q->set.targets[i]));
    return largest > 0.0 ? spread / largest : 0.0;
}

static double largest(const nnd_array *array) {
    double most = 0.0;
    for (size_t i = 0; i < array->count; i++)
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

static nnd_status add_attributes(const nnd_wide_problem *q, size_t runs,
                                 const nnd_wide_curves *record, const char *solver, double *sample,
                                 nnd_frame *frame) {
    nnd_status status = nnd_frame_set_text(frame, NULL, "solver", solver);
    if (status == NND_OK)
        status = report(frame, "largest_stability", largest(nnd_frame_find(frame, "stability")),
                        MOST_STABILITY, "warning_stability",
                        "lr lambda_max(K)/P reaches %.3g (limit 2): beyond 4 units die or training "
                        "diverges, and the dynamics may be chaotic");
    if (status != NND_OK || runs == 1)
        return status;
    status = nnd_frame_set_number(frame, NULL, "samples", (double)q->params->samples);
    if (status == NND_OK)
        status = nnd_frame_set_number(frame, NULL, "replicates", (double)runs);
    if (status == NND_OK)
        status = nnd_frame_set_number(frame, NULL, "rank_tol", q->params->rank_tol);
    if (status == NND_OK)
        status = report(frame, "replicate_spread", replicate_spread(q, runs, record, sample),
                        MOST_SPREAD, "warning_spread",
                        "replicates disagree by %.2g of the largest output: more samples are "
                        "needed, or the dynamics is chaotic and no reference is meaningful");
    return status;
}

/* ---- the frame ---- */

static nnd_status fill(const nnd_wide_problem *q, size_t runs, const nnd_wide_curves *record,
                       const char *solver, double *sample, nnd_frame *frame, double diverged) {
    nnd_status status = add_dims(q, frame);
    for (int v = 0; status == NND_OK && v < WIDE_VARIABLES; v++)
        if (record->x[v] != NULL)
            status = add_variable(frame, runs, record, (nnd_wide_variable)v, sample);
    if (status == NND_OK)
        status = add_min_sizes(q, frame);
    if (status == NND_OK)
        status = nnd_frame_add_scalar(frame, "diverged_at", diverged);
    if (status == NND_OK)
        status = add_attributes(q, runs, record, solver, sample, frame);
    return status;
}

nnd_status nnd_wide_frame(const nnd_wide_problem *problem, size_t runs,
                          const nnd_wide_curves *record, const char *solver, nnd_frame **frame) {
    size_t first = SIZE_MAX;
    for (size_t r = 0; r < runs; r++)
        first = record[r].diverged < first ? record[r].diverged : first;
    double *sample = calloc(runs, sizeof *sample);
    nnd_frame *out = NULL;
    nnd_status status = sample != NULL ? nnd_frame_new(problem->ctx, &out)
                                       : nnd_fail_memory(problem->ctx, "the curves");
    if (status == NND_OK)
        status = fill(problem, runs, record, solver, sample, out,
                      first == SIZE_MAX ? NAN : (double)first);
    free(sample);
    if (status != NND_OK) {
        nnd_frame_free(out);
        return status;
    }
    *frame = out;
    return first == SIZE_MAX ? NND_OK : NND_DIVERGED;
}
