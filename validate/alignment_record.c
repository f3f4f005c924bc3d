/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/alignment_record.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>

#include "nndmft/similarity.h"

const char *const nnd_alignment_measure_names[NND_ALIGN_MEASURES] = {
    "signal",
    "self_overlap",
    "noise",
    "cosine_pair",
    "cka_cross",
    "cka_self",
    "cka_pair",
    "cka_probe",
    "cka_debiased",
    "teacher_overlap",
    "teacher_cosine",
    "gen_error",
    "train_error",
    "cca",
    "svcca",
    "procrustes",
    "rsa_pearson",
    "rsa_spearman",
    "knn_overlap",
    "information_imbalance",
    "information_imbalance",
    "cca_null",
    "svcca_null",
    "procrustes_null",
    "rsa_pearson_null",
    "rsa_spearman_null",
    "knn_overlap_null",
    "information_imbalance_null",
    "information_imbalance_null",
    "cka_probe_null",
};

/* In the order of names from NND_ALIGN_SIMILAR on. */
static const nnd_similarity_measure SIMILAR[] = {
    NND_SIMILARITY_CCA,          NND_SIMILARITY_SVCCA,        NND_SIMILARITY_PROCRUSTES,
    NND_SIMILARITY_RSA_PEARSON,  NND_SIMILARITY_RSA_SPEARMAN, NND_SIMILARITY_KNN,
    NND_SIMILARITY_IMBALANCE_AB, NND_SIMILARITY_IMBALANCE_BA,
};
enum { SIMILAR_COUNT = sizeof SIMILAR / sizeof *SIMILAR };

bool nnd_alignment_is_measured(const nnd_alignment *p, size_t measure) {
    if (measure >= NND_ALIGN_SIMILAR)
        return p->probe.points > 0 && p->probe.similarity;
    return p->probe.points > 0 ||
           (measure != NND_ALIGN_CKA_PROBE && measure != NND_ALIGN_CKA_DEBIASED);
}

size_t nnd_alignment_direction(size_t measure, size_t *directions) {
    size_t k = measure - (measure >= NND_ALIGN_NULL ? NND_ALIGN_NULL : NND_ALIGN_SIMILAR);
    bool directed =
        measure >= NND_ALIGN_SIMILAR && (k == SIMILAR_COUNT - 2 || k == SIMILAR_COUNT - 1);
    *directions = directed ? 2 : 1;
    return directed && k == SIMILAR_COUNT - 1;
}

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

/* ---- probes ---- */

/* True if there is something to compare: networks that have learnt nothing, or diverged, have
 * features that do not vary, or are no numbers. */
static bool varies(size_t n, size_t width, const double *f) {
    bool all = true, any = false;
    for (size_t k = 0; k < n * width; k++) {
        all = all && isfinite(f[k]);
        any = any || f[k] != f[k % width];
    }
    return all && any;
}

/* One other order of the points for each pair: its mean over pairs is the null level. */
static nnd_status record_similarity(nnd_context *ctx, const nnd_alignment *p, nnd_rng_key key,
                                    const nnd_representations *r, double *measure) {
    nnd_similarity_options o = nnd_similarity_defaults();
    nnd_similarity s[NND_SIMILARITIES];
    o.wanted[NND_SIMILARITY_COSINE] = false;
    o.uncentred = !p->probe.centred;
    o.permutations = 1;
    o.resamples = 0;
    o.key = key;
    nnd_status status = nnd_similarity_measure_all(ctx, r, &o, s);
    for (size_t k = 0; status == NND_OK && k < SIMILAR_COUNT; k++) {
        measure[NND_ALIGN_SIMILAR + k] = s[SIMILAR[k]].value;
        measure[NND_ALIGN_NULL + k] = s[SIMILAR[k]].null;
    }
    if (status == NND_OK)
        measure[NND_ALIGN_NULL + SIMILAR_COUNT] = s[NND_SIMILARITY_CKA].null;
    return status;
}

nnd_status nnd_alignment_record_probes(nnd_context *ctx, const nnd_alignment *p, nnd_rng_key key,
                                       size_t points, const size_t width[2],
                                       const double *const features[2], double *measure) {
    nnd_cka_traces traces;
    nnd_status status = NND_OK;
    for (int debiased = 0; status == NND_OK && debiased < 2; debiased++) {
        status =
            nnd_cka_finite(ctx, points, width, features, p->probe.centred, debiased != 0, &traces);
        measure[debiased != 0 ? NND_ALIGN_CKA_DEBIASED : NND_ALIGN_CKA_PROBE] = nnd_cka_of(&traces);
    }
    const nnd_representations r = {
        points, {width[0], width[1]}, {features[0], features[1]}, {NULL, NULL}};
    if (status == NND_OK && p->probe.similarity && varies(points, width[0], features[0]) &&
        varies(points, width[1], features[1]))
        status = record_similarity(ctx, p, key, &r, measure);
    return status;
}

/* Features of the probes: n x rows = probes (n x D) h^T. */
static nnd_status probe_linear(nnd_context *ctx, const nnd_alignment_pair *pair, nnd_rng_key key,
                               const size_t rows[2], const double *const h[2], const double *probes,
                               double *measure) {
    size_t n = (size_t)pair->params->probe.points, d = pair->dim;
    double *f[2] = {calloc(n * rows[0], sizeof(double)), calloc(n * rows[1], sizeof(double))};
    nnd_status status =
        f[0] != NULL && f[1] != NULL ? NND_OK : nnd_fail_memory(ctx, "features of the probes");
    for (int b = 0; status == NND_OK && b < 2; b++)
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, (int)rows[b], (int)d, 1.0,
                    probes, (int)d, h[b], (int)d, 0.0, f[b], (int)rows[b]);
    const double *const features[2] = {f[0], f[1]};
    if (status == NND_OK)
        status = nnd_alignment_record_probes(ctx, pair->params, key, n, rows, features, measure);
    free(f[0]);
    free(f[1]);
    return status;
}

nnd_status nnd_alignment_record_linear(nnd_context *ctx, const nnd_alignment_pair *pair,
                                       const double *const b[2], const size_t rows[2],
                                       const double *const h[2], const double train_error[2],
                                       nnd_rng_key key, const double *probes, double *measure) {
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
    return status == NND_OK && probes != NULL
               ? probe_linear(ctx, pair, key, rows, h, probes, measure)
               : status;
}
