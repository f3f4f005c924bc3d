/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/alignment_record.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>

const char *const nnd_alignment_measure_names[NND_ALIGN_MEASURES] = {
    "signal",         "self_overlap", "noise",       "cosine_pair",  "cka_cross",
    "cka_self",       "cka_pair",     "cka_probe",   "cka_debiased", "teacher_overlap",
    "teacher_cosine", "gen_error",    "train_error",
};

void nnd_alignment_record_overlaps(const nnd_predictor_overlaps *o, double *measure) {
    double self = 0.5 * (o->self[0] + o->self[1]);
    measure[NND_ALIGN_SIGNAL] = o->cross;
    measure[NND_ALIGN_SELF] = self;
    measure[NND_ALIGN_NOISE] = self - o->cross;
    measure[NND_ALIGN_COSINE_PAIR] = o->cross / sqrt(o->self[0] * o->self[1]);
    measure[NND_ALIGN_TEACHER_OVERLAP] = 0.5 * (o->teacher[0] + o->teacher[1]);
    measure[NND_ALIGN_TEACHER_COSINE] = 0.5 * (o->teacher[0] / sqrt(o->self[0] * o->teacher_self) +
                                               o->teacher[1] / sqrt(o->self[1] * o->teacher_self));
}

void nnd_alignment_record_cka(const nnd_cka_traces *t, double *measure) {
    measure[NND_ALIGN_CKA_CROSS] = t->cross;
    measure[NND_ALIGN_CKA_SELF] = 0.5 * (t->self[0] + t->self[1]);
    measure[NND_ALIGN_CKA_PAIR] = nnd_cka_of(t);
}

/* sum_c x_c M y_c. */
static double product(const nnd_alignment_pair *pair, bool sigma, const double *x,
                      const double *y) {
    double sum = 0.0;
    for (size_t c = 0; c < pair->outputs; c++)
        for (size_t i = 0; i < pair->dim; i++)
            sum +=
                (sigma ? pair->eigenvalue[i] : 1.0) * x[c * pair->dim + i] * y[c * pair->dim + i];
    return sum;
}

static nnd_predictor_overlaps overlaps(const nnd_alignment_pair *pair, bool sigma,
                                       const double *const b[2]) {
    nnd_predictor_overlaps o = {.cross = product(pair, sigma, b[0], b[1]),
                                .teacher_self = product(pair, sigma, pair->teacher, pair->teacher)};
    for (int k = 0; k < 2; k++) {
        o.self[k] = product(pair, sigma, b[k], b[k]);
        o.teacher[k] = product(pair, sigma, b[k], pair->teacher);
    }
    return o;
}

/* Features of the probes: n x rows = probes (n x D) h^T. */
static nnd_status probe_cka(nnd_context *ctx, const nnd_alignment_pair *pair, const size_t rows[2],
                            const double *const h[2], const double *probes, double *measure) {
    size_t n = (size_t)pair->params->probe.points, d = pair->dim;
    double *f[2] = {calloc(n * rows[0], sizeof(double)), calloc(n * rows[1], sizeof(double))};
    nnd_cka_traces traces;
    nnd_status status =
        f[0] != NULL && f[1] != NULL ? NND_OK : nnd_fail_memory(ctx, "features of the probes");
    for (int b = 0; status == NND_OK && b < 2; b++)
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, (int)rows[b], (int)d, 1.0,
                    probes, (int)d, h[b], (int)d, 0.0, f[b], (int)rows[b]);
    const double *const features[2] = {f[0], f[1]};
    for (int debiased = 0; status == NND_OK && debiased < 2; debiased++) {
        status = nnd_cka_finite(ctx, n, rows, features, pair->params->probe.centred, debiased != 0,
                                &traces);
        measure[debiased != 0 ? NND_ALIGN_CKA_DEBIASED : NND_ALIGN_CKA_PROBE] = nnd_cka_of(&traces);
    }
    free(f[0]);
    free(f[1]);
    return status;
}

nnd_status nnd_alignment_record_linear(nnd_context *ctx, const nnd_alignment_pair *pair,
                                       const double *const b[2], const size_t rows[2],
                                       const double *const h[2], const double train_error[2],
                                       const double *probes, double *measure) {
    nnd_predictor_overlaps seen = overlaps(pair, true, b);
    nnd_cka_traces traces;
    bool sigma = pair->params->metric == NND_METRIC_SIGMA;
    const nnd_predictor_overlaps in_metric = sigma ? seen : overlaps(pair, false, b);
    nnd_alignment_record_overlaps(&in_metric, measure);
    measure[NND_ALIGN_GEN_ERROR] =
        seen.teacher_self + 0.5 * (seen.self[0] + seen.self[1]) - seen.teacher[0] - seen.teacher[1];
    measure[NND_ALIGN_TRAIN_ERROR] = 0.5 * (train_error[0] + train_error[1]);
    nnd_status status = nnd_cka_population(ctx, pair->dim, pair->eigenvalue, rows, h, &traces);
    if (status == NND_OK)
        nnd_alignment_record_cka(&traces, measure);
    return status == NND_OK && probes != NULL ? probe_cka(ctx, pair, rows, h, probes, measure)
                                              : status;
}
